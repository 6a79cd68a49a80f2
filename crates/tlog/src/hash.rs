//! SHA-256 and the two hashes of RFC 6962 section 2.1.

/// A SHA-256 value. Shown as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Root of the empty tree, SHA-256 of nothing.
    pub fn empty_root() -> Self {
        todo!()
    }
    pub fn from_hex(_text: &str) -> Option<Self> {
        todo!()
    }
    pub fn to_hex(self) -> String {
        todo!()
    }
    pub fn to_base64(self) -> String {
        todo!()
    }
    pub fn from_base64(_text: &str) -> Option<Self> {
        todo!()
    }
    /// `None` unless `bytes` is exactly 32 long.
    pub fn from_slice(_bytes: &[u8]) -> Option<Self> {
        todo!()
    }
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
impl std::fmt::Debug for Hash {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl std::fmt::Display for Hash {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(_bytes: &[u8]) -> Hash {
    todo!()
}
/// SHA-256 of the parts, one after the other.
pub fn sha256_parts(_parts: &[&[u8]]) -> Hash {
    todo!()
}
/// Incremental SHA-256, for bodies read as a stream.
#[derive(Clone, Default)]
pub struct Sha256Stream(/* private */);
impl Sha256Stream {
    pub fn update(&mut self, _bytes: &[u8]) {
        todo!()
    }
    pub fn finish(self) -> Hash {
        todo!()
    }
}
/// RFC 6962 leaf hash, SHA-256(0x00 ‖ leaf).
pub fn leaf_hash(_leaf: &[u8]) -> Hash {
    todo!()
}
/// RFC 6962 node hash, SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(_left: &Hash, _right: &Hash) -> Hash {
    todo!()
}
