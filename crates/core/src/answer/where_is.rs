//! What is where: services × environments.

use serde::{Deserialize, Serialize};

use super::{
    Need, Reading,
    part::{AsOf, ChangeRef, DigestRef, Mark, Moment, Sentence, Who},
    story::Agreement,
};

/// A row of the store's slot table that is in force at the size asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRead {
    pub service: String,
    pub environment: String,
    /// The row's JSON, as the fold wrote it.
    pub body: String,
}

/// The matrix of services and environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Where {
    pub as_of: AsOf,
    /// One sentence, such as `Production is 4 changes behind staging.`; says so when nothing is recorded.
    pub lead: Sentence,
    /// Columns, least production-like first: test environments, then staging-like ones, then production-like ones; within each,
    /// by name. An environment is production-like when its name is or begins with `prod` or `live`.
    pub environments: Vec<String>,
    /// By service name.
    pub rows: Vec<WhereRow>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhereRow {
    pub service: String,
    /// How far the last environment is behind the one before it, where both hold something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// One for each of [`Where::environments`], `None` where nothing was recorded.
    pub cells: Vec<Option<Cell>>,
}
/// What one environment has and a later one does not have yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    pub ahead: String,
    pub behind: String,
    /// Changes, oldest first; commits that no change claims are counted in `other_commits`. `None`: unknown.
    #[serde(default)]
    pub changes: Option<Vec<ChangeRef>>,
    #[serde(default)]
    pub other_commits: u64,
    /// `production is 3 changes behind`, `same as staging`, `how far production is behind is unknown`
    pub sentence: Sentence,
}
/// The last success in a service and environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub service: String,
    pub environment: String,
    /// The change that was deployed (its commit is what runs); absent where no change or commit is known.
    #[serde(default)]
    pub change: Option<ChangeRef>,
    /// What came with it.
    pub contents: Contents,
    /// sha256 digests that run, then the commit.
    pub digests: Vec<DigestRef>,
    #[serde(default)]
    pub commit: Option<String>,
    /// Entry and time from which it runs there.
    pub since: Moment,
    /// It ran there before and came back.
    pub again: bool,
    /// Id of the deployment (or rollback) that put it there.
    pub deployment: String,
    pub by: Who,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Decisions on exactly this content for this place, oldest first.
    pub agreements: Vec<Agreement>,
    /// States as sign and word: `↶ rolled back from #418`, `! override, review owed`, `✕ deployed without approval`,
    /// `✓ approved, exact content`, `! a later attempt failed`.
    pub marks: Vec<Mark>,
}
/// What a deployment contains, computed from pushes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "lowercase")]
pub enum Contents {
    /// To be shown as `contents unknown`, never as none.
    Unknown,
    Known {
        /// Oldest first.
        commits: Vec<String>,
        /// Changes that claim one of the commits, in order of their first commit.
        changes: Vec<ChangeRef>,
    },
    /// A rollback goes back and has no contents of its own.
    Rollback,
}

/// The matrix from the slot rows in force. Needs no entries but those that name people and changes.
pub fn where_is(_slots: &[SlotRead], _reading: &Reading) -> Result<Where, Need> {
    todo!()
}
