//! How messages reach the projector, and how their senders hear what became of them.

use piperoll_core::authority::Authority;
use piperoll_store::Cursor;
use tokio::sync::{mpsc, watch};

use super::Prepared;
use crate::intake::{Answer, Unavailable};

/// How a sender hears what became of its message.
pub type Reply = Box<dyn FnOnce(Result<Answer, Unavailable>) + Send>;

/// A checked message and who waits for it.
pub struct Incoming {
    pub prepared: Prepared,
    pub reply: Reply,
}
/// Messages that were checked together and go into one transaction, in order.
pub struct Chunk {
    pub messages: Vec<Incoming>,
    /// As they came.
    pub bytes: usize,
    /// Of the restart they were read after; `None` for the embedded stream, whose messages have no sequence of their own.
    pub generation: Option<u64>,
}
/// From where a stream is to be read; a higher generation replaces whatever is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    pub generation: u64,
    pub cursor: Cursor,
}
/// What a source of messages holds. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    pub chunks: mpsc::Sender<Chunk>,
    pub control: mpsc::Sender<Incoming>,
    /// Keys as of the last commit, for checking ahead.
    pub authority: watch::Receiver<Authority>,
    pub restart: watch::Receiver<Restart>,
}
