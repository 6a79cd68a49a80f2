//! What a deployment contains: the commits from what ran before to what comes, walked back along pushes, and the changes that
//! claim them. Otherwise unknown, never none.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry, Missing,
    aggregate::{Alias, Change, Commit, Contents, Deployment, Kept, Run},
    naming, push,
    session::Session,
    slot,
};
use crate::limits::CONTENTS_COMMITS_MAX;

/// Runs that one walk may open: a bound on what hostile pushes can make it do.
const WALK_RUNS_MAX: usize = 2 * CONTENTS_COMMITS_MAX;

/// Where a walk back along a branch ended.
enum Walk {
    /// The commits after the goal, oldest first.
    Found(Vec<String>),
    /// It is not known what comes before these, or it would be too many.
    Open(BTreeSet<String>),
}

/// Works out the contents of some deployments (by key) again.
pub(super) fn work_out(
    keys: BTreeSet<String>,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    session.want(keys.iter().map(Deployment::key))?;
    for key in keys {
        let deployment: Deployment = session.get(&key)?;
        let place = &deployment.place;
        let counts = !deployment.rollback && place.joins.is_none() && !place.confirms;
        let commit = slot::commit_of(&deployment.binds);
        let (commits, waits_for) = match (&commit, &place.previous_commit) {
            (Some(commit), Some(previous)) if counts => match walk(commit, previous, session)? {
                Walk::Found(commits) => (Some(commits), BTreeSet::new()),
                Walk::Open(ends) => (None, ends),
            },
            _ => (None, BTreeSet::new()),
        };
        wait(&key, waits_for, session)?;
        set(&key, commits, entry, session)?;
    }
    Ok(())
}

/// Walks back from `from` until `to`, along each branch that lists it.
fn walk(from: &str, to: &str, session: &Session<'_>) -> Result<Walk, Missing> {
    if from == to {
        return Ok(Walk::Found(Vec::new()));
    }
    let mut best: Option<Vec<String>> = None;
    let mut open = BTreeSet::new();
    let mut runs_left = WALK_RUNS_MAX;
    let first: Commit = session.get(from)?;
    if first.runs.is_empty() {
        open.insert(from.to_owned());
    }
    let ids: Vec<String> = first.runs.into_iter().take(runs_left).collect();
    let mut paths: Vec<(Run, String, Vec<String>)> = push::load(ids, session)?
        .into_iter()
        .map(|(_, run)| (run, from.to_owned(), Vec::new()))
        .collect();
    while let Some((run, commit, mut path)) = paths.pop() {
        if runs_left == 0 {
            break;
        }
        runs_left -= 1;
        match follow(&run, &commit, to, &mut path) {
            Step::Reached => {
                path.reverse();
                let better = best
                    .as_ref()
                    .is_none_or(|best| (path.len(), &path) < (best.len(), best));
                if better {
                    best = Some(path);
                }
            }
            Step::TooFar => {}
            Step::Start(Some(before)) => {
                let next = push::runs(&run.branch, before, session)?;
                if next.is_empty() {
                    open.insert(before.to_owned());
                }
                for (_, run) in next {
                    paths.push((run, before.to_owned(), path.clone()));
                }
            }
            Step::Start(None) => {
                open.extend(run.commits.first().cloned());
            }
        }
    }
    Ok(match best {
        Some(commits) => Walk::Found(commits),
        None => Walk::Open(open),
    })
}
enum Step<'a> {
    Reached,
    TooFar,
    /// The run begins here, after this commit.
    Start(Option<&'a str>),
}
/// Adds the commits of one run to the path, newest first.
fn follow<'a>(run: &'a Run, commit: &str, to: &str, path: &mut Vec<String>) -> Step<'a> {
    let position = run.commits.iter().rposition(|held| held == commit);
    let before = &run.commits[..position.map_or(0, |position| position + 1)];
    for held in before.iter().rev() {
        if held == to {
            return Step::Reached;
        }
        if path.len() == CONTENTS_COMMITS_MAX {
            return Step::TooFar;
        }
        path.push(held.clone());
    }
    match run.before.as_deref() {
        Some(before) if before == to => Step::Reached,
        before => Step::Start(before),
    }
}

/// Notes at which commits a deployment waits for a push.
fn wait(key: &str, ends: BTreeSet<String>, session: &mut Session<'_>) -> Result<(), Missing> {
    let mut deployment: Deployment = session.get(key)?;
    if deployment.waits_for == ends {
        return Ok(());
    }
    session.want(deployment.waits_for.union(&ends).map(Commit::key))?;
    for commit in deployment.waits_for.difference(&ends) {
        session.change(commit, |kept: &mut Commit| {
            kept.waited_for_by.remove(key);
        })?;
    }
    for commit in ends.difference(&deployment.waits_for) {
        session.change(commit, |kept: &mut Commit| {
            kept.waited_for_by.insert(key.to_owned());
        })?;
    }
    deployment.waits_for = ends;
    session.put(key, deployment);
    Ok(())
}

/// Gives a deployment its contents, and tells the commits and changes.
fn set(
    key: &str,
    commits: Option<Vec<String>>,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let mut deployment: Deployment = session.get(key)?;
    let before = deployment.contents.as_ref();
    if before.map(|contents| &contents.commits) == commits.as_ref() {
        return Ok(());
    }
    let old: BTreeSet<String> = before
        .map(|contents| contents.commits.iter().cloned().collect())
        .unwrap_or_default();
    let old_changes: BTreeSet<String> = before
        .map(|contents| contents.changes.values().cloned().collect())
        .unwrap_or_default();
    let new: BTreeSet<String> = commits.iter().flatten().cloned().collect();
    session.want(
        old.symmetric_difference(&new)
            .map(Commit::key)
            .chain(new.iter().map(Alias::key)),
    )?;
    for commit in old.difference(&new) {
        session.change(commit, |kept: &mut Commit| {
            kept.contained_in.remove(key);
        })?;
    }
    for commit in new.difference(&old) {
        session.change(commit, |kept: &mut Commit| {
            kept.contained_in.insert(key.to_owned(), entry.index);
        })?;
    }
    deployment.contents = match commits {
        Some(commits) => Some(Contents {
            index: entry.index,
            changes: holders(&commits, session)?,
            commits,
        }),
        None => None,
    };
    let new_changes: BTreeSet<String> = deployment
        .contents
        .iter()
        .flat_map(|contents| contents.changes.values().cloned())
        .collect();
    session.put(key, deployment);
    session.want(old_changes.union(&new_changes).map(Change::key))?;
    for change in old_changes.difference(&new_changes) {
        session.change(change, |kept: &mut Change| {
            kept.deployments.remove(key);
        })?;
    }
    for change in &new_changes {
        session.change(change, |kept: &mut Change| {
            kept.deployments
                .entry(key.to_owned())
                .or_insert(entry.index);
        })?;
        naming::touch(change, entry, session)?;
    }
    Ok(())
}

/// Which changes hold these commits, by position.
fn holders(commits: &[String], session: &Session<'_>) -> Result<BTreeMap<usize, String>, Missing> {
    let mut holders = BTreeMap::new();
    for (position, commit) in commits.iter().enumerate() {
        let alias: Alias = session.get(commit)?;
        if let Some(holder) = alias.holder() {
            holders.insert(position, holder.to_owned());
        }
    }
    Ok(holders)
}
