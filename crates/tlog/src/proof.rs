//! Inclusion and consistency proofs (RFC 6962 section 2.1, verified as in RFC 9162 2.1.3.2 and 2.1.4.2).
//!
//! A proof is a list of subtree roots. The prover names each subtree as a range of entries, splits a range into the perfect
//! subtrees it is made of, and reads those from tiles.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Hash, hash,
    tile::{TILE_WIDTH, TileId, perfect_root},
};

/// Gives hashes of tiles. A prover asks for the tiles it needs first (see [`tiles_for_inclusion`]) and then reads from memory.
pub trait TileReader {
    /// The first `width` hashes of a tile; `None` when they are not there.
    fn tile(&self, id: TileId, width: u64) -> Option<&[Hash]>;
}
impl<S: std::hash::BuildHasher> TileReader for HashMap<TileId, Vec<Hash>, S> {
    fn tile(&self, id: TileId, width: u64) -> Option<&[Hash]> {
        self.get(&id)?.get(..usize::try_from(width).ok()?)
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("index {index} is not in a tree of {size}")]
    OutOfRange { index: u64, size: u64 },
    #[error("a tile is missing: level {level}, number {index}", level = .0.level, index = .0.index)]
    MissingTile(TileId),
    #[error("the proof does not lead to the root")]
    Wrong,
}
/// The tiles that the proof of `index` in a tree of `size` reads, each with its width in a tree of that size. Empty where
/// `index` is not in the tree.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Vec<(TileId, u64)> {
    if index >= size {
        return Vec::new();
    }
    tiles_of(&inclusion_ranges(index, size), size)
}
/// The tiles that the proof from `old` to `new` reads, each with its width in a tree of `new`. Empty unless 0 < old ≤ new.
pub fn tiles_for_consistency(old: u64, new: u64) -> Vec<(TileId, u64)> {
    if old == 0 || old > new {
        return Vec::new();
    }
    tiles_of(&consistency_ranges(old, new), new)
}
/// Siblings from the leaf to the root.
pub fn inclusion(index: u64, size: u64, tiles: &dyn TileReader) -> Result<Vec<Hash>, Error> {
    if index >= size {
        return Err(Error::OutOfRange { index, size });
    }
    inclusion_ranges(index, size)
        .into_iter()
        .map(|range| range.root(size, tiles))
        .collect()
}
/// What proves that the tree of `new` entries begins with the tree of `old`. Refuses `old` of 0 as [`verify_consistency`] does.
pub fn consistency(old: u64, new: u64, tiles: &dyn TileReader) -> Result<Vec<Hash>, Error> {
    if old == 0 || old > new {
        return Err(Error::OutOfRange {
            index: old,
            size: new,
        });
    }
    consistency_ranges(old, new)
        .into_iter()
        .map(|range| range.root(new, tiles))
        .collect()
}
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf_hash: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    if index >= size {
        return Err(Error::OutOfRange { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(Error::Wrong);
        }
        if node & 1 == 1 || node == last {
            hash = hash::node_hash(sibling, &hash);
            climb_to_right_child(&mut node, &mut last);
        } else {
            hash = hash::node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root {
        Ok(())
    } else {
        Err(Error::Wrong)
    }
}
/// `old` of 0 is out of range: there is nothing to prove.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    if old == 0 || old > new {
        return Err(Error::OutOfRange {
            index: old,
            size: new,
        });
    }
    if old == new {
        return if proof.is_empty() && old_root == new_root {
            Ok(())
        } else {
            Err(Error::Wrong)
        };
    }
    // A perfect old tree is itself the first subtree, so its root is not sent.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(Error::Wrong)?
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = (shift_right(old - 1, shift), shift_right(new - 1, shift));
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(Error::Wrong);
        }
        if node & 1 == 1 || node == last {
            old_hash = hash::node_hash(sibling, &old_hash);
            new_hash = hash::node_hash(sibling, &new_hash);
            climb_to_right_child(&mut node, &mut last);
        } else {
            new_hash = hash::node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(Error::Wrong)
    }
}

/// Skips the levels on which the node is a lone left child and so has no sibling.
fn climb_to_right_child(node: &mut u64, last: &mut u64) {
    while *node != 0 && *node & 1 == 0 {
        *node >>= 1;
        *last >>= 1;
    }
}
/// A shift by 64 gives 0.
fn shift_right(value: u64, bits: u32) -> u64 {
    value.checked_shr(bits).unwrap_or(0)
}

/// The entries of one subtree, `start` included and `end` not. Never empty; `start` is a multiple of the largest power of two
/// in its length.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}
/// A perfect subtree of 2^`height` entries, `index` counting those of that height from the left.
#[derive(Clone, Copy)]
struct Node {
    height: u8,
    index: u64,
}
impl Range {
    /// Where RFC 6962 splits a range of more than one entry: after the largest power of two below its length.
    fn middle(self) -> u64 {
        self.start + (1 << (self.end - self.start - 1).ilog2())
    }
    /// The perfect subtrees it is made of, left to right.
    fn nodes(self) -> impl Iterator<Item = Node> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let height = (self.end - start).checked_ilog2()?;
            let index = start >> height;
            start += 1 << height;
            Some(Node {
                height: u8::try_from(height).expect("a logarithm of a u64 is at most 63"),
                index,
            })
        })
    }
    fn root(self, size: u64, tiles: &dyn TileReader) -> Result<Hash, Error> {
        let roots = self
            .nodes()
            .map(|node| node.root(size, tiles))
            .collect::<Result<Vec<_>, _>>()?;
        let root = roots
            .into_iter()
            .rev()
            .reduce(|right, left| hash::node_hash(&left, &right));
        Ok(root.expect("a range is never empty"))
    }
}
impl Node {
    /// The tile that holds its hash or, for heights between two levels, the hashes below it; and the place of the first.
    fn tile(self) -> (TileId, u64) {
        let first = self.index << (self.height % 8);
        (
            TileId {
                level: self.height / 8,
                index: first / TILE_WIDTH,
            },
            first % TILE_WIDTH,
        )
    }
    fn root(self, size: u64, tiles: &dyn TileReader) -> Result<Hash, Error> {
        let (id, first) = self.tile();
        let hashes = tiles
            .tile(id, id.width(size))
            .ok_or(Error::MissingTile(id))?;
        let first = usize::try_from(first).expect("a place in a tile is below 256");
        let below = hashes
            .get(first..first + (1 << (self.height % 8)))
            .ok_or(Error::MissingTile(id))?;
        Ok(perfect_root(below))
    }
}
/// RFC 6962 section 2.1.1, PATH.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut around = Range {
        start: 0,
        end: size,
    };
    while around.end - around.start > 1 {
        let middle = around.middle();
        let (left, right) = (
            Range {
                end: middle,
                ..around
            },
            Range {
                start: middle,
                ..around
            },
        );
        let (inner, sibling) = if index < middle {
            (left, right)
        } else {
            (right, left)
        };
        ranges.push(sibling);
        around = inner;
    }
    ranges.reverse();
    ranges
}
/// RFC 6962 section 2.1.2, SUBPROOF.
fn consistency_ranges(old: u64, new: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut around = Range { start: 0, end: new };
    while around.end != old {
        let middle = around.middle();
        let (left, right) = (
            Range {
                end: middle,
                ..around
            },
            Range {
                start: middle,
                ..around
            },
        );
        let (inner, sibling) = if old <= middle {
            (left, right)
        } else {
            (right, left)
        };
        ranges.push(sibling);
        around = inner;
    }
    // A subtree that starts at 0 is the whole old tree, whose root the verifier has.
    if around.start != 0 {
        ranges.push(around);
    }
    ranges.reverse();
    ranges
}
fn tiles_of(ranges: &[Range], size: u64) -> Vec<(TileId, u64)> {
    let tiles: BTreeMap<TileId, u64> = ranges
        .iter()
        .flat_map(|range| range.nodes())
        .map(|node| {
            let (id, _) = node.tile();
            (id, id.width(size))
        })
        .collect();
    tiles.into_iter().collect()
}
