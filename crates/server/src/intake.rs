//! The door of the projector: a bounded queue of messages, each answered when its batch is committed.

use piperoll_core::{Hash, judge::Refusal};

/// What became of one message.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 201: it is entry `index`.
    Recorded {
        index: u64,
        leaf: Vec<u8>,
        payload_hash: Hash,
    },
    /// 200: it was entry `index` already.
    Duplicate {
        index: u64,
        leaf: Vec<u8>,
        payload_hash: Hash,
    },
    /// 202: it is on the stream.
    Accepted { payload_hash: Hash },
    /// By the table of `formats.md` section 8. `first`: the entry that has the id, for an equivocation.
    Refused {
        refusal: Refusal,
        first: Option<u64>,
    },
}
/// Nothing was taken: the queue is full, the projector halted or another server projects. 503 with `Retry-After`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct Unavailable {
    pub why: String,
    /// Where to go instead, when another server projects.
    pub elsewhere: Option<String>,
    pub retry_after_s: u32,
}

/// How a POST, a bridge and a control decision reach the ledger. Cheap to clone.
#[async_trait::async_trait]
pub trait Intake: Send + Sync {
    /// Hands in one message; answers when it is durable in the sense of [`Answer`].
    async fn submit(&self, message: Vec<u8>, wait: Wait) -> Result<Answer, Unavailable>;
}
/// `?wait=`: with JetStream the answer comes when the message is stored (202) unless the sender waits for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    #[default]
    Stored,
    Recorded,
    Published,
}
