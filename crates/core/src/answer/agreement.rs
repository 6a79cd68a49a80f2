//! Who agreed to what, and how that stands to what ran.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    EntryRead, Words,
    asked::Asked,
    environment, names,
    part::{Mark, Moment, Sentence, Tone, Who},
    say,
};
use crate::{
    event::{Bind, Digest},
    fold::aggregate::{Decided, Decision, Deployment, Match, Request},
    kind::Outcome,
};

/// Names in one cell of the matrix; the story has them all.
const DECIDERS_NAMED_MAX: usize = 4;

/// One decision of one person, or an override.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    pub who: Who,
    /// `business approver`; absent if the decision names none.
    #[serde(default)]
    pub role: Option<String>,
    /// `approved`, `rejected`, `changes requested`, `deferred`, `delegated`, `escalated`, `override`.
    pub decision: String,
    /// Until when it holds, if it has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub at: Moment,
    /// What they were shown; an override was shown nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Words>,
    /// What they said, of an override its reason; absent when the event names no such text.
    #[serde(default)]
    pub comment: Option<Words>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    pub covers: Covers,
    /// What is wrong with the request it answers, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// `✓ exactly what ran`, `! only part of what ran`, `… nothing deployed yet`, `✕ expired before it was deployed`.
    pub mark: Mark,
}
/// How a decision stands to what ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// Every digest that ran is among those signed for.
    Exactly,
    /// Some of what ran is not among them.
    Part,
    /// Nothing with these digests was deployed where the decision is for.
    NotDeployed,
    /// It covers exactly what ran, and was signed after that.
    Afterwards,
    /// It covers exactly what ran, and its time was over by then.
    Expired,
    /// It covers what ran, and whoever decided may not speak for that place.
    Outside,
}

/// The decisions about a deployment, sorted by how they stand to it. Of each person the last one before it counts, and the last one
/// after it.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) approved: Vec<u64>,
    pub(super) rejected: Vec<u64>,
    pub(super) part: Vec<u64>,
    pub(super) afterwards: Vec<u64>,
    pub(super) rejected_afterwards: Vec<u64>,
    pub(super) expired: Vec<u64>,
    pub(super) overrides: Vec<u64>,
}

/// How the decisions about a deployment stand to it.
pub(super) fn standing(deployment: &Deployment, asked: &Asked<'_>) -> Standing {
    let mut standing = Standing::default();
    let mut last: BTreeMap<(String, bool), (Timestamp, u64, Decided, Covers)> = BTreeMap::new();
    for (index, matched) in deployment.all_decisions() {
        let Some(decision) = asked.find::<Decision>(&index.to_string()) else {
            continue;
        };
        let covers = covers(deployment, &decision, matched);
        if decision.decided == Decided::Override {
            if covers == Covers::Exactly || covers == Covers::Part {
                standing.overrides.push(index);
            }
            continue;
        }
        match covers {
            Covers::NotDeployed | Covers::Outside => {}
            Covers::Part if decision.decided == Decided::Approved => standing.part.push(index),
            Covers::Exactly | Covers::Part | Covers::Expired | Covers::Afterwards => {
                let whose = (decision.by.clone(), decision.at.time > span(deployment).0);
                let known = last.get(&whose).map(|(time, index, ..)| (*time, *index));
                if known.is_none_or(|known| known < (decision.at.time, index)) {
                    let entry = (decision.at.time, index, decision.decided, covers);
                    last.insert(whose, entry);
                }
            }
        }
    }
    for ((_, is_after), (_, index, decided, covers)) in last {
        match decided {
            Decided::Approved if covers == Covers::Expired => standing.expired.push(index),
            Decided::Approved if covers == Covers::Afterwards => standing.afterwards.push(index),
            Decided::Approved => standing.approved.push(index),
            Decided::Rejected | Decided::ChangesRequested if is_after => {
                standing.rejected_afterwards.push(index);
            }
            Decided::Rejected | Decided::ChangesRequested => standing.rejected.push(index),
            Decided::Deferred | Decided::Delegated | Decided::Escalated | Decided::Override => {}
        }
    }
    standing
}

/// How one decision stands to a deployment that it matches.
fn covers(deployment: &Deployment, decision: &Decision, matched: Match) -> Covers {
    let (from, to) = span(deployment);
    let decided = decision.at.time;
    let expired = |at: Timestamp| decision.expires.is_some_and(|expires| expires < at);
    if matched == Match::Outside {
        return Covers::Outside;
    }
    if decision.decided == Decided::Override {
        return if decided > to {
            Covers::Afterwards
        } else if expired(from) {
            Covers::Expired
        } else {
            Covers::Exactly
        };
    }
    match matched {
        Match::Outside => Covers::Outside,
        Match::Part => Covers::Part,
        Match::All | Match::Place if decided > from => Covers::Afterwards,
        Match::All | Match::Place if expired(from) => Covers::Expired,
        Match::All | Match::Place => Covers::Exactly,
    }
}
/// When a deployment began and ended, as far as is known.
fn span(deployment: &Deployment) -> (Timestamp, Timestamp) {
    let started = deployment.started.map(|at| at.time);
    let finished = deployment.finished.map(|(at, _)| at.time);
    let from = started.or(finished).unwrap_or(Timestamp::MAX);
    (from, finished.or(started).unwrap_or(Timestamp::MAX))
}

/// What the decisions make of a deployment, in signs and words.
pub(super) fn marks(deployment: &Deployment, standing: &Standing) -> Vec<Mark> {
    let mut marks = Vec::new();
    if deployment.uncompared {
        let word = "more decisions than can be compared";
        marks.push(Mark::new('!', Tone::Warn, word));
    }
    if !standing.rejected.is_empty() {
        marks.push(Mark::new('✕', Tone::Bad, "rejected"));
    }
    if !standing.rejected_afterwards.is_empty() {
        marks.push(Mark::new('✕', Tone::Bad, "rejected afterwards"));
    }
    if !standing.approved.is_empty() {
        marks.push(Mark::new('✓', Tone::Good, "approved, exact content"));
    }
    if !standing.overrides.is_empty() {
        marks.push(Mark::new('!', Tone::Warn, "override, review owed"));
    }
    if !standing.approved.is_empty() || !standing.overrides.is_empty() {
        return marks;
    }
    if !standing.part.is_empty() {
        marks.push(Mark::new('!', Tone::Warn, "approved in part"));
    } else if !standing.afterwards.is_empty() {
        marks.push(Mark::new('!', Tone::Warn, "approved only afterwards"));
    } else if !standing.expired.is_empty() {
        marks.push(Mark::new('!', Tone::Warn, "the approval had expired"));
    } else if is_unapproved(deployment) {
        marks.push(Mark::new('✕', Tone::Bad, "deployed without approval"));
    }
    marks
}
/// Who decided about a deployment: `approved by Ines Okafor and Ravi Menon; override by Tomas Lindqvist`. Empty if nobody did.
pub(super) fn deciders(standing: &Standing, asked: &Asked<'_>) -> Sentence {
    let parts = [
        ("approved by ", &standing.approved),
        ("only part approved by ", &standing.part),
        ("approved only afterwards by ", &standing.afterwards),
        ("expired approval by ", &standing.expired),
        ("override by ", &standing.overrides),
        ("rejected by ", &standing.rejected),
        ("rejected afterwards by ", &standing.rejected_afterwards),
    ];
    let mut sentence = Sentence::default();
    for (said, indexes) in parts {
        let decided = indexes
            .iter()
            .filter_map(|index| asked.find::<Decision>(&index.to_string()));
        let mut people: Vec<(Timestamp, String)> = decided
            .map(|decision| (decision.at.time, decision.by))
            .collect();
        people.sort_unstable();
        let mut seen = BTreeSet::new();
        people.retain(|(_, by)| seen.insert(by.clone()));
        let named = people.len().min(DECIDERS_NAMED_MAX);
        for (at, (_, urn)) in people.iter().take(named).enumerate() {
            sentence = match at {
                0 if sentence.0.is_empty() => sentence.text(said),
                0 => sentence.text(format!("; {said}")),
                _ if at + 1 == people.len() => sentence.text(" and "),
                _ => sentence.text(", "),
            };
            sentence = sentence.who(names::principal(urn, asked));
        }
        if people.len() > named {
            sentence = sentence.text(format!(" and {} more", people.len() - named));
        }
    }
    sentence
}
/// A success in production that is no rollback wants an approval; nothing else does until a policy says so.
pub(super) fn is_unapproved(deployment: &Deployment) -> bool {
    let succeeded = deployment
        .finished
        .is_some_and(|(_, outcome)| outcome == Outcome::Success);
    succeeded && !deployment.rollback && environment::is_production(&deployment.environment)
}

/// Decisions as rows, oldest first, each beside the deployment it is best shown with: the one asked about, else the latest it
/// matches among `deployments`.
pub(super) fn agreements(
    decisions: &BTreeMap<u64, Decision>,
    deployments: &BTreeMap<String, Deployment>,
    main: Option<&str>,
    asked: &Asked<'_>,
) -> Vec<Agreement> {
    let mut rows: Vec<(Timestamp, u64)> = decisions
        .iter()
        .map(|(index, decision)| (decision.at.time, *index))
        .collect();
    rows.sort_unstable();
    rows.into_iter()
        .filter_map(|(_, index)| {
            let decision = decisions.get(&index)?;
            let matching = deployments
                .iter()
                .filter(|(_, deployment)| deployment.match_of(index).is_some())
                .max_by_key(|(key, deployment)| (Some(key.as_str()) == main, span(deployment)));
            row(index, decision, matching.map(|(_, found)| found), asked)
        })
        .collect()
}
/// The decisions about one deployment, as rows.
pub(super) fn of_deployment(
    key: &str,
    deployment: &Deployment,
    asked: &Asked<'_>,
) -> Vec<Agreement> {
    let decisions: BTreeMap<u64, Decision> = deployment
        .all_decisions()
        .filter_map(|(index, _)| Some((index, asked.find(&index.to_string())?)))
        .collect();
    let deployments = BTreeMap::from([(key.to_owned(), deployment.clone())]);
    agreements(&decisions, &deployments, Some(key), asked)
}

fn row(
    index: u64,
    decision: &Decision,
    deployment: Option<&Deployment>,
    asked: &Asked<'_>,
) -> Option<Agreement> {
    let entry = asked.entry(index)?;
    let profile = &entry.event.profile;
    let matched = deployment.and_then(|deployment| deployment.match_of(index));
    let covers = match (deployment, matched) {
        (Some(deployment), Some(matched)) => covers(deployment, decision, matched),
        _ => Covers::NotDeployed,
    };
    let shown = profile.approval.as_ref().map(|approval| {
        let words = entry.texts.get(&approval.shown);
        words.cloned().unwrap_or(Words::NotSupplied)
    });
    let said = if decision.decided == Decided::Override {
        "reason"
    } else {
        "comment"
    };
    let at = names::moment(entry);
    // What its signer says of the time does not count where it was recorded much later.
    let late = deployment.is_some_and(|deployment| at.time <= span(deployment).0);
    Some(Agreement {
        who: names::principal(entry.event.source.as_str(), asked),
        role: profile.role.as_deref().map(say::role),
        decision: word(decision.decided).to_owned(),
        mark: mark(decision.decided, covers, deployment, late),
        doubt: doubt(entry, asked).map(str::to_owned),
        at,
        shown,
        comment: entry.texts.get(said).cloned(),
        until: decision.expires,
        service: profile.service.clone(),
        environment: profile.environment.clone(),
        covers,
    })
}
/// Whether the request that a decision answers is there, and asked for the same content.
fn doubt(entry: &EntryRead, asked: &Asked<'_>) -> Option<&'static str> {
    let profile = &entry.event.profile;
    let hash = profile.approval.as_ref()?.request?.to_hex();
    let request: Request = asked.find(&entry.event.subject).unwrap_or_default();
    let requested = request
        .asked
        .iter()
        .find(|(index, payload)| **payload == hash && asked.has(**index));
    let Some((index, _)) = requested else {
        return Some("the request it answers is not recorded");
    };
    let of = |binds: &[Bind]| -> BTreeSet<Digest> {
        binds.iter().map(|bind| bind.digest.clone()).collect()
    };
    let asked_for = asked.entry(*index)?.event.profile.binds();
    (of(asked_for) != of(profile.binds())).then_some("the request it answers is for other content")
}
fn word(decided: Decided) -> &'static str {
    match decided {
        Decided::Approved => "approved",
        Decided::Rejected => "rejected",
        Decided::ChangesRequested => "changes requested",
        Decided::Deferred => "deferred",
        Decided::Delegated => "delegated",
        Decided::Escalated => "escalated",
        Decided::Override => "override",
    }
}
fn mark(decided: Decided, covers: Covers, deployment: Option<&Deployment>, late: bool) -> Mark {
    let ran = deployment.is_some_and(|deployment| {
        deployment
            .finished
            .is_some_and(|(_, outcome)| outcome == Outcome::Success)
    });
    let what = if ran { "what ran" } else { "what was tried" };
    match (decided, covers) {
        (_, Covers::NotDeployed) => Mark::new('…', Tone::Soft, "nothing deployed yet"),
        (_, Covers::Outside) => Mark::new('✕', Tone::Bad, "they may not decide for this place"),
        (Decided::Approved, Covers::Afterwards) if late => Mark::new(
            '!',
            Tone::Warn,
            format!("exactly {what}, but recorded only afterwards"),
        ),
        (Decided::Approved, Covers::Exactly) => {
            Mark::new('✓', Tone::Good, format!("exactly {what}"))
        }
        (Decided::Approved, Covers::Part) => {
            Mark::new('!', Tone::Warn, format!("only part of {what}"))
        }
        (Decided::Approved, Covers::Afterwards) => Mark::new(
            '!',
            Tone::Warn,
            format!("exactly {what}, but signed afterwards"),
        ),
        (Decided::Approved, Covers::Expired) => {
            Mark::new('✕', Tone::Bad, "expired before it was deployed")
        }
        (Decided::Rejected | Decided::ChangesRequested, Covers::Part) => {
            Mark::new('!', Tone::Warn, format!("part of {what}"))
        }
        (Decided::Rejected | Decided::ChangesRequested, Covers::Afterwards) => {
            Mark::new('✕', Tone::Bad, format!("exactly {what}, signed afterwards"))
        }
        (Decided::Rejected | Decided::ChangesRequested, Covers::Exactly | Covers::Expired) => {
            Mark::new('✕', Tone::Bad, format!("exactly {what}"))
        }
        (Decided::Override, Covers::Exactly | Covers::Part) => {
            Mark::new('!', Tone::Warn, format!("for {what}, review owed"))
        }
        (Decided::Override, Covers::Afterwards) => {
            Mark::new('!', Tone::Warn, "declared only afterwards")
        }
        (Decided::Override, Covers::Expired) => {
            Mark::new('✕', Tone::Bad, "lapsed before it was deployed")
        }
        (
            Decided::Deferred | Decided::Delegated | Decided::Escalated,
            Covers::Exactly | Covers::Part | Covers::Afterwards | Covers::Expired,
        ) => Mark::soft(format!("about {what}")),
    }
}

/// How many different people these decisions are from.
pub(super) fn people(indexes: &[u64], asked: &Asked<'_>) -> usize {
    let people: BTreeSet<String> = indexes
        .iter()
        .filter_map(|index| asked.find::<Decision>(&index.to_string()))
        .map(|decision| decision.by)
        .collect();
    people.len()
}
