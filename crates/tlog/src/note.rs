//! C2SP signed-note v1.0.0, signature type 0x01 (Ed25519).
//!
//! ```text
//! text, one or more lines
//!
//! — <key name> <base64(4-byte key id ‖ signature)>
//! ```

use crate::{
    encoding, hash,
    key::{PublicKey, SecretKey},
};

/// Signature type of signed-note: Ed25519 over the text.
const ED25519: u8 = 0x01;
/// What a signature line begins with: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";
/// Larger notes are refused before anything is read; the same limits as other implementations have.
const NOTE_BYTES_MAX: usize = 1_000_000;
const SIGNATURES_MAX: usize = 100;

/// A key name: not empty, no white space, no control characters, no `+`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyName(String);
impl KeyName {
    pub fn new(name: &str) -> Result<Self, Error> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(forbidden) {
            return Err(Error::KeyName);
        }
        Ok(Self(name.to_owned()))
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
    /// Reads a vkey line, without a line feed. A key that is not admitted (see [`PublicKey::admit`]) is malformed too.
    pub fn parse(vkey: &str) -> Result<Self, Error> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::VerifierKey);
        };
        let key = encoding::from_base64(key).ok_or(Error::VerifierKey)?;
        let Some((&ED25519, key)) = key.split_first() else {
            return Err(Error::VerifierKey);
        };
        let key = PublicKey::admit(key).map_err(|_| Error::VerifierKey)?;
        let vkey = Self {
            name: KeyName::new(name)?,
            key,
        };
        if encoding::from_hex(id) != Some(vkey.id()) {
            return Err(Error::VerifierKey);
        }
        Ok(vkey)
    }
    /// The vkey line.
    pub fn encode(&self) -> String {
        let key = encoding::base64(&[&[ED25519], &self.key.as_bytes()[..]].concat());
        format!("{}+{}+{key}", self.name.as_str(), encoding::hex(&self.id()))
    }
    /// First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
    pub fn id(&self) -> [u8; 4] {
        let parts = [
            self.name.as_str().as_bytes(),
            b"\n",
            &[ED25519],
            self.key.as_bytes(),
        ];
        let [a, b, c, d, ..] = hash::sha256_parts(&parts).0;
        [a, b, c, d]
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
pub fn sign(text: &str, name: &KeyName, key: &SecretKey) -> Result<String, Error> {
    check_characters(text)?;
    if !text.ends_with('\n') {
        return Err(Error::Malformed("its text does not end in a line feed"));
    }
    let verifier = VerifierKey {
        name: name.clone(),
        key: key.public(),
    };
    let signature = encoding::base64(&[&verifier.id()[..], &key.sign(text.as_bytes())].concat());
    Ok(format!(
        "{text}\n{SIGNATURE_PREFIX}{} {signature}\n",
        name.as_str()
    ))
}
/// Opens a note: gives back its text when at least one of `known` signed it. Unknown signatures are ignored, a known key that
/// fails is an error.
pub fn open<'a>(note: &'a str, known: &[VerifierKey]) -> Result<&'a str, Error> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(Error::Malformed("it is too large"));
    }
    check_characters(note)?;
    // The text may hold empty lines, so the last one is where it ends.
    let split = note.rfind("\n\n").ok_or(Error::Malformed(
        "there is no empty line before its signatures",
    ))?;
    let (text, signatures) = (&note[..=split], &note[split + 2..]);
    let signatures = signatures
        .strip_suffix('\n')
        .ok_or(Error::Malformed("its last line has no end"))?;
    let mut signed = false;
    for (count, line) in signatures.split('\n').enumerate() {
        if count == SIGNATURES_MAX {
            return Err(Error::Malformed("it has too many signatures"));
        }
        signed |= check_signature(text, line, known)?;
    }
    if signed {
        Ok(text)
    } else {
        Err(Error::NoKnownSignature)
    }
}

/// Whether the line is a signature by a known key; an error when it is malformed or such a signature fails.
fn check_signature(text: &str, line: &str, known: &[VerifierKey]) -> Result<bool, Error> {
    let malformed = Error::Malformed("a signature line is not as it should be");
    let (name, signature) = line
        .strip_prefix(SIGNATURE_PREFIX)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(malformed.clone())?;
    let name = KeyName::new(name).map_err(|_| malformed.clone())?;
    let signature = encoding::from_base64(signature).ok_or(malformed.clone())?;
    let (id, signature) = signature
        .split_first_chunk()
        .filter(|(_, rest)| !rest.is_empty())
        .ok_or(malformed)?;
    let Some(verifier) = known
        .iter()
        .find(|known| known.name == name && known.id() == *id)
    else {
        return Ok(false);
    };
    if verifier.key.verifies(text.as_bytes(), signature) {
        Ok(true)
    } else {
        Err(Error::BadSignature(name.0))
    }
}
fn check_characters(text: &str) -> Result<(), Error> {
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(Error::Malformed("it holds a control character"));
    }
    Ok(())
}
