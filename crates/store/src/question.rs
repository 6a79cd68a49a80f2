//! Filters and rows of the questions people ask.

use jiff::Timestamp;

/// Which entries `log` lists. All members that are set must hold. Pages: newest first, below `before`, below `as_of`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only entries below this size of the ledger.
    pub as_of: u64,
    /// Only indexes below this one (the keyset cursor).
    pub before: Option<u64>,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// Exact kind, or `prefix*`.
    pub kind: Option<String>,
    pub principal: Option<String>,
    /// Only these indexes (a change's story).
    pub indexes: Option<Vec<u64>>,
    /// By `timestamp` of the event: from then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
    /// At most 500.
    pub limit: u32,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRow {
    pub service: String,
    pub environment: String,
    pub from_index: u64,
    /// `None` while it is in force.
    pub to_index: Option<u64>,
    pub body: String,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    pub change: String,
    pub service: Option<String>,
    pub last_index: u64,
}
