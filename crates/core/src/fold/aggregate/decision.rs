//! What binds a digest, and what was asked and decided about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::At;

/// Bundles that a digest remembers, the newest ones: each is looked at when the digest is deployed.
const BUNDLES_MAX: usize = 100;

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
    /// Decisions and overrides, the first [`super::COMPARED_MAX`].
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub decisions: BTreeSet<u64>,
    /// There are more decisions than are listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_decisions: bool,
    /// Keys of deployments that bind it, the first [`super::COMPARED_MAX`]. Those left out know it themselves.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub deployments: BTreeSet<String>,
}

impl Content {
    pub(in crate::fold) fn add_bundle(&mut self, manifest: &str, index: u64) {
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
    /// There may be deployments it is about that it was not compared with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncompared: bool,
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
            uncompared: false,
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
