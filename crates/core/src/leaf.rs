//! The leaf: six lines that the tree commits to (`design.md` section 5). Golden test beside it: these bytes never change.

use jiff::Timestamp;
use piperoll_tlog::{Hash, encoding};

use crate::{
    authority::{KeyPlace, Scheme},
    time,
};

const HEADER: &str = "piperoll-entry/v1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Whole milliseconds.
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub key: KeyPlace,
    pub scheme: Scheme,
    pub signature: Vec<u8>,
}
impl Leaf {
    /// The six lines, each ending in LF.
    pub fn to_bytes(&self) -> Vec<u8> {
        format!(
            "{HEADER}\n{}\n{}\n{}.{}\n{}\n{}\n",
            time::to_millis_text(self.recorded_at),
            self.payload_hash.to_hex(),
            self.key.index,
            self.key.ordinal,
            self.scheme.as_str(),
            encoding::base64(&self.signature),
        )
        .into_bytes()
    }
    /// Reads six lines; `None` unless writing them again gives the same bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let mut next = || lines.next();
        if next()? != HEADER {
            return None;
        }
        let recorded_at = time::parse(next()?)?;
        let payload_hash = Hash::from_hex(next()?)?;
        let (index, ordinal) = next()?.split_once('.')?;
        let leaf = Self {
            recorded_at,
            payload_hash,
            key: KeyPlace {
                index: index.parse().ok()?,
                ordinal: ordinal.parse().ok()?,
            },
            scheme: Scheme::from_name(next()?)?,
            signature: encoding::from_base64(next()?)?,
        };
        (leaf.to_bytes() == bytes).then_some(leaf)
    }
}
