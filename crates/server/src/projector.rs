//! The projector: the only writer of entries. Messages come in order of the stream; each batch is one transaction.
//!
//! Signatures are checked on all cores while the batch before is committed (`Prepared`); judging, folding and appending go in
//! order ([`make`]); the commit moves the head by compare-and-swap; then whoever waits is answered. A crash before the commit
//! leaves nothing, a crash after it is a duplicate on the next try. When the outcome of a commit is not known, everything in memory
//! is dropped and the database is asked.

mod batch;
mod consumed;
mod control;
mod door;
pub(crate) mod folding;
mod outcome;
mod replay;
mod standing;
mod state;
mod writer;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    authority::{Authority, Purpose},
    judge::{self, Checked, Reason, Refusal},
    kind::Kind,
};
use piperoll_store as store;
use piperoll_tlog::hash;
use rayon::prelude::*;

use crate::turn::Elsewhere;

pub use batch::{EMBEDDED, Made, make};
pub use control::is_control;
pub(crate) use control::steer;
pub use door::{Chunk, Door, Incoming, Reply, Restart};
pub use outcome::Outcome;
pub use replay::{Message, replay};
pub use state::{State, read_event};
pub(crate) use writer::RETRY_AFTER_S;
pub use writer::Writer;

/// Messages in one transaction: enough to share a sync to disk, few enough to answer soon.
pub const BATCH_MESSAGES_MAX: usize = 512;
/// Bytes of messages in one transaction; the largest envelope is 160 KiB.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Messages that are checked together; the projector takes as many chunks into a batch as are there.
pub const CHUNK_MESSAGES_MAX: usize = BATCH_MESSAGES_MAX / 4;
/// Bytes of messages that are checked together.
pub const CHUNK_BYTES_MAX: usize = BATCH_BYTES_MAX / 4;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The embedded stream: right after the cursor.
    Next,
    /// At this sequence of the stream the ledger follows.
    Sequence(u64),
    /// A control entry, given straight to the projector: no sequence.
    Control,
}

/// Why a batch could not be made or committed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// Messages are missing, or come again: the stream must be read anew from the cursor.
    #[error("the next message of the stream is {expected}, but {got} came")]
    Sequence { expected: u64, got: u64 },
    #[error("the ledger has no entry 0")]
    NotFounded,
    /// Another writer has taken the ledger over.
    #[error("another server writes this ledger since epoch {epoch}")]
    Fenced { epoch: u64 },
    /// It is another server's turn.
    #[error("{}", .0.why)]
    Elsewhere(Elsewhere),
    /// Nobody could be asked whose turn it is.
    #[error("it is not known whether this server may take events: {why}")]
    Unsure { why: String },
}

/// A message after steps 1 and 2.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub checked: Checked,
    /// SHA-256 of the message as it came, for the cursor.
    pub message_hash: Hash,
    pub stream_time: Timestamp,
    pub position: Position,
    /// Under what junk is counted: the last token of the NATS subject.
    pub subject: Arc<str>,
}
impl Prepared {
    /// Steps 1 and 2. Keys that `authority` does not know yet are looked at again in order.
    pub fn check(
        message: &[u8],
        stream_time: Timestamp,
        position: Position,
        subject: Arc<str>,
        authority: &Authority,
    ) -> Self {
        Self {
            checked: check(message, authority),
            message_hash: hash::sha256(message),
            stream_time,
            position,
            subject,
        }
    }
    /// Whether the message reads as a control entry.
    pub fn is_control(&self) -> bool {
        match &self.checked {
            Checked::Signed(read) | Checked::KeyNotKnownYet(read) => is_about_the_stream(read),
            Checked::Refused(_) => false,
        }
    }
    /// Whether it is one, signed by a key that may decide about the stream. Only such a message may go past the stream: anybody can
    /// write one that is not.
    pub fn decides(&self, authority: &Authority) -> bool {
        let Checked::Signed(read) = &self.checked else {
            return false;
        };
        let registration = authority.registration(&read.envelope.keyid);
        is_about_the_stream(read)
            && registration
                .is_some_and(|key| matches!(key.purpose, Purpose::Admin | Purpose::EventLedger))
    }
}

fn is_about_the_stream(read: &judge::Read) -> bool {
    Kind::from_type(&read.payload.type_name).is_some_and(is_control)
}

/// Steps 1 and 2. A message that finds a fault in our reading is refused like any unreadable one: no emitter stops the ledger.
fn check(message: &[u8], authority: &Authority) -> Checked {
    panic::catch_unwind(AssertUnwindSafe(|| judge::check(message, authority))).unwrap_or_else(|_| {
        tracing::error!(message_hash = %hash::sha256(message), "reading a message failed by a fault of the program");
        Checked::Refused(Refusal::new(
            Reason::Shape,
            "the ledger could not read the message",
        ))
    })
}

/// Does steps 1 and 2 for many messages on all cores, away from the async threads.
pub async fn in_parallel<T, U>(
    items: Vec<T>,
    each: impl Fn(T) -> U + Send + Sync + 'static,
) -> Vec<U>
where
    T: Send + 'static,
    U: Send + 'static,
{
    tokio::task::spawn_blocking(move || items.into_par_iter().map(each).collect())
        .await
        .expect("checking a message neither panics nor is cancelled")
}
