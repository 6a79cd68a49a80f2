//! Which commit follows which, from pushes.
//!
//! Only what a push says for certain is kept: a forced push says nothing of what came before, a truncated one only where the
//! branch is now.

use std::collections::BTreeSet;

use super::{
    Entry, Missing,
    aggregate::{self, Commit, Kept, Run},
    contents,
    session::{Session, Source},
};
use crate::kind::BranchPushed;

/// Runs that list one commit: one for each branch that it was pushed to, and a few for what was pushed anew. Beyond, what comes
/// before it there is unknown.
const COMMIT_RUNS_MAX: usize = 32;
/// Commits of one [`Run`]: large enough that walking back 500 commits loads few runs, small enough to be written often.
const RUN_COMMITS_MAX: usize = 64;

pub(super) fn push(
    entry: Entry<'_>,
    push: &BranchPushed,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let branch = format!("{}@{}", push.repository.id, push.branch);
    let listed: Vec<&str> = push
        .commits
        .iter()
        .map(|commit| commit.git_commit.as_str())
        .collect();
    let (before, chain) = certain(push, &listed);
    session.want(
        listed
            .iter()
            .chain(&chain)
            .copied()
            .chain(before)
            .map(Commit::key),
    )?;
    for commit in &listed {
        session.change(commit, |kept: &mut Commit| {
            aggregate::add(&mut kept.pushes, entry.index);
        })?;
    }
    let mut known = BTreeSet::new();
    for commit in chain.iter().copied().chain(before) {
        known.extend(session.get::<Commit>(commit)?.runs_on(Some(&branch)));
    }
    session.want(known.iter().map(Run::key))?;
    let placed = place(&branch, before, &chain, session)?;
    let mut waiting = BTreeSet::new();
    for commit in placed {
        waiting.extend(session.get::<Commit>(commit)?.waited_for_by);
    }
    contents::work_out(waiting, entry, session)
}

/// The commits whose order is certain, oldest first, and the one before them.
fn certain<'a>(push: &'a BranchPushed, listed: &[&'a str]) -> (Option<&'a str>, Vec<&'a str>) {
    let before = push.before.git_commit.as_str();
    let after = push.after.git_commit.as_str();
    if is_none(after) {
        return (None, Vec::new());
    }
    if push.truncated || listed.last() != Some(&after) {
        return (None, vec![after]);
    }
    let before = (!push.forced && !is_none(before)).then_some(before);
    (before, listed.to_vec())
}

/// Git writes "no commit" as zeros.
fn is_none(commit: &str) -> bool {
    commit.bytes().all(|byte| byte == b'0')
}

/// Puts commits behind one another on a branch; gives those for which that was news.
fn place<'a>(
    branch: &str,
    mut before: Option<&'a str>,
    chain: &[&'a str],
    session: &mut Session<'_>,
) -> Result<Vec<&'a str>, Missing> {
    let mut placed = Vec::new();
    let mut open: Option<(String, Run)> = None;
    for commit in chain.iter().copied() {
        if is_known(branch, before, commit, session)? {
            close(&mut open, session);
        } else {
            let (id, mut run) = match open.take() {
                Some((id, run)) if run.commits.len() < RUN_COMMITS_MAX => (id, run),
                full => {
                    if let Some((id, run)) = full {
                        session.put(&id, run);
                    }
                    run_to_extend(branch, before, session)?
                        .unwrap_or_else(|| new_run(branch, before, commit))
                }
            };
            run.commits.push(commit.to_owned());
            session.change(commit, |kept: &mut Commit| {
                aggregate::add_to(&mut kept.runs, id.clone(), COMMIT_RUNS_MAX);
            })?;
            open = Some((id, run));
            placed.push(commit);
        }
        before = Some(commit);
    }
    close(&mut open, session);
    Ok(placed)
}
fn close(open: &mut Option<(String, Run)>, session: &mut Session<'_>) {
    if let Some((id, run)) = open.take() {
        session.put(&id, run);
    }
}
fn new_run(branch: &str, before: Option<&str>, first: &str) -> (String, Run) {
    let id = format!("{branch}\n{}\n{first}", before.unwrap_or_default());
    let run = Run {
        branch: branch.to_owned(),
        before: before.map(str::to_owned),
        commits: Vec::new(),
    };
    (id, run)
}

/// Whether the branch has `commit` right after `before` already (a push told twice).
fn is_known(
    branch: &str,
    before: Option<&str>,
    commit: &str,
    session: &Session<'_>,
) -> Result<bool, Missing> {
    for (_, run) in runs(branch, commit, session)? {
        let position = run.commits.iter().position(|held| held == commit);
        let previous = match position {
            Some(0) => run.before.as_deref(),
            Some(position) => run.commits.get(position - 1).map(String::as_str),
            None => continue,
        };
        if previous == before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A run of the branch that ends with `before` and has room.
fn run_to_extend(
    branch: &str,
    before: Option<&str>,
    session: &Session<'_>,
) -> Result<Option<(String, Run)>, Missing> {
    let Some(before) = before else {
        return Ok(None);
    };
    let found = runs(branch, before, session)?.into_iter().find(|(_, run)| {
        run.commits.len() < RUN_COMMITS_MAX && run.commits.last().is_some_and(|last| last == before)
    });
    Ok(found)
}

/// The runs of a branch that list a commit.
fn runs(branch: &str, commit: &str, session: &Session<'_>) -> Result<Vec<(String, Run)>, Missing> {
    let ids = session.get::<Commit>(commit)?.runs_on(Some(branch));
    session.want(ids.iter().map(Run::key))?;
    ids.into_iter()
        .map(|id| Ok((id.clone(), session.get(&id)?)))
        .collect()
}
