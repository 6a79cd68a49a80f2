//! The example ledger, message by message: the same leaves, roots, verdicts and checkpoints as another implementation made.

use piperoll_server::projector::{Outcome, replay};
use piperoll_store::Store;
use piperoll_tlog::{checkpoint::Checkpoint, encoding, key::SecretKey};
use serde_json::Value;

use crate::support::{empty_store, example, example_lines, example_messages};

/// How others call what became of a message, and the index they give.
fn told(outcome: &Outcome) -> (&'static str, Option<u64>) {
    match outcome {
        Outcome::Recorded { index, .. } => ("recorded", Some(*index)),
        Outcome::Duplicate { first, .. } => ("duplicate", Some(*first)),
        Outcome::Refused { refusal, first, .. } => (refusal.reason.as_str(), *first),
    }
}

#[tokio::test]
async fn every_message_of_the_example_has_the_outcome_others_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = empty_store(folder.path()).await;
    let outcomes = replay(&*store, &example_messages(), 7).await.unwrap();
    for (line, outcome) in example_lines("messages.jsonl").iter().zip(&outcomes) {
        let expected = (line["outcome"].as_str().unwrap(), line["index"].as_u64());
        assert_eq!(
            told(outcome),
            expected,
            "message {}: {outcome:?}",
            line["seq"]
        );
    }
    assert_eq!(outcomes.len(), 93);
}

#[tokio::test]
async fn the_example_gives_the_same_entries_in_batches_of_1_7_and_512() {
    let mut ends = Vec::new();
    for batch in [1, 7, 512] {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(folder.path()).await;
        replay(&*store, &example_messages(), batch).await.unwrap();
        check_entries(&*store).await;
        let head = store.head().await.unwrap().unwrap();
        let digest = store
            .read_model_digest(piperoll_core::fold::FOLD)
            .await
            .unwrap();
        ends.push((head, digest, refused(&*store).await));
        check_consumed(&*store).await;
        store.close().await;
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
}
async fn check_entries(store: &dyn Store) {
    let expected = example_lines("entries.jsonl");
    let entries = store.entries(0, 500).await.unwrap();
    assert_eq!(entries.len(), expected.len());
    for (entry, line) in entries.iter().zip(&expected) {
        let text = |member: &str| line[member].as_str().map(str::to_owned);
        let leaf = String::from_utf8(entry.leaf.clone()).unwrap();
        assert_eq!(Some(leaf), text("leaf"), "entry {}", entry.index);
        assert_eq!(Some(entry.leaf_hash.to_hex()), text("leaf_hash"));
        assert_eq!(Some(entry.payload_hash.to_hex()), text("payload_hash"));
        assert_eq!(Some(entry.kind.clone()), text("kind"));
        assert_eq!(Some(entry.type_name.clone()), text("type"));
        assert_eq!(Some(entry.source.clone()), text("principal"));
        assert_eq!(entry.change, text("change"), "entry {}", entry.index);
        assert_eq!(entry.service, text("service"), "entry {}", entry.index);
        assert_eq!(
            entry.environment,
            text("environment"),
            "entry {}",
            entry.index
        );
        let payload = entry.payload.as_deref().unwrap();
        assert_eq!(Some(payload), line["payload"].as_str().map(str::as_bytes));
    }
}
async fn refused(store: &dyn Store) -> Vec<(String, String, u64, Option<u64>)> {
    let rows = store.refused(None, 500).await.unwrap();
    rows.into_iter()
        .map(|row| (row.event_id, row.reason, row.times, row.first))
        .collect()
}
async fn check_consumed(store: &dyn Store) {
    let rows = store.consumed(0, 500).await.unwrap();
    let sum = |count: fn(&piperoll_store::Consumed) -> u64| -> u64 {
        rows.iter().map(|row| count(&row.consumed)).sum()
    };
    let by_outcome = |wanted: &dyn Fn(&str) -> bool| {
        let lines = example_lines("messages.jsonl");
        let of = |line: &Value| wanted(line["verdict"].as_str().unwrap());
        lines.iter().filter(|line| of(line)).count() as u64
    };
    assert_eq!(sum(|row| row.recorded), by_outcome(&|v| v == "recorded"));
    assert_eq!(sum(|row| row.duplicate), by_outcome(&|v| v == "duplicate"));
    assert_eq!(sum(|row| row.junk), by_outcome(&|v| v == "junk"));
    assert_eq!(
        sum(|row| row.refused),
        by_outcome(&|v| v == "refused" || v == "equivocation")
    );
    let controls = rows.iter().filter(|row| row.consumed.range.is_none());
    assert_eq!(controls.count(), 3);
}

#[tokio::test]
async fn every_size_of_the_example_has_the_root_and_checkpoint_others_made() {
    let keys: Value = serde_json::from_str(&example("keys.json")).unwrap();
    let seed = keys.as_array().unwrap().iter().find_map(|key| {
        (key["name"] == "checkpoint").then(|| key["seed"].as_str().unwrap().to_owned())
    });
    let key = SecretKey::from_seed(encoding::from_hex(&seed.unwrap()).unwrap());
    let tree: Value = serde_json::from_str(&example("tree.json")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = empty_store(folder.path()).await;
    replay(&*store, &example_messages(), 512).await.unwrap();
    for (size, name) in [
        (13, "checkpoint.13"),
        (39, "checkpoint.39"),
        (75, "checkpoint"),
    ] {
        let edge = piperoll_server::hashes::edge_at(&*store, size)
            .await
            .unwrap();
        let checkpoint = Checkpoint {
            origin: tree["origin"].as_str().unwrap().to_owned(),
            size,
            root: edge.root(),
        };
        assert_eq!(checkpoint.sign(&key).unwrap(), example(name));
    }
}

#[tokio::test]
async fn a_text_that_came_with_a_duplicate_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = empty_store(folder.path()).await;
    replay(&*store, &example_messages(), 512).await.unwrap();
    let entry = store.entries_at(&[8]).await.unwrap().pop().unwrap();
    let names: Vec<_> = entry.texts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["email", "name"]);
}
