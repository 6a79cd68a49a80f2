//! Tiles and checkpoints, compared with the tree as it grows.

use std::collections::VecDeque;

use piperoll_store::{Store, StoredCheckpoint, StoredTile};
use piperoll_tlog::{
    checkpoint::Checkpoint,
    note::VerifierKey,
    tile::{CompleteTile, TILE_WIDTH, TileId},
    tree::Edge,
};

use super::{Error, Place};

/// Tiles read at once: half a megabyte.
const TILES_PAGE: u32 = 64;
const CHECKPOINTS_PAGE: u32 = 500;

/// The stored tiles, level by level, each read once and in order.
pub(super) struct Tiles<'a> {
    store: &'a dyn Store,
    /// Read and not compared yet; the tile that comes next is at the front.
    levels: Vec<VecDeque<StoredTile>>,
    /// How many were compared at each level.
    counts: Vec<u64>,
}
impl<'a> Tiles<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            levels: Vec::new(),
            counts: Vec::new(),
        }
    }
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
    /// Compares a tile that the entries make with the stored one.
    pub(super) async fn compare(&mut self, made: &CompleteTile) -> Result<(), Error> {
        let level = usize::from(made.id.level);
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, VecDeque::new);
            self.counts.resize(level + 1, 0);
        }
        if self.levels[level].is_empty() {
            let page = self.store.tiles(before(made.id), TILES_PAGE).await?;
            let page = page
                .into_iter()
                .filter(|tile| tile.id.level == made.id.level);
            self.levels[level].extend(page);
        }
        let place = place(made.id);
        let stored = self.levels[level]
            .pop_front()
            .filter(|stored| stored.id == made.id)
            .ok_or_else(|| Error::wrong(place.clone(), "it is missing"))?;
        if let Some(at) =
            (0..made.hashes.len()).find(|&at| stored.hashes.get(at) != made.hashes.get(at))
        {
            return Err(Error::wrong(
                place,
                format!("its hash {at} is not the one that the entries make"),
            ));
        }
        if stored.hashes.len() != made.hashes.len() || stored.root != made.root {
            return Err(Error::wrong(place, "its root is not that of its hashes"));
        }
        self.counts[level] += 1;
        Ok(())
    }
    /// There must be no tile beyond those that were compared, but for what a running server has added since.
    pub(super) async fn none_left(&self) -> Result<(), Error> {
        for level in 0..=u8::try_from(self.counts.len()).unwrap_or(u8::MAX) {
            let index = self.counts.get(usize::from(level)).copied().unwrap_or(0);
            let next = TileId { level, index };
            let Some(tile) = self.store.tiles(before(next), 1).await?.pop() else {
                return Ok(());
            };
            let now = self.store.head().await?.map_or(0, |head| head.size);
            if tile.id.index >= entries_of(tile.id.level, now) {
                return Err(Error::wrong(
                    place(tile.id),
                    format!("it is stored, but {now} entries do not make it"),
                ));
            }
        }
        Ok(())
    }
}
fn place(id: TileId) -> Place {
    Place::Tile {
        level: id.level,
        index: id.index,
    }
}
/// How many complete tiles of a level `size` entries make.
fn entries_of(level: u8, size: u64) -> u64 {
    (0..=level).fold(size, |size, _| size / TILE_WIDTH)
}
/// The tile after which `id` comes in the order of the store.
fn before(id: TileId) -> Option<TileId> {
    match (id.level.checked_sub(1), id.index.checked_sub(1)) {
        (_, Some(index)) => Some(TileId { index, ..id }),
        (Some(level), None) => Some(TileId {
            level,
            // The largest that both databases can hold.
            index: i64::MAX.unsigned_abs(),
        }),
        (None, None) => None,
    }
}

/// The stored checkpoints, in order of their size.
pub(super) struct Checkpoints<'a> {
    store: &'a dyn Store,
    next: VecDeque<StoredCheckpoint>,
    /// The size of the last one that was read.
    read_to: u64,
    at_end: bool,
    pub(super) count: u64,
    /// Size of the last one that was compared.
    pub(super) published: u64,
}
impl<'a> Checkpoints<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self {
            store,
            next: VecDeque::new(),
            read_to: 0,
            at_end: false,
            count: 0,
            published: 0,
        }
    }
    async fn peek(&mut self) -> Result<Option<&StoredCheckpoint>, Error> {
        if self.next.is_empty() && !self.at_end {
            let page = self
                .store
                .checkpoints(self.read_to, CHECKPOINTS_PAGE)
                .await?;
            self.at_end = page.is_empty();
            self.read_to = page.last().map_or(self.read_to, |last| last.size);
            self.next.extend(page);
        }
        Ok(self.next.front())
    }
    /// Compares the checkpoint of the tree's size, if there is one.
    pub(super) async fn compare(&mut self, edge: &Edge, key: &VerifierKey) -> Result<(), Error> {
        let size = edge.size();
        let Some(stored) = self.peek().await?.filter(|next| next.size == size).cloned() else {
            return Ok(());
        };
        self.next.pop_front();
        let place = Place::Checkpoint(size);
        let checkpoint = Checkpoint::open(&stored.note, key)
            .map_err(|error| Error::wrong(place.clone(), format!("it is not signed: {error}")))?;
        if checkpoint.size != size {
            let what = format!("it speaks of {} entries", checkpoint.size);
            return Err(Error::wrong(place, what));
        }
        if checkpoint.root != edge.root() {
            let what = "the first entries are not those that were signed: their root is another";
            return Err(Error::wrong(place, what));
        }
        self.count += 1;
        self.published = size;
        Ok(())
    }
    /// All of the first `size` entries were compared; one beyond them must be one that a running server has added since.
    pub(super) async fn none_left(&mut self, size: u64) -> Result<(), Error> {
        let Some(beyond) = self.peek().await?.map(|next| next.size) else {
            return Ok(());
        };
        if beyond <= size {
            let what = "there is more than one of that size";
            return Err(Error::wrong(Place::Checkpoint(beyond), what));
        }
        let now = self.store.head().await?.map_or(0, |head| head.size);
        if beyond > now {
            let what = format!("it speaks of {beyond} entries, but the database holds {now}");
            return Err(Error::wrong(Place::Checkpoint(beyond), what));
        }
        Ok(())
    }
}
