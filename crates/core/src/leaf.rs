//! The leaf: six lines that the tree commits to (`design.md` section 5). Golden test beside it: these bytes never change.

use jiff::Timestamp;
use piperoll_tlog::{Hash, encoding};

use crate::{
    key::{KeyPlace, Scheme},
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

#[cfg(test)]
mod tests {
    use super::*;

    /// These bytes are in the tree of every ledger. If this test fails, the change is wrong, not the test.
    const GOLDEN: &str = "piperoll-entry/v1\n\
        2026-11-09T08:00:00.150Z\n\
        c46e8b56113ed4c2af12038acbc938ff76e8cbad4f9100e807dff7241bb523b7\n\
        0.2\n\
        ed25519\n\
        AQIDBA==\n";

    #[test]
    fn a_leaf_is_these_six_lines_for_ever() {
        let leaf = Leaf {
            recorded_at: time::parse("2026-11-09T08:00:00.15Z").unwrap(),
            payload_hash: Hash::from_hex(
                "c46e8b56113ed4c2af12038acbc938ff76e8cbad4f9100e807dff7241bb523b7",
            )
            .unwrap(),
            key: KeyPlace {
                index: 0,
                ordinal: 2,
            },
            scheme: Scheme::Ed25519,
            signature: vec![1, 2, 3, 4],
        };
        assert_eq!(std::str::from_utf8(&leaf.to_bytes()).unwrap(), GOLDEN);
        assert_eq!(Leaf::parse(GOLDEN.as_bytes()), Some(leaf));
    }

    #[test]
    fn six_other_lines_are_no_leaf() {
        for (from, to) in [
            ("entry/v1", "entry/v2"),
            (".150Z", ".15Z"),
            (".150Z", ".1500Z"),
            ("c46e", "C46E"),
            ("0.2", "00.2"),
            ("0.2", "0.+2"),
            ("0.2", "0"),
            ("ed25519", "ed448"),
            ("AQIDBA==", "AQIDBB=="),
            ("AQIDBA==\n", "AQIDBA=="),
            ("AQIDBA==\n", "AQIDBA==\n\n"),
            ("\n", "\r\n"),
        ] {
            assert_eq!(
                Leaf::parse(GOLDEN.replace(from, to).as_bytes()),
                None,
                "{to:?}"
            );
        }
    }
}
