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
    fold::aggregate::{Deployment, Trouble, alert_key, incident_key, slot_key},
    kind::Alert,
};

pub(super) fn fired(
    alert: &Alert,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    let key = alert_key(entry.event.source.as_str(), &entry.event.subject);
    let sentence = Sentence::strong("Alert").text(format!(" {}", name(alert)));
    let sentence = place(sentence, entry, telling);
    Said::signed('!', Tone::Bad, after(sentence, &key, entry, asked))
}
pub(super) fn resolved(alert: &Alert, entry: &EntryRead, telling: Telling<'_>) -> Said {
    let sentence = Sentence::strong("Alert over").text(format!(" {}", name(alert)));
    Said::new(Tone::Good, place(sentence, entry, telling))
}
pub(super) fn detected(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let subject = &entry.event.subject;
    let environment = entry.event.profile.environment.as_deref();
    let key = incident_key(environment.unwrap_or_default(), subject);
    let sentence = Sentence::strong("Incident").text(format!(" {subject}"));
    let sentence = place(sentence, entry, telling).text(" detected");
    let sentence = super::by(sentence, entry, asked);
    Said::signed('!', Tone::Bad, after(sentence, &key, entry, asked))
}
pub(super) fn over(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = Sentence::strong("Incident over").text(format!(" {}", entry.event.subject));
    let sentence = place(sentence, entry, telling);
    let sentence = match names::author(entry, asked) {
        Some(who) => sentence.text(", as ").who(who).text(" says"),
        None => sentence,
    };
    Said::new(Tone::Good, sentence)
}
fn name(alert: &Alert) -> &str {
    alert.name.as_ref().unwrap_or(&alert.alert_key)
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
fn after(sentence: Sentence, key: &str, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    let Some(trouble) = asked.find::<Trouble>(key) else {
        return sentence;
    };
    let profile = &entry.event.profile;
    let (Some(service), Some(environment)) = (&profile.service, &profile.environment) else {
        return sentence;
    };
    let followed = trouble
        .followed
        .get(&slot_key(service, environment))
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
