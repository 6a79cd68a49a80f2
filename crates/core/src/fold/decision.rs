//! Requests, decisions, overrides and bundles: who agreed to what, matched by content alone (`formats.md` section 3, `binds`).
//!
//! Two contents match by their sets of sha256, by commit only where neither has a sha256. A bundle's digest covers each element
//! that its definition lists; since the digest fixes the list, it does not matter when it was defined.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Entry, Missing,
    aggregate::{
        self, At, Content, Decided, Decision, Grant, Kept, Listed, Person, Reach, Request, Slot,
        slot_key,
    },
    compare::{self, Budget},
    session::{self, Session, Source},
};
use crate::{
    event::{Bind, binds},
    kind::{self, ApprovalUpdated, BundleDefined, OverrideDeclared},
    time,
};

/// Somebody asks for approval.
pub(super) fn ask(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let event = entry.event;
    let bound = hexes(event.profile.binds());
    session.want(
        bound
            .iter()
            .map(Content::key)
            .chain([Request::key(event.subject.as_str())]),
    )?;
    let unnoted = unnoted(&bound, session)?;
    for digest in &bound {
        session.change(digest, |kept: &mut Content| {
            aggregate::add(&mut kept.asked, entry.index);
        })?;
    }
    note_bundles(entry.index, &unnoted, session)?;
    session.change(&event.subject, |kept: &mut Request| {
        if kept.asked.len() < aggregate::LIST_MAX {
            kept.asked.insert(entry.index, entry.payload_hash.to_hex());
        }
    })
}

/// Somebody decides.
pub(super) fn decide(
    entry: Entry<'_>,
    updated: &ApprovalUpdated,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let approval = entry.event.profile.approval.as_ref();
    let decided = match updated.decision {
        kind::Decision::Approved => Decided::Approved,
        kind::Decision::Rejected => Decided::Rejected,
        kind::Decision::RequestChanges => Decided::ChangesRequested,
        kind::Decision::Deferred => Decided::Deferred,
        kind::Decision::Delegate => Decided::Delegated,
        kind::Decision::Escalated => Decided::Escalated,
    };
    session.change(&entry.event.subject, |kept: &mut Request| {
        aggregate::add(&mut kept.decisions, entry.index);
    })?;
    let expires = approval.and_then(|approval| approval.expires);
    let request = Some(entry.event.subject.clone());
    keep(entry, decided, expires, request, session)
}

/// Somebody goes on although a rule says no.
pub(super) fn declare(
    entry: Entry<'_>,
    declared: &OverrideDeclared,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let expires = time::parse(&declared.expires_at);
    keep(entry, Decided::Override, expires, None, session)
}

fn keep(
    entry: Entry<'_>,
    decided: Decided,
    expires: Option<Timestamp>,
    request: Option<String>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let profile = &entry.event.profile;
    let (sha256, commits) = binds::digests(profile.binds());
    let reach = reach(entry, session)?;
    let decision = Decision {
        at: At::by_rule(entry),
        decided,
        by: entry.event.source.as_str().to_owned(),
        service: profile.service.clone(),
        environment: profile.environment.clone(),
        expires,
        request,
        reach,
        deployments: BTreeSet::new(),
        uncompared: false,
        sha256,
        commits,
    };
    let id = entry.index.to_string();
    let bound: BTreeSet<String> = decision.sha256.union(&decision.commits).cloned().collect();
    session.want(
        bound
            .iter()
            .map(Content::key)
            .chain([Decision::key(id.as_str())]),
    )?;
    let place = match (&decision.service, &decision.environment) {
        (Some(service), Some(environment)) if bound.is_empty() => {
            Some(slot_key(service, environment))
        }
        _ => None,
    };
    session.put(&id, decision);
    let unnoted = unnoted(&bound, session)?;
    for digest in &bound {
        session.change(digest, |kept: &mut Content| {
            kept.decide(entry.index, decided);
        })?;
    }
    note_bundles(entry.index, &unnoted, session)?;
    if let Some(place) = place
        && decided == Decided::Override
    {
        session.change(&place, |kept: &mut Slot| {
            aggregate::add(&mut kept.overrides, entry.index);
        })?;
    }
    compare::decision(entry.index, &mut Budget::new(), session)
}

/// Where a decision may count that does not name both service and environment.
fn reach(entry: Entry<'_>, session: &Session<'_>) -> Result<Option<Reach>, Missing> {
    let profile = &entry.event.profile;
    if profile.service.is_some() && profile.environment.is_some() {
        return Ok(None);
    }
    let source = entry.event.source.as_str();
    let registration = entry.key.to_string();
    session.want([Grant::key(registration.as_str()), Person::key(source)])?;
    let roles = match &profile.role {
        None => None,
        Some(role) => {
            let given = session.get::<Person>(source)?.roles.into_values();
            Some(given.filter(|held| held.role == *role).collect())
        }
    };
    let grant = session.find(&registration)?;
    Ok(Some(Reach { grant, roles }))
}

/// Those digests about which nothing was asked or decided yet.
fn unnoted(bound: &BTreeSet<String>, session: &Session<'_>) -> Result<Vec<String>, Missing> {
    let mut unnoted = Vec::new();
    for digest in bound {
        if !session.look(digest)?.is_some_and(Content::is_noted) {
            unnoted.push(digest.clone());
        }
    }
    Ok(unnoted)
}
/// Something is asked or decided about these digests for the first time: where one is a bundle, what it lists remembers it.
fn note_bundles(
    index: u64,
    manifests: &[String],
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let mut listed = Vec::new();
    for manifest in manifests {
        let content = session.look::<Content>(manifest)?;
        let elements = content.into_iter().flat_map(|content| &content.elements);
        listed.extend(elements.map(|element| (element.clone(), manifest)));
    }
    // What is beyond was not compared either, and the decision says so.
    listed.truncate(compare::CONTENTS_MAX);
    session.want(listed.iter().map(|(element, _)| Content::key(element)))?;
    for (element, manifest) in listed {
        session.change(&element, |kept: &mut Content| {
            kept.list_bundle(manifest, Listed { index, noted: true });
        })?;
    }
    Ok(())
}

/// A bundle lists what belongs to it.
pub(super) fn define(
    entry: Entry<'_>,
    bundle: &BundleDefined,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let elements: BTreeSet<String> = bundle
        .elements
        .iter()
        .map(|element| element.sha256.clone())
        .collect();
    let (manifests, _) = binds::digests(entry.event.profile.binds());
    session.want(manifests.union(&elements).map(Content::key))?;
    let mut budget = Budget::new();
    session::each(&manifests, |manifest| {
        // The digest fixes the list: a second definition brings nothing new to compare.
        let known = session.get::<Content>(manifest)?.elements;
        session.change(manifest, |kept: &mut Content| {
            kept.elements.extend(elements.iter().cloned());
            aggregate::add(&mut kept.described, entry.index);
        })?;
        let listed = Listed {
            index: entry.index,
            noted: session.get::<Content>(manifest)?.is_noted(),
        };
        for element in &elements {
            session.change(element, |kept: &mut Content| {
                kept.list_bundle(manifest, listed);
            })?;
        }
        if elements.is_subset(&known) {
            return Ok(());
        }
        compare::bundle(manifest, &mut budget, session)
    })
}

/// An artifact is published.
pub(super) fn publish(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let bound = hexes(entry.event.profile.binds());
    session.want(bound.iter().map(Content::key))?;
    for digest in bound {
        session.change(&digest, |kept: &mut Content| {
            aggregate::add(&mut kept.described, entry.index);
        })?;
    }
    Ok(())
}

fn hexes(bound: &[Bind]) -> BTreeSet<String> {
    bound.iter().map(binds::hex).collect()
}
