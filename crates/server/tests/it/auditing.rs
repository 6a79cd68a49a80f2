//! The audit: it accepts what is sound, and names the first thing that is not.

use std::sync::{Arc, Mutex};

use piperoll_core::name::LedgerId;
use piperoll_server::{
    audit::{self, Place, audit},
    engine::Engine,
    intake::{Answer, Wait},
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

async fn expect(store: &store::Shared, folder: &std::path::Path, alter: Alter, place: Place) {
    let altered = Faulty::new(Arc::clone(store), folder).await.altered(alter);
    assert_eq!(place_of(audit(&altered, None).await), place);
}

#[tokio::test]
async fn whatever_is_changed_in_an_entry_is_named_by_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = example_ledger(folder.path()).await;
    let changes: [fn(&mut store::StoredEntry); 9] = [
        |e| flip(e.payload.as_mut().unwrap(), 100),
        |e| e.payload = None,
        // A digit of the time, which no signature covers.
        |e| flip(&mut e.leaf, 17 + 20),
        |e| flip(&mut e.leaf_hash.0, 0),
        |e| flip(&mut e.payload_hash.0, 0),
        |e| e.texts[0].1.as_mut().unwrap().body.push('!'),
        |e| e.service = Some("another".to_owned()),
        |e| e.keyid.push('x'),
        |e| e.kind.push('x'),
    ];
    for change in changes {
        static CHANGE: Mutex<Option<fn(&mut store::StoredEntry)>> = Mutex::new(None);
        *CHANGE.lock().unwrap() = Some(change);
        let alter = Alter {
            entry: Some(|entry| {
                if entry.index == 38 {
                    CHANGE.lock().unwrap().unwrap()(entry);
                }
            }),
            ..Alter::default()
        };
        expect(&store, folder.path(), alter, Place::Entry(38)).await;
    }
}

#[tokio::test]
async fn a_checkpoint_an_account_or_a_head_that_was_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = example_ledger(folder.path()).await;
    let checkpoint = Alter {
        checkpoint: Some(|c| c.note = c.note.replacen("39\n", "38\n", 1)),
        ..Alter::default()
    };
    expect(&store, folder.path(), checkpoint, Place::Checkpoint(39)).await;
    let consumed = Alter {
        consumed: Some(|row| row.consumed.recorded += u64::from(row.number == 2)),
        ..Alter::default()
    };
    expect(&store, folder.path(), consumed, Place::Consumed(2)).await;
    let head = Alter {
        head: Some(|head| flip(&mut head.root.0, 31)),
        ..Alter::default()
    };
    expect(&store, folder.path(), head, Place::Head).await;
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
    let changes: [fn(&mut store::StoredTile); 3] = [
        |tile| flip(&mut tile.hashes[17].0, 5),
        |tile| flip(&mut tile.root.0, 5),
        |tile| tile.id.index = 3,
    ];
    for change in changes {
        let alter = Alter {
            tile: Some(change),
            ..Alter::default()
        };
        let first = Place::Tile { level: 0, index: 0 };
        expect(&store, home.path(), alter, first).await;
    }
}

#[tokio::test]
async fn an_audit_beside_a_running_server_speaks_of_one_moment() {
    let home = Home::new().await;
    let engine = Engine::start(home.engine()).await.unwrap();
    let reader = home.store().await;
    for round in 0..4_u8 {
        let messages = (0..30).map(|n| home.person(round * 30 + n));
        let sent = messages.map(|message| engine.intake.submit(message, Wait::Recorded));
        let sent = futures_util::future::join_all(sent);
        let (answers, report) = tokio::join!(sent, audit(&*reader, None));
        assert!(answers.iter().all(Result::is_ok));
        assert!(report.unwrap().entries > u64::from(round) * 30);
    }
    assert_eq!(audit(&*reader, None).await.unwrap().entries, 121);
    engine.shutdown().await;
}

#[tokio::test]
async fn control_entries_that_are_not_recorded_are_accounted_for_too() {
    let home = Home::new().await;
    let engine = Engine::start(home.engine()).await.unwrap();
    let later = engine.clock.now() + jiff::SignedDuration::from_hours(1);
    let (gap, correction) = (
        home.gap("embedded", 7, 9),
        home.correction("embedded", 5, later),
    );
    for message in [
        &gap,
        &gap,
        &home.gap_by_a_stranger(),
        &correction,
        &correction,
        &home.person(1),
        &gap,
    ] {
        let answer = engine.intake.submit(message.clone(), Wait::Recorded).await;
        assert!(answer.is_ok(), "{answer:?}");
        let report = audit(&*engine.store, None).await.unwrap();
        assert!(report.entries > 0);
    }
    let report = audit(&*engine.store, None).await.unwrap();
    assert_eq!(report.messages, [3, 1, 3, 1]);
    engine.shutdown().await;
}

#[tokio::test]
async fn texts_that_come_with_several_messages_leave_the_ledger_sound() {
    let home = Home::new().await;
    let engine = Engine::start(home.engine()).await.unwrap();
    let long = |letter: &str| letter.repeat(16 * 1024);
    let names = ["name", "b", "c", "d"];
    let words = names.map(|name| (name, long(&name[..1])));
    let whole = home.person_with(1, &words);
    let part = |kept: &[&str]| {
        let mut envelope = whole.clone();
        envelope
            .texts
            .retain(|name, _| kept.contains(&name.as_str()));
        envelope.to_json().into_bytes()
    };
    for (kept, recorded) in [
        (&names[..3], true),
        (&names[3..], false),
        (&names[1..], false),
    ] {
        let answer = engine.intake.submit(part(kept), Wait::Recorded).await;
        let is_recorded = matches!(answer, Ok(Answer::Recorded { .. }));
        assert_eq!(is_recorded, recorded, "{answer:?}");
        audit(&*engine.store, None).await.unwrap();
    }
    let held = engine.store.entries(1, 1).await.unwrap().remove(0).texts;
    let held: Vec<&str> = held.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(held, ["b", "c", "name"], "together they are at most 48 KiB");
    engine.shutdown().await;
}
