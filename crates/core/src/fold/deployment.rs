//! Deployments, rollbacks, and what other systems report of them.

use std::collections::BTreeSet;

use super::{
    Entry, Missing,
    aggregate::{self, At, Attempt, Content, Deployment, Kept, Slot, deployment_key, slot_key},
    compare,
    session::{Session, Source},
    slot,
};
use crate::{
    event::{Bind, Digest, Event, binds},
    kind::{self, Kind, Outcome},
};

/// What an event says about its deployment.
struct Said {
    id: String,
    /// The outcome, if it says that the deployment is finished.
    outcome: Option<Outcome>,
    rollback: bool,
    report: bool,
}

pub(super) fn take(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let profile = &entry.event.profile;
    let (Some(service), Some(environment)) = (&profile.service, &profile.environment) else {
        // Judging requires both on these kinds.
        return Ok(());
    };
    let Some(said) = said(entry) else {
        return Ok(());
    };
    let key = deployment_key(service, environment, &said.id);
    session.want(
        [
            Deployment::key(key.as_str()),
            Slot::key(slot_key(service, environment)),
        ]
        .into_iter()
        .chain(profile.binds().iter().map(binds::hex).map(Content::key)),
    )?;
    let mut deployment: Deployment = session.get(&key)?;
    let bound_before = deployment.binds.clone();
    add(entry, &said, &mut deployment);
    deployment.service.clone_from(service);
    deployment.environment.clone_from(environment);
    let binds = deployment.binds.clone();
    let attempt = attempt(&key, &deployment);
    session.put(&key, deployment);
    if binds != bound_before {
        bind(&key, &bound_before, &binds, session)?;
    }
    slot::put(service, environment, attempt, entry, session)?;
    compare::deployment(&key, session)
}

fn said(entry: Entry<'_>) -> Option<Said> {
    let event = entry.event;
    let (outcome, rollback, report) = match &event.content {
        kind::Content::DeploymentStarted(_) => (None, false, false),
        kind::Content::DeploymentFinished(done) => (Some(done.outcome), false, false),
        kind::Content::RollbackStarted(_) => (None, true, false),
        kind::Content::RollbackFinished(done) => (Some(done.outcome), true, false),
        kind::Content::ServiceDeployed(_) | kind::Content::ServiceUpgraded(_) => {
            (Some(Outcome::Success), false, true)
        }
        kind::Content::ServiceRolledback(_) => (Some(Outcome::Success), true, true),
        _ => return None,
    };
    Some(Said {
        id: id(event),
        outcome,
        rollback,
        report,
    })
}

/// Adds what an event says; whichever comes first, the end is the same.
fn add(entry: Entry<'_>, said: &Said, deployment: &mut Deployment) {
    let at = At::of(entry);
    let profile = &entry.event.profile;
    let newest = deployment
        .started
        .max(deployment.finished.map(|(at, _)| at))
        .is_none_or(|known| at >= known);
    if newest {
        entry
            .event
            .source
            .as_str()
            .clone_into(&mut deployment.source);
    }
    deployment.id.clone_from(&said.id);
    aggregate::add(&mut deployment.entries, entry.index);
    deployment.rollback |= said.rollback;
    deployment.report |= said.report;
    if let Some(relayed) = &profile.relayed {
        deployment.relayed = Some(relayed.system.clone());
    }
    if let Some(outcome) = said.outcome {
        if deployment.finished.is_none_or(|(known, _)| at >= known) {
            deployment.finished = Some((at, outcome));
        }
    } else {
        deployment.started = Some(deployment.started.map_or(at, |known| known.min(at)));
    }
    let finish = said.outcome.is_some();
    let better = match deployment.bound {
        None => true,
        Some((true, known)) => finish && at >= known,
        Some((false, known)) => finish || at < known,
    };
    if better && !profile.binds().is_empty() {
        deployment.binds = profile.binds().to_vec();
        deployment.bound = Some((finish, at));
    }
}

/// Keeps for each digest and commit which deployments bind it.
fn bind(
    key: &str,
    before: &[Bind],
    after: &[Bind],
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let before: BTreeSet<String> = before.iter().map(binds::hex).collect();
    let after: BTreeSet<String> = after.iter().map(binds::hex).collect();
    session.want(before.union(&after).map(Content::key))?;
    let mut listed = true;
    for gone in before.difference(&after) {
        session.change(gone, |kept: &mut Content| {
            kept.deployments.remove(key);
        })?;
    }
    for new in after.difference(&before) {
        let mut kept: Content = session.get(new)?;
        let max = aggregate::COMPARED_MAX;
        listed &= aggregate::add_to(&mut kept.deployments, key.to_owned(), max);
        session.put(new, kept);
    }
    if !listed {
        // A later decision may not find it.
        session.change(key, |kept: &mut Deployment| kept.uncompared = true)?;
    }
    Ok(())
}

fn attempt(key: &str, deployment: &Deployment) -> Attempt {
    Attempt {
        key: key.to_owned(),
        started: deployment.started,
        finished: deployment.finished,
        rollback: deployment.rollback,
        relayed: deployment.relayed.is_some(),
        report: deployment.report,
        source: deployment.source.clone(),
        sha256: deployment
            .binds
            .iter()
            .filter_map(|bind| match &bind.digest {
                Digest::Sha256(hash) => Some(hash.to_hex()),
                Digest::GitCommit(_) => None,
            })
            .collect(),
        commit: binds::commit_of(&deployment.binds),
        place: deployment.place.clone(),
    }
}

/// The deployment's id: the subject, or what stands for it where a report names none.
pub(crate) fn id(event: &Event) -> String {
    match event.kind() {
        Kind::ServiceDeployed | Kind::ServiceUpgraded | Kind::ServiceRolledback => {
            format!("{}:{}", event.kind().name(), event.id)
        }
        _ => event.subject.clone(),
    }
}

/// Whether this kind is about a deployment.
pub(crate) fn concerns(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DeploymentStarted
            | Kind::DeploymentFinished
            | Kind::RollbackStarted
            | Kind::RollbackFinished
            | Kind::ServiceDeployed
            | Kind::ServiceUpgraded
            | Kind::ServiceRolledback
    )
}
