//! The whole story of a change.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Need, Reading, Words,
    part::{AsOf, ChangeRef, DigestRef, Line, Mark, Moment, Sentence, Tone, Who},
};

/// Everything the ledger knows of one change, in the order a reader wants it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    pub as_of: AsOf,
    pub change: ChangeRef,
    /// The latest title, or why there is none.
    pub title: Words,
    pub state: State,
    /// Who proposed it, and through which system.
    #[serde(default)]
    pub proposer: Option<Who>,
    #[serde(default)]
    pub via: Option<String>,
    /// Commits, tickets, runs and tags it is also known as: what to show, oldest first.
    pub also_known_as: Vec<String>,
    /// Digests it was deployed as.
    pub deployed_as: Vec<DigestRef>,
    /// Two to four sentences that may be all that is read.
    pub lead: Vec<Sentence>,
    /// States as sign and word.
    pub chips: Vec<Mark>,
    /// Who agreed, and to what; oldest first.
    pub agreements: Vec<Agreement>,
    pub picture: Picture,
    /// The record, oldest first.
    pub lines: Vec<Line>,
    /// Every entry the story rests on (what `log --change` lists), ascending.
    pub entries: Vec<u64>,
    /// `Nothing missing: …`, or which numbers of which run are absent, and how many records were relayed.
    pub completeness: Vec<Sentence>,
    /// Names that more than one change claims: while there are any, its standing cannot be judged.
    pub disputed: Vec<String>,
}
/// What the merge request's own system says last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Merged,
    Abandoned,
    /// Nobody said (a bare commit, or named only by others).
    Unknown,
}
/// One decision of one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    pub who: Who,
    /// `business approver`; absent if the decision names none.
    #[serde(default)]
    pub role: Option<String>,
    /// `approved`, `rejected`, `changes requested`, `deferred`, `delegated`, `escalated`.
    pub decision: String,
    pub at: Moment,
    /// What they were shown.
    pub shown: Words,
    /// What they said; absent when the decision names no comment.
    #[serde(default)]
    pub comment: Option<Words>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    pub covers: Covers,
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
}

/// What the picture on top shows: one axis of time, a lane for people, one for each environment, one for alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// First and last instant that anything in it has.
    pub from: Timestamp,
    pub to: Timestamp,
    /// The picture in one sentence, for whoever does not see it.
    pub description: Sentence,
    pub people: Vec<PersonMark>,
    /// In the order of [`super::Where::environments`], least production-like first.
    pub lanes: Vec<Lane>,
    pub alerts: Vec<AlertBar>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonMark {
    pub at: Moment,
    pub stage: Stage,
    /// `proposed`, `asked`, `business approver`, …
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

/// One change in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeLine {
    pub change: ChangeRef,
    pub state: State,
    #[serde(default)]
    pub proposer: Option<Who>,
    /// The last entry that touched it.
    pub last_index: u64,
    /// Environments where it runs now, least production-like first.
    pub running_in: Vec<String>,
    pub chips: Vec<Mark>,
}

/// The story of the change with this exact id; `None` if the ledger knows no such change.
pub fn story(_change: &str, _reading: &Reading) -> Result<Option<Story>, Need> {
    todo!()
}
/// Every entry that belongs to the story of a change: those that name it, and the pushes, requests, decisions, deployments,
/// rollbacks, overrides, alerts and incidents found through its commits and digests.
pub fn entries_of_change(_change: &str, _reading: &Reading) -> Result<Option<BTreeSet<u64>>, Need> {
    todo!()
}
/// One line for each change of a page of the store's list: (change, last entry that touched it).
pub fn changes(_rows: &[(String, u64)], _reading: &Reading) -> Result<Vec<ChangeLine>, Need> {
    todo!()
}
