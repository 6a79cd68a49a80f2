//! What becomes of messages that are not recorded.

use piperoll_core::judge::Reason;
use piperoll_store::{Batch, Beyond, Error, JunkRow, Numbered, OpenMode, RefusedRow, Tally};

use crate::{
    make::{at, batch, hash_of, junk, refused},
    place::Place,
};

fn taking(mut batch: Batch, refused: Vec<piperoll_store::NewRefused>) -> Batch {
    batch.consumed[0].refused = refused.len() as u64;
    batch.consumed[0].range = batch.consumed[0]
        .range
        .map(|(from, to)| (from, to + refused.len() as u64));
    Batch { refused, ..batch }
}
fn row(number: u64, name: &str, reason: Reason, times: u64) -> RefusedRow {
    let new = refused(name, reason);
    RefusedRow {
        number,
        at: new.at,
        source: new.source,
        event_id: new.event_id,
        payload_hash: new.payload_hash,
        reason: reason.as_str().to_owned(),
        detail: new.detail,
        first: new.first,
        times,
        envelope: Some(new.envelope),
    }
}

pub(crate) async fn a_refused_event_is_kept_once_and_counted(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let a = || refused("a", Reason::Grant);
    let mut later = a();
    "another detail".clone_into(&mut later.detail);
    store
        .commit(taking(
            batch(0, 1),
            vec![a(), refused("b", Reason::Content), later.clone()],
        ))
        .await
        .unwrap();
    store
        .commit(taking(
            batch(1, 1),
            vec![later, refused("a", Reason::Content)],
        ))
        .await
        .unwrap();
    let all = [
        row(2, "a", Reason::Content, 1),
        row(1, "b", Reason::Content, 1),
        row(0, "a", Reason::Grant, 3),
    ];
    assert_eq!(store.refused(None, 10).await.unwrap(), all);
    assert_eq!(store.refused(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.refused(Some(1), 10).await.unwrap(), all[2..]);
    assert_eq!(store.refused(Some(0), 10).await.unwrap(), []);
}

pub(crate) async fn both_versions_of_an_event_are_kept(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let equivocation = refused("another version", Reason::Equivocation);
    store
        .commit(taking(batch(0, 1), vec![equivocation]))
        .await
        .unwrap();
    let kept = store.refused(None, 1).await.unwrap().remove(0);
    assert_eq!(kept, row(0, "another version", Reason::Equivocation, 1));
    let first = store.entries_at(&[kept.first.unwrap()]).await.unwrap();
    assert_eq!(first[0].payload.as_deref(), Some(&b"payload 0"[..]));
}

pub(crate) async fn the_latest_refusal_of_a_payload_is_found(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let both = vec![refused("a", Reason::Grant), refused("a", Reason::Content)];
    store.commit(taking(batch(0, 1), both)).await.unwrap();
    let found = store.refusal_of_payload(hash_of("a")).await.unwrap();
    assert_eq!(found, Some(row(1, "a", Reason::Content, 1)));
    assert_eq!(store.refusal_of_payload(hash_of("b")).await.unwrap(), None);
}

pub(crate) async fn junk_is_counted_by_hour_subject_and_reason(place: &Place) {
    const HOUR_MS: u64 = 3_600_000;
    /// From the full hour to `at(0)`.
    const SINCE_HOUR_S: i64 = 1600;
    let store = place.open(OpenMode::ReadWrite).await;
    let first = vec![
        junk(0, "http", Reason::Shape),
        junk(1000, "http", Reason::Shape),
        junk(HOUR_MS, "http", Reason::Shape),
        junk(0, "http", Reason::UnknownKey),
        junk(0, "piperoll.v1.in.main.person-x", Reason::Shape),
    ];
    let mut one = batch(0, 1);
    (one.consumed[0].junk, one.consumed[0].range) = (5, Some((1, 6)));
    store.commit(Batch { junk: first, ..one }).await.unwrap();
    let mut two = batch(1, 0);
    (two.consumed[0].junk, two.consumed[0].range) = (1, Some((7, 7)));
    store
        .commit(Batch {
            junk: vec![junk(5, "http", Reason::Shape)],
            ..two
        })
        .await
        .unwrap();
    let row = |hours: u64, subject: &str, reason: Reason, count| JunkRow {
        hour: at(hours * HOUR_MS) - jiff::SignedDuration::from_secs(SINCE_HOUR_S),
        subject: subject.to_owned(),
        reason: reason.as_str().to_owned(),
        count,
    };
    let expected = [
        row(1, "http", Reason::Shape, 1),
        row(0, "http", Reason::Shape, 3),
        row(0, "http", Reason::UnknownKey, 1),
        row(0, "piperoll.v1.in.main.person-x", Reason::Shape, 1),
    ];
    assert_eq!(store.junk(10).await.unwrap(), expected);
    assert_eq!(store.junk(1).await.unwrap(), expected[..1]);
}

pub(crate) async fn what_was_not_recorded_is_tallied_as_accounted_and_as_kept(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let numbered = |rows| Numbered { rows, next: rows };
    let tally = |refused, rows, junk| Tally {
        refused_consumed: refused,
        refused_times: refused,
        junk_consumed: junk,
        junk_counted: junk,
        refused: numbered(rows),
        bodies: numbered(rows),
        counts: numbered(rows),
    };
    assert_eq!(store.tally().await.unwrap(), tally(0, 0, 0));
    let three = vec![
        refused("a", Reason::Grant),
        refused("a", Reason::Grant),
        refused("b", Reason::Grant),
    ];
    store.commit(taking(batch(0, 1), three)).await.unwrap();
    let mut two = batch(1, 0);
    (two.consumed[0].junk, two.consumed[0].range) = (1, Some((5, 5)));
    let junk = vec![junk(5, "http", Reason::Shape)];
    store.commit(Batch { junk, ..two }).await.unwrap();
    assert_eq!(store.tally().await.unwrap(), tally(3, 2, 1));
}

pub(crate) async fn a_row_that_the_head_does_not_count_is_found(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    assert_eq!(store.beyond_head().await.unwrap(), None);
    store.commit(batch(0, 3)).await.unwrap();
    assert_eq!(store.beyond_head().await.unwrap(), None);
    for (table, number, sql) in [
        (
            "text",
            9,
            "insert into text (idx, name) values (9, 'reason')",
        ),
        ("payload", 3, "insert into payload (idx) values (3)"),
    ] {
        place.raw(sql).await.unwrap();
        let table = table.to_owned();
        let found = store.beyond_head().await.unwrap();
        assert_eq!(found, Some(Beyond { table, number }));
    }
}

pub(crate) async fn consumed_rows_sum_to_their_range(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let mut first = batch(0, 1);
    let control = piperoll_store::Consumed {
        range: None,
        ..first.consumed[0].clone()
    };
    first.consumed.push(control.clone());
    first.consumed[0].recorded = 0;
    first.consumed[0].duplicate = 1;
    let expected = first.consumed.clone();
    store.commit(first).await.unwrap();
    let mut wrong = batch(1, 1);
    wrong.consumed[0].duplicate = 1;
    assert!(
        matches!(store.commit(wrong).await, Err(Error::Database(_))),
        "two of one message"
    );
    store.commit(batch(1, 3)).await.unwrap();
    let rows = store.consumed(0, 10).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.number).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(
        [rows[0].consumed.clone(), rows[1].consumed.clone()],
        expected[..]
    );
    assert_eq!(rows[2].consumed, batch(1, 3).consumed[0]);
    assert_eq!(store.consumed(1, 1).await.unwrap(), rows[1..2]);
    assert_eq!(store.consumed(3, 1).await.unwrap(), []);
}

pub(crate) async fn words_with_a_nul_are_kept_without_it(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let mut bad = refused("a", Reason::Content);
    "the member \"a\0b\" is unknown".clone_into(&mut bad.detail);
    let mut one = taking(batch(0, 1), vec![bad]);
    one.junk = vec![junk(0, "sub\0ject", Reason::Shape)];
    (one.consumed[0].junk, one.consumed[0].range) = (1, Some((1, 3)));
    store.commit(one).await.unwrap();
    assert_eq!(
        store.refused(None, 1).await.unwrap()[0].detail,
        "the member \"a\u{FFFD}b\" is unknown"
    );
    assert_eq!(store.junk(1).await.unwrap()[0].subject, "sub\u{FFFD}ject");
    assert_eq!(
        store.find_changes(1, "a\0b", 5).await.unwrap(),
        Vec::<String>::new()
    );
    let filter = piperoll_store::LogFilter {
        as_of: 9,
        limit: 9,
        service: Some("\0".to_owned()),
        kind: Some("\0*".to_owned()),
        ..Default::default()
    };
    assert_eq!(store.log(&filter).await.unwrap(), Vec::<u64>::new());
}
