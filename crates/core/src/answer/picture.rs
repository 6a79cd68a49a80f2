//! The picture of a change's way: lanes over one axis of time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    asked::Asked,
    environment,
    gather::{self, Material},
    lead, line, names,
    part::{DigestRef, Moment, Sentence, Tone},
    say,
};
use crate::{
    event::binds,
    fold::aggregate::Deployment,
    kind::{Content, Decision, Kind},
};

/// What the picture on top shows: one axis of time, a lane for people, one for each environment, one for alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// First and last instant of anything that happened to the change. A bar may begin before (what ran there until then).
    pub from: Timestamp,
    pub to: Timestamp,
    /// The picture in one sentence, for whoever does not see it.
    pub description: Sentence,
    pub people: Vec<PersonMark>,
    /// In the order of [`super::Where::environments`], least production-like first; within one, by service.
    pub lanes: Vec<Lane>,
    pub alerts: Vec<AlertBar>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonMark {
    pub at: Moment,
    pub stage: Stage,
    /// `proposed`, `asked`, `business approver`, `rejected, business approver`, …
    pub label: String,
    pub tone: Tone,
}
/// What shape a mark has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Proposed,
    Reviewed,
    Merged,
    Abandoned,
    Asked,
    Approved,
    Rejected,
    /// Another decision (deferred, delegated, …).
    Decided,
    Override,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    pub environment: String,
    pub service: String,
    /// Oldest first, not overlapping.
    pub bars: Vec<Bar>,
    /// The change's own deployments that put nothing there, oldest first.
    #[serde(default)]
    pub attempts: Vec<AttemptMark>,
}
/// A deployment that failed, or of which nobody has said how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptMark {
    pub at: Moment,
    /// `failed`, `began, no end said`
    pub label: String,
    pub tone: Tone,
}
/// What ran in an environment for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    pub from: Timestamp,
    /// `None`: still there.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// The entry that put it there.
    pub index: u64,
    #[serde(default)]
    pub digest: Option<DigestRef>,
    /// `this change, alone`, `with #416, #417`, `change #415`, `back`, `contents unknown`.
    pub label: String,
    /// The change of the story is in it.
    pub this: bool,
    pub tone: Tone,
}
/// An alert or incident that followed a deployment of the change; not thereby caused by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertBar {
    pub from: Timestamp,
    #[serde(default)]
    pub to: Option<Timestamp>,
    pub index: u64,
    pub environment: String,
    /// `HighErrorRate, 13 min after`
    pub label: String,
}

pub(super) fn picture(material: &Material, asked: &Asked<'_>) -> Picture {
    let people = people(material, asked);
    let lanes = lanes(material, asked);
    let alerts = alerts(material, asked);
    let told: Vec<Timestamp> = material
        .entries
        .iter()
        .filter_map(|index| asked.entry(*index))
        .map(|entry| entry.event.timestamp.min(entry.recorded_at))
        .collect();
    Picture {
        from: told.iter().min().copied().unwrap_or(Timestamp::UNIX_EPOCH),
        to: told.iter().max().copied().unwrap_or(Timestamp::UNIX_EPOCH),
        description: description(&people, &lanes, &alerts, asked),
        people,
        lanes,
        alerts,
    }
}

/// What people did, oldest first.
fn people(material: &Material, asked: &Asked<'_>) -> Vec<PersonMark> {
    let mut marks: Vec<PersonMark> = material
        .entries
        .iter()
        .filter_map(|index| asked.entry(*index))
        .filter_map(|entry| {
            let (stage, word, tone) = stage(&entry.event.content)?;
            let role = entry.event.profile.role.as_deref().map(say::role);
            Some(PersonMark {
                at: names::moment(entry),
                stage,
                label: match (stage, role) {
                    // The tick says the word.
                    (Stage::Approved, Some(role)) => role,
                    (_, Some(role)) => format!("{word}, {role}"),
                    (_, None) => word.to_owned(),
                },
                tone,
            })
        })
        .collect();
    marks.sort_by_key(|mark| (mark.at.time, mark.at.index));
    marks
}
fn stage(content: &Content) -> Option<(Stage, &'static str, Tone)> {
    Some(match content.kind() {
        Kind::ChangeCreated => (Stage::Proposed, "proposed", Tone::Step),
        Kind::ChangeReviewed => (Stage::Reviewed, "reviewed", Tone::Step),
        Kind::ChangeMerged => (Stage::Merged, "merged", Tone::Step),
        Kind::ChangeAbandoned => (Stage::Abandoned, "closed", Tone::Warn),
        Kind::ApprovalCreated => (Stage::Asked, "asked", Tone::Step),
        Kind::OverrideDeclared => (Stage::Override, "override", Tone::Warn),
        Kind::ApprovalUpdated => match content {
            Content::ApprovalUpdated(updated) => match updated.decision {
                Decision::Approved => (Stage::Approved, "approved", Tone::Good),
                Decision::Rejected => (Stage::Rejected, "rejected", Tone::Bad),
                Decision::RequestChanges => (Stage::Decided, "changes requested", Tone::Warn),
                Decision::Deferred => (Stage::Decided, "deferred", Tone::Step),
                Decision::Delegate => (Stage::Decided, "delegated", Tone::Step),
                Decision::Escalated => (Stage::Decided, "escalated", Tone::Step),
            },
            _ => return None,
        },
        _ => return None,
    })
}

/// What is shown of one place.
#[derive(Default)]
struct Shown {
    successes: BTreeMap<String, Deployment>,
    attempts: Vec<AttemptMark>,
}

/// What ran where: the change's own deployments, what was there before each, and what came after.
fn lanes(material: &Material, asked: &Asked<'_>) -> Vec<Lane> {
    let mut shown: BTreeMap<(String, String), Shown> = BTreeMap::new();
    let mut own = BTreeSet::new();
    for (key, deployment) in &material.deployments {
        let lane = shown
            .entry((deployment.environment.clone(), deployment.service.clone()))
            .or_default();
        if !lead::is_success(deployment) {
            lane.attempts.extend(attempt(deployment, asked));
            continue;
        }
        own.insert(key.clone());
        lane.successes.insert(key.clone(), deployment.clone());
        let around = [&deployment.place.previous, &deployment.place.replaced_by];
        for key in around.into_iter().flatten() {
            if let Some(other) = gather::deployment(key, asked) {
                lane.successes.entry(key.clone()).or_insert(other);
            }
        }
    }
    let mut lanes: Vec<Lane> = shown
        .into_iter()
        .map(|((environment, service), mut shown)| Lane {
            bars: bars(material, &shown.successes, &own, asked),
            attempts: {
                shown
                    .attempts
                    .sort_by_key(|mark| (mark.at.time, mark.at.index));
                shown.attempts
            },
            environment,
            service,
        })
        .filter(|lane| !(lane.bars.is_empty() && lane.attempts.is_empty()))
        .collect();
    lanes.sort_by(|one, other| {
        let order = |lane: &Lane| {
            let rank = environment::rank(&lane.environment);
            (rank, lane.environment.clone(), lane.service.clone())
        };
        order(one).cmp(&order(other))
    });
    lanes
}
/// `None` for a report of what a signed deployment says itself.
fn attempt(deployment: &Deployment, asked: &Asked<'_>) -> Option<AttemptMark> {
    if !deployment.place.counts() {
        return None;
    }
    let (label, tone) = match deployment.finished {
        Some(_) => ("failed", Tone::Bad),
        None => ("began, no end said", Tone::Warn),
    };
    Some(AttemptMark {
        at: names::moment_at(lead::last(deployment)?, asked),
        label: label.to_owned(),
        tone,
    })
}
fn bars(
    material: &Material,
    deployments: &BTreeMap<String, Deployment>,
    own: &BTreeSet<String>,
    asked: &Asked<'_>,
) -> Vec<Bar> {
    let mut bars: Vec<Bar> = deployments
        .iter()
        .filter_map(|(key, deployment)| {
            let (at, _) = deployment
                .finished
                .filter(|_| lead::is_success(deployment))?;
            let this = own.contains(key);
            let to = deployment
                .place
                .replaced_by
                .as_ref()
                .and_then(|next| match deployments.get(next) {
                    Some(next) => Some(next.clone()),
                    None => gather::deployment(next, asked),
                })
                .and_then(|next| next.finished)
                .map(|(at, _)| at.time);
            Some(Bar {
                from: at.time,
                to,
                index: at.index,
                digest: names::digests(&deployment.binds).into_iter().next(),
                label: label(material, deployment, this, asked),
                this,
                tone: match (this, environment::is_production(&deployment.environment)) {
                    (true, true) => Tone::Good,
                    (true, false) => Tone::Step,
                    (false, _) => Tone::Soft,
                },
            })
        })
        .collect();
    bars.sort_by_key(|bar| (bar.from, bar.index));
    // The same content deployed again while it is there is the same bar.
    bars.dedup_by(|later, earlier| {
        let same = later.to == earlier.to && later.digest == earlier.digest;
        same && later.from >= earlier.from
    });
    bars
}
fn label(material: &Material, deployment: &Deployment, this: bool, asked: &Asked<'_>) -> String {
    if deployment.rollback {
        return "back".to_owned();
    }
    if !this {
        return match change_of(deployment, asked) {
            Some(change) if change.starts_with("commit:") => names::label(&change),
            Some(change) => format!("change {}", names::label(&change)),
            None => "contents unknown".to_owned(),
        };
    }
    let Some(contents) = &deployment.contents else {
        return "this change; contents unknown".to_owned();
    };
    let others: Vec<String> = contents
        .changes()
        .into_iter()
        .filter(|change| *change != material.id)
        .map(names::label)
        .collect();
    if others.is_empty() {
        "this change, alone".to_owned()
    } else {
        format!("with {}", others.join(", "))
    }
}
/// The change whose commit a deployment binds, else the last one it contains, else the commit itself, else the one that its digest
/// was deployed from.
pub(super) fn change_of(deployment: &Deployment, asked: &Asked<'_>) -> Option<String> {
    let commit = binds::commit_of(&deployment.binds);
    if let Some(holder) = commit
        .as_ref()
        .and_then(|commit| names::holder(commit, asked))
    {
        return Some(holder);
    }
    let contents = deployment.contents.as_ref();
    if let Some(last) = contents.and_then(|contents| contents.changes().last().copied()) {
        return Some(last.to_owned());
    }
    if let Some(commit) = commit {
        return Some(crate::fold::aggregate::commit_change(&commit));
    }
    let (sha256, _) = binds::digests(&deployment.binds);
    sha256
        .iter()
        .find_map(|digest| names::holder(digest, asked))
        .or_else(|| names::deployed_from(&sha256, asked))
}

/// What followed the change's deployments.
fn alerts(material: &Material, asked: &Asked<'_>) -> Vec<AlertBar> {
    let mut bars: Vec<AlertBar> = material
        .troubles
        .values()
        .filter_map(|trouble| {
            let from = trouble.from?;
            let index = trouble.opened.first().copied()?;
            let before = material
                .deployments
                .iter()
                .chain(&material.rollbacks)
                .find(|(key, _)| trouble.has_followed(key))
                .map(|(_, deployment)| deployment);
            let since = before.map(|deployment| line::since(trouble, deployment));
            let environment = before
                .map(|deployment| deployment.environment.as_str())
                .or_else(|| Some(trouble.places.first()?.split_once('\n')?.1));
            let over = trouble.closed.iter().any(|index| asked.has(*index));
            Some(AlertBar {
                from,
                to: trouble.to.filter(|_| over),
                index,
                environment: environment.unwrap_or_default().to_owned(),
                label: match since {
                    Some(since) => format!("{}, {since}", trouble.name),
                    None => trouble.name.clone(),
                },
            })
        })
        .collect();
    bars.sort_by_key(|bar| (bar.from, bar.index));
    bars
}
/// The picture in one sentence.
fn description(
    people: &[PersonMark],
    lanes: &[Lane],
    alerts: &[AlertBar],
    asked: &Asked<'_>,
) -> Sentence {
    let mut sentence = Sentence::default();
    let mut first = true;
    let mut joint = |sentence: Sentence| {
        let text = if first { "" } else { "; " };
        first = false;
        sentence.text(text)
    };
    for mark in people {
        if matches!(mark.stage, Stage::Reviewed) {
            continue;
        }
        let word = match mark.stage {
            Stage::Approved => format!("approved ({})", mark.label),
            Stage::Override => "override declared".to_owned(),
            Stage::Rejected
            | Stage::Proposed
            | Stage::Reviewed
            | Stage::Merged
            | Stage::Abandoned
            | Stage::Asked
            | Stage::Decided => mark.label.clone(),
        };
        sentence = joint(sentence)
            .text(format!("{word} "))
            .day(mark.at.time, asked);
    }
    for lane in lanes {
        for bar in lane.bars.iter().filter(|bar| bar.this) {
            sentence = joint(sentence)
                .text(format!("in {} from ", lane.environment))
                .day(bar.from, asked);
            if let Some(to) = bar.to {
                sentence = sentence.text(" to ").day(to, asked);
            }
        }
    }
    for lane in lanes {
        for attempt in &lane.attempts {
            sentence = joint(sentence)
                .text(format!("in {} {} ", lane.environment, attempt.label))
                .day(attempt.at.time, asked);
        }
    }
    for alert in alerts {
        sentence = joint(sentence)
            .text(format!("{} from ", alert.label))
            .day(alert.from, asked);
    }
    if first {
        return Sentence::plain_text("Nothing to show yet.");
    }
    sentence.text(".")
}
