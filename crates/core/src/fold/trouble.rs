//! Alerts and incidents, and which deployment they followed. Never what caused them.

use jiff::Timestamp;

use super::{
    Entry, Missing,
    aggregate::{self, Kept, Slot, Trouble, alert_key, incident_key, slot_key},
    session::{Session, Source},
    slot,
};
use crate::{
    kind::{Alert, Kind},
    time,
};

pub(super) fn alert(
    entry: Entry<'_>,
    alert: &Alert,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let event = entry.event;
    let key = alert_key(event.source.as_str(), &event.subject);
    let from = time::parse(&alert.starts_at).unwrap_or(event.timestamp);
    let to = alert.ends_at.as_deref().and_then(time::parse);
    let name = alert.name.as_ref().unwrap_or(&alert.alert_key).clone();
    take(entry, &key, Some(from), to, session, |trouble| {
        if event.kind() == Kind::AlertFired || trouble.name.is_empty() {
            trouble.name = name;
        }
    })
}

pub(super) fn incident(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let event = entry.event;
    let Some(environment) = &event.profile.environment else {
        // Judging requires it on incidents.
        return Ok(());
    };
    let key = incident_key(environment, &event.subject);
    let detected = event.kind() == Kind::IncidentDetected;
    let from = detected.then_some(event.timestamp);
    let to = (!detected).then_some(event.timestamp);
    take(entry, &key, from, to, session, |trouble| {
        trouble.incident = true;
        trouble.name.clone_from(&event.subject);
    })
}

fn take(
    entry: Entry<'_>,
    key: &str,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    session: &mut Session<'_>,
    name: impl FnOnce(&mut Trouble),
) -> Result<(), Missing> {
    let profile = &entry.event.profile;
    let place = match (&profile.service, &profile.environment) {
        (Some(service), Some(environment)) => Some((service, environment)),
        _ => None,
    };
    session.want(
        [Trouble::key(key)]
            .into_iter()
            .chain(place.map(|(service, environment)| Slot::key(slot_key(service, environment)))),
    )?;
    let opens = matches!(
        entry.event.kind(),
        Kind::AlertFired | Kind::IncidentDetected
    );
    let mut trouble: Trouble = session.get(key)?;
    name(&mut trouble);
    let entries = if opens {
        &mut trouble.opened
    } else {
        &mut trouble.closed
    };
    aggregate::add(entries, entry.index);
    // The earliest beginning and the latest end that anybody gives.
    trouble.from = match (trouble.from, from) {
        (Some(known), Some(said)) => Some(known.min(said)),
        (known, said) => known.or(said),
    };
    trouble.to = trouble.to.max(to);
    if trouble.service.is_none() {
        trouble.service.clone_from(&profile.service);
    }
    if trouble.environment.is_none() {
        trouble.environment.clone_from(&profile.environment);
    }
    let from = trouble.from;
    session.put(key, trouble);
    match (place, from) {
        (Some((service, environment)), Some(from)) => {
            slot::trouble(service, environment, key, from, entry, session)
        }
        _ => Ok(()),
    }
}
