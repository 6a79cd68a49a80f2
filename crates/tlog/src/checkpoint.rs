//! C2SP tlog-checkpoint v1.0.0 without extension lines.

use crate::{
    Hash,
    key::SecretKey,
    note::{self, VerifierKey},
};

/// A tree head. `size` is a count of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}
impl Checkpoint {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        todo!()
    }
    pub fn parse(_text: &str) -> Result<Self, note::Error> {
        todo!()
    }
    /// The signed note; the key's name is the origin.
    pub fn sign(&self, _key: &SecretKey) -> Result<String, note::Error> {
        todo!()
    }
    /// Opens a signed checkpoint and checks that it speaks of the origin that is the key's name.
    pub fn open(_signed: &str, _key: &VerifierKey) -> Result<Self, note::Error> {
        todo!()
    }
}
