//! Judging a message, in the order of `formats.md` section 8.
//!
//! Steps 1 and 2 ([`check`]) run ahead on all cores; steps 3 to 5 ([`judge`]) in order, each after the entries before it.

use jiff::Timestamp;
use piperoll_tlog::Hash;

use crate::{
    authority::{Authority, KeyPlace},
    envelope::{Envelope, Text},
    event::{Event, Payload},
};

/// The rows of the table in `formats.md` section 8 that are not "recorded".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    Shape,
    TooLarge,
    BadSignature,
    PrincipalNotKeys,
    TextMismatch,
    UnknownKey,
    Equivocation,
    /// Grant or role missing: it may come again.
    Grant,
    Content,
}
impl Reason {
    /// As in the table: `shape`, `too large`, `bad signature`, `principal not the key's`, `text does not match`, `unknown key`,
    /// `equivocation`, `grant or role missing`, `content or profile wrong`.
    pub fn as_str(self) -> &'static str {
        todo!()
    }
    pub fn from_name(_name: &str) -> Option<Self> {
        todo!()
    }
    /// The HTTP status of the table.
    pub fn status(self) -> u16 {
        todo!()
    }
    /// Whether the sender keeps the event and sends it again.
    pub fn retry(self) -> bool {
        todo!()
    }
    /// Whether nothing but a count is kept.
    pub fn junk(self) -> bool {
        todo!()
    }
}

/// Why the ledger does not take a message, for the sender to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub reason: Reason,
    /// One sentence, lower case, no full stop. May quote the message (escaped by whoever shows it).
    pub detail: String,
    /// The member it is about, such as `customData.piperoll.binds`.
    pub field: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}
impl Refusal {
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            field: None,
            remedy: None,
        }
    }
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// A message that passed step 1.
#[derive(Clone, Debug)]
pub struct Read {
    pub envelope: Envelope,
    pub payload: Payload,
    pub payload_hash: Hash,
}
/// Step 1.
pub fn read(_message: &[u8]) -> Result<Read, Refusal> {
    todo!()
}

/// What steps 1 and 2 found out ahead.
#[derive(Clone, Debug)]
pub enum Checked {
    /// The signature holds under the key bytes of its keyid.
    Signed(Box<Read>),
    /// No entry so far registers the keyid: looked at again in order.
    KeyNotKnownYet(Box<Read>),
    Refused(Refusal),
}
/// Steps 1 and 2, against a state that may be older than the message's position (key bytes never change).
pub fn check(_message: &[u8], _authority: &Authority) -> Checked {
    todo!()
}

/// What is known of an event's (source, id) at this position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    pub index: u64,
    pub payload_hash: Hash,
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum Verdict {
    Recorded(Box<Recorded>),
    /// The same payload is entry `first`; `texts` are those that match and came along (the store keeps what was missing).
    Duplicate {
        first: u64,
        texts: Vec<(String, Text)>,
    },
    /// `first`: the entry that has the id, for an equivocation. `kept`: whether the event goes to the refused table.
    Refused {
        refusal: Refusal,
        read: Option<Box<Read>>,
        first: Option<u64>,
        kept: bool,
    },
}
/// An event that gets an index.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub event: Event,
    pub payload_hash: Hash,
    pub envelope: Envelope,
    pub key: KeyPlace,
    /// max(previous, stream time floored to milliseconds).
    pub recorded_at: Timestamp,
    /// The six lines.
    pub leaf: Vec<u8>,
}

/// Steps 2 (where the key was not known yet) to 5.
///
/// `index` is the one the event would get; `previous` the `recorded_at` of the entry before it (`None` for genesis);
/// `stream_time` the message's own; `known` what is recorded under its (source, id).
pub fn judge(
    _checked: Checked,
    _authority: &Authority,
    _index: u64,
    _previous: Option<Timestamp>,
    _stream_time: Timestamp,
    _known: Option<Known>,
) -> Verdict {
    todo!()
}
