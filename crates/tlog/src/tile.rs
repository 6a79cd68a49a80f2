//! C2SP tlog-tiles: which tile holds which hash.

use crate::Hash;

/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Where a tile stands. `index` counts tiles of that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}
impl TileId {
    /// `tile/<L>/<N>[.p/<W>]`; `width` below 256 names a partial tile.
    pub fn path(self, _width: u64) -> String {
        todo!()
    }
    /// Reads such a path; gives the tile and its width (1 to 256).
    pub fn parse(_path: &str) -> Option<(Self, u64)> {
        todo!()
    }
}
/// `<N>` of tlog-tiles: groups of three digits, all but the last with an `x` in front.
pub fn index_path(_index: u64) -> String {
    todo!()
}
/// A complete tile: 256 hashes, and the root over them, which is one hash of the level above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteTile {
    pub id: TileId,
    pub hashes: Vec<Hash>,
    pub root: Hash,
}
/// Root of 2^k hashes (RFC 6962 with no odd edge). Panics are impossible for an empty slice: it gives the empty root.
pub fn perfect_root(_hashes: &[Hash]) -> Hash {
    todo!()
}
