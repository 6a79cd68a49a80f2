//! The shapes of everything the fold keeps. Stored as JSON, read by the fold and by answers; a change of shape is a new
//! [`super::FOLD`].

mod change;
mod decision;
mod deployment;
mod people;
mod slot;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    change::{Alias, Change, Commit, Run, Stated},
    decision::{Content, Decided, Decision, Listed, Reach, Request},
    deployment::{Contents, Deployment, Match, Place},
    people::{Account, Chain, Grant, Person, RoleHeld, SAYINGS_MAX},
    slot::{Attempt, Holding, Slot, Trouble},
};
use super::{Entry, Key};
use crate::time::RULE_WITHIN;

/// Members of one list of an aggregate: what is beyond is left out, so that no emitter can make folding an entry slow by
/// repeating itself. Far above what honest use needs.
pub const LIST_MAX: usize = 500;
/// Decisions that one deployment is compared with, as many overrides, and deployments that one decision is: the first ones. A digest
/// lists as many of each. Whoever is left out says so (`uncompared`).
pub const COMPARED_MAX: usize = 100;

/// Adds a member unless the list is full.
pub(super) fn add<T: Ord>(list: &mut BTreeSet<T>, member: T) {
    add_to(list, member, LIST_MAX);
}
/// Adds a member unless the list holds `max` others; says whether it is in the list now.
pub(super) fn add_to<T: Ord>(list: &mut BTreeSet<T>, member: T, max: usize) -> bool {
    if list.len() < max {
        list.insert(member);
        return true;
    }
    list.contains(&member)
}

macro_rules! aggregates {
    ($($name:ident = $kind:literal;)*) => {
        /// Any aggregate.
        #[expect(clippy::large_enum_variant, reason = "it lies behind an Arc or in a map of one entry's writes")]
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
    Grant = "grant";
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
    /// The time that rules go by (`design.md` section 5, "Time in rules"): the emitter's where it lies shortly before `recorded_at`,
    /// else `recorded_at`. Nobody decides in the past.
    pub fn by_rule(entry: Entry<'_>) -> Self {
        let before = entry.recorded_at.duration_since(entry.event.timestamp);
        let is_near = (jiff::SignedDuration::ZERO..=RULE_WITHIN).contains(&before);
        Self {
            time: if is_near {
                entry.event.timestamp
            } else {
                entry.recorded_at
            },
            index: entry.index,
        }
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
