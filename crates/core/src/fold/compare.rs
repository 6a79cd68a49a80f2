//! Which decisions are about which deployments: by what both bind, or by place.
//!
//! However much one emitter repeats itself, an entry looks at no more than [`CONTENTS_MAX`] digests and compares no more than
//! [`COMPARED_MAX`] pairs. A decision or deployment that was not compared with all it could be says so (`uncompared`).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Missing,
    aggregate::{
        self, COMPARED_MAX, Content, Decided, Decision, Deployment, Kept, LIST_MAX, Match, Slot,
        slot_key,
    },
    session::{self, Session, Source},
};
use crate::event::binds;

/// Digests that one entry looks at: as many as it may bind, and one bundle of the largest size.
pub(super) const CONTENTS_MAX: usize = 1_200;

/// What may still be done for one entry.
pub(super) struct Budget {
    contents: usize,
    pairs: usize,
}
impl Budget {
    pub(super) fn new() -> Self {
        Self {
            contents: CONTENTS_MAX,
            pairs: COMPARED_MAX,
        }
    }
}
/// Takes from what is left; `false` when that is not enough.
fn spend(left: &mut usize, amount: usize) -> bool {
    let enough = *left >= amount;
    if enough {
        *left -= amount;
    }
    enough
}

/// Finds the deployments that a decision is about.
pub(super) fn decision(
    index: u64,
    budget: &mut Budget,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let id = index.to_string();
    session.want([Decision::key(id.as_str())])?;
    let mut decision: Decision = session.get(&id)?;
    let Found { covered, keys, all } = concerned(&decision, budget, session)?;
    session.want(keys.iter().map(Deployment::key))?;
    for key in keys {
        let mut deployment: Deployment = session.get(&key)?;
        let matched = matched(&deployment, &decision, |digest| covered.contains(digest));
        let list = deployment.list_of(decision.decided);
        let known = list.get(&index).copied();
        match matched {
            same if same == known => continue,
            None => {
                list.remove(&index);
                decision.deployments.remove(&key);
            }
            Some(_) if known.is_none() && list.len() >= COMPARED_MAX => {
                deployment.uncompared = true;
            }
            Some(matched) => {
                list.insert(index, matched);
                decision.uncompared |=
                    !aggregate::add_to(&mut decision.deployments, key.clone(), LIST_MAX);
            }
        }
        session.put(&key, deployment);
    }
    decision.uncompared |= !all;
    session.put(&id, decision);
    Ok(())
}

struct Found {
    /// The digests a decision binds, and the elements of those that are bundles.
    covered: BTreeSet<String>,
    /// Deployments that bind one of them.
    keys: Vec<String>,
    /// Whether that is all.
    all: bool,
}
fn concerned(
    decision: &Decision,
    budget: &mut Budget,
    session: &Session<'_>,
) -> Result<Found, Missing> {
    let mut covered: BTreeSet<String> = decision.sha256.union(&decision.commits).cloned().collect();
    let mut found = Found {
        covered: BTreeSet::new(),
        keys: Vec::new(),
        all: spend(&mut budget.contents, covered.len()),
    };
    if !found.all {
        return Ok(found);
    }
    if covered.is_empty() {
        let (Some(service), Some(environment), Decided::Override) =
            (&decision.service, &decision.environment, decision.decided)
        else {
            return Ok(found);
        };
        let slot: Slot = session.get(&slot_key(service, environment))?;
        let newest = slot.attempts.iter().rev();
        found.keys = newest.map(|attempt| attempt.key.clone()).collect();
        return Ok(found);
    }
    session.want(covered.iter().map(Content::key))?;
    'bound: for digest in &decision.sha256 {
        let content = session.look::<Content>(digest)?;
        for element in content.into_iter().flat_map(|content| &content.elements) {
            if covered.contains(element) {
                continue;
            }
            if !spend(&mut budget.contents, 1) {
                found.all = false;
                break 'bound;
            }
            covered.insert(element.clone());
        }
    }
    session.want(covered.iter().map(Content::key))?;
    let mut keys = BTreeSet::new();
    for digest in &covered {
        let content = session.look::<Content>(digest)?;
        for key in content.into_iter().flat_map(|content| &content.deployments) {
            if keys.contains(key) || !is_for(decision, key) {
                continue;
            }
            if !spend(&mut budget.pairs, 1) {
                found.all = false;
                break;
            }
            keys.insert(key.clone());
        }
    }
    found.keys = keys.into_iter().collect();
    found.covered = covered;
    Ok(found)
}
/// Whether the decision names no other place than that of this deployment.
fn is_for(decision: &Decision, key: &str) -> bool {
    let mut place = key.split('\n');
    let mut same = |named: &Option<String>| {
        let own = place.next();
        named.as_deref().is_none_or(|named| Some(named) == own)
    };
    same(&decision.service) & same(&decision.environment)
}

/// A bundle became known: finds the deployments of the decisions that bind it again.
pub(super) fn bundle(
    manifest: &str,
    budget: &mut Budget,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let decisions: Vec<u64> = session.get::<Content>(manifest)?.all_decisions().collect();
    session.want(
        decisions
            .iter()
            .map(|index| Decision::key(index.to_string())),
    )?;
    session::each(decisions, |index| decision(index, budget, session))
}

/// Finds the decisions about a deployment again.
pub(super) fn deployment(key: &str, session: &mut Session<'_>) -> Result<(), Missing> {
    let mut deployment: Deployment = session.get(key)?;
    let mut budget = Budget::new();
    let candidates = candidates(&deployment, &mut budget, session)?;
    let ids = candidates.decisions.iter().map(u64::to_string);
    session.want(ids.map(Decision::key))?;
    let (mut decisions, mut overrides) = (BTreeMap::new(), BTreeMap::new());
    for index in &candidates.decisions {
        let Some(decision) = session.look::<Decision>(&index.to_string())? else {
            continue;
        };
        let covered: BTreeSet<&str> = decision
            .sha256
            .iter()
            .filter_map(|digest| candidates.bundles.get(digest))
            .flatten()
            .map(String::as_str)
            .collect();
        let matched = matched(&deployment, decision, |digest| {
            decision.sha256.contains(digest)
                || decision.commits.contains(digest)
                || covered.contains(digest)
        });
        if let Some(matched) = matched {
            let list = if decision.decided == Decided::Override {
                &mut overrides
            } else {
                &mut decisions
            };
            list.insert(*index, matched);
        }
    }
    let indexes =
        |of: &Deployment| -> BTreeSet<u64> { of.all_decisions().map(|(index, _)| index).collect() };
    let before = indexes(&deployment);
    deployment.decisions = decisions;
    deployment.overrides = overrides;
    let after = indexes(&deployment);
    for gone in before.difference(&after) {
        session.change(&gone.to_string(), |kept: &mut Decision| {
            kept.deployments.remove(key);
        })?;
    }
    for new in after.difference(&before) {
        session.change(&new.to_string(), |kept: &mut Decision| {
            kept.uncompared |= !aggregate::add_to(&mut kept.deployments, key.to_owned(), LIST_MAX);
        })?;
    }
    deployment.uncompared |= !candidates.all;
    session.put(key, deployment);
    Ok(())
}

struct Candidates {
    /// Decisions about something the deployment binds, or about its place.
    decisions: BTreeSet<u64>,
    /// Bundles that list something it binds and about which something was decided, with what it binds of their elements.
    bundles: BTreeMap<String, Vec<String>>,
    /// Whether that is all.
    all: bool,
}
fn candidates(
    deployment: &Deployment,
    budget: &mut Budget,
    session: &Session<'_>,
) -> Result<Candidates, Missing> {
    let place = slot_key(&deployment.service, &deployment.environment);
    let (sha256, commits) = binds::digests(&deployment.binds);
    let own: BTreeSet<String> = sha256.union(&commits).cloned().collect();
    let keys = own.iter().map(Content::key);
    session.want(keys.chain([Slot::key(place.as_str())]))?;
    let mut all = spend(&mut budget.contents, own.len());
    let mut bound = own.clone();
    for digest in &own {
        let Some(content) = session.look::<Content>(digest)? else {
            continue;
        };
        all &= !content.more_bundles;
        for (bundle, listed) in &content.bundles {
            if !listed.noted {
                continue;
            }
            if bound.contains(bundle) {
                continue;
            }
            if spend(&mut budget.contents, 1) {
                bound.insert(bundle.clone());
            } else {
                all = false;
            }
        }
    }
    session.want(bound.iter().map(Content::key))?;
    let (mut about, mut overriding) = (BTreeSet::new(), BTreeSet::new());
    let mut bundles = BTreeMap::new();
    for digest in bound {
        let Some(content) = session.look::<Content>(&digest)? else {
            continue;
        };
        about.extend(content.decisions.iter().copied());
        overriding.extend(content.overrides.iter().copied());
        all &= !content.more_decisions;
        if content.is_noted() && !content.elements.is_empty() {
            let listed = own.intersection(&content.elements).cloned().collect();
            bundles.insert(digest, listed);
        }
    }
    let of_place = session.get::<Slot>(&place)?.overrides;
    // What is known to be about it stays; then the first decisions about its content, and the last overrides of its place.
    let mut decisions: BTreeSet<u64> = deployment.decisions.keys().copied().collect();
    for index in about {
        all &= aggregate::add_to(&mut decisions, index, COMPARED_MAX);
    }
    let mut overrides: BTreeSet<u64> = deployment.overrides.keys().copied().collect();
    for index in overriding.into_iter().chain(of_place.into_iter().rev()) {
        all &= aggregate::add_to(&mut overrides, index, COMPARED_MAX);
    }
    decisions.append(&mut overrides);
    Ok(Candidates {
        decisions,
        bundles,
        all,
    })
}

fn matched(
    deployment: &Deployment,
    decision: &Decision,
    covers: impl Fn(&str) -> bool,
) -> Option<Match> {
    let elsewhere = |named: &Option<String>, own: &str| named.as_deref().is_some_and(|n| n != own);
    if elsewhere(&decision.service, &deployment.service)
        || elsewhere(&decision.environment, &deployment.environment)
    {
        return None;
    }
    if decision.sha256.is_empty() && decision.commits.is_empty() {
        return is_in_force(deployment, decision).then_some(Match::Place);
    }
    let reaches = decision
        .reach
        .as_ref()
        .is_none_or(|reach| reach.covers(&deployment.service, &deployment.environment));
    let (sha256, commits) = binds::digests(&deployment.binds);
    let own = if sha256.is_empty() && decision.sha256.is_empty() {
        commits
    } else {
        sha256
    };
    match own.iter().filter(|digest| covers(digest)).count() {
        0 => None,
        _ if !reaches => Some(Match::Outside),
        some if some < own.len() => Some(Match::Part),
        _ => Some(Match::All),
    }
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
