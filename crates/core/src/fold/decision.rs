//! Requests, decisions, overrides and bundles: who agreed to what, matched by content alone (`formats.md` section 3, `binds`).
//!
//! Two contents match by their sets of sha256, by commit only where neither has a sha256. A bundle's digest covers each element
//! that its definition lists; since the digest fixes the list, it does not matter when it was defined.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Entry, Missing,
    aggregate::{self, At, Content, Decided, Decision, Kept, Request, Slot, slot_key},
    compare::{self, Budget},
    naming,
    session::{self, Session, Source},
};
use crate::{
    event::{Bind, Digest},
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
    for digest in &bound {
        session.change(digest, |kept: &mut Content| {
            aggregate::add(&mut kept.asked, entry.index);
        })?;
    }
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
    let (sha256, commits) = digests(profile.binds());
    let decision = Decision {
        at: At::of(entry),
        decided,
        by: entry.event.source.as_str().to_owned(),
        service: profile.service.clone(),
        environment: profile.environment.clone(),
        expires,
        request,
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
    for digest in &bound {
        session.change(digest, |kept: &mut Content| {
            kept.more_decisions |=
                !aggregate::add_to(&mut kept.decisions, entry.index, aggregate::COMPARED_MAX);
        })?;
    }
    if let Some(place) = place
        && decided == Decided::Override
    {
        session.change(&place, |kept: &mut Slot| {
            aggregate::add(&mut kept.overrides, entry.index);
        })?;
    }
    compare::decision(entry.index, &mut Budget::new(), session)
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
    let (manifests, _) = digests(entry.event.profile.binds());
    session.want(manifests.union(&elements).map(Content::key))?;
    let mut budget = Budget::new();
    session::each(&manifests, |manifest| {
        // The digest fixes the list: a second definition brings nothing new to compare.
        let known = session.get::<Content>(manifest)?.elements;
        session.change(manifest, |kept: &mut Content| {
            kept.elements.extend(elements.iter().cloned());
            aggregate::add(&mut kept.described, entry.index);
        })?;
        for element in &elements {
            session.change(element, |kept: &mut Content| {
                kept.add_bundle(manifest, entry.index);
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

fn hexes(binds: &[Bind]) -> BTreeSet<String> {
    binds.iter().map(naming::hex).collect()
}
/// The sha256 digests and the commits among binds, in hexadecimal.
pub(crate) fn digests(binds: &[Bind]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut sha256 = BTreeSet::new();
    let mut commits = BTreeSet::new();
    for bind in binds {
        match &bind.digest {
            Digest::Sha256(hash) => sha256.insert(hash.to_hex()),
            Digest::GitCommit(commit) => commits.insert(commit.clone()),
        };
    }
    (sha256, commits)
}
