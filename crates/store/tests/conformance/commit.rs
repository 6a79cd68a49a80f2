//! What a commit promises.

use piperoll_store::{Error, NewEntry, OpenMode, Shared, StoredEntry};

use crate::{
    make::{self, batch, entry, expected, head, text},
    place::Place,
};

/// What an entry is read back as.
pub(crate) fn stored(entry: NewEntry) -> StoredEntry {
    StoredEntry {
        index: entry.index,
        recorded_at: entry.recorded_at,
        payload_hash: entry.payload_hash,
        leaf: entry.leaf,
        leaf_hash: entry.leaf_hash,
        event_id: entry.event_id,
        source: entry.source,
        kind: entry.kind,
        type_name: entry.type_name,
        time: entry.time,
        subject: entry.subject,
        change: entry.change,
        service: entry.service,
        environment: entry.environment,
        keyid: entry.keyid,
        stream_time: entry.stream_time,
        payload: Some(entry.payload),
        texts: entry
            .texts
            .into_iter()
            .map(|(name, text)| (name, Some(text)))
            .collect(),
    }
}

pub(crate) async fn what_was_committed_is_read_back(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    assert_eq!(store.head().await.unwrap(), None);
    store.commit(batch(0, 1)).await.unwrap();
    store.commit(batch(1, 99)).await.unwrap();
    store.close().await;

    let store = place.open(OpenMode::ReadOnly).await;
    assert_eq!(store.head().await.unwrap(), Some(head(100, 1)));
    let expected: Vec<_> = (0..100).map(entry).map(stored).collect();
    assert_eq!(store.entries(0, 1000).await.unwrap(), expected);
    assert_eq!(store.entries(98, 1000).await.unwrap(), expected[98..]);
    assert_eq!(store.entries(3, 4).await.unwrap(), expected[3..7]);
    assert_eq!(store.entries(100, 4).await.unwrap(), []);
    let some = store.entries_at(&[7, 500, 3]).await.unwrap();
    assert_eq!(some, [expected[3].clone(), expected[7].clone()]);
    let refused = store.commit(batch(100, 1)).await;
    assert!(
        matches!(refused, Err(Error::Unfit { .. })),
        "a reader must not write"
    );
}

pub(crate) async fn a_batch_that_leaves_a_hole_is_refused(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 3)).await.unwrap();
    let mut hole = batch(3, 2);
    hole.entries.remove(0);
    assert!(matches!(
        store.commit(hole).await,
        Err(Error::Corrupt { .. })
    ));
    let mut miscounted = batch(3, 2);
    miscounted.head.size = 6;
    assert!(matches!(
        store.commit(miscounted).await,
        Err(Error::Corrupt { .. })
    ));
    assert_eq!(store.head().await.unwrap(), Some(head(3, 1)));
}

pub(crate) async fn the_head_moves_only_from_where_it_was_expected(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let other = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 2)).await.unwrap();
    assert!(matches!(
        other.commit(batch(0, 2)).await,
        Err(Error::Conflict)
    ));
    assert!(matches!(
        other.commit(batch(1, 2)).await,
        Err(Error::Conflict)
    ));
    let mut epoch = batch(2, 1);
    epoch.expected = Some(expected(2, 7));
    assert!(matches!(other.commit(epoch).await, Err(Error::Conflict)));
    // A batch that brought no entry moved the head too: it is not committed twice.
    let mut duplicates = batch(2, 0);
    duplicates.head.cursor.sequence = 5;
    other.commit(duplicates.clone()).await.unwrap();
    assert!(matches!(
        store.commit(duplicates).await,
        Err(Error::Conflict)
    ));
    let mut back = batch(2, 0);
    back.expected.as_mut().unwrap().sequence = 5;
    other.commit(back).await.unwrap();
    other.commit(batch(2, 1)).await.unwrap();
    assert!(matches!(
        store.commit(batch(2, 1)).await,
        Err(Error::Conflict)
    ));
    assert_eq!(store.entries(0, 10).await.unwrap().len(), 3);
}

pub(crate) async fn of_many_writers_one_wins_each_round(place: &Place) {
    const WRITERS: usize = 4;
    let mut stores = Vec::new();
    for _ in 0..WRITERS {
        stores.push(place.open(OpenMode::ReadWrite).await);
    }
    for round in 0..5 {
        let tries: Vec<_> = stores
            .iter()
            .cloned()
            .map(|store: Shared| {
                tokio::spawn(async move { store.commit(batch(round * 3, 3)).await })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            match one.await.unwrap() {
                Ok(()) => won += 1,
                Err(Error::Conflict) => {}
                Err(other) => panic!("neither won nor lost: {other:?}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
    let expected: Vec<_> = (0..15).map(entry).map(stored).collect();
    assert_eq!(stores[0].entries(0, 100).await.unwrap(), expected);
}

pub(crate) async fn an_event_or_a_payload_is_recorded_once(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 5)).await.unwrap();
    let mut same_id = batch(5, 1);
    (same_id.entries[0].source, same_id.entries[0].event_id) = (entry(2).source, entry(2).event_id);
    assert!(matches!(store.commit(same_id).await, Err(Error::Conflict)));
    let mut same_payload = batch(5, 1);
    same_payload.entries[0].payload_hash = entry(2).payload_hash;
    assert!(matches!(
        store.commit(same_payload).await,
        Err(Error::Conflict)
    ));
    assert_eq!(store.head().await.unwrap(), Some(head(5, 1)));
}

pub(crate) async fn a_failed_batch_leaves_nothing_behind(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 5)).await.unwrap();
    let before = piperoll_store::admin::digests(&place.address())
        .await
        .unwrap();
    let mut bad = make::full_batch(5, 10);
    // The last thing that a batch writes but the read models.
    bad.consumed[0].recorded += 1;
    assert!(matches!(store.commit(bad).await, Err(Error::Database(_))));
    assert_eq!(
        piperoll_store::admin::digests(&place.address())
            .await
            .unwrap(),
        before
    );
    store.commit(make::full_batch(5, 10)).await.unwrap();
}

pub(crate) async fn the_cursor_moves_with_the_head(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 2)).await.unwrap();
    // Only duplicates came: no entry, and yet the cursor goes on.
    let mut none = batch(2, 0);
    none.head.cursor.sequence = 9;
    none.head.cursor.message = Some((
        make::hash_of("nine"),
        "2026-11-21T02:13:00.123456789Z".parse().unwrap(),
    ));
    none.consumed[0].range = Some((3, 9));
    none.consumed[0].duplicate = 7;
    store.commit(none.clone()).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Some(none.head));
    // The first of a new stream has no message yet.
    let mut adopted = batch(2, 1);
    adopted.expected.as_mut().unwrap().sequence = 9;
    "stream-2".clone_into(&mut adopted.head.cursor.incarnation);
    adopted.head.cursor.sequence = 0;
    adopted.head.cursor.message = None;
    store.commit(adopted.clone()).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Some(adopted.head));
}

pub(crate) async fn late_texts_are_kept_only_where_missing(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 4)).await.unwrap();
    place
        .raw("update text set salt = null, body = null where idx = 3")
        .await
        .unwrap();
    let mut late = batch(4, 2);
    late.late_texts = vec![
        (0, "summary".to_owned(), text("first")),
        (0, "summary".to_owned(), text("second")),
        (1, "reason".to_owned(), text("another reason")),
        (3, "reason".to_owned(), text("it comes back")),
        (4, "comment".to_owned(), text("of the same batch")),
        (2, "a".to_owned(), text(&"a".repeat(40_000))),
        (2, "b".to_owned(), text(&"b".repeat(10_000))),
        (2, "c".to_owned(), text(&"c".repeat(9_000))),
    ];
    store.commit(late).await.unwrap();
    let texts: Vec<_> = store
        .entries(0, 10)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.texts)
        .collect();
    let one = |name: &str, body: Option<&str>| vec![(name.to_owned(), body.map(text))];
    assert_eq!(texts[0], one("summary", Some("first")));
    assert_eq!(texts[1], one("reason", Some("because 1")));
    let names: Vec<&str> = texts[2].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "c"], "together they are at most 48 KiB");
    assert_eq!(texts[3], one("reason", None), "what was erased stays so");
    assert_eq!(texts[4], one("comment", Some("of the same batch")));
}

pub(crate) async fn a_reader_never_sees_half_a_batch(place: &Place) {
    const BATCHES: u64 = 40;
    let writer = place.open(OpenMode::ReadWrite).await;
    writer.commit(make::full_batch(0, 7)).await.unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let address = place.address();
            tokio::spawn(async move {
                let store = piperoll_store::open(&address, OpenMode::ReadOnly)
                    .await
                    .unwrap();
                let mut seen = 0;
                while seen < BATCHES * 7 {
                    let head = store.head().await.unwrap().unwrap();
                    assert_eq!(head.size % 7, 0, "a batch has seven entries");
                    assert!(head.size >= seen, "the head went back");
                    seen = head.size;
                    assert_eq!(
                        head.cursor.sequence, head.size,
                        "the cursor goes with the head"
                    );
                    let last = store.entries(head.size - 7, 7).await.unwrap();
                    let expected: Vec<_> =
                        (head.size - 7..head.size).map(entry).map(stored).collect();
                    assert_eq!(last, expected);
                    let all = store.entries(head.size - 1, 1000).await.unwrap();
                    assert_eq!((all.len() - 1) % 7, 0, "entries come by batches");
                    let key = make::key("slot", "every");
                    let body = store
                        .aggregates(make::FOLD, &[key])
                        .await
                        .unwrap()
                        .remove(0)
                        .unwrap();
                    assert!(
                        body.parse::<u64>().unwrap() >= head.size,
                        "the aggregate is older than the head"
                    );
                }
                store.close().await;
            })
        })
        .collect();
    for round in 1..BATCHES {
        writer.commit(make::full_batch(round * 7, 7)).await.unwrap();
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

pub(crate) async fn strange_words_come_back_as_they_were(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let words = "'; drop table entry; -- \"\\ $1 {} \u{1F6A2} \u{10FFFF} é e\u{301} ß\t\n";
    let mut strange = batch(0, 1);
    let one = &mut strange.entries[0];
    for place in [
        &mut one.event_id,
        &mut one.source,
        &mut one.kind,
        &mut one.subject,
        &mut one.keyid,
    ] {
        words.clone_into(place);
    }
    one.service = Some(words.to_owned());
    one.environment = Some(String::new());
    one.payload = (0..=255).collect();
    one.texts = vec![
        ("reason".to_owned(), text(words)),
        ("summary".to_owned(), text("")),
    ];
    one.time = "0000-01-01T00:00:00.000000001Z".parse().unwrap();
    let expected = stored(one.clone());
    store.commit(strange).await.unwrap();
    assert_eq!(store.entries(0, 1).await.unwrap(), [expected]);
    let found = store
        .find(&[(words.to_owned(), words.to_owned())])
        .await
        .unwrap();
    assert_eq!(found[0].map(|known| known.index), Some(0));
}
