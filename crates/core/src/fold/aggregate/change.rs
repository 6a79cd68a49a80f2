//! Changes, their names, and the commits behind them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{At, LIST_MAX};

/// Entries that a change lists; those beyond are counted.
const CHANGE_ENTRIES_MAX: usize = 2_000;
/// Changes that a name remembers: two are enough to make it shared or disputed.
const NAME_CHANGES_MAX: usize = 16;

/// A change, by its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Services that entries naming it are filed under, the first [`LIST_MAX`], with the first such entry; and how many entries
    /// name yet another one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub services_more: u64,
    /// Entries that name it, ascending, and how many more there are.
    pub entries: Vec<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub entries_more: u64,
    /// The earliest `change.created`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<At>,
    /// The latest of created, merged and abandoned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<(At, Stated)>,
    /// The latest `change.created` or `change.updated` with a text `summary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub titled: Option<At>,
    /// The latest request for approval that names it; its `summary` is the title of a change that has no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<At>,
    /// Its other names, the first [`LIST_MAX`], with the entry from which each is; and how many more it has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub aliases_more: u64,
    /// Names that it and another change claim, the first [`LIST_MAX`], and how often another one was not listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disputed: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub disputed_more: u64,
    /// Keys of the deployments whose contents hold it, with the entry from which that is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deployments: BTreeMap<String, u64>,
    /// Deployments beyond the first [`LIST_MAX`].
    #[serde(skip_serializing_if = "is_zero")]
    pub deployments_more: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stated {
    Open,
    Merged,
    Abandoned,
}

impl Change {
    pub(in crate::fold) fn list(&mut self, index: u64) {
        if self.entries.len() < CHANGE_ENTRIES_MAX {
            self.entries.push(index);
        } else {
            self.entries_more += 1;
        }
    }
    pub(in crate::fold) fn file_under(&mut self, service: &str, index: u64) {
        note(&mut self.services, &mut self.services_more, service, index);
    }
    pub(in crate::fold) fn take_name(&mut self, name: &str, index: u64) {
        note(&mut self.aliases, &mut self.aliases_more, name, index);
    }
    /// Gives up a name it holds.
    pub(in crate::fold) fn lose_name(&mut self, name: &str) {
        if self.aliases.remove(name).is_none() {
            self.aliases_more = self.aliases_more.saturating_sub(1);
        }
    }
    pub(in crate::fold) fn dispute(&mut self, name: &str, index: u64) {
        note(&mut self.disputed, &mut self.disputed_more, name, index);
    }
    pub(in crate::fold) fn join(&mut self, deployment: &str, index: u64) {
        note(
            &mut self.deployments,
            &mut self.deployments_more,
            deployment,
            index,
        );
    }
    pub(in crate::fold) fn leave(&mut self, deployment: &str) {
        if self.deployments.remove(deployment).is_none() {
            self.deployments_more = self.deployments_more.saturating_sub(1);
        }
    }
    /// Whether no entry has named it yet.
    pub fn is_new(&self) -> bool {
        self.entries.is_empty()
    }
}
/// Notes what an entry is the first to say. The first [`LIST_MAX`] stay, whoever said them; what comes after is counted.
fn note(list: &mut BTreeMap<String, u64>, more: &mut u64, member: &str, index: u64) {
    if list.contains_key(member) {
        return;
    }
    if list.len() < LIST_MAX {
        list.insert(member.to_owned(), index);
    } else {
        *more += 1;
    }
}
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A name (full commit hash, digest in hexadecimal, ticket, tag, run) and the changes that use it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alias {
    /// By `head`, `merge` or `aliases`: change to its first claim.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, u64>,
    /// Only bound: change to the first bind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub binds: BTreeMap<String, u64>,
}
impl Alias {
    /// The change it stands for: the first that claimed it; without a claim the only one that binds it.
    pub fn holder(&self) -> Option<&str> {
        let first = self.claims.iter().min_by_key(|(_, index)| **index);
        if let Some((change, _)) = first {
            return Some(change);
        }
        match self.binds.len() {
            1 => self.binds.keys().next().map(String::as_str),
            _ => None,
        }
    }
    pub fn is_disputed(&self) -> bool {
        self.claims.len() > 1
    }
    pub(in crate::fold) fn add(&mut self, change: &str, claimed: bool, index: u64) {
        let uses = if claimed {
            &mut self.claims
        } else {
            &mut self.binds
        };
        if uses.len() < NAME_CHANGES_MAX {
            uses.entry(change.to_owned()).or_insert(index);
        }
    }
}

/// A commit of a repository's history, by its full hash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Ids of the runs that list it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub runs: BTreeSet<String>,
    /// Pushes that list it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pushes: BTreeSet<u64>,
    /// Keys of deployments whose contents hold it, with the entry from which that is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contained_in: BTreeMap<String, u64>,
    /// Keys of deployments whose contents wait for what comes before this commit.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub waited_for_by: BTreeSet<String>,
    /// Runs and digests of events that bind it: names by which people may look for its change.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub known_as: BTreeSet<String>,
    /// The last entry that binds it and names no change; while no change holds the commit, it is listed as a change itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The latest request for approval that binds it, names no change and says in words what it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<At>,
}
impl Commit {
    /// Ids of the runs of a branch (of any, if none is given) that list it.
    pub(crate) fn runs_on(&self, branch: Option<&str>) -> Vec<String> {
        let prefix = branch
            .map(|branch| format!("{branch}\n"))
            .unwrap_or_default();
        let ids = self.runs.iter().filter(|id| id.starts_with(&prefix));
        ids.cloned().collect()
    }
}

/// Consecutive commits of one branch, oldest first, so that a walk back loads many at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// `<repository>@<branch>`
    pub branch: String,
    /// The commit before the first, if a push said it.
    pub before: Option<String>,
    pub commits: Vec<String>,
}
