//! What a deployment contains: the commits from what ran before to what comes, walked back along pushes, and the changes that
//! claim them. Otherwise unknown, never none.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry, Missing,
    aggregate::{self, Alias, Change, Commit, Contents, Deployment, Kept, Run},
    naming,
    session::{self, Session, Source},
};
use crate::{event::binds, limits::CONTENTS_COMMITS_MAX};

/// Runs that lie behind one another on one walk. 500 commits fill 8 runs; the rest is room for pushes that came out of order.
/// Each costs two rounds of loading.
const WALK_RUNS_MAX: usize = 20;
/// Branches that one walk follows side by side.
const WALK_PATHS_MAX: usize = 16;
/// Runs that all walks for one entry follow together: hundreds of deployments that wait for one push, a few runs each. What is not
/// walked for this entry stays as it was.
const ENTRY_RUNS_MAX: usize = 2_000;

/// Where a walk back along a branch ended.
enum Walk {
    /// The commits after the goal, oldest first.
    Found(Vec<String>),
    /// It is not known what comes before these, or it would be too many.
    Open(BTreeSet<String>),
    /// This entry has had its share.
    Exhausted,
}

/// What becomes of a deployment's contents.
struct Worked {
    key: String,
    commits: Option<Vec<String>>,
    waits_for: BTreeSet<String>,
}

/// Works out the contents of some deployments (by key) again.
pub(super) fn work_out(
    keys: BTreeSet<String>,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    session.want(keys.iter().map(Deployment::key))?;
    // All of them walk before the first gives up, so that what they need is loaded together.
    let mut worked = Vec::new();
    let mut runs_left = ENTRY_RUNS_MAX;
    session::each(keys, |key| {
        worked.extend(work_out_one(key, &mut runs_left, session)?);
        Ok(())
    })?;
    let mut commits = BTreeSet::new();
    for one in &worked {
        let deployment: Deployment = session.get(&one.key)?;
        commits.extend(deployment.waits_for);
        commits.extend(one.waits_for.iter().cloned());
        commits.extend(deployment.contents.into_iter().flat_map(|had| had.commits));
        commits.extend(one.commits.iter().flatten().cloned());
    }
    session.want(
        commits
            .iter()
            .flat_map(|commit| [Commit::key(commit.as_str()), Alias::key(commit.as_str())]),
    )?;
    session::each(worked, |one| {
        wait(&one.key, one.waits_for, session)?;
        set(&one.key, one.commits, entry, session)
    })
}

/// `None`: as it was.
fn work_out_one(
    key: String,
    runs_left: &mut usize,
    session: &Session<'_>,
) -> Result<Option<Worked>, Missing> {
    let deployment: Deployment = session.get(&key)?;
    let commit = binds::commit_of(&deployment.binds);
    let (commits, waits_for) = match (&commit, &deployment.place.previous_commit) {
        (Some(commit), Some(previous)) if !deployment.rollback && deployment.place.counts() => {
            match walk(commit, previous, runs_left, session)? {
                Walk::Found(commits) => (Some(commits), BTreeSet::new()),
                Walk::Open(ends) => (None, ends),
                Walk::Exhausted => return Ok(None),
            }
        }
        _ => (None, BTreeSet::new()),
    };
    Ok(Some(Worked {
        key,
        commits,
        waits_for,
    }))
}

/// A branch followed back so far: what was passed, newest first, and the commit at which to go on.
struct Path {
    branch: Option<String>,
    at: String,
    passed: Vec<String>,
}

/// The commits after `to` up to `from`, oldest first; `None` if that is not known.
pub(crate) fn between(
    to: &str,
    from: &str,
    source: &impl Source,
) -> Result<Option<Vec<String>>, Missing> {
    let mut runs_left = ENTRY_RUNS_MAX;
    Ok(match walk(from, to, &mut runs_left, source)? {
        Walk::Found(commits) => Some(commits),
        Walk::Open(_) | Walk::Exhausted => None,
    })
}

/// Walks back from `from` until `to`, along each branch that lists it, and no further than `runs_left` allows.
fn walk(
    from: &str,
    to: &str,
    runs_left: &mut usize,
    source: &impl Source,
) -> Result<Walk, Missing> {
    if from == to {
        return Ok(Walk::Found(Vec::new()));
    }
    let mut found: Vec<Vec<String>> = Vec::new();
    let mut open = BTreeSet::new();
    let mut paths = vec![Path {
        branch: None,
        at: from.to_owned(),
        passed: Vec::new(),
    }];
    for _ in 0..WALK_RUNS_MAX {
        source.want(paths.iter().map(|path| Commit::key(path.at.as_str())))?;
        let mut steps = Vec::with_capacity(paths.len());
        for path in paths {
            let kept: Commit = source.get(&path.at)?;
            let ids = kept.runs_on(path.branch.as_deref());
            if ids.is_empty() {
                open.insert(path.at.clone());
            }
            let Some(left) = runs_left.checked_sub(ids.len()) else {
                return Ok(Walk::Exhausted);
            };
            *runs_left = left;
            steps.push((path, ids));
        }
        source.want(steps.iter().flat_map(|(_, ids)| ids).map(Run::key))?;
        let mut next = Vec::new();
        for (path, ids) in steps {
            for id in ids {
                let Some(run) = source.look::<Run>(&id)? else {
                    continue;
                };
                let mut passed = path.passed.clone();
                match follow(run, &path.at, to, &mut passed) {
                    Step::Reached => found.push(passed.into_iter().rev().collect()),
                    Step::TooFar => {}
                    Step::Start(Some(before)) => next.push(Path {
                        branch: Some(run.branch.clone()),
                        at: before.to_owned(),
                        passed,
                    }),
                    Step::Start(None) => open.extend(run.commits.first().cloned()),
                }
            }
        }
        next.truncate(WALK_PATHS_MAX);
        paths = next;
    }
    // Where branches disagree, the shortest way counts.
    let best = found
        .into_iter()
        .min_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    Ok(best.map_or(Walk::Open(open), Walk::Found))
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
    for commit in deployment.waits_for.difference(&ends) {
        session.change(commit, |kept: &mut Commit| {
            kept.waited_for_by.remove(key);
        })?;
    }
    for commit in ends.difference(&deployment.waits_for) {
        session.change(commit, |kept: &mut Commit| {
            aggregate::add(&mut kept.waited_for_by, key.to_owned());
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
    for commit in old.difference(&new) {
        session.change(commit, |kept: &mut Commit| {
            kept.contained_in.remove(key);
        })?;
    }
    for commit in new.difference(&old) {
        session.change(commit, |kept: &mut Commit| {
            if kept.contained_in.len() < aggregate::LIST_MAX {
                kept.contained_in.insert(key.to_owned(), entry.index);
            }
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
            kept.leave(key);
        })?;
    }
    for change in &new_changes {
        session.change(change, |kept: &mut Change| {
            kept.join(key, entry.index);
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
