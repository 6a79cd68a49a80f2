//! Alerts and incidents, and which deployment they followed. Never what caused them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Entry, Missing,
    aggregate::{self, Kept, Slot, Trouble, alert_key, incident_key, slot_key},
    session::{self, Session, Source},
    slot,
};
use crate::{
    kind::{Alert, Kind},
    time,
};

/// Services and environments that one alert or incident is listed for: the first ones.
const PLACES_MAX: usize = 16;

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
        (Some(service), Some(environment)) => Some(slot_key(service, environment)),
        _ => None,
    };
    session.want([Trouble::key(key)])?;
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
    let began = match (trouble.from, from) {
        (Some(known), Some(said)) => Some(known.min(said)),
        (known, said) => known.or(said),
    };
    trouble.to = trouble.to.max(to);
    // An earlier beginning is news to every place; a new place is told of it.
    let mut told: BTreeSet<String> = BTreeSet::new();
    if began != trouble.from {
        told.extend(trouble.places.iter().cloned());
    }
    if let Some(place) = place
        && aggregate::add_to(&mut trouble.places, place.clone(), PLACES_MAX)
    {
        told.insert(place);
    }
    trouble.from = began;
    session.put(key, trouble);
    let Some(began) = began else {
        return Ok(());
    };
    session.want(told.iter().map(Slot::key))?;
    session::each(told, |place| {
        slot::trouble(&place, key, began, entry, session)
    })
}
