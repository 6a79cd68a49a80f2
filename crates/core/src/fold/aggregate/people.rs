//! Persons, accounts, and the numbers of emitters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::key::Grants;

/// Gaps in a chain that are told apart.
const CHAIN_RANGES_MAX: usize = 200;
/// Descriptions and roles of a person, and links of an account, that are remembered. Only administrators give them, and the last one holds,
/// so the earliest go.
pub const SAYINGS_MAX: usize = 200;

/// A person, by URN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Entries that describe them, ascending, the latest [`SAYINGS_MAX`]; the text `name` of the last one is their name.
    pub described: Vec<u64>,
    /// How many earlier ones are no longer listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub described_before: u64,
    /// The roles they were given, by the entry that gave them, the latest [`SAYINGS_MAX`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<u64, RoleHeld>,
}
/// A role somebody was given, and where; absent means everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleHeld {
    pub role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
}
impl RoleHeld {
    /// Whether it holds there.
    pub fn covers(&self, service: &str, environment: &str) -> bool {
        let covers = |patterns: &Option<Vec<String>>, name: &str| {
            patterns
                .as_ref()
                .is_none_or(|patterns| Grants::covers(patterns, name))
        };
        covers(&self.services, service) && covers(&self.environments, environment)
    }
}
/// For what a registered key may speak, by the entry that registered it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    pub services: Vec<String>,
    pub environments: Vec<String>,
}
impl Person {
    pub(in crate::fold) fn give(&mut self, index: u64, role: RoleHeld) {
        self.roles.insert(index, role);
        if self.roles.len() > SAYINGS_MAX {
            self.roles.pop_first();
        }
    }
    pub(in crate::fold) fn describe(&mut self, index: u64) {
        self.described.push(index);
        if self.described.len() > SAYINGS_MAX {
            self.described.remove(0);
            self.described_before += 1;
        }
    }
}
/// An account elsewhere, by URN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Entries that link it, with the person, the latest [`SAYINGS_MAX`]; the last one holds.
    pub linked: BTreeMap<u64, String>,
    /// How many earlier ones are no longer listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub linked_before: u64,
}
impl Account {
    pub(in crate::fold) fn link(&mut self, index: u64, person: &str) {
        self.linked.insert(index, person.to_owned());
        if self.linked.len() > SAYINGS_MAX {
            self.linked.pop_first();
            self.linked_before += 1;
        }
    }
}
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
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
