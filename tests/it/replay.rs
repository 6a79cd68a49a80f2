//! The demo's messages, sent again: in batches of any size, through the embedded stream and through NATS, they give the same ledger.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use piperoll_core::time::Timestamp;
use piperoll_server::{
    projector::{Message, Position, replay},
    receipts::envelope_of,
};
use piperoll_store::{self as store, OpenMode, StoredEntry};
use serde_json::Value;

use crate::{demo, http, ledger::Ledger, nats::NatsServer, server::Server, support};

/// What the demo's ledger took in: its entries in order, each under the time it was recorded, then what it refused, then the
/// first deployments once more. `replay` makes of it what the ledger made of it.
pub(crate) struct Recording {
    pub(crate) messages: Vec<Message>,
    pub(crate) root: String,
    pub(crate) digest: String,
}

async fn open(path: &Path, mode: OpenMode) -> store::Shared {
    store::sqlite::open(path, mode).await.unwrap()
}

async fn all_entries(store: &store::Shared) -> Vec<StoredEntry> {
    let mut entries = Vec::new();
    loop {
        let page = store.entries(entries.len() as u64, 500).await.unwrap();
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

pub(crate) async fn recording(database: &Path) -> Recording {
    let store = open(database, OpenMode::ReadOnly).await;
    let entries = all_entries(&store).await;
    let message = |bytes: Vec<u8>, stream_time: Timestamp| Message {
        bytes,
        stream_time,
        position: Position::Next,
    };
    let last = entries.last().unwrap().recorded_at;
    let mut messages: Vec<_> = entries
        .iter()
        .map(|entry| {
            message(
                envelope_of(entry).unwrap().to_json().into_bytes(),
                entry.recorded_at,
            )
        })
        .collect();
    let refused = store.refused(None, 500).await.unwrap();
    assert!(!refused.is_empty(), "the demo has a refused event");
    messages.extend(
        refused
            .into_iter()
            .map(|row| message(row.envelope.unwrap().into_bytes(), last)),
    );
    let again: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind == "deployment.finished")
        .take(3)
        .collect();
    messages.extend(
        again
            .iter()
            .map(|entry| message(envelope_of(entry).unwrap().to_json().into_bytes(), last)),
    );
    Recording {
        messages,
        root: store.head().await.unwrap().unwrap().root.to_hex(),
        digest: store
            .read_model_digest(piperoll_core::fold::FOLD)
            .await
            .unwrap()
            .to_hex(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_any_size_give_the_same_root_and_read_models() {
    let recording = recording(&demo::finished_database()).await;
    for batch in [1, 7, 512] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("ledger.db"), OpenMode::Create).await;
        replay(store.as_ref(), &recording.messages, batch)
            .await
            .unwrap();
        let head = store.head().await.unwrap().unwrap();
        assert_eq!(head.root.to_hex(), recording.root, "batches of {batch}");
        let digest = store
            .read_model_digest(piperoll_core::fold::FOLD)
            .await
            .unwrap()
            .to_hex();
        assert_eq!(digest, recording.digest, "batches of {batch}");
    }
}

/// What became of a message: the status of the table in `docs/formats.md`, and the index where there is one.
type Fate = (u16, Option<u64>);

/// Sends one message until the server says what became of it, as an outbox would.
async fn send(server: &Server, message: &Message) -> Fate {
    let url = format!("{}/v1/events?wait=recorded", server.url);
    for _ in 0..3_000 {
        let answer = http::post(&url, "application/json", &[], message.bytes.clone()).await;
        match answer {
            Ok((status, body)) if status != 503 && status != 202 => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                return (status, body["index"].as_u64());
            }
            Ok(_) | Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
    panic!("a message was never taken in");
}

/// A ledger of its own with the keys of the demo's and its entry 0, and nothing else yet.
async fn with_the_demos_genesis(demo: &Path, genesis: &Message) -> Ledger {
    let ledger = Ledger::empty();
    copy_folder(&demo.join("keys"), &ledger.path("data/keys"));
    std::fs::create_dir_all(ledger.path("data/bridges")).unwrap();
    let store = open(&ledger.path("data/ledger.db"), OpenMode::Create).await;
    replay(store.as_ref(), std::slice::from_ref(genesis), 1)
        .await
        .unwrap();
    store.close().await;
    ledger
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Each emitter's payloads in order of index, and the payloads that were refused, with the reason.
async fn outcome(ledger: &Ledger) -> (BTreeMap<String, Vec<String>>, Vec<(String, String)>) {
    let store = open(&ledger.path("data/ledger.db"), OpenMode::ReadOnly).await;
    let mut by_emitter: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in all_entries(&store).await {
        if entry.kind != "stream.adopted" {
            by_emitter
                .entry(entry.source)
                .or_default()
                .push(entry.payload_hash.to_hex());
        }
    }
    let refused = store.refused(None, 500).await.unwrap();
    let mut refused: Vec<_> = refused
        .into_iter()
        .map(|row| (row.payload_hash.to_hex(), row.reason))
        .collect();
    refused.sort();
    (by_emitter, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_story_is_the_same_through_nats_whose_server_is_killed_and_through_the_embedded_stream()
 {
    let test = "the_demos_story_is_the_same_through_nats_whose_server_is_killed_and_through_the_embedded_stream";
    let Some(program) = support::from_environment(test, "PIPEROLL_TEST_NATS_SERVER", "nats-server")
    else {
        return;
    };
    let database = demo::finished_database();
    let recording = recording(&database).await;
    let (genesis, messages) = recording.messages.split_first().unwrap();

    let embedded = with_the_demos_genesis(database.parent().unwrap(), genesis).await;
    let server = embedded.serve();
    let mut fates = Vec::new();
    for message in messages {
        fates.push(send(&server, message).await);
    }
    server.kill();

    let streamed = with_the_demos_genesis(database.parent().unwrap(), genesis).await;
    let mut nats = NatsServer::start(&program);
    let server = streamed.serve_with(&["--nats", &nats.url()]);
    let mut streamed_fates = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        if n == messages.len() / 2 {
            nats.kill();
            nats.restart();
        }
        streamed_fates.push(send(&server, message).await);
    }
    server.kill();

    let statuses = |fates: &[Fate]| {
        fates
            .iter()
            .map(|fate| if fate.0 == 201 { 200 } else { fate.0 })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        statuses(&fates),
        statuses(&streamed_fates),
        "the verdicts differ"
    );
    assert!(fates.iter().any(|fate| fate.0 == 425) && fates.iter().any(|fate| fate.0 == 200));
    assert_eq!(
        outcome(&embedded).await,
        outcome(&streamed).await,
        "lost, twice, or out of an emitter's order"
    );
    for ledger in [embedded, streamed] {
        let verify = ledger.run(&["verify", "--data", "data"], &[]);
        assert!(
            verify.status.success(),
            "{}",
            String::from_utf8_lossy(&verify.stderr)
        );
    }
}
