//! What becomes of a message.

use piperoll_core::{Hash, judge::Refusal};

/// What became of a message, once the batch is committed.
#[derive(Clone, Debug)]
pub enum Outcome {
    Recorded {
        index: u64,
        leaf: Vec<u8>,
        payload_hash: Hash,
    },
    /// It was entry `first` before.
    Duplicate { first: u64, payload_hash: Hash },
    /// `kept`: in the table of refused events; else it was counted as junk.
    Refused {
        refusal: Refusal,
        first: Option<u64>,
        kept: bool,
    },
}
