//! The tree's hashes as the store holds them: complete tiles as rows, the rest derived from leaf hashes and tile roots.

use std::collections::HashMap;

use piperoll_store::{Error, Store};
use piperoll_tlog::{
    Hash,
    proof::{self, TileReader},
    tile::{TILE_WIDTH, TileId},
    tree::Edge,
};

/// The right edge of the tree of the first `size` entries; its root is computed from what is stored, so it may differ from the head's.
pub async fn edge_at(store: &dyn Store, size: u64) -> Result<Edge, Error> {
    let mut levels = Vec::new();
    for (level, width) in (0u8..).zip(Edge::widths(size)) {
        let complete = size >> (8 * u32::from(level));
        levels.push(partial(store, level, complete - width, width).await?);
    }
    Edge::from_parts(size, levels).ok_or_else(|| Error::Corrupt {
        place: "tile".to_owned(),
        what: format!("the hashes at the edge of a tree of {size} entries are not all there"),
    })
}

/// `count` hashes of a level from `first` on: leaf hashes at level 0, roots of the tiles below elsewhere.
async fn partial(store: &dyn Store, level: u8, first: u64, count: u64) -> Result<Vec<Hash>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let limit = u32::try_from(count).expect("a tile has at most 256 hashes");
    match level.checked_sub(1) {
        None => store.leaf_hashes(first, limit).await,
        Some(below) => store.tile_roots(below, first, limit).await,
    }
}

/// Loads the tiles a proof reads, each with the width it needs.
pub async fn tiles(
    store: &dyn Store,
    needed: &[(TileId, u64)],
) -> Result<HashMap<TileId, Vec<Hash>>, Error> {
    let mut loaded = HashMap::new();
    for &(id, width) in needed {
        let complete = if width == TILE_WIDTH {
            store.tile(id).await?
        } else {
            None
        };
        let hashes = match complete {
            Some(hashes) => hashes,
            None => partial(store, id.level, id.index * TILE_WIDTH, width).await?,
        };
        loaded.insert(id, hashes);
    }
    Ok(loaded)
}

/// The inclusion proof of `index` in the tree of the first `size` entries.
pub async fn inclusion(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
    let tiles = tiles(store, &proof::tiles_for_inclusion(index, size)).await?;
    proof::inclusion(index, size, &tiles as &dyn TileReader).map_err(|error| corrupt(&error))
}
/// The consistency proof from the first `old` entries to the first `new`.
pub async fn consistency(store: &dyn Store, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
    let tiles = tiles(store, &proof::tiles_for_consistency(old, new)).await?;
    proof::consistency(old, new, &tiles as &dyn TileReader).map_err(|error| corrupt(&error))
}
fn corrupt(error: &proof::Error) -> Error {
    Error::Corrupt {
        place: "tile".to_owned(),
        what: error.to_string(),
    }
}
