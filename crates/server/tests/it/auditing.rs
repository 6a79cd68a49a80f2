//! The audit: it accepts what is sound, and names the first thing that is not.

use std::sync::Arc;

use piperoll_core::name::LedgerId;
use piperoll_server::{
    audit::{self, Place, audit},
    projector::{Message, replay},
};
use piperoll_store as store;
use piperoll_tlog::Hash;
use serde_json::Value;

use crate::{
    faulty::{Alter, Faulty},
    support::{Home, empty_store, example, example_messages},
};

/// The example ledger with its three checkpoints.
async fn example_ledger(folder: &std::path::Path) -> store::Shared {
    let store = empty_store(folder).await;
    replay(&*store, &example_messages(), 7).await.unwrap();
    for (size, name) in [
        (13, "checkpoint.13"),
        (39, "checkpoint.39"),
        (75, "checkpoint"),
    ] {
        store.put_checkpoint(size, &example(name)).await.unwrap();
    }
    store
}
fn example_id() -> LedgerId {
    let tree: Value = serde_json::from_str(&example("tree.json")).unwrap();
    LedgerId(Hash::from_hex(tree["ledger"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn the_example_ledger_is_found_as_signed() {
    let folder = tempfile::tempdir().unwrap();
    let store = example_ledger(folder.path()).await;
    let report = audit(&*store, Some(example_id())).await.unwrap();
    assert_eq!((report.entries, report.signatures), (75, 75));
    assert_eq!((report.checkpoints, report.unpublished), (3, 0));
    assert_eq!(report.messages.iter().sum::<u64>(), 93);
    assert_eq!(report.messages[0], 75);
    assert!(report.pinned);
    let unpinned = audit(&*store, None).await.unwrap();
    assert!(unpinned.not_checked()[0].contains("not pinned"));
}

#[tokio::test]
async fn another_ledger_than_the_pinned_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = example_ledger(folder.path()).await;
    let wrong = audit(&*store, Some(LedgerId(Hash([1; 32])))).await;
    assert_eq!(place_of(wrong), Place::Ledger);
}

fn place_of(result: Result<audit::Report, audit::Error>) -> Place {
    match result {
        Err(audit::Error::Wrong { place, .. }) => place,
        other => panic!("{other:?}"),
    }
}

/// Flips a letter of a byte string.
fn flip(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

#[tokio::test]
async fn whatever_is_changed_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let store = example_ledger(folder.path()).await;
    let entry = |alter: fn(&mut store::StoredEntry)| Alter {
        entry: Some(alter),
        ..Alter::default()
    };
    let cases: Vec<(Alter, Place)> = vec![
        (
            entry(|e| {
                if e.index == 38 {
                    flip(e.payload.as_mut().unwrap(), 100);
                }
            }),
            Place::Entry(38),
        ),
        (
            entry(|e| {
                if e.index == 38 {
                    e.payload = None;
                }
            }),
            Place::Entry(38),
        ),
        (
            entry(|e| {
                if e.index == 20 {
                    // A digit of the time, which no signature covers.
                    let at = 17 + 20;
                    flip(&mut e.leaf, at);
                }
            }),
            Place::Entry(20),
        ),
        (
            entry(|e| {
                if e.index == 21 {
                    flip(&mut e.leaf_hash.0, 0);
                }
            }),
            Place::Entry(21),
        ),
        (
            entry(|e| {
                if let (5, Some((_, Some(text)))) = (e.index, e.texts.first_mut()) {
                    text.body.push('!');
                }
            }),
            Place::Entry(5),
        ),
        (
            entry(|e| {
                if e.index == 44 {
                    e.service = Some("another".to_owned());
                }
            }),
            Place::Entry(44),
        ),
        (
            entry(|e| {
                if e.index == 44 {
                    e.keyid.push('x');
                }
            }),
            Place::Entry(44),
        ),
        (
            Alter {
                checkpoint: Some(|c| {
                    if c.size == 39 {
                        c.note = c.note.replacen("39\n", "38\n", 1);
                    }
                }),
                ..Alter::default()
            },
            Place::Checkpoint(39),
        ),
        (
            Alter {
                consumed: Some(|row| {
                    if row.number == 2 {
                        row.consumed.recorded += 1;
                    }
                }),
                ..Alter::default()
            },
            Place::Consumed(2),
        ),
        (
            Alter {
                head: Some(|head| flip(&mut head.root.0, 31)),
                ..Alter::default()
            },
            Place::Head,
        ),
    ];
    for (alter, place) in cases {
        let altered = Faulty::new(Arc::clone(&store), folder.path())
            .await
            .altered(alter);
        assert_eq!(place_of(audit(&altered, None).await), place);
    }
}

/// A ledger with one complete tile, all under one checkpoint.
async fn tiled(home: &Home) -> store::Shared {
    let store = home.store().await;
    let messages: Vec<Message> = (0..=u8::MAX).map(|number| home.message(number)).collect();
    replay(&*store, &messages, 100).await.unwrap();
    assert_eq!(store.head().await.unwrap().unwrap().size, 257);
    store
}

#[tokio::test]
async fn a_tile_that_was_changed_or_lost_is_named() {
    let home = Home::new().await;
    let store = tiled(&home).await;
    let report = audit(&*store, None).await.unwrap();
    assert_eq!((report.tiles, report.unpublished), (1, 257));
    let first = Place::Tile { level: 0, index: 0 };
    let cases: [(fn(&mut store::StoredTile), Place); 3] = [
        (|tile| flip(&mut tile.hashes[17].0, 5), first.clone()),
        (|tile| flip(&mut tile.root.0, 5), first.clone()),
        (|tile| tile.id.index = 3, first),
    ];
    for (alter, place) in cases {
        let altered = Faulty::new(Arc::clone(&store), home.path())
            .await
            .altered(Alter {
                tile: Some(alter),
                ..Alter::default()
            });
        assert_eq!(place_of(audit(&altered, None).await), place);
    }
}
