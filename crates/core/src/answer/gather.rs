//! Finding everything that belongs to the story of a change.
//!
//! From the change's names (its commits, digests, tickets) to the deployments that bind or contain them; from those to what was
//! decided about them, what undid them and what followed them.

use std::collections::{BTreeMap, BTreeSet};

use super::{asked::Asked, names};
use crate::{
    event::binds,
    fold::aggregate::{
        At, Change, Commit, Content, Decision, Deployment, Request, Stated, Trouble, commit_change,
    },
    kind::Kind,
};

/// What a story rests on, each part as of the size of the ledger.
#[derive(Default)]
pub(super) struct Material {
    pub(super) id: String,
    pub(super) change: Change,
    /// Its other names, in the order they became its names.
    pub(super) names: Vec<String>,
    /// Deployments that stand for themselves, by key.
    pub(super) deployments: BTreeMap<String, Deployment>,
    /// What other systems report of those.
    pub(super) reports: BTreeMap<String, Deployment>,
    /// Rollbacks that undid them.
    pub(super) rollbacks: BTreeMap<String, Deployment>,
    /// Alerts and incidents that followed them.
    pub(super) troubles: BTreeMap<String, Trouble>,
    /// Decisions and overrides, by index.
    pub(super) decisions: BTreeMap<u64, Decision>,
    /// Digests that the change was deployed as.
    pub(super) digests: BTreeSet<String>,
    pub(super) pushes: BTreeSet<u64>,
    /// Every entry.
    pub(super) entries: BTreeSet<u64>,
}

/// The material of a change's story; `None` if there is no such change (or that is not known yet).
pub(super) fn gather(id: &str, asked: &Asked<'_>) -> Option<Material> {
    let mut id = id.to_owned();
    if let Some(commit) = id.strip_prefix("commit:")
        && let Some(holder) = names::holder(commit, asked)
    {
        id = holder;
    }
    let mut material = Material {
        change: asked.find(&id).unwrap_or_default(),
        id,
        ..Material::default()
    };
    material
        .change
        .disputed
        .retain(|_, index| asked.has(*index));
    let change = material.change.clone();
    material.list(change.entries.iter().copied(), asked);
    material.take_names(asked);
    if material.entries.is_empty() {
        return None;
    }
    let own: Vec<u64> = material.entries.iter().copied().collect();
    for key in change
        .deployments
        .iter()
        .filter(|(_, index)| asked.has(**index))
        .map(|(key, _)| key)
    {
        material.take_deployment(key, asked);
    }
    for index in own {
        material.take_decision(index, asked);
    }
    material.take_content(asked);
    material.take_consequences(asked);
    Some(material)
}

impl Material {
    fn list(&mut self, entries: impl IntoIterator<Item = u64>, asked: &Asked<'_>) {
        self.entries
            .extend(entries.into_iter().filter(|index| asked.has(*index)));
    }

    /// The change's other names, and what binds them.
    fn take_names(&mut self, asked: &Asked<'_>) {
        let mut names: Vec<(u64, String)> = self
            .change
            .aliases
            .iter()
            .filter(|(_, index)| asked.has(**index))
            .map(|(name, index)| (*index, name.clone()))
            .collect();
        if let Some(commit) = self.id.strip_prefix("commit:") {
            names.push((0, commit.to_owned()));
        }
        names.sort();
        for (_, name) in names {
            if is_digest(&name) {
                let commit: Commit = asked.find(&name).unwrap_or_default();
                let pushes: Vec<u64> = commit.pushes.into_iter().collect();
                self.pushes.extend(pushes.iter().copied());
                if !commit.runs.is_empty() || commit.filed.is_some() {
                    let as_change: Option<Change> = asked.find(&commit_change(&name));
                    self.list(
                        as_change.into_iter().flat_map(|change| change.entries),
                        asked,
                    );
                }
                self.list(pushes, asked);
                let content: Content = asked.find(&name).unwrap_or_default();
                self.list(content.asked.iter().copied(), asked);
                self.list(content.described.iter().copied(), asked);
                for index in content.all_decisions() {
                    self.take_decision(index, asked);
                }
                for key in &content.deployments {
                    self.take_deployment(key, asked);
                }
            }
            self.names.push(name);
        }
    }

    fn take_deployment(&mut self, key: &str, asked: &Asked<'_>) {
        if self.deployments.contains_key(key) || self.reports.contains_key(key) {
            return;
        }
        let Some(deployment) = deployment(key, asked) else {
            return;
        };
        self.list(deployment.entries.iter().copied(), asked);
        if let Some(signed) = &deployment.place.joins {
            let signed = signed.clone();
            self.reports.insert(key.to_owned(), deployment);
            self.take_deployment(&signed, asked);
            return;
        }
        for (index, _) in deployment.all_decisions() {
            self.take_decision(index, asked);
        }
        let reports = deployment.place.joined_by.clone();
        if deployment.place.confirms {
            self.reports.insert(key.to_owned(), deployment);
        } else {
            self.deployments.insert(key.to_owned(), deployment);
        }
        for report in reports {
            self.take_deployment(&report, asked);
        }
    }

    /// A decision, the request it answers, and what it was about.
    fn take_decision(&mut self, index: u64, asked: &Asked<'_>) {
        if !asked.has(index) || self.decisions.contains_key(&index) {
            return;
        }
        let is_decision = asked.entry(index).is_some_and(|entry| {
            matches!(
                entry.event.content,
                crate::kind::Content::ApprovalUpdated(_)
                    | crate::kind::Content::OverrideDeclared(_)
            )
        });
        if !is_decision {
            return;
        }
        let Some(decision) = asked.find::<Decision>(&index.to_string()) else {
            return;
        };
        self.list([index], asked);
        let request = decision.request.clone();
        let deployments = decision.deployments.clone();
        let names_it = asked
            .entry(index)
            .is_some_and(|entry| entry.event.profile.change.as_deref() == Some(self.id.as_str()));
        self.decisions.insert(index, decision);
        if let Some(request) = request {
            let request: Request = asked.find(&request).unwrap_or_default();
            self.list(request.asked.keys().copied(), asked);
        }
        if names_it {
            for key in &deployments {
                self.take_deployment(key, asked);
            }
        }
    }

    /// What is said of the digests that the change's own commits were deployed as, also before they reach production.
    fn take_content(&mut self, asked: &Asked<'_>) {
        let own: BTreeSet<&String> = self.names.iter().collect();
        let mut digests = BTreeSet::new();
        for deployment in self.deployments.values() {
            let (sha256, commits) = binds::digests(&deployment.binds);
            if commits.iter().any(|commit| own.contains(commit))
                || sha256.iter().any(|digest| own.contains(digest))
            {
                digests.extend(sha256);
            }
        }
        for entry in self.entries.iter().filter_map(|index| asked.entry(*index)) {
            let (sha256, commits) = binds::digests(entry.event.profile.binds());
            if commits.iter().any(|commit| own.contains(commit)) {
                digests.extend(sha256);
            }
        }
        // Whoever deploys by digest alone means the same.
        for digest in &digests {
            let content: Content = asked.find(digest).unwrap_or_default();
            for key in &content.deployments {
                self.take_deployment(key, asked);
            }
        }
        let mut bound = digests.clone();
        for digest in &digests {
            let content: Content = asked.find(digest).unwrap_or_default();
            bound.extend(content.bundles.into_keys());
        }
        for digest in &bound {
            let content: Content = asked.find(digest).unwrap_or_default();
            self.list(content.asked.iter().copied(), asked);
            self.list(content.described.iter().copied(), asked);
            for index in content.all_decisions() {
                self.take_decision(index, asked);
            }
        }
        self.digests = digests;
    }

    /// What undid the deployments, and what followed them.
    fn take_consequences(&mut self, asked: &Asked<'_>) {
        let places: Vec<_> = self
            .deployments
            .values()
            .map(|deployment| deployment.place.clone())
            .collect();
        for place in places {
            if let Some(key) = &place.undone_by
                && let Some(rollback) = deployment(key, asked)
            {
                self.list(rollback.entries.iter().copied(), asked);
                for report in &rollback.place.joined_by {
                    if let Some(report_of) = deployment(report, asked) {
                        self.list(report_of.entries.iter().copied(), asked);
                        self.reports.insert(report.clone(), report_of);
                    }
                }
                self.rollbacks.insert(key.clone(), rollback);
            }
            for key in place.followed_by {
                let Some(trouble) = asked.find::<Trouble>(&key) else {
                    continue;
                };
                if trouble.opened.iter().any(|index| asked.has(*index)) {
                    let told = trouble.opened.iter().chain(&trouble.closed);
                    self.list(told.copied(), asked);
                    self.troubles.insert(key, trouble);
                }
            }
        }
    }
}

/// A deployment as of the size; `None` if nothing was said of it by then.
///
/// What was only worked out after the size (contents, what undid or replaced it) is left out.
pub(super) fn deployment(key: &str, asked: &Asked<'_>) -> Option<Deployment> {
    let mut deployment: Deployment = asked.find(key)?;
    let finished = |other: &String| {
        asked
            .find_ref::<Deployment>(other)
            .and_then(|other| other.finished)
            .is_some_and(|(at, _)| asked.has(at.index))
    };
    let is_told = |other: &String| {
        asked
            .find_ref::<Deployment>(other)
            .is_some_and(|other| other.entries.iter().any(|index| asked.has(*index)))
    };
    let place = &mut deployment.place;
    place.undone_by = place.undone_by.take().filter(finished);
    place.replaced_by = place.replaced_by.take().filter(finished);
    place.joins = place.joins.take().filter(is_told);
    deployment.entries.retain(|index| asked.has(*index));
    if deployment.entries.is_empty() {
        return None;
    }
    deployment.started = deployment.started.filter(|at| asked.has(at.index));
    deployment.finished = deployment.finished.filter(|(at, _)| asked.has(at.index));
    deployment.contents = deployment
        .contents
        .filter(|contents| asked.has(contents.index));
    deployment.decisions.retain(|index, _| asked.has(*index));
    deployment.overrides.retain(|index, _| asked.has(*index));
    Some(deployment)
}
/// What the change's own system says last, as of the size.
pub(super) fn state(change: &Change, asked: &Asked<'_>) -> Option<(At, Stated)> {
    let known = change.state?;
    if asked.has(known.0.index) {
        return Some(known);
    }
    let told = change
        .entries
        .iter()
        .filter_map(|index| asked.entry(*index));
    told.filter_map(|entry| {
        let stated = match entry.event.kind() {
            Kind::ChangeCreated => Stated::Open,
            Kind::ChangeMerged => Stated::Merged,
            Kind::ChangeAbandoned => Stated::Abandoned,
            _ => return None,
        };
        let time = entry.event.timestamp.min(entry.recorded_at);
        let index = entry.index;
        Some((At { time, index }, stated))
    })
    .max()
}

/// Whether a name is a full commit hash or digest in hexadecimal.
pub(super) fn is_digest(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
