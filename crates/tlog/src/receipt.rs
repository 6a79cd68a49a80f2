//! Receipts: C2SP tlog-proof, whose `extra` is the leaf.

use crate::{Hash, checkpoint::Checkpoint, note::VerifierKey};

/// A proof that an entry stands at `index` under a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The six lines of the leaf.
    pub leaf: Vec<u8>,
    pub index: u64,
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the receipt is malformed: {0}")]
    Malformed(&'static str),
    #[error("the checkpoint of the receipt is not acceptable: {0}")]
    Checkpoint(#[from] crate::note::Error),
    #[error("the proof of the receipt does not hold: {0}")]
    Proof(#[from] crate::proof::Error),
}
impl Receipt {
    pub fn encode(&self) -> String {
        todo!()
    }
    pub fn parse(_text: &str) -> Result<Self, Error> {
        todo!()
    }
    /// Checks the checkpoint's signature and the proof; gives the checkpoint back.
    pub fn verify(&self, _key: &VerifierKey) -> Result<Checkpoint, Error> {
        todo!()
    }
}
