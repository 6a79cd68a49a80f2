//! What binds a digest, and what was asked and decided about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{At, COMPARED_MAX, Grant, RoleHeld, add_to};
use crate::key::Grants;

/// Bundles that a digest remembers: each about which something was asked or decided is looked at when the digest is deployed.
const BUNDLES_MAX: usize = 100;

/// Everything that binds a digest or commit, by its hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// Digests of the bundles that list it: those about which something was asked or decided first, then the newest ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<String, Listed>,
    /// There are more bundles about which something was asked or decided than are listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_bundles: bool,
    /// If it is a bundle: the digests it lists.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub elements: BTreeSet<String>,
    /// Entries that define it as a bundle or publish it as an artifact.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub described: BTreeSet<u64>,
    /// Requests for approval.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub asked: BTreeSet<u64>,
    /// Decisions on requests, the first [`super::COMPARED_MAX`].
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub decisions: BTreeSet<u64>,
    /// Overrides, as many. They have a list of their own, so that many of one sort do not keep out the other.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub overrides: BTreeSet<u64>,
    /// There are more decisions or overrides than are listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_decisions: bool,
    /// Keys of deployments that bind it, the first [`super::COMPARED_MAX`]. Those left out know it themselves.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub deployments: BTreeSet<String>,
}

/// A bundle that lists a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The entry from which it is known.
    pub index: u64,
    /// Something was asked or decided about the bundle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
}

impl Content {
    pub(in crate::fold) fn list_bundle(&mut self, manifest: &str, listed: Listed) {
        let kept = self.bundles.entry(manifest.to_owned()).or_insert(listed);
        kept.noted |= listed.noted;
        if self.bundles.len() > BUNDLES_MAX {
            let newest_goes = || (manifest.to_owned(), listed.noted);
            let (goes, noted) = self
                .bundles
                .iter()
                .filter(|(_, listed)| !listed.noted)
                .min_by_key(|(manifest, listed)| (listed.index, *manifest))
                .map_or_else(newest_goes, |(oldest, _)| (oldest.clone(), false));
            self.bundles.remove(&goes);
            self.more_bundles |= noted;
        }
    }
    pub(in crate::fold) fn decide(&mut self, index: u64, decided: Decided) {
        let list = if decided == Decided::Override {
            &mut self.overrides
        } else {
            &mut self.decisions
        };
        self.more_decisions |= !add_to(list, index, COMPARED_MAX);
    }
    /// Decisions and overrides.
    pub fn all_decisions(&self) -> impl Iterator<Item = u64> {
        self.decisions.iter().chain(&self.overrides).copied()
    }
    /// Whether something was asked or decided about it.
    pub fn is_noted(&self) -> bool {
        !(self.asked.is_empty() && self.decisions.is_empty() && self.overrides.is_empty())
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
    /// By the time that rules go by ([`At::by_rule`]).
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
    /// Where it may count, if it does not name both service and environment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
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
            reach: None,
            deployments: BTreeSet::new(),
            uncompared: false,
        }
    }
}
/// For what whoever decided could speak then: judging asks only about what an event names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// The grants of the key that signed; `None` for a key that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Of a person: the role they decided in, as it was given to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleHeld>>,
}
impl Reach {
    pub fn covers(&self, service: &str, environment: &str) -> bool {
        let granted = self.grant.as_ref().is_none_or(|grant| {
            Grants::covers(&grant.services, service)
                && Grants::covers(&grant.environments, environment)
        });
        let held = self
            .roles
            .as_ref()
            .is_none_or(|roles| roles.iter().any(|role| role.covers(service, environment)));
        granted && held
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
