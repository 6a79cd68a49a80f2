//! What the Merkle tree is made of, and the signed checkpoints over it.

use piperoll_core::Hash;
use piperoll_tlog::tile::TileId;

use super::{
    Columns, Dialect, Sql,
    dialect::{at, int},
    fetch, values,
};
use crate::{Error, StoredCheckpoint, StoredTile};

const LEAF_HASHES: &str = "select idx, leaf_hash from entry where idx >= $1 order by idx limit $2";
const TILE_ROOTS: &str =
    "select idx, root from tile where level = $1 and idx >= $2 order by idx limit $3";
const TILE: &str = "select level, idx, hashes, root from tile where level = $1 and idx = $2";
const TILES: &str = "select level, idx, hashes, root from tile where (level, idx) > ($1, $2) order by level, idx limit $3";

pub(super) async fn leaf_hashes<DB: Dialect>(
    store: &Sql<DB>,
    from: u64,
    limit: u32,
) -> Result<Vec<Hash>, Error> {
    let rows = store.rows(LEAF_HASHES, values![from, limit]).await?;
    in_order(&rows, from, |index| format!("entry {index}"))
}
pub(super) async fn tile_roots<DB: Dialect>(
    store: &Sql<DB>,
    level: u8,
    from: u64,
    limit: u32,
) -> Result<Vec<Hash>, Error> {
    let rows = store
        .rows(TILE_ROOTS, values![u32::from(level), from, limit])
        .await?;
    in_order(&rows, from, |index| format!("tile {level}/{index}"))
}
/// Hashes whose indexes follow each other from `from` on; a hole would shift all that come after it.
fn in_order(
    rows: &[impl Columns],
    from: u64,
    name: impl Fn(u64) -> String,
) -> Result<Vec<Hash>, Error> {
    rows.iter()
        .zip(from..)
        .map(|(row, index)| {
            if row.count(0)? != index {
                return Err(Error::Corrupt {
                    place: name(index),
                    what: "the row is missing".to_owned(),
                });
            }
            row.hash(1).map_err(at(|| name(index)))
        })
        .collect()
}

pub(super) async fn tile<DB: Dialect>(
    store: &Sql<DB>,
    id: TileId,
) -> Result<Option<Vec<Hash>>, Error> {
    let row = store
        .row(TILE, values![u32::from(id.level), id.index])
        .await?;
    row.map(|row| read_tile(&row).map(|tile| tile.hashes))
        .transpose()
}
pub(super) async fn tiles<DB: Dialect>(
    store: &Sql<DB>,
    after: Option<TileId>,
    limit: u32,
) -> Result<Vec<StoredTile>, Error> {
    let (level, index) = after.map_or((-1, -1), |id| (i64::from(id.level), int(id.index)));
    let rows = store.rows(TILES, values![level, index, limit]).await?;
    rows.iter().map(read_tile).collect()
}
fn read_tile(row: &impl Columns) -> Result<StoredTile, Error> {
    let (level, index) = (row.signed(0)?, row.signed(1)?);
    let read = || {
        let index = row.count(1)?;
        let level = u8::try_from(level).map_err(|_| Error::Corrupt {
            place: String::new(),
            what: "no level of a tree".to_owned(),
        })?;
        let bytes = row.bytes(2)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(Error::Corrupt {
                place: String::new(),
                what: format!("{} bytes where hashes of 32 must be", bytes.len()),
            });
        }
        Ok(StoredTile {
            id: TileId { level, index },
            hashes: hashes.iter().map(|hash| Hash(*hash)).collect(),
            root: row.hash(3)?,
        })
    };
    read().map_err(at(|| format!("tile {level}/{index}")))
}

const PUT_CHECKPOINT: &str =
    "insert into checkpoint (size, note) values ($1, $2) on conflict do nothing returning size";
const CHECKPOINT: &str = "select size, note from checkpoint where size = $1";
const LATEST_CHECKPOINT: &str = "select size, note from checkpoint order by size desc limit 1";
const CHECKPOINTS: &str =
    "select size, note from checkpoint where size > $1 order by size limit $2";

pub(super) async fn put_checkpoint<DB: Dialect>(
    store: &Sql<DB>,
    size: u64,
    note: &str,
) -> Result<(), Error> {
    let note = note.to_owned();
    store
        .transaction(move |connection| {
            Box::pin(async move {
                let put =
                    fetch::<DB>(connection, PUT_CHECKPOINT, values![size, note.as_str()]).await?;
                if !put.is_empty() {
                    return Ok(());
                }
                let there = fetch::<DB>(connection, CHECKPOINT, values![size]).await?;
                match there.first() {
                    Some(row) if row.text(1)? == note => Ok(()),
                    Some(_) | None => Err(Error::Conflict),
                }
            })
        })
        .await
}
pub(super) async fn latest_checkpoint<DB: Dialect>(
    store: &Sql<DB>,
) -> Result<Option<StoredCheckpoint>, Error> {
    let row = store.row(LATEST_CHECKPOINT, values![]).await?;
    row.as_ref().map(read_checkpoint).transpose()
}
pub(super) async fn checkpoint_covering<DB: Dialect>(
    store: &Sql<DB>,
    index: u64,
) -> Result<Option<StoredCheckpoint>, Error> {
    let row = store.row(CHECKPOINTS, values![index, 1_u32]).await?;
    row.as_ref().map(read_checkpoint).transpose()
}
pub(super) async fn checkpoints<DB: Dialect>(
    store: &Sql<DB>,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredCheckpoint>, Error> {
    let rows = store.rows(CHECKPOINTS, values![after, limit]).await?;
    rows.iter().map(read_checkpoint).collect()
}
fn read_checkpoint(row: &impl Columns) -> Result<StoredCheckpoint, Error> {
    let size = row.count(0).map_err(at(|| "checkpoint".to_owned()))?;
    let note = row.text(1).map_err(at(|| format!("checkpoint {size}")))?;
    Ok(StoredCheckpoint { size, note })
}
