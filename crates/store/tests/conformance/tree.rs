//! Tiles, hashes and checkpoints.

use piperoll_core::Hash;
use piperoll_store::{Error, OpenMode, StoredCheckpoint};
use piperoll_tlog::tile::TileId;

use crate::{
    make::{entry, full_batch},
    place::Place,
};

pub(crate) async fn tiles_and_hashes_are_read_back(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(full_batch(0, 300)).await.unwrap();
    store.commit(full_batch(300, 300)).await.unwrap();
    let hashes: Vec<Hash> = (0..600).map(|index| entry(index).leaf_hash).collect();
    assert_eq!(store.leaf_hashes(0, 1000).await.unwrap(), hashes);
    assert_eq!(store.leaf_hashes(512, 256).await.unwrap(), hashes[512..]);
    assert_eq!(store.leaf_hashes(600, 5).await.unwrap(), []);
    let id = |index| TileId { level: 0, index };
    assert_eq!(
        store.tile(id(1)).await.unwrap(),
        Some(hashes[256..512].to_vec())
    );
    assert_eq!(
        store.tile(id(2)).await.unwrap(),
        None,
        "a partial tile is not stored"
    );
    let all = store.tiles(None, 10).await.unwrap();
    assert_eq!(
        all.iter().map(|tile| tile.id).collect::<Vec<_>>(),
        [id(0), id(1)]
    );
    assert_eq!(store.tiles(Some(id(0)), 10).await.unwrap(), all[1..]);
    assert_eq!(store.tiles(None, 1).await.unwrap(), all[..1]);
    let roots: Vec<Hash> = all.iter().map(|tile| tile.root).collect();
    assert_eq!(store.tile_roots(0, 0, 256).await.unwrap(), roots);
    assert_eq!(store.tile_roots(0, 1, 256).await.unwrap(), roots[1..]);
    assert_eq!(store.tile_roots(1, 0, 256).await.unwrap(), []);
}

pub(crate) async fn a_missing_row_is_never_skipped_over(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(full_batch(0, 600)).await.unwrap();
    for (table, column) in [("entry", "idx = 7"), ("tile", "idx = 0")] {
        let (off, on) = match place {
            Place::Sqlite { .. } => (format!("drop trigger {table}_no_delete"), None),
            Place::Postgres { .. } => (
                format!("alter table {table} disable trigger all"),
                Some(format!(
                    "alter table {table} enable always trigger {table}_no_change"
                )),
            ),
        };
        place.raw(&off).await.unwrap();
        place
            .raw(&format!("delete from {table} where {column}"))
            .await
            .unwrap();
        if let Some(on) = on {
            place.raw(&on).await.unwrap();
        }
    }
    let Err(Error::Corrupt { place, .. }) = store.leaf_hashes(5, 100).await else {
        panic!("a hole was read over");
    };
    assert_eq!(place, "entry 7");
    let Err(Error::Corrupt { place, .. }) = store.tile_roots(0, 0, 100).await else {
        panic!("a hole was read over");
    };
    assert_eq!(place, "tile 0/0");
}

pub(crate) async fn a_checkpoint_of_a_size_is_written_once(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    assert_eq!(store.latest_checkpoint().await.unwrap(), None);
    store.put_checkpoint(5, "five\n").await.unwrap();
    store.put_checkpoint(5, "five\n").await.unwrap();
    assert!(matches!(
        store.put_checkpoint(5, "other\n").await,
        Err(Error::Conflict)
    ));
    let five = StoredCheckpoint {
        size: 5,
        note: "five\n".to_owned(),
    };
    assert_eq!(store.latest_checkpoint().await.unwrap(), Some(five));
}

pub(crate) async fn checkpoints_are_found_by_what_they_cover(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let checkpoint = |size: u64| StoredCheckpoint {
        size,
        note: format!("note {size}\n"),
    };
    for size in [3, 5, 9] {
        store
            .put_checkpoint(size, &checkpoint(size).note)
            .await
            .unwrap();
    }
    let covering = [(0, 3), (2, 3), (3, 5), (4, 5), (5, 9), (8, 9)];
    for (index, size) in covering {
        assert_eq!(
            store.checkpoint_covering(index).await.unwrap(),
            Some(checkpoint(size)),
            "entry {index}"
        );
    }
    assert_eq!(store.checkpoint_covering(9).await.unwrap(), None);
    assert_eq!(
        store.checkpoints(0, 10).await.unwrap(),
        [checkpoint(3), checkpoint(5), checkpoint(9)]
    );
    assert_eq!(store.checkpoints(3, 1).await.unwrap(), [checkpoint(5)]);
    assert_eq!(
        store.latest_checkpoint().await.unwrap(),
        Some(checkpoint(9))
    );
}
