//! C2SP tlog-checkpoint v1.0.0 without extension lines.
//!
//! ```text
//! <origin>
//! <size, decimal>
//! <root, base64>
//! ```

use crate::{
    Hash,
    key::SecretKey,
    note::{self, KeyName, VerifierKey},
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
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        )
    }
    /// Reads the three lines; only the spelling that [`Checkpoint::text`] writes, and no extension lines.
    pub fn parse(text: &str) -> Result<Self, note::Error> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) = (
            lines.next(),
            lines.next(),
            lines.next(),
            lines.next(),
            lines.next(),
        ) else {
            return Err(note::Error::Malformed("a checkpoint has three lines"));
        };
        if origin.is_empty() {
            return Err(note::Error::Malformed("the checkpoint names no origin"));
        }
        let size: u64 = size
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == size)
            .ok_or(note::Error::Malformed(
                "the size of the checkpoint is not a number",
            ))?;
        let root = Hash::from_base64(root).ok_or(note::Error::Malformed(
            "the root of the checkpoint is not a hash",
        ))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
    /// The signed note; the key's name is the origin.
    pub fn sign(&self, key: &SecretKey) -> Result<String, note::Error> {
        note::sign(&self.text(), &KeyName::new(&self.origin)?, key)
    }
    /// Opens a signed checkpoint and checks that it speaks of the origin that is the key's name.
    pub fn open(signed: &str, key: &VerifierKey) -> Result<Self, note::Error> {
        let checkpoint = Self::parse(note::open(signed, std::slice::from_ref(key))?)?;
        if checkpoint.origin != key.name.as_str() {
            return Err(note::Error::Malformed(
                "the checkpoint is of another origin than its key",
            ));
        }
        Ok(checkpoint)
    }
}
