//! Receipts and genesis: what the ledger says of a payload without showing its content (`formats.md` section 11).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use piperoll_core::receipt::{Answer, Genesis, State};
use piperoll_core::{Hash, envelope::Envelope, leaf::Leaf};
use piperoll_store::{self as store, Store, StoredEntry};
use piperoll_tlog::{hash, receipt::Receipt};

use crate::hashes;

/// Payloads that are on the stream and not judged yet, as far as this process knows. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<Mutex<HashMap<Hash, u32>>>);
impl Waiting {
    fn payloads(&self) -> MutexGuard<'_, HashMap<Hash, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn add(&self, payload_hash: Hash) {
        *self.payloads().entry(payload_hash).or_default() += 1;
    }
    pub fn remove(&self, payload_hash: &Hash) {
        let mut payloads = self.payloads();
        if let Some(count) = payloads.get_mut(payload_hash) {
            *count -= 1;
            if *count == 0 {
                payloads.remove(payload_hash);
            }
        }
    }
    fn holds(&self, payload_hash: &Hash) -> bool {
        self.payloads().contains_key(payload_hash)
    }
}

/// Builds receipts from the store. Cheap to clone.
#[derive(Clone)]
pub struct Receipts {
    store: store::Shared,
    waiting: Waiting,
}
impl Receipts {
    pub fn new(store: store::Shared, waiting: Waiting) -> Self {
        Self { store, waiting }
    }
    /// What is known of the payload with this hash. An entry counts before a refusal: a refused event may have come again.
    pub async fn of_payload(&self, payload_hash: Hash) -> Result<Answer, store::Error> {
        let waiting = self.waiting.holds(&payload_hash);
        if let Some(index) = self.store.index_of_payload(payload_hash).await? {
            return self.of_entry(index).await;
        }
        if waiting {
            return Ok(Answer::of(State::Waiting));
        }
        Ok(match self.store.refusal_of_payload(payload_hash).await? {
            Some(refused) => Answer {
                reason: Some(refused.reason),
                ..Answer::of(State::Refused)
            },
            None => Answer::of(State::NotSeen),
        })
    }
    async fn of_entry(&self, index: u64) -> Result<Answer, store::Error> {
        let entry = entry(&*self.store, index).await?;
        let proof = self.proof(index, &entry.leaf).await?;
        let state = match proof {
            Some(_) => State::Published,
            None => State::Recorded,
        };
        Ok(Answer {
            index: Some(index),
            leaf: Some(text(index, entry.leaf)?),
            proof,
            ..Answer::of(state)
        })
    }
    /// The `.tlog-proof` under the first checkpoint that covers the entry, so that it is the same whenever it is asked for.
    async fn proof(&self, index: u64, leaf: &[u8]) -> Result<Option<String>, store::Error> {
        let Some(checkpoint) = self.store.checkpoint_covering(index).await? else {
            return Ok(None);
        };
        let receipt = Receipt {
            leaf: leaf.to_vec(),
            index,
            proof: hashes::inclusion(&*self.store, index, checkpoint.size).await?,
            checkpoint: checkpoint.note,
        };
        Ok(Some(receipt.encode()))
    }
    /// Leaf 0 and its envelope: what a client pins, and learns the checkpoint key from.
    pub async fn genesis(&self) -> Result<Genesis, store::Error> {
        let entry = entry(&*self.store, 0).await?;
        let ledger = hash::sha256(&entry.leaf).to_hex();
        let envelope = envelope_of(&entry)?.to_json();
        let envelope = serde_json::from_str(&envelope)
            .map_err(|error| corrupt(0, format!("its envelope is no JSON: {error}")))?;
        Ok(Genesis {
            ledger,
            leaf: text(0, entry.leaf)?,
            envelope,
        })
    }
}

async fn entry(store: &dyn Store, index: u64) -> Result<StoredEntry, store::Error> {
    let mut entries = store.entries_at(&[index]).await?;
    entries
        .pop()
        .ok_or_else(|| corrupt(index, "it is missing".to_owned()))
}
/// The envelope an entry came in, put together from its payload, the signature in its leaf and the texts that are there.
pub fn envelope_of(entry: &StoredEntry) -> Result<Envelope, store::Error> {
    let leaf = Leaf::parse(&entry.leaf).ok_or_else(|| {
        corrupt(
            entry.index,
            "its leaf is not six well-formed lines".to_owned(),
        )
    })?;
    let payload = entry
        .payload
        .clone()
        .ok_or_else(|| corrupt(entry.index, "its payload is missing".to_owned()))?;
    let texts = entry.texts.iter();
    Ok(Envelope {
        payload,
        keyid: entry.keyid.clone(),
        signature: leaf.signature,
        texts: texts
            .filter_map(|(name, text)| Some((name.clone(), text.clone()?)))
            .collect(),
    })
}
fn text(index: u64, leaf: Vec<u8>) -> Result<String, store::Error> {
    String::from_utf8(leaf).map_err(|_| corrupt(index, "its leaf is not text".to_owned()))
}
fn corrupt(index: u64, what: String) -> store::Error {
    store::Error::Corrupt {
        place: format!("entry {index}"),
        what,
    }
}
