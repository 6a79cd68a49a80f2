//! The right edge of a growing tree: all that is needed to append and to know the root.

use crate::{
    Hash, hash,
    tile::{CompleteTile, TILE_WIDTH, TileId, perfect_root},
};

/// The hashes of the incomplete tiles, level by level: at most 255 each. Rebuilt at start from the entries and tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    /// `levels[l]` holds floor(size / 256^l) mod 256 hashes; the last level is not empty.
    levels: Vec<Vec<Hash>>,
}
impl Edge {
    pub fn new() -> Self {
        Self::default()
    }
    /// From the partial tiles of a tree of `size` entries, `levels[l]` holding floor(size / 256^l) mod 256 hashes; `None` if
    /// the counts do not fit. Empty levels at the end may stand or be left out.
    pub fn from_parts(size: u64, mut levels: Vec<Vec<Hash>>) -> Option<Self> {
        while levels.last().is_some_and(Vec::is_empty) {
            levels.pop();
        }
        let counts = levels.iter().map(|level| level.len() as u64);
        counts
            .eq(Self::widths(size))
            .then_some(Self { size, levels })
    }
    pub fn size(&self) -> u64 {
        self.size
    }
    /// How many hashes each level of a tree of `size` keeps at its edge; empty for the empty tree.
    pub fn widths(size: u64) -> Vec<u64> {
        std::iter::successors(Some(size), |hashes| Some(hashes / TILE_WIDTH))
            .take_while(|hashes| *hashes > 0)
            .map(|hashes| hashes % TILE_WIDTH)
            .collect()
    }
    /// Appends a leaf hash; gives back the tiles that became complete, lowest level first.
    pub fn append(&mut self, leaf_hash: Hash) -> Vec<CompleteTile> {
        let mut complete = Vec::new();
        let mut carried = leaf_hash;
        let mut hashes_of_level = self.size;
        for level in 0.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let edge = &mut self.levels[usize::from(level)];
            edge.push(carried);
            if (edge.len() as u64) < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(edge);
            carried = perfect_root(&hashes);
            let id = TileId {
                level,
                index: hashes_of_level / TILE_WIDTH,
            };
            complete.push(CompleteTile {
                id,
                hashes,
                root: carried,
            });
            hashes_of_level /= TILE_WIDTH;
        }
        self.size += 1;
        complete
    }
    /// Root of the tree as it stands.
    pub fn root(&self) -> Hash {
        // Perfect subtrees from right to left: low levels stand to the right of high ones, and within a level the set bits of
        // its count, low bit first, are the sizes of its subtrees.
        let mut root: Option<Hash> = None;
        for level in &self.levels {
            let mut rest = level.as_slice();
            while !rest.is_empty() {
                let (left, subtree) =
                    rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
                let subtree_root = perfect_root(subtree);
                root =
                    Some(root.map_or(subtree_root, |right| hash::node_hash(&subtree_root, &right)));
                rest = left;
            }
        }
        root.unwrap_or_else(Hash::empty_root)
    }
    /// The incomplete tile of a level (may be empty).
    pub fn level(&self, level: u8) -> &[Hash] {
        self.levels
            .get(usize::from(level))
            .map_or(&[], Vec::as_slice)
    }
}
/// Root over all leaf hashes, by RFC 6962's definition (section 2.1); for checks and tests.
pub fn root_of(leaf_hashes: &[Hash]) -> Hash {
    match leaf_hashes {
        [] => Hash::empty_root(),
        [only] => *only,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            hash::node_hash(&root_of(left), &root_of(right))
        }
    }
}
