//! The bridges' own outbox.

use piperoll_store::{BridgeCount, BridgeRow, OpenMode};

use crate::{make::at, place::Place};

fn row(ms: u64, dedupe_key: &str, ordinal: u32) -> BridgeRow {
    BridgeRow {
        bridge: "github".to_owned(),
        dedupe_key: dedupe_key.to_owned(),
        ordinal,
        at: at(ms),
        envelope: format!("{{\"payload\":\"{dedupe_key} {ordinal} {ms}\"}}"),
    }
}

pub(crate) async fn an_envelope_is_kept_once_under_its_dedupe_key(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let first = [row(1, "a", 0), row(1, "a", 1)];
    assert_eq!(store.bridge_keep(&first).await.unwrap(), [true, true]);
    let again = [row(2, "a", 1), row(2, "a", 2), row(2, "b", 0)];
    assert_eq!(
        store.bridge_keep(&again).await.unwrap(),
        [false, true, true]
    );
    let mut other = row(3, "a", 0);
    "alertmanager".clone_into(&mut other.bridge);
    assert_eq!(store.bridge_keep(&[other.clone()]).await.unwrap(), [true]);
    let expected = [
        row(1, "a", 0),
        row(1, "a", 1),
        row(2, "a", 2),
        row(2, "b", 0),
        other,
    ];
    assert_eq!(
        store.bridge_unsent(None, 10).await.unwrap(),
        expected,
        "oldest first, the earlier one stays"
    );
    assert_eq!(store.bridge_unsent(None, 2).await.unwrap(), expected[..2]);
    for (at, row) in expected.iter().enumerate() {
        let behind = store.bridge_unsent(Some(&row.place()), 2).await.unwrap();
        let end = expected.len().min(at + 3);
        assert_eq!(behind, expected[at + 1..end]);
    }
    // Two bodies at once, the same envelope in both: one of them keeps it.
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.bridge_keep(&[row(9, "c", 0)]).await.unwrap()[0] })
        })
        .collect();
    let mut stored = 0;
    for one in tries {
        stored += u32::from(one.await.unwrap());
    }
    assert_eq!(stored, 1);
}

pub(crate) async fn what_is_done_is_not_sent_again_and_its_words_go(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store
        .bridge_keep(&[row(1, "a", 0), row(2, "b", 0)])
        .await
        .unwrap();
    store.bridge_done("github", "a", 0).await.unwrap();
    store
        .bridge_done("github", "never heard of", 0)
        .await
        .unwrap();
    assert_eq!(
        store.bridge_unsent(None, 10).await.unwrap(),
        [row(2, "b", 0)]
    );
    assert_eq!(store.bridge_keep(&[row(3, "a", 0)]).await.unwrap(), [false]);
    assert_eq!(
        store.bridge_unsent(None, 10).await.unwrap(),
        [row(2, "b", 0)]
    );
    let left = "insert into junk select 1, 'x', 'x', count(*) from bridge_seen where envelope like '%a 0%' having count(*) > 0";
    place.raw(left).await.unwrap();
    assert_eq!(
        store.junk(1).await.unwrap(),
        [],
        "words of a finished envelope are left"
    );
}

pub(crate) async fn bodies_of_other_types_are_counted(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    for event in ["watch.started", "star", "watch.started"] {
        store.bridge_count("github", event).await.unwrap();
    }
    let count = |event: &str, count| BridgeCount {
        bridge: "github".to_owned(),
        event: event.to_owned(),
        count,
    };
    assert_eq!(
        store.bridge_counts().await.unwrap(),
        [count("star", 1), count("watch.started", 2)]
    );
}

pub(crate) async fn a_user_of_a_host_has_one_account(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    assert_eq!(
        store.account("github.com", "1", "urn:a").await.unwrap(),
        "urn:a"
    );
    assert_eq!(
        store.account("github.com", "1", "urn:b").await.unwrap(),
        "urn:a"
    );
    assert_eq!(
        store.account("github.com", "2", "urn:b").await.unwrap(),
        "urn:b"
    );
    assert_eq!(
        store.account("git.example", "1", "urn:c").await.unwrap(),
        "urn:c"
    );
    let tries: Vec<_> = (0..4)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .account("github.com", "9", &format!("urn:9:{number}"))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut given = std::collections::BTreeSet::new();
    for one in tries {
        given.insert(one.await.unwrap());
    }
    assert_eq!(given.len(), 1);
}
