//! Which rows may change, by raw SQL past the store.

use piperoll_store::OpenMode;

use crate::{make, place::Place};

async fn filled(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(make::full_batch(0, 300)).await.unwrap();
    store.put_checkpoint(300, "a note\n").await.unwrap();
    store
        .account("github.com", "583231", "urn:piperoll:account:a")
        .await
        .unwrap();
    store.close().await;
}
async fn refused(place: &Place, sql: &str) {
    let message = place.raw(sql).await.expect_err(sql);
    let said = [
        "insert-only",
        "only be erased",
        "only goes forward",
        "not the next one",
        "inserted and deleted",
    ];
    assert!(
        said.iter().any(|words| message.contains(words)),
        "{sql}: {message}"
    );
    // Whoever serves may do no more than the owner, and learns it from the rights or from the same triggers.
    place.raw_as_service(sql).await.expect_err(sql);
}

pub(crate) async fn rows_of_insert_only_tables_stay_as_they_are(place: &Place) {
    filled(place).await;
    for sql in [
        "update entry set subject = 'other' where idx = 3",
        "update entry set leaf = leaf",
        "update tile set root = root",
        "update checkpoint set note = 'other'",
        "update consumed set junk = junk",
        "update refused set detail = 'other'",
        "delete from entry where idx = 299",
        "delete from tile",
        "delete from checkpoint",
        "delete from consumed",
        "delete from refused",
    ] {
        refused(place, sql).await;
    }
    let more = match place {
        Place::Sqlite { .. } => [
            "insert or replace into entry select * from entry where idx = 3",
            "replace into tile select * from tile",
            "insert or replace into checkpoint (size, note) values (300, 'other')",
            "replace into consumed select * from consumed",
            "replace into refused select * from refused",
        ],
        Place::Postgres { .. } => [
            "truncate entry",
            "truncate tile",
            "insert into checkpoint (size, note) values (300, 'other') on conflict (size) do update set note = 'other'",
            "set session_replication_role = replica",
            "truncate refused, consumed",
        ],
    };
    for sql in more {
        if sql.starts_with("set ") {
            // A session that replicates is one where ordinary triggers sleep.
            let asleep = "do $$ begin set local session_replication_role = replica; delete from entry; end $$";
            refused(place, asleep).await;
        } else {
            refused(place, sql).await;
        }
    }
    let store = place.open(OpenMode::ReadOnly).await;
    assert_eq!(store.entries(3, 1).await.unwrap()[0].subject, "subject 3");
}

pub(crate) async fn erasable_words_can_only_go(place: &Place) {
    filled(place).await;
    for sql in [
        "update payload set body = (select body from payload where idx = 2) where idx = 3",
        "update payload set idx = 1000 where idx = 3",
        "update text set body = 'other' where idx = 3",
        "update text set name = 'other', body = null, salt = null where idx = 3",
        "update refused_body set envelope = 'other'",
        "update login_id set account = 'other'",
        "delete from payload where idx = 3",
        "delete from text where idx = 3",
        "delete from refused_body",
    ] {
        refused(place, sql).await;
    }
    if let Place::Sqlite { .. } = place {
        for sql in [
            "replace into payload select * from payload where idx = 3",
            "replace into text select * from text where idx = 3",
            "replace into refused_body select * from refused_body",
        ] {
            refused(place, sql).await;
        }
    }
    for sql in [
        "update payload set body = null where idx = 3",
        "update text set salt = null, body = null where idx = 3",
        "update refused_body set envelope = null",
        "delete from login_id",
    ] {
        place.raw_as_service(sql).await.unwrap();
    }
}

pub(crate) async fn numbers_leave_no_hole(place: &Place) {
    filled(place).await;
    let entry = |index: &str| {
        format!(
            "insert into entry (idx, recorded_at, payload_hash, leaf, leaf_hash, event_id, source, kind, type_name, time, \
             subject, keyid, stream_time) select {index}, recorded_at, leaf_hash, leaf, leaf_hash, 'x', source, kind, type_name, time, \
             subject, keyid, stream_time from entry where idx = 0"
        )
    };
    refused(place, &entry("301")).await;
    refused(
        place,
        "insert into tile (level, idx, hashes, root) select level, idx + 2, hashes, root from tile",
    )
    .await;
    refused(place, "insert into tile (level, idx, hashes, root) select level + 1, idx + 1, hashes, root from tile").await;
    refused(
        place,
        "insert into consumed (number, incarnation, recorded, duplicate, refused, junk) values (7, 'x', 1, 0, 0, 0)",
    )
    .await;
    refused(
        place,
        "insert into refused (number, at, source, event_id, payload_hash, reason, detail) \
         select 70, at, source, event_id, payload_hash, 'x', detail from refused where number = 0",
    )
    .await;
    place.raw(&entry("300")).await.unwrap();
}

pub(crate) async fn the_head_never_goes_back(place: &Place) {
    filled(place).await;
    for sql in [
        "update head set size = 299",
        "update head set epoch = 0",
        "delete from head",
    ] {
        refused(place, sql).await;
    }
}

pub(crate) async fn erased_is_told_from_never_supplied(place: &Place) {
    filled(place).await;
    place
        .raw("update payload set body = null where idx = 1")
        .await
        .unwrap();
    place
        .raw("update text set salt = null, body = null where idx = 1")
        .await
        .unwrap();
    place
        .raw("update refused_body set envelope = null where number = 0")
        .await
        .unwrap();
    let store = place.open(OpenMode::ReadOnly).await;
    let entries = store.entries(0, 2).await.unwrap();
    assert!(entries[0].payload.is_some() && entries[0].texts.is_empty());
    assert_eq!(entries[1].payload, None);
    assert_eq!(entries[1].texts, [("reason".to_owned(), None)]);
    assert_eq!(store.refused(Some(1), 1).await.unwrap()[0].envelope, None);
}
