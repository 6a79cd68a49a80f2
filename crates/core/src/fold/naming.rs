//! Which change an entry is about: ids, claims, binds, and commits that nobody claims (`design.md` section 5, "Which change").
//!
//! `head`, `merge` and `aliases` claim a name for a change; the first claim holds, a second one moves nothing and makes the name
//! disputed. Any other digest or commit that an entry binds while naming a change is its name as long as no other change does
//! the same. Only entries that name a service count, because only then were the signer's grants judged for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Entry, Missing, Row,
    aggregate::{self, Alias, At, Change, Commit, Deployment, Kept, Stated, commit_change},
    session::{self, Session, Source},
};
use crate::{
    event::{Digest, Event, binds},
    kind::Kind,
};

/// Takes in what an entry says about changes, whatever its kind.
pub(super) fn name(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let Some(change) = &entry.event.profile.change else {
        return file_by_commit(entry, bound_commits(entry.event), session);
    };
    let names = names(entry.event);
    session.want(
        [Change::key(change)]
            .into_iter()
            .chain(names.keys().map(|name| Alias::key(name.as_str())))
            .chain(commits(names.keys()).map(Commit::key)),
    )?;
    list_shorthands(entry, change, session)?;
    session.change(change, |kept: &mut Change| note(entry, kept))?;
    if let Some(commit) = change.strip_prefix("commit:") {
        return file_by_commit(entry, vec![commit], session);
    }
    if entry.event.profile.service.is_some() {
        session::each(&names, |(name, claimed)| {
            take_name(entry.index, change, name, *claimed, session)
        })?;
    }
    touch(change, entry, session)
}

/// What an entry that names a change adds to it.
fn note(entry: Entry<'_>, change: &mut Change) {
    let event = entry.event;
    let at = At::of(entry);
    change.list(entry.index);
    if let Some(service) = &event.profile.service {
        change.file_under(service, entry.index);
    }
    let titled = event.profile.texts.contains_key("summary");
    let stated = match event.kind() {
        Kind::ChangeCreated => Some(Stated::Open),
        Kind::ChangeMerged => Some(Stated::Merged),
        Kind::ChangeAbandoned => Some(Stated::Abandoned),
        Kind::ChangeUpdated => None,
        Kind::ApprovalCreated => {
            if titled {
                change.asked = change.asked.max(Some(at));
            }
            return;
        }
        _ => return,
    };
    if titled {
        change.titled = change.titled.max(Some(at));
    }
    if stated == Some(Stated::Open) {
        change.created = Some(change.created.map_or(at, |created| created.min(at)));
    }
    if let Some(stated) = stated {
        change.state = change.state.max(Some((at, stated)));
    }
}

/// Names an event gives the change it names, and whether it claims them.
fn names(event: &Event) -> BTreeMap<String, bool> {
    let mut names = BTreeMap::new();
    let own = matches!(
        event.kind(),
        Kind::ChangeCreated
            | Kind::ChangeUpdated
            | Kind::ChangeReviewed
            | Kind::ChangeMerged
            | Kind::ChangeAbandoned
    );
    for bind in event.profile.binds() {
        let claimed = own && matches!(bind.name.as_str(), "head" | "merge");
        let claims = names.entry(binds::hex(bind)).or_insert(claimed);
        *claims |= claimed;
    }
    for alias in &event.profile.aliases {
        names.insert(alias.clone(), true);
    }
    names
}

/// Those names that look like full commit hashes.
fn commits<'a>(names: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a str> {
    names.map(String::as_str).filter(|name| {
        matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Puts a name to a change, and follows what that moves.
fn take_name(
    index: u64,
    change: &str,
    name: &str,
    claimed: bool,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let mut alias: Alias = session.get(name)?;
    let before = alias.holder().map(str::to_owned);
    let disputed_before = alias.is_disputed();
    alias.add(change, claimed, index);
    let after = alias.holder().map(str::to_owned);
    if claimed && alias.is_disputed() {
        // Those that claimed it before know already, unless this is the second claim.
        let mut told: BTreeSet<&str> = BTreeSet::from([change]);
        if !disputed_before {
            told.extend(alias.claims.keys().map(String::as_str));
        }
        session.want(told.iter().map(|claimant| Change::key(*claimant)))?;
        for claimant in told {
            session.change(claimant, |kept: &mut Change| {
                kept.dispute(name, index);
            })?;
        }
    }
    session.put(name, alias);
    if before == after {
        return Ok(());
    }
    if let Some(before) = &before {
        session.change(before, |kept: &mut Change| {
            kept.lose_name(name);
        })?;
        session.row(Row::AliasGone {
            alias: name.to_owned(),
            change: before.clone(),
        });
    }
    if let Some(after) = &after {
        session.change(after, |kept: &mut Change| {
            kept.take_name(name, index);
        })?;
        session.row(Row::Alias {
            alias: name.to_owned(),
            change: after.clone(),
        });
    }
    if let Some(commit) = session.find::<Commit>(name)? {
        move_commit(
            index,
            name,
            &commit,
            before.as_deref(),
            after.as_deref(),
            session,
        )?;
    }
    Ok(())
}

/// A commit is another change's now: what is filed under it, and the deployments that contain it, follow.
fn move_commit(
    index: u64,
    name: &str,
    commit: &Commit,
    before: Option<&str>,
    after: Option<&str>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    if let Some(filed) = commit.filed {
        let own = commit_change(name);
        let from = before.unwrap_or(&own);
        let to = after.unwrap_or(&own);
        for alias in &commit.known_as {
            session.row(Row::AliasGone {
                alias: alias.clone(),
                change: from.to_owned(),
            });
            session.row(Row::Alias {
                alias: alias.clone(),
                change: to.to_owned(),
            });
        }
        if before.is_none() {
            session.row(Row::ChangeGone {
                change: own.clone(),
            });
        } else if after.is_none() {
            session.row(Row::Change {
                change: own.clone(),
                service: commit.service.clone(),
                last_index: filed,
            });
        }
    }
    session.want(commit.contained_in.keys().map(Deployment::key))?;
    session.want(before.into_iter().chain(after).map(Change::key))?;
    for key in commit.contained_in.keys() {
        let mut deployment: Deployment = session.get(key)?;
        let Some(contents) = &mut deployment.contents else {
            continue;
        };
        for (position, contained) in contents.commits.iter().enumerate() {
            if contained == name {
                match after {
                    Some(after) => contents.changes.insert(position, after.to_owned()),
                    None => contents.changes.remove(&position),
                };
            }
        }
        let held: BTreeSet<&str> = contents.changes().into_iter().collect();
        if let Some(before) = before
            && !held.contains(before)
        {
            session.change(before, |kept: &mut Change| {
                kept.leave(key);
            })?;
        }
        if let Some(after) = after {
            session.change(after, |kept: &mut Change| {
                kept.join(key, index);
            })?;
        }
        session.put(key, deployment);
    }
    Ok(())
}

/// The commits an event binds.
fn bound_commits(event: &Event) -> Vec<&str> {
    let binds = event.profile.binds().iter();
    binds
        .filter_map(|bind| match &bind.digest {
            Digest::GitCommit(commit) => Some(commit.as_str()),
            Digest::Sha256(_) => None,
        })
        .collect()
}

/// An entry that names no other change is filed under the changes of its commits, or under the commits themselves.
fn file_by_commit(
    entry: Entry<'_>,
    bound: Vec<&str>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let profile = &entry.event.profile;
    session.want(
        bound
            .iter()
            .flat_map(|commit| [Alias::key(*commit), Commit::key(*commit)]),
    )?;
    let known_as: BTreeSet<String> = profile
        .aliases
        .iter()
        .cloned()
        .chain(
            profile
                .binds()
                .iter()
                .filter_map(|bind| match &bind.digest {
                    Digest::Sha256(hash) => Some(hash.to_hex()),
                    Digest::GitCommit(_) => None,
                }),
        )
        .collect();
    session::each(bound, |name| {
        let alias: Alias = session.get(name)?;
        let change = alias
            .holder()
            .map_or_else(|| commit_change(name), str::to_owned);
        let mut commit: Commit = session.get(name)?;
        let before = commit.known_as.clone();
        commit.known_as.insert(name.to_owned());
        for alias in &known_as {
            aggregate::add(&mut commit.known_as, alias.clone());
        }
        for alias in commit.known_as.difference(&before) {
            session.row(Row::Alias {
                alias: alias.clone(),
                change: change.clone(),
            });
        }
        commit.filed = Some(entry.index);
        if commit.service.is_none() {
            commit.service.clone_from(&profile.service);
        }
        if entry.event.kind() == Kind::ApprovalCreated && profile.texts.contains_key("summary") {
            commit.asked = commit.asked.max(Some(At::of(entry)));
        }
        session.put(name, commit);
        touch(&change, entry, session)
    })
}

/// Puts the change on top of the list of changes.
pub(super) fn touch(
    change: &str,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let own: Change = session.get(change)?;
    let service = own
        .services
        .iter()
        .min_by_key(|(_, index)| **index)
        .map(|(service, _)| service.clone())
        .or_else(|| entry.event.profile.service.clone());
    session.row(Row::Change {
        change: change.to_owned(),
        service,
        last_index: entry.index,
    });
    Ok(())
}

/// The first entry that names a change, or names it for a new service, lists the short names people type for it.
fn list_shorthands(
    entry: Entry<'_>,
    change: &str,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let kept: Change = session.get(change)?;
    let mut aliases = Vec::new();
    if kept.is_new() {
        aliases.extend(shorthands(change));
    }
    if let Some(service) = &entry.event.profile.service
        && !kept.services.contains_key(service)
        && let Some(number) = number(change)
    {
        let short = format!("{service}{number}");
        if !shorthands(change).contains(&short) {
            aliases.push(short);
        }
    }
    for alias in aliases {
        session.row(Row::Alias {
            alias,
            change: change.to_owned(),
        });
    }
    Ok(())
}

/// `#418`, `checkout#418` and `acme/checkout#418` for `github:acme/checkout#418`.
fn shorthands(change: &str) -> Vec<String> {
    let Some(number) = number(change) else {
        return Vec::new();
    };
    let Some((_, path)) = change.split_once(':') else {
        return Vec::new();
    };
    let project = path.rsplit('/').next().unwrap_or(path);
    vec![number.to_owned(), project.to_owned(), path.to_owned()]
}

/// `#418` of `github:acme/checkout#418`, `!7` of `gitlab:shop/web!7`.
pub(crate) fn number(change: &str) -> Option<&str> {
    let sign = match change.split_once(':')?.0 {
        "github" => '#',
        "gitlab" => '!',
        _ => return None,
    };
    let at = change.rfind(sign)?;
    let digits = &change[at + 1..];
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(&change[at..])
}
