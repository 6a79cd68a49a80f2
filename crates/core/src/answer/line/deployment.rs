//! Deployments, rollbacks and what other systems report.

use super::{Said, Telling, bind_name, by};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        gather, names,
        part::{ChangeRef, Sentence, Tone},
        say,
    },
    fold::{
        aggregate::{Deployment, deployment_key},
        deployment,
    },
    kind::{DeploymentFinished, Outcome},
};

pub(super) fn started(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = of_service(Sentence::strong("Deployment"), entry, telling);
    let sentence = to(sentence, entry).text(" started");
    Said::new(Tone::Soft, by(sentence, entry, asked))
}
pub(super) fn finished(
    done: &DeploymentFinished,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    if done.outcome != Outcome::Success {
        let sentence = of_service(Sentence::strong("Deployment"), entry, telling);
        let why = done.failure_type.as_deref();
        return failed(done.outcome, why, to(sentence, entry), entry, asked);
    }
    let sentence = service(Sentence::strong("Deployed"), entry, telling);
    let sentence = by(to(sentence, entry), entry, asked);
    Said::new(Tone::Plain, with(sentence, entry, telling, asked))
}
pub(super) fn rollback_started(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = of_service(Sentence::strong("Rollback"), entry, telling);
    let sentence = place(goal(sentence, entry), entry).text(" started");
    Said::new(Tone::Soft, by(sentence, entry, asked))
}
pub(super) fn rollback_finished(
    outcome: Outcome,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    if outcome != Outcome::Success {
        let sentence = of_service(Sentence::strong("Rollback"), entry, telling);
        return failed(
            outcome,
            None,
            place(goal(sentence, entry), entry),
            entry,
            asked,
        );
    }
    let sentence = service(Sentence::strong("Rolled back"), entry, telling);
    let sentence = place(goal(sentence, entry), entry);
    Said::signed('↶', Tone::Plain, by(sentence, entry, asked))
}
/// A report of another system, or a pipeline's second word on its own deployment.
pub(super) fn reported(word: &str, entry: &EntryRead, telling: Telling<'_>) -> Said {
    let sentence = place(service(Sentence::strong(word), entry, telling), entry);
    let sentence = match entry.event.profile.binds().first() {
        Some(bind) => sentence
            .text(format!(": {} ", bind_name(&bind.name)))
            .digest(names::digest(bind)),
        None => sentence,
    };
    let sentence = if entry.event.profile.relayed.is_none() {
        sentence.text(format!(", as {} says", entry.event.source.slug()))
    } else {
        sentence
    };
    Said::new(Tone::Soft, sentence)
}

fn failed(
    outcome: Outcome,
    why: Option<&str>,
    sentence: Sentence,
    entry: &EntryRead,
    asked: &Asked<'_>,
) -> Said {
    let word = match outcome {
        Outcome::Success => " succeeded",
        Outcome::Failure => " failed",
        Outcome::Cancel => " was cancelled",
        Outcome::Error => " ended in an error",
    };
    let sentence = sentence.text(word).text(match why {
        Some(why) => format!(" ({})", say::one_line(why)),
        None => String::new(),
    });
    let sentence = match names::author(entry, asked) {
        Some(who) => sentence.text(", by ").who(who),
        None => sentence,
    };
    Said::signed('✕', Tone::Bad, sentence)
}

/// ` checkout`, where the reader does not see it elsewhere.
fn service(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    match &entry.event.profile.service {
        Some(service) if telling.services => sentence.text(format!(" {service}")),
        _ => sentence,
    }
}
/// ` of checkout`
fn of_service(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    match &entry.event.profile.service {
        Some(service) if telling.services => sentence.text(format!(" of {service}")),
        _ => sentence,
    }
}
/// ` to production`
fn to(sentence: Sentence, entry: &EntryRead) -> Sentence {
    match &entry.event.profile.environment {
        Some(environment) => sentence.text(format!(" to {environment}")),
        None => sentence,
    }
}
/// ` in production`
fn place(sentence: Sentence, entry: &EntryRead) -> Sentence {
    match &entry.event.profile.environment {
        Some(environment) => sentence.text(format!(" in {environment}")),
        None => sentence,
    }
}
/// ` to 51aa…`
fn goal(sentence: Sentence, entry: &EntryRead) -> Sentence {
    let mut digests = names::digests(entry.event.profile.binds()).into_iter();
    match digests.next() {
        Some(digest) => sentence.text(" to ").digest(digest),
        None => sentence.text(" to content that is unknown"),
    }
}

/// `, with #416 and #417`: what else came, or that it is unknown.
fn with(
    sentence: Sentence,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Sentence {
    let Some(deployment) = about(entry, asked).filter(|deployment| deployment.place.counts())
    else {
        return sentence;
    };
    let Some(contents) = &deployment.contents else {
        return match telling.story_of {
            Some(_) => sentence.text(", contents unknown"),
            None => sentence,
        };
    };
    let others: Vec<ChangeRef> = contents
        .changes()
        .into_iter()
        .filter(|change| telling.story_of != Some(*change))
        .map(|change| names::change(change, asked))
        .collect();
    if others.is_empty() {
        return sentence;
    }
    let joint = if telling.story_of.is_some() {
        ", with "
    } else {
        ", bringing "
    };
    sentence.text(joint).changes(&others)
}
/// The deployment an entry is about.
fn about(entry: &EntryRead, asked: &Asked<'_>) -> Option<Deployment> {
    let profile = &entry.event.profile;
    let (service, environment) = (profile.service.as_ref()?, profile.environment.as_ref()?);
    let id = deployment::id(&entry.event);
    gather::deployment(&deployment_key(service, environment, &id), asked)
}
