//! SHA-256 and the two hashes of RFC 6962 section 2.1.

use sha2::{Digest, Sha256};

use crate::encoding;

/// A SHA-256 value. Shown as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Root of the empty tree, SHA-256 of nothing.
    pub fn empty_root() -> Self {
        sha256(&[])
    }
    /// From 64 lower-case hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        encoding::from_hex(text).map(Self)
    }
    pub fn to_hex(self) -> String {
        encoding::hex(&self.0)
    }
    /// Standard base64 with padding, as notes, checkpoints and proofs write it.
    pub fn to_base64(self) -> String {
        encoding::base64(&self.0)
    }
    /// From canonical standard base64 of exactly 32 bytes; `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_slice(&encoding::from_base64(text)?)
    }
    /// `None` unless `bytes` is exactly 32 long.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}
impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}
/// SHA-256 of the parts, one after the other.
pub fn sha256_parts(parts: &[&[u8]]) -> Hash {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    Hash(state.finalize().into())
}
/// Incremental SHA-256, for bodies read as a stream.
#[derive(Clone, Default)]
pub struct Sha256Stream(Sha256);
impl Sha256Stream {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
/// RFC 6962 leaf hash, SHA-256(0x00 ‖ leaf).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256_parts(&[&[0], leaf])
}
/// RFC 6962 node hash, SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_parts(&[&[1], &left.0, &right.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    // Numbers of transparency-dev/merkle, `rfc6962/rfc6962_test.go`.
    #[test]
    fn leaves_and_nodes_hash_as_rfc_6962_says() {
        let hex = |hash: Hash| hash.to_hex();
        assert_eq!(
            hex(Hash::empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex(leaf_hash(b"L123456")),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
        );
        assert_eq!(
            hex(sha256_parts(&[&[1], b"N123", b"N456"])),
            "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
        );
    }

    #[test]
    fn a_stream_gives_the_same_hash_as_the_whole() {
        let mut stream = Sha256Stream::default();
        stream.update(b"piper");
        stream.update(b"oll");
        assert_eq!(stream.finish(), sha256(b"piperoll"));
    }
}
