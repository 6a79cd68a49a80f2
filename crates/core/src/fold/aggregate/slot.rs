//! Services in environments, and what went wrong there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{At, Place};
use crate::kind::Outcome;

/// A service and environment, by [`super::slot_key`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// By time; the latest ones only. Shared, as one entry changes few of them.
    pub attempts: Vec<Arc<Attempt>>,
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
    /// [`super::deployment_key`]
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
    /// [`super::deployment_key`]
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

/// An alert or incident, by [`super::alert_key`] or [`super::incident_key`].
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
    /// Services and environments it is said to be about, by [`super::slot_key`].
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub places: BTreeSet<String>,
    /// By place: key of the latest deployment before it, within the window.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub followed: BTreeMap<String, String>,
}
impl Trouble {
    /// Whether it followed this deployment.
    pub fn has_followed(&self, deployment: &str) -> bool {
        self.followed
            .values()
            .any(|followed| followed == deployment)
    }
}
