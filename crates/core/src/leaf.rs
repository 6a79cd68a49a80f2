//! The leaf: six lines that the tree commits to (`design.md` section 5). Golden test beside it: these bytes never change.

use jiff::Timestamp;
use piperoll_tlog::Hash;

use crate::authority::{KeyPlace, Scheme};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub key: KeyPlace,
    pub scheme: Scheme,
    pub signature: Vec<u8>,
}
impl Leaf {
    /// The six lines, each ending in LF.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }
    /// Reads six lines; `None` unless writing them again gives the same bytes.
    pub fn parse(_bytes: &[u8]) -> Option<Self> {
        todo!()
    }
}
