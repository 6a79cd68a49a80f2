//! Requests, decisions, overrides and bundles: who agreed to what, matched by content alone (`formats.md` section 3, `binds`).
//!
//! Two contents match by their sets of sha256, by commit only where neither has a sha256. A bundle's digest covers each element
//! that its definition lists; since the digest fixes the list, it does not matter when it was defined.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Entry, Missing,
    aggregate::{
        self, At, Content, Decided, Decision, Deployment, Kept, Match, Request, Slot, slot_key,
    },
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
            aggregate::add(&mut kept.decisions, entry.index);
        })?;
    }
    let mut concerned = deployments_of(&bound, session)?;
    if let Some(place) = place
        && decided == Decided::Override
    {
        session.change(&place, |kept: &mut Slot| {
            aggregate::add(&mut kept.overrides, entry.index);
        })?;
        let slot: Slot = session.get(&place)?;
        concerned.extend(slot.attempts.into_iter().map(|attempt| attempt.key));
    }
    refresh_all(&concerned, session)
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
    for manifest in &manifests {
        session.change(manifest, |kept: &mut Content| {
            kept.elements.extend(elements.iter().cloned());
            aggregate::add(&mut kept.described, entry.index);
        })?;
        for element in &elements {
            session.change(element, |kept: &mut Content| {
                kept.add_bundle(manifest, entry.index);
            })?;
        }
    }
    let concerned = deployments_of(&manifests, session)?;
    refresh_all(&concerned, session)
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

/// Deployments that bind one of these, or an element of one that is a bundle.
fn deployments_of(
    bound: &BTreeSet<String>,
    session: &Session<'_>,
) -> Result<BTreeSet<String>, Missing> {
    session.want(bound.iter().map(Content::key))?;
    let mut covered = bound.clone();
    for digest in bound {
        covered.extend(session.get::<Content>(digest)?.elements);
    }
    session.want(covered.iter().map(Content::key))?;
    let mut keys = BTreeSet::new();
    for digest in &covered {
        keys.extend(session.get::<Content>(digest)?.deployments);
    }
    Ok(keys)
}

fn refresh_all(keys: &BTreeSet<String>, session: &mut Session<'_>) -> Result<(), Missing> {
    session.want(keys.iter().map(Deployment::key))?;
    session::each(keys, |key| refresh(key, session))
}

/// Finds the decisions about a deployment again.
pub(super) fn refresh(key: &str, session: &mut Session<'_>) -> Result<(), Missing> {
    let mut deployment: Deployment = session.get(key)?;
    let candidates = candidates(&deployment, session)?;
    session.want(
        candidates
            .iter()
            .chain(deployment.decisions.keys())
            .map(|index| Decision::key(index.to_string())),
    )?;
    let mut matches = BTreeMap::new();
    for index in candidates {
        let decision: Decision = session.get(&index.to_string())?;
        if let Some(matched) = matched(&deployment, &decision, session)? {
            matches.insert(index, matched);
        }
    }
    if matches == deployment.decisions {
        return Ok(());
    }
    let before: BTreeSet<u64> = deployment.decisions.keys().copied().collect();
    let after: BTreeSet<u64> = matches.keys().copied().collect();
    for gone in before.difference(&after) {
        session.change(&gone.to_string(), |kept: &mut Decision| {
            kept.deployments.remove(key);
        })?;
    }
    for new in after.difference(&before) {
        session.change(&new.to_string(), |kept: &mut Decision| {
            aggregate::add(&mut kept.deployments, key.to_owned());
        })?;
    }
    deployment.decisions = matches;
    session.put(key, deployment);
    Ok(())
}

/// Decisions about something the deployment binds, or about its place.
fn candidates(deployment: &Deployment, session: &Session<'_>) -> Result<BTreeSet<u64>, Missing> {
    let place = slot_key(&deployment.service, &deployment.environment);
    let mut bound = hexes(&deployment.binds);
    session.want(
        bound
            .iter()
            .map(Content::key)
            .chain([Slot::key(place.as_str())]),
    )?;
    for digest in bound.clone() {
        bound.extend(session.get::<Content>(&digest)?.bundles.into_keys());
    }
    session.want(bound.iter().map(Content::key))?;
    let mut found = session.get::<Slot>(&place)?.overrides;
    for digest in &bound {
        found.extend(session.get::<Content>(digest)?.decisions);
    }
    Ok(found)
}

fn matched(
    deployment: &Deployment,
    decision: &Decision,
    session: &Session<'_>,
) -> Result<Option<Match>, Missing> {
    let elsewhere = |named: &Option<String>, own: &str| named.as_deref().is_some_and(|n| n != own);
    if elsewhere(&decision.service, &deployment.service)
        || elsewhere(&decision.environment, &deployment.environment)
    {
        return Ok(None);
    }
    if decision.sha256.is_empty() && decision.commits.is_empty() {
        return Ok(is_in_force(deployment, decision).then_some(Match::Place));
    }
    let (sha256, commits) = digests(&deployment.binds);
    let (own, covered) = if sha256.is_empty() && decision.sha256.is_empty() {
        (commits, decision.commits.clone())
    } else {
        let mut covered = decision.sha256.clone();
        session.want(decision.sha256.iter().map(Content::key))?;
        for digest in &decision.sha256 {
            covered.extend(session.get::<Content>(digest)?.elements);
        }
        (sha256, covered)
    };
    Ok(if !own.is_empty() && own.is_subset(&covered) {
        Some(Match::All)
    } else if own.is_disjoint(&covered) {
        None
    } else {
        Some(Match::Part)
    })
}

/// Whether an override's time covers the deployment's.
fn is_in_force(deployment: &Deployment, decision: &Decision) -> bool {
    let from = deployment.started.or(deployment.finished.map(|(at, _)| at));
    let to = deployment.finished.map(|(at, _)| at).or(from);
    let (Some(from), Some(to)) = (from, to) else {
        return false;
    };
    decision.at.time <= to.time && decision.expires.is_none_or(|expires| from.time <= expires)
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
