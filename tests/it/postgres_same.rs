//! One recorded list of messages with their stream times makes the same ledger on both databases, and a ledger moves between them.

use std::path::Path;

use piperoll_core::fold::FOLD;
use piperoll_server::projector::{Message, Outcome, replay};
use piperoll_store::{Address, OpenMode, admin};

use crate::{demo, ledger::Ledger, postgres::Database, random_events, replay as recorded};

const EVENTS: usize = 20_000;
const SEED: u64 = 20_261_123;
/// As many as one transaction of a server takes.
const BATCH: usize = 512;

/// What is compared of a ledger: root, size, read models, and every table.
#[derive(PartialEq, Eq, Debug)]
struct Digest {
    size: u64,
    root: String,
    read_models: String,
    tables: Vec<admin::TableDigest>,
}

async fn digest(address: &Address) -> Digest {
    let store = piperoll_store::open(address, OpenMode::ReadOnly)
        .await
        .unwrap();
    let head = store.head().await.unwrap().unwrap();
    let read_models = store.read_model_digest(FOLD).await.unwrap();
    store.close().await;
    Digest {
        size: head.size,
        root: head.root.to_hex(),
        read_models: read_models.to_hex(),
        tables: admin::digests(address).await.unwrap(),
    }
}

/// Takes the messages in; gives how many were recorded, were there before, and were refused.
async fn take_in(address: &Address, messages: &[Message], batch: usize) -> [usize; 3] {
    let store = piperoll_store::open(address, OpenMode::Create)
        .await
        .unwrap();
    let outcomes = replay(&*store, messages, batch).await.unwrap();
    store.close().await;
    let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
    [
        count(|outcome| matches!(outcome, Outcome::Recorded { .. })),
        count(|outcome| matches!(outcome, Outcome::Duplicate { .. })),
        count(|outcome| matches!(outcome, Outcome::Refused { .. })),
    ]
}

fn file(folder: &Path, name: &str) -> Address {
    Address::from(folder.join(name).as_path())
}
fn on(database: &Database) -> Address {
    Address::parse(&database.owner()).unwrap()
}
/// `admin copy` as an operator runs it.
fn copy(from: &str, to: &str) {
    let operator = Ledger::empty();
    let mut command = operator.command();
    command
        .args(["admin", "copy", "--json"])
        .env("PIPEROLL_FROM", from)
        .env("PIPEROLL_TO", to);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_story_is_the_same_on_both_databases() {
    let test = "the_demos_story_is_the_same_on_both_databases";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let story = recorded::recording(&demo::finished_database()).await;
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, postgres) = (file(folder.path(), "ledger.db"), on(&database));
    take_in(&sqlite, &story.messages, 7).await;
    take_in(&postgres, &story.messages, 7).await;
    let on_postgres = digest(&postgres).await;
    assert_eq!(on_postgres, digest(&sqlite).await);
    assert_eq!(on_postgres.root, story.root);
    assert_eq!(on_postgres.read_models, story.digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_seeded_events_are_the_same_on_both_databases_and_after_copies_there_and_back()
 {
    let test = "twenty_thousand_seeded_events_are_the_same_on_both_databases_and_after_copies_there_and_back";
    let (Some(database), Some(copied)) = (Database::fresh(test), Database::fresh(test)) else {
        return;
    };
    let messages = random_events::messages(SEED, EVENTS).await;
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, postgres) = (file(folder.path(), "ledger.db"), on(&database));
    let (on_sqlite, on_postgres) = tokio::join!(
        take_in(&sqlite, &messages, BATCH),
        take_in(&postgres, &messages, BATCH)
    );
    assert_eq!(on_sqlite, on_postgres);
    let [recorded, duplicate, refused] = on_sqlite;
    println!("{recorded} recorded, {duplicate} duplicate, {refused} refused");
    assert!(recorded > EVENTS * 2 / 3 && duplicate > EVENTS / 30 && refused > EVENTS / 20);
    let expected = digest(&sqlite).await;
    assert_eq!(digest(&postgres).await, expected);

    let there = folder.path().join("ledger.db");
    let back = folder.path().join("back.db");
    copy(there.to_str().unwrap(), &copied.owner());
    assert_eq!(digest(&on(&copied)).await, expected);
    copy(&copied.owner(), back.to_str().unwrap());
    assert_eq!(digest(&file(folder.path(), "back.db")).await, expected);
}
