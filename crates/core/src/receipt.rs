//! What the ledger says of a payload without showing its content, and of itself: the bodies of `GET /v1/receipts/<payload hash>` and
//! `GET /v1/genesis` (`formats.md` section 11). Claims of the server's, until the proof or the signature says otherwise.

use serde::{Deserialize, Serialize};

/// How far a payload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The six lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
    /// Why it was refused, in the words of the table in `formats.md` section 8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The `.tlog-proof`, once a checkpoint covers the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}
impl Answer {
    /// A state, and nothing more.
    pub fn of(state: State) -> Self {
        Self {
            state,
            index: None,
            leaf: None,
            reason: None,
            proof: None,
        }
    }
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Genesis {
    /// The ledger's id: SHA-256 of leaf 0 in lower-case hexadecimal.
    pub ledger: String,
    /// The six lines of leaf 0.
    pub leaf: String,
    /// The envelope of entry 0.
    pub envelope: serde_json::Value,
}
