//! What is written, and what is read back of it.

use jiff::Timestamp;
use piperoll_core::{Hash, envelope::Text, fold::Changes, judge::Reason};
use piperoll_tlog::tile::{CompleteTile, TileId};

/// Where the ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    pub root: Hash,
    /// Fences writers: whoever takes over raises it.
    pub epoch: u64,
    /// `recorded_at` of the last entry.
    pub recorded_at: Timestamp,
    pub cursor: Cursor,
}
/// The head that a batch was made for. Everything that moves it is part of this, also what leaves the size as it is: a commit that
/// arrives late, when the same messages were taken in again, must find no head that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub size: u64,
    pub epoch: u64,
    pub incarnation: String,
    pub sequence: u64,
}
impl From<&Head> for Expected {
    fn from(head: &Head) -> Self {
        Self {
            size: head.size,
            epoch: head.epoch,
            incarnation: head.cursor.incarnation.clone(),
            sequence: head.cursor.sequence,
        }
    }
}
/// How far the stream was read: checked on every connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// `embedded`, or the JetStream incarnation.
    pub incarnation: String,
    /// Last sequence taken in; 0 before any.
    pub sequence: u64,
    /// SHA-256 of that message, and its stream time; absent before the first message of an incarnation.
    pub message: Option<(Hash, Timestamp)>,
}

/// One transaction.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What the head must be (`None`: there must be no head yet).
    pub expected: Option<Expected>,
    pub head: Head,
    pub entries: Vec<NewEntry>,
    /// Texts that came with a duplicate: (index of the entry, name, text); kept only where missing.
    pub late_texts: Vec<(u64, String, Text)>,
    pub tiles: Vec<CompleteTile>,
    pub refused: Vec<NewRefused>,
    pub junk: Vec<NewJunk>,
    pub consumed: Vec<Consumed>,
    pub fold: u32,
    pub read_models: Changes,
}

/// An entry to insert; its index is the head's size before it. The columns are what the event itself says to be found by.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub index: u64,
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub leaf: Vec<u8>,
    pub leaf_hash: Hash,
    pub event_id: String,
    pub source: String,
    pub kind: String,
    pub type_name: String,
    /// `timestamp` of the event.
    pub time: Timestamp,
    pub subject: String,
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub keyid: String,
    /// The message's own time on the stream, of which `recorded_at` is made.
    pub stream_time: Timestamp,
    /// The signed bytes; kept in the erasable table `payload`.
    pub payload: Vec<u8>,
    pub texts: Vec<(String, Text)>,
}
/// An entry with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub index: u64,
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub leaf: Vec<u8>,
    pub leaf_hash: Hash,
    pub event_id: String,
    pub source: String,
    pub kind: String,
    pub type_name: String,
    pub time: Timestamp,
    pub subject: String,
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub keyid: String,
    pub stream_time: Timestamp,
    /// `None` when the row is gone.
    pub payload: Option<Vec<u8>>,
    /// Name and text; the text is `None` once erased.
    pub texts: Vec<(String, Option<Text>)>,
}
/// A refused event, kept because its signature is good. One row for each payload hash and reason; a repetition is counted.
#[derive(Clone, Debug)]
pub struct NewRefused {
    pub at: Timestamp,
    pub source: String,
    pub event_id: String,
    pub payload_hash: Hash,
    pub reason: Reason,
    pub detail: String,
    /// The entry that has the id, for an equivocation.
    pub first: Option<u64>,
    /// The whole envelope as JSON, in the erasable table `refused_body`.
    pub envelope: String,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRow {
    pub number: u64,
    pub at: Timestamp,
    pub source: String,
    pub event_id: String,
    pub payload_hash: Hash,
    pub reason: String,
    pub detail: String,
    pub first: Option<u64>,
    /// How often it came.
    pub times: u64,
    pub envelope: Option<String>,
}
/// Junk is counted by hour, subject and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJunk {
    pub at: Timestamp,
    pub subject: String,
    pub reason: Reason,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JunkRow {
    pub hour: Timestamp,
    pub subject: String,
    pub reason: String,
    pub count: u64,
}
/// A range of stream messages and what became of them: the four sum to `to - from + 1`. A control entry has a row of its own,
/// with `from` = `to` = `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    pub incarnation: String,
    pub range: Option<(u64, u64)>,
    pub recorded: u64,
    pub duplicate: u64,
    pub refused: u64,
    pub junk: u64,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConsumed {
    pub number: u64,
    pub consumed: Consumed,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTile {
    pub id: TileId,
    pub hashes: Vec<Hash>,
    pub root: Hash,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    pub size: u64,
    pub note: String,
}
/// A row where the head counts none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    pub table: String,
    /// The entry's index, the checkpoint's size, and so on; below zero where only somebody past the program can have put it.
    pub number: i64,
}
/// How many rows a table has, and the number after its last one; the same where no row is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    pub rows: u64,
    pub next: u64,
}
/// What was not recorded, counted twice: as the account of the stream has it, and as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Refused messages, by the account.
    pub refused_consumed: u64,
    /// The same, by how often each of the kept ones came.
    pub refused_times: u64,
    /// Junk, by the account.
    pub junk_consumed: u64,
    /// The same, by hour, subject and reason.
    pub junk_counted: u64,
    pub refused: Numbered,
    /// The envelopes of the refused.
    pub bodies: Numbered,
    /// How often each came.
    pub counts: Numbered,
}
/// An envelope a bridge made, in its own outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeRow {
    pub bridge: String,
    pub dedupe_key: String,
    pub ordinal: u32,
    pub at: Timestamp,
    pub envelope: String,
}
impl BridgeRow {
    /// Where it stands in the outbox.
    pub fn place(&self) -> BridgePlace {
        BridgePlace {
            at: self.at,
            bridge: self.bridge.clone(),
            dedupe_key: self.dedupe_key.clone(),
            ordinal: self.ordinal,
        }
    }
}
/// A place in the bridges' outbox, by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgePlace {
    pub at: Timestamp,
    pub bridge: String,
    pub dedupe_key: String,
    pub ordinal: u32,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeCount {
    pub bridge: String,
    pub event: String,
    pub count: u64,
}
/// Who projects and signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub epoch: u64,
    /// One process, for one start.
    pub holder: String,
    /// Where the holder answers.
    pub address: String,
    pub until: Timestamp,
    /// Whether it had not run out, by the database's clock, when it was read.
    pub live: bool,
}
