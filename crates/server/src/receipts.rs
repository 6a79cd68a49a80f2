//! Receipts and genesis: what the ledger says of a payload without showing its content (`formats.md` section 11).

use piperoll_core::Hash;
use piperoll_store as store;
use serde::Serialize;

/// Where a payload is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    #[serde(rename = "not seen")]
    NotSeen,
    #[serde(rename = "waiting")]
    Waiting,
    #[serde(rename = "recorded")]
    Recorded,
    #[serde(rename = "published")]
    Published,
    #[serde(rename = "refused")]
    Refused,
}
/// The body of `GET /v1/receipts/<payload hash>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The six lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// Why it was refused, in the words of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The `.tlog-proof`, once a checkpoint covers the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}
/// The body of `GET /v1/genesis`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Genesis {
    /// The ledger's id.
    pub ledger: String,
    /// The six lines of leaf 0.
    pub leaf: String,
    /// The envelope of entry 0.
    pub envelope: serde_json::Value,
}

/// Builds receipts from the store. Cheap to clone.
#[derive(Clone)]
pub struct Receipts {
    store: store::Shared,
}
impl Receipts {
    pub fn new(store: store::Shared) -> Self {
        Self { store }
    }
    /// What is known of the payload with this hash.
    pub async fn of_payload(&self, _payload_hash: Hash) -> Result<Answer, store::Error> {
        let _ = &self.store;
        todo!()
    }
    pub async fn genesis(&self) -> Result<Genesis, store::Error> {
        todo!()
    }
}
