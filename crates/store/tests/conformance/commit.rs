//! What a commit promises.

use piperoll_store::{Error, NewEntry, OpenMode, StoredEntry};

use crate::{
    make::{batch, entry, head},
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
        payload: Some(entry.payload),
        texts: entry
            .texts
            .into_iter()
            .map(|(name, text)| (name, Some(text)))
            .collect(),
    }
}

pub(crate) async fn what_was_committed_is_read_back(place: Place) {
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
}

pub(crate) async fn a_batch_that_leaves_a_hole_is_refused(place: Place) {
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
    let hole = "insert into entry (idx, recorded_at, payload_hash, leaf, leaf_hash, event_id, source, kind, type_name, time, \
        subject, keyid) select 9, recorded_at, leaf_hash, leaf, leaf_hash, 'x', source, kind, type_name, time, subject, keyid \
        from entry where idx = 0";
    assert!(
        place
            .raw(hole)
            .await
            .unwrap_err()
            .contains("not the next one")
    );
}

pub(crate) async fn the_head_moves_only_from_where_it_was_expected(place: Place) {
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
    epoch.expected = Some((2, 7));
    assert!(matches!(other.commit(epoch).await, Err(Error::Conflict)));
    other.commit(batch(2, 1)).await.unwrap();
    assert!(matches!(
        store.commit(batch(2, 1)).await,
        Err(Error::Conflict)
    ));
    assert_eq!(store.entries(0, 10).await.unwrap().len(), 3);
}
