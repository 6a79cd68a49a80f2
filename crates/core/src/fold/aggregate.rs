//! The shapes of everything the fold keeps. Stored as JSON, read by the fold and by answers; a change of shape is a new
//! [`super::FOLD`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, Key};
use crate::{event::Bind, kind::Outcome};

/// Members of one list of an aggregate: what is beyond is left out, so that no emitter can make folding an entry slow by
/// repeating itself. Far above what honest use needs.
pub const LIST_MAX: usize = 500;
/// Entries that a change lists; those beyond are counted.
pub const CHANGE_ENTRIES_MAX: usize = 2_000;
/// Changes that a name remembers: two are enough to make it shared or disputed.
const NAME_CHANGES_MAX: usize = 16;
/// Bundles that a digest remembers, the newest ones: each is looked at when the digest is deployed.
const BUNDLES_MAX: usize = 100;
/// Gaps in a chain that are told apart.
const CHAIN_RANGES_MAX: usize = 200;

/// Adds a member unless the list is full.
pub(super) fn add<T: Ord>(list: &mut BTreeSet<T>, member: T) {
    if list.len() < LIST_MAX {
        list.insert(member);
    }
}

macro_rules! aggregates {
    ($($name:ident = $kind:literal;)*) => {
        /// Any aggregate.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Held { $($name($name)),* }
        impl Held {
            /// Reads the JSON of an aggregate of this kind.
            pub fn from_json(kind: &str, json: &str) -> Result<Self, serde_json::Error> {
                Ok(match kind {
                    $($kind => Held::$name(serde_json::from_str(json)?),)*
                    _ => return Err(serde::de::Error::custom(format!("no aggregate is called {kind}"))),
                })
            }
            pub fn to_json(&self) -> String {
                let json = match self { $(Held::$name(held) => serde_json::to_string(held)),* };
                json.expect("aggregates hold only strings, integers, lists and maps with string keys")
            }
        }
        $(impl Kept for $name {
            const KIND: &'static str = $kind;
            fn wrap(self) -> Held { Held::$name(self) }
            fn unwrap(held: &Held) -> Option<&Self> {
                match held { Held::$name(kept) => Some(kept), _ => None }
            }
        })*
    };
}
/// What can be kept under a [`Key`].
pub trait Kept: Sized + Clone + Default + PartialEq + serde::de::DeserializeOwned {
    const KIND: &'static str;
    fn wrap(self) -> Held;
    fn unwrap(held: &Held) -> Option<&Self>;
    fn key(id: impl Into<String>) -> Key {
        Key {
            kind: Self::KIND,
            id: id.into(),
        }
    }
}
aggregates! {
    Account = "account";
    Alias = "alias";
    Chain = "chain";
    Change = "change";
    Commit = "commit";
    Content = "content";
    Decision = "decision";
    Deployment = "deployment";
    Person = "person";
    Request = "request";
    Run = "run";
    Slot = "slot";
    Trouble = "trouble";
}

/// When an entry's event happened and where it stands: ordered by time, ties by index. `time` = min(timestamp, `recorded_at`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    pub time: Timestamp,
    pub index: u64,
}
impl At {
    pub fn of(entry: Entry<'_>) -> Self {
        Self {
            time: entry.event.timestamp.min(entry.recorded_at),
            index: entry.index,
        }
    }
}

/// A change, by its id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Services that entries naming it are filed under, with the first such entry.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, u64>,
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
    /// Its other names, with the entry from which each is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, u64>,
    /// Names that it and another change claim.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disputed: BTreeMap<String, u64>,
    /// Keys of the deployments whose contents hold it, with the entry from which that is known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deployments: BTreeMap<String, u64>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stated {
    Open,
    Merged,
    Abandoned,
}

impl Change {
    pub(super) fn list(&mut self, index: u64) {
        if self.entries.len() < CHANGE_ENTRIES_MAX {
            self.entries.push(index);
        } else {
            self.entries_more += 1;
        }
    }
    /// Whether no entry has named it yet.
    pub fn is_new(&self) -> bool {
        self.entries.is_empty()
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
    pub(super) fn add(&mut self, change: &str, claimed: bool, index: u64) {
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

/// Everything that binds a digest or commit, by its hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Digests of the bundles that list it, with the entry that first said so; the newest ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, u64>,
    /// If it is a bundle: the digests it lists.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub elements: BTreeSet<String>,
    /// Entries that define it as a bundle or publish it as an artifact.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub described: BTreeSet<u64>,
    /// Requests for approval.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub asked: BTreeSet<u64>,
    /// Decisions and overrides.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub decisions: BTreeSet<u64>,
    /// Keys of deployments that bind it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub deployments: BTreeSet<String>,
}

impl Content {
    pub(super) fn add_bundle(&mut self, manifest: &str, index: u64) {
        self.bundles.entry(manifest.to_owned()).or_insert(index);
        if self.bundles.len() > BUNDLES_MAX {
            let oldest = self.bundles.iter().min_by_key(|(_, index)| **index);
            if let Some(oldest) = oldest.map(|(manifest, _)| manifest.clone()) {
                self.bundles.remove(&oldest);
            }
        }
    }
}

/// A request for approval, by its subject (the request's own `context.id`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Entries that ask under this id, with their payload hashes: one, unless two principals use the same id.
    pub asked: BTreeMap<u64, String>,
    pub decisions: BTreeSet<u64>,
}

/// What was decided about some content, by the entry's index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub at: At,
    pub decided: Decided,
    /// URN of who decided.
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    pub sha256: BTreeSet<String>,
    pub commits: BTreeSet<String>,
    /// Subject of the request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Keys of the deployments it is about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deployments: BTreeSet<String>,
}
impl Default for Decision {
    fn default() -> Self {
        Self {
            at: At {
                time: Timestamp::UNIX_EPOCH,
                index: 0,
            },
            decided: Decided::Deferred,
            by: String::new(),
            service: None,
            environment: None,
            expires: None,
            sha256: BTreeSet::new(),
            commits: BTreeSet::new(),
            request: None,
            deployments: BTreeSet::new(),
        }
    }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    Approved,
    Rejected,
    ChangesRequested,
    Deferred,
    Delegated,
    Escalated,
    Override,
}

/// A deployment, rollback or another system's report of one, by [`deployment_key`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deployment {
    /// The subject; for `service.*`, which names none, `<kind>:<context.id>`.
    pub id: String,
    pub service: String,
    pub environment: String,
    pub entries: BTreeSet<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<At>,
    /// The latest finish and its outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<(At, Outcome)>,
    pub rollback: bool,
    /// URN of who signed it last.
    pub source: String,
    /// The system it was relayed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relayed: Option<String>,
    /// A `service.*` report.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
    /// Of the latest finish that binds something, else of the earliest start. Empty: content unknown.
    pub binds: Vec<Bind>,
    /// Whether a finish gave the binds, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<(bool, At)>,
    pub place: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
    /// Commits at which working out the contents stopped for want of a push.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub waits_for: BTreeSet<String>,
    /// Decisions about what it binds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<u64, Match>,
}
/// How much of what a deployment binds a decision covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    All,
    Part,
    /// An override that names no content, for this place at this time.
    Place,
}
/// The commits a deployment brings, oldest first, and which changes claim them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// The entry from which they are known.
    pub index: u64,
    pub commits: Vec<String>,
    /// Position in `commits` to the change that holds it.
    pub changes: BTreeMap<usize, String>,
}
impl Contents {
    /// The changes, each once, in the order of their first commits.
    pub fn changes(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        self.changes
            .values()
            .map(String::as_str)
            .filter(|change| seen.insert(*change))
            .collect()
    }
}

/// How a deployment stands among the others of its service and environment; worked out by [`Slot`]. All names are keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The signed deployment this report is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joins: Option<String>,
    /// Reports that join this one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub joined_by: BTreeSet<String>,
    /// It adds nothing to a deployment signed by the same principal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub confirms: bool,
    /// The success before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The commit of that success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// The success that put something else in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The success that went back to what was there before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
    /// What it brought had been there before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The successes that it undid, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undid: Vec<String>,
    /// Alerts and incidents that followed it within the window.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub followed_by: BTreeSet<String>,
}

/// A service and environment, by [`slot_key`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// By time; the latest ones only.
    pub attempts: Vec<Attempt>,
    /// Older attempts were dropped: what comes late and before the first of the list is history only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Alerts and incidents by key, with the instant they began; the latest ones only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<String, Timestamp>,
    /// Overrides that name this place and no content.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub overrides: BTreeSet<u64>,
    /// What is there, as the open row says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
}
/// A deployment as its slot sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// [`deployment_key`]
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<(At, Outcome)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relayed: bool,
    /// A `service.*` report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
    pub source: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sha256: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default)]
    pub place: Place,
}
/// What is in a slot: the body of its row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// [`deployment_key`]
    pub deployment: String,
    /// The entry that moved the slot, and its time.
    pub since: At,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sha256: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Keys of the deployments it undid, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undid: Vec<String>,
}

/// An alert or incident, by [`alert_key`] or [`incident_key`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trouble {
    pub incident: bool,
    /// Entries that say it began, and that it is over.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub opened: BTreeSet<u64>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub closed: BTreeSet<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// What it is called, such as `HighErrorRate`; an incident's id.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Key of the latest deployment before it, within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followed: Option<String>,
}

/// A person, by URN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Entries that describe them, ascending; the text `name` of the last one is their name.
    pub described: Vec<u64>,
}
/// An account elsewhere, by URN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Entries that link it, with the person; the last one holds.
    pub linked: BTreeMap<u64, String>,
}
/// One numbered chain of an emitter, by `<source>/<chain id>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chain {
    /// Numbers that were recorded, as inclusive ranges.
    pub ranges: Vec<(u64, u64)>,
    /// The number that closed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// It has more gaps than are told apart; numbers are no longer added.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub broken: bool,
}
impl Chain {
    /// Takes in a number.
    pub fn add(&mut self, n: u64) {
        let at = self.ranges.partition_point(|(from, _)| *from <= n);
        if at > 0 && self.ranges[at - 1].1 >= n {
            return;
        }
        if self.ranges.len() == CHAIN_RANGES_MAX {
            self.broken = true;
        }
        if self.broken {
            return;
        }
        self.ranges.insert(at, (n, n));
        if at + 1 < self.ranges.len() && self.ranges[at + 1].0 == n + 1 {
            self.ranges[at].1 = self.ranges.remove(at + 1).1;
        }
        if at > 0 && self.ranges[at - 1].1 + 1 == n {
            self.ranges[at - 1].1 = self.ranges.remove(at).1;
        }
    }
    /// Ranges of numbers that are absent below the highest (or the closing) one.
    pub fn absent(&self) -> Vec<(u64, u64)> {
        let mut next = 1;
        let mut absent = Vec::new();
        for (from, to) in &self.ranges {
            if *from > next {
                absent.push((next, from - 1));
            }
            next = to + 1;
        }
        if let Some(last) = self.last
            && next <= last
        {
            absent.push((next, last));
        }
        absent
    }
}

/// Deployments are told apart by place as well, so that no emitter can speak into another service's deployment.
pub fn deployment_key(service: &str, environment: &str, id: &str) -> String {
    format!("{service}\n{environment}\n{id}")
}
/// LF cannot occur in a name.
pub fn slot_key(service: &str, environment: &str) -> String {
    format!("{service}\n{environment}")
}
/// By signer and subject: only who fires an alert can end it.
pub fn alert_key(source: &str, subject: &str) -> String {
    format!("alert\n{source}\n{subject}")
}
/// By environment and subject: a person may detect what a monitor resolves.
pub fn incident_key(environment: &str, subject: &str) -> String {
    format!("incident\n{environment}\n{subject}")
}
/// The change that a commit stands for while no other claims it.
pub fn commit_change(commit: &str) -> String {
    format!("commit:{commit}")
}
