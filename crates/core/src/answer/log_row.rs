//! One entry: as a line of the log, and opened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Need, Reading, Words,
    part::{Detail, Line},
};

/// A line of `log`, and its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    pub index: u64,
    /// RFC 3339 with three fraction digits.
    pub recorded_at: String,
    /// The emitter's time.
    pub time: Timestamp,
    /// Such as `deployment.finished`.
    pub kind: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// URN of the signer.
    pub principal: String,
    /// The change it is filed under: named by the event, or learnt through its commit or digest.
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// One line in plain words, such as `deployed to production by checkout-deploy`.
    pub summary: String,
    /// `context.id`
    pub id: String,
}

/// An entry opened: its row, its line, what is inside in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryView {
    pub row: LogRow,
    pub line: Line,
    /// Lower-case hexadecimal.
    pub payload_hash: String,
    /// Facts in plain words: binds, outcome, role, chain number, relayed from where and how it was checked.
    pub facts: Vec<Detail>,
    /// The texts beside the signature, by name.
    pub texts: Vec<NamedText>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedText {
    pub name: String,
    pub words: Words,
}

/// The row of one entry. The first need is the entry itself; an index at or above `reading.size` stays needed.
pub fn log_row(_index: u64, _reading: &Reading) -> Result<LogRow, Need> {
    todo!()
}
/// The entry, opened.
pub fn entry(_index: u64, _reading: &Reading) -> Result<EntryView, Need> {
    todo!()
}
