//! The right edge of a growing tree: all that is needed to append and to know the root.

use crate::{Hash, tile::CompleteTile};

/// The hashes of the incomplete tiles, level by level: at most 255 each. Rebuilt at start from the entries and tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}
impl Edge {
    pub fn new() -> Self {
        Self::default()
    }
    /// From the partial tiles of a tree of `size` entries, `levels[l]` holding floor(size / 256^l) mod 256 hashes; `None` if
    /// the counts do not fit.
    pub fn from_parts(_size: u64, _levels: Vec<Vec<Hash>>) -> Option<Self> {
        todo!()
    }
    pub fn size(&self) -> u64 {
        self.size
    }
    /// How many hashes each level of a tree of `size` keeps at its edge.
    pub fn widths(_size: u64) -> Vec<u64> {
        todo!()
    }
    /// Appends a leaf hash; gives back the tiles that became complete, lowest level first.
    pub fn append(&mut self, _leaf_hash: Hash) -> Vec<CompleteTile> {
        todo!()
    }
    /// Root of the tree as it stands.
    pub fn root(&self) -> Hash {
        todo!()
    }
    /// The incomplete tile of a level (may be empty).
    pub fn level(&self, _level: u8) -> &[Hash] {
        todo!()
    }
}
/// Root over all leaf hashes, by RFC 6962's definition; for checks and tests.
pub fn root_of(_leaf_hashes: &[Hash]) -> Hash {
    todo!()
}
