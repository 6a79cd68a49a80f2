//! Deployments, rollbacks and what other systems report.

use super::{Said, Telling, by, service};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{ChangeRef, Sentence, Tone},
        say,
    },
    fold::{
        aggregate::{Deployment, deployment_key},
        deployment,
    },
    kind::{Content, Outcome},
};

pub(super) fn said(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    match &entry.event.content {
        Content::DeploymentStarted(_) => {
            let sentence = service(Sentence::strong("Deployment"), entry, telling);
            let sentence = to(sentence, entry).text(" started");
            Said::new(Tone::Soft, by(sentence, entry, asked))
        }
        Content::DeploymentFinished(done) => finished(
            done.outcome,
            done.failure_type.as_deref(),
            entry,
            telling,
            asked,
        ),
        Content::RollbackStarted(_) => {
            let sentence = service(Sentence::strong("Rollback"), entry, telling);
            let sentence = goal(sentence, entry).text(" started");
            Said::new(Tone::Soft, by(place(sentence, entry), entry, asked))
        }
        Content::RollbackFinished(done) if done.outcome == Outcome::Success => {
            let sentence = service(Sentence::strong("Rolled back"), entry, telling);
            let sentence = place(goal(sentence, entry), entry);
            Said::signed('↶', Tone::Plain, by(sentence, entry, asked))
        }
        Content::RollbackFinished(done) => {
            let sentence = service(Sentence::strong("Rollback"), entry, telling);
            let sentence = place(goal(sentence, entry), entry);
            failed(done.outcome, None, sentence, entry, asked)
        }
        Content::ServiceDeployed(_) | Content::ServiceUpgraded(_) => {
            reported("Seen", entry, telling)
        }
        Content::ServiceRolledback(_) => reported("Seen rolled back", entry, telling),
        _ => Said::new(Tone::Soft, Sentence::strong("Recorded")),
    }
}

fn finished(
    outcome: Outcome,
    failure: Option<&str>,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    if outcome != Outcome::Success {
        let sentence = service(Sentence::strong("Deployment"), entry, telling);
        return failed(outcome, failure, to(sentence, entry), entry, asked);
    }
    let sentence = service(Sentence::strong("Deployed"), entry, telling);
    let sentence = by(to(sentence, entry), entry, asked);
    Said::new(Tone::Plain, with(sentence, entry, telling, asked))
}
fn failed(
    outcome: Outcome,
    failure: Option<&str>,
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
    let sentence = sentence.text(word).text(match failure {
        Some(failure) => format!(" ({})", say::one_line(failure)),
        None => String::new(),
    });
    let sentence = match names::author(entry, asked) {
        Some(who) => sentence.text(", by ").who(who),
        None => sentence,
    };
    Said::signed('✕', Tone::Bad, sentence)
}
/// A report that stands for itself or says what is known already.
fn reported(word: &str, entry: &EntryRead, telling: Telling<'_>) -> Said {
    let sentence = place(service(Sentence::strong(word), entry, telling), entry);
    let sentence = match entry.event.profile.binds().first() {
        Some(bind) => sentence
            .text(format!(": {} ", say::one_line(&bind.name)))
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
    match names::digests(entry.event.profile.binds())
        .into_iter()
        .next()
    {
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
    let Some(deployment) = about(entry, asked) else {
        return sentence;
    };
    if deployment.place.joins.is_some() {
        return sentence;
    }
    let contents = deployment
        .contents
        .as_ref()
        .filter(|contents| asked.has(contents.index));
    let Some(contents) = contents else {
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
        ": "
    };
    sentence.text(joint).changes(&others)
}
/// The deployment an entry is about.
fn about(entry: &EntryRead, asked: &Asked<'_>) -> Option<Deployment> {
    let profile = &entry.event.profile;
    let (service, environment) = (profile.service.as_ref()?, profile.environment.as_ref()?);
    asked.find(&deployment_key(
        service,
        environment,
        &deployment::id(&entry.event),
    ))
}
