//! Inclusion and consistency proofs (RFC 6962 section 2.1, verified as in RFC 9162 2.1.3.2 and 2.1.4.2).

use crate::{Hash, tile::TileId};

/// Gives hashes of tiles. A prover asks for the tiles it needs first (see [`tiles_for_inclusion`]) and then reads from memory.
pub trait TileReader {
    /// The first `width` hashes of a tile; `None` when they are not there.
    fn tile(&self, id: TileId, width: u64) -> Option<&[Hash]>;
}
impl TileReader for std::collections::HashMap<TileId, Vec<Hash>> {
    fn tile(&self, _id: TileId, _width: u64) -> Option<&[Hash]> {
        todo!()
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
/// The tiles and widths that the proof of `index` in a tree of `size` reads.
pub fn tiles_for_inclusion(_index: u64, _size: u64) -> Vec<(TileId, u64)> {
    todo!()
}
/// The tiles and widths that the proof from `old` to `new` reads.
pub fn tiles_for_consistency(_old: u64, _new: u64) -> Vec<(TileId, u64)> {
    todo!()
}
/// Siblings from the leaf to the root.
pub fn inclusion(_index: u64, _size: u64, _tiles: &dyn TileReader) -> Result<Vec<Hash>, Error> {
    todo!()
}
pub fn consistency(_old: u64, _new: u64, _tiles: &dyn TileReader) -> Result<Vec<Hash>, Error> {
    todo!()
}
pub fn verify_inclusion(
    _index: u64,
    _size: u64,
    _leaf_hash: &Hash,
    _proof: &[Hash],
    _root: &Hash,
) -> Result<(), Error> {
    todo!()
}
/// `old` of 0 is out of range: there is nothing to prove.
pub fn verify_consistency(
    _old: u64,
    _new: u64,
    _old_root: &Hash,
    _new_root: &Hash,
    _proof: &[Hash],
) -> Result<(), Error> {
    todo!()
}
