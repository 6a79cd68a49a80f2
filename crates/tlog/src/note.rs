//! C2SP signed-note v1.0.0, signature type 0x01 (Ed25519).

use crate::key::{PublicKey, SecretKey};

/// A key name: not empty, no white space, no `+`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyName(String);
impl KeyName {
    pub fn new(_name: &str) -> Result<Self, Error> {
        todo!()
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
/// `<name>+<8 hex key id>+<base64(0x01 ‖ key)>`
#[derive(Clone, Debug)]
pub struct VerifierKey {
    pub name: KeyName,
    pub key: PublicKey,
}
impl VerifierKey {
    pub fn parse(_vkey: &str) -> Result<Self, Error> {
        todo!()
    }
    /// The vkey line.
    pub fn encode(&self) -> String {
        todo!()
    }
    /// First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
    pub fn id(&self) -> [u8; 4] {
        todo!()
    }
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the note is malformed: {0}")]
    Malformed(&'static str),
    #[error("no signature by a known key")]
    NoKnownSignature,
    #[error("the signature of {0} does not verify")]
    BadSignature(String),
    #[error("the key name is malformed")]
    KeyName,
    #[error("the verifier key is malformed")]
    VerifierKey,
}
/// Signs `text` (which ends in LF) as a note with one signature line.
pub fn sign(_text: &str, _name: &KeyName, _key: &SecretKey) -> Result<String, Error> {
    todo!()
}
/// Opens a note: gives back its text when at least one of `known` signed it. Unknown signatures are ignored, a known key that
/// fails is an error.
pub fn open<'a>(_note: &'a str, _known: &[VerifierKey]) -> Result<&'a str, Error> {
    todo!()
}
