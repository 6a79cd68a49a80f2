//! The envelope: DSSE 1.0.2 with exactly one signature, and the texts beside it (`formats.md` sections 4 and 5).

use std::collections::BTreeMap;

use piperoll_tlog::Hash;

pub const PAYLOAD_TYPE: &str = "application/vnd.piperoll.event.v1+json";
pub const POSSESSION_TYPE: &str = "application/vnd.piperoll.key-possession.v1";

/// Words that belong to an event, under their own salt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    pub salt: [u8; 16],
    pub body: String,
}
impl Text {
    /// SHA-256(salt ‖ UTF-8 of the body).
    pub fn hash(&self) -> Hash {
        todo!()
    }
}

/// A signed message, with base64 taken off. `payload` holds the exact bytes that were signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    pub payload: Vec<u8>,
    pub keyid: String,
    pub signature: Vec<u8>,
    pub texts: BTreeMap<String, Text>,
}
impl Envelope {
    /// Step 1 of judging as far as the envelope goes: size, JSON, base64, members.
    pub fn parse(_bytes: &[u8]) -> Result<Self, crate::judge::Refusal> {
        todo!()
    }
    /// Compact JSON, as it is sent.
    pub fn to_json(&self) -> String {
        todo!()
    }
    pub fn payload_hash(&self) -> Hash {
        todo!()
    }
    /// What the signature is over.
    pub fn pae(&self) -> Vec<u8> {
        todo!()
    }
}
/// `DSSEv1 SP len SP type SP len SP body`, lengths in bytes.
pub fn pae(_payload_type: &str, _body: &[u8]) -> Vec<u8> {
    todo!()
}
