//! Who waits for what became of a message on the stream.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use piperoll_core::Hash;
use tokio::sync::oneshot;

use crate::{intake::Answer, receipts::Waiting};

/// Answers kept for those who learn their sequence a moment after it was projected.
const RECENT_MAX: usize = 4_096;
/// Published messages whose way is followed; beyond it their senders are told "stored" and ask for the receipt.
const FOLLOWED_MAX: usize = 100_000;

/// Shared by the intake, which learns sequences from acknowledgements, and the feed, which learns outcomes. Cheap to clone.
#[derive(Clone, Default)]
pub struct Waiters {
    inner: Arc<Mutex<Inner>>,
    waiting: Waiting,
}
#[derive(Default)]
struct Inner {
    followed: HashMap<u64, (Hash, oneshot::Sender<Answer>)>,
    recent: BTreeMap<u64, Answer>,
}
impl Waiters {
    pub fn new(waiting: Waiting) -> Self {
        Self {
            inner: Arc::default(),
            waiting,
        }
    }
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Follows the message that was stored at `sequence`. What it gives answers once the ledger has; it never does where too many
    /// are followed, or the message was projected long ago.
    pub(super) fn follow(
        &self,
        sequence: u64,
        payload_hash: Hash,
        projected: u64,
    ) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.inner();
        if let Some(answer) = inner.recent.get(&sequence) {
            let _nobody_waits = sender.send(answer.clone());
        } else if sequence > projected && inner.followed.len() < FOLLOWED_MAX {
            self.waiting.add(payload_hash);
            inner.followed.insert(sequence, (payload_hash, sender));
        }
        receiver
    }
    /// The ledger has judged the message at `sequence`.
    pub(super) fn resolve(&self, sequence: u64, answer: &Answer) {
        let mut inner = self.inner();
        if let Some((payload_hash, sender)) = inner.followed.remove(&sequence) {
            self.waiting.remove(&payload_hash);
            let _nobody_waits = sender.send(answer.clone());
        }
        inner.recent.insert(sequence, answer.clone());
        if inner.recent.len() > RECENT_MAX {
            inner.recent.pop_first();
        }
    }
    /// Another life of the stream begins: its sequences mean other messages.
    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        inner.recent.clear();
        for (_, (payload_hash, _)) in inner.followed.drain() {
            self.waiting.remove(&payload_hash);
        }
    }
}
