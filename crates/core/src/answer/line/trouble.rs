//! Alerts and incidents: what they followed, never what caused them.

use super::{Said, Telling};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, Tone},
        say,
    },
    fold::aggregate::{Deployment, Trouble, alert_key, incident_key},
    kind::Content,
};

pub(super) fn said(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let event = &entry.event;
    match &event.content {
        Content::AlertFired(alert) => {
            let name = alert.name.as_ref().unwrap_or(&alert.alert_key);
            let sentence = Sentence::strong("Alert").text(format!(" {name}"));
            let sentence = place(sentence, entry, telling);
            Said::signed('!', Tone::Bad, after(sentence, entry, asked))
        }
        Content::AlertResolved(alert) => {
            let name = alert.name.as_ref().unwrap_or(&alert.alert_key);
            let sentence = Sentence::strong("Alert over").text(format!(" {name}"));
            Said::new(Tone::Good, place(sentence, entry, telling))
        }
        Content::IncidentDetected(_) => {
            let sentence = Sentence::strong("Incident").text(format!(" {}", event.subject));
            let sentence = place(sentence, entry, telling).text(" detected");
            let sentence = super::by(sentence, entry, asked);
            Said::signed('!', Tone::Bad, after(sentence, entry, asked))
        }
        Content::IncidentResolved(_) => {
            let sentence = Sentence::strong("Incident over").text(format!(" {}", event.subject));
            let sentence = place(sentence, entry, telling);
            let sentence = match names::author(entry, asked) {
                Some(who) => sentence.text(", as ").who(who).text(" says"),
                None => sentence,
            };
            Said::new(Tone::Good, sentence)
        }
        _ => Said::new(Tone::Soft, Sentence::strong("Recorded")),
    }
}

/// ` on checkout in production`, where the reader does not see it elsewhere.
fn place(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    let profile = &entry.event.profile;
    if !telling.services {
        return sentence;
    }
    let sentence = match &profile.service {
        Some(service) => sentence.text(format!(" on {service}")),
        None => sentence.text(", not mapped to a service"),
    };
    match &profile.environment {
        Some(environment) => sentence.text(format!(" in {environment}")),
        None => sentence,
    }
}

/// `, 13 min after the deployment`
fn after(sentence: Sentence, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    let Some(trouble) = trouble(entry, asked) else {
        return sentence;
    };
    let followed = trouble
        .followed
        .as_ref()
        .and_then(|key| asked.find::<Deployment>(key));
    match followed {
        Some(deployment) => {
            let word = if deployment.rollback {
                "rollback"
            } else {
                "deployment"
            };
            sentence.text(format!(", {} the {word}", since(&trouble, &deployment)))
        }
        None => sentence,
    }
}
/// `13 min after`, or `during`.
pub(crate) fn since(trouble: &Trouble, deployment: &Deployment) -> String {
    match minutes(trouble, deployment) {
        Some(minutes) => say::minutes_after(minutes),
        None => "during".to_owned(),
    }
}
/// Whole minutes from the end of the deployment to the trouble; `None` if it was still going on.
pub(crate) fn minutes(trouble: &Trouble, deployment: &Deployment) -> Option<i64> {
    let from = trouble.from?;
    let finished = deployment.finished.map(|(at, _)| at.time)?;
    (finished <= from).then(|| say::minutes(finished, from))
}
/// The alert or incident an entry is about.
fn trouble(entry: &EntryRead, asked: &Asked<'_>) -> Option<Trouble> {
    let event = &entry.event;
    let key = match &event.content {
        Content::AlertFired(_) | Content::AlertResolved(_) => {
            alert_key(event.source.as_str(), &event.subject)
        }
        _ => incident_key(event.profile.environment.as_ref()?, &event.subject),
    };
    asked.find(&key)
}
