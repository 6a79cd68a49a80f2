//! Deployments, and how they stand to one another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{At, Decided};
use crate::{event::Bind, kind::Outcome};

/// A deployment, rollback or another system's report of one, by [`super::deployment_key`].
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
    /// Overrides for what it binds, or for its place.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<u64, Match>,
    /// There may be decisions about it that it was not compared with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uncompared: bool,
}
impl Deployment {
    /// Decisions and overrides about it.
    pub fn all_decisions(&self) -> impl Iterator<Item = (u64, Match)> {
        let both = self.decisions.iter().chain(&self.overrides);
        both.map(|(index, matched)| (*index, *matched))
    }
    /// How a decision or override is about it.
    pub fn match_of(&self, index: u64) -> Option<Match> {
        self.decisions
            .get(&index)
            .or_else(|| self.overrides.get(&index))
            .copied()
    }
    /// The list in which a decision stands.
    pub(in crate::fold) fn list_of(&mut self, decided: Decided) -> &mut BTreeMap<u64, Match> {
        if decided == Decided::Override {
            &mut self.overrides
        } else {
            &mut self.decisions
        }
    }
}
/// How much of what a deployment binds a decision covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    All,
    Part,
    /// An override that names no content, for this place at this time.
    Place,
    /// It covers what is deployed and names no place, and whoever decided may not speak for this one.
    Outside,
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

/// How a deployment stands among the others of its service and environment; worked out by [`super::Slot`]. All names are keys.
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
    /// The success that had brought what was there before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The commit of that success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_commit: Option<String>,
    /// The success that put something else in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
    /// The rollback that went back to what was there before it (which may have failed).
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
    /// It came after so many later ones that it was not put between those before and after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}
