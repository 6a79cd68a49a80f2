//! What questions about entries answer.

use piperoll_core::judge::Known;
use piperoll_store::{LogFilter, OpenMode};

use crate::{
    make::{batch, entry, hash_of},
    place::Place,
};

pub(crate) async fn find_answers_in_the_order_asked(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 20)).await.unwrap();
    let id = |index| (entry(index).source, entry(index).event_id);
    let known = |index: u64| {
        Some(Known {
            index,
            payload_hash: hash_of(&format!("payload {index}")),
        })
    };
    let strange = (
        "urn:piperoll:pipeline:\"'\\ü".to_owned(),
        "event-1".to_owned(),
    );
    let asked = [id(7), strange, id(2), id(7), (id(1).0, id(2).1)];
    assert_eq!(
        store.find(&asked).await.unwrap(),
        [known(7), None, known(2), known(7), None]
    );
    assert_eq!(store.find(&[]).await.unwrap(), []);
    let many: Vec<_> = (0..500).map(id).collect();
    let found = store.find(&many).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 20);
    assert_eq!((found[19], found[20]), (known(19), None));
}

pub(crate) async fn entries_are_found_by_kind_and_by_payload(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 10)).await.unwrap();
    let odd = ["deployment.finished"];
    assert_eq!(
        store.indexes_of_kinds(&odd, 0, 100).await.unwrap(),
        [1, 3, 5, 7, 9]
    );
    assert_eq!(store.indexes_of_kinds(&odd, 4, 2).await.unwrap(), [5, 7]);
    let both = ["change.merged", "deployment.finished", "unheard.of"];
    assert_eq!(
        store.indexes_of_kinds(&both, 6, 100).await.unwrap(),
        [6, 7, 8, 9]
    );
    assert_eq!(
        store.indexes_of_kinds(&[], 0, 100).await.unwrap(),
        Vec::<u64>::new()
    );
    assert_eq!(
        store.index_of_payload(hash_of("payload 6")).await.unwrap(),
        Some(6)
    );
    assert_eq!(
        store.index_of_payload(hash_of("payload 10")).await.unwrap(),
        None
    );
}

fn all() -> LogFilter {
    LogFilter {
        as_of: 1000,
        limit: 500,
        ..LogFilter::default()
    }
}

pub(crate) async fn log_pages_hold_each_entry_once(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 50)).await.unwrap();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let filter = LogFilter {
            as_of: 50,
            before,
            limit: 7,
            ..LogFilter::default()
        };
        let page = store.log(&filter).await.unwrap();
        // Entries that come while somebody reads page after page change none of them.
        let size = store.head().await.unwrap().unwrap().size;
        store.commit(batch(size, 3)).await.unwrap();
        assert!(page.len() <= 7);
        before = page.last().copied();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, (0..50).rev().collect::<Vec<_>>());
}

/// A filter of these members, and which of the entries it lets through.
type Case = (LogFilter, fn(u64) -> bool);

fn with(set: impl FnOnce(&mut LogFilter)) -> LogFilter {
    let mut filter = all();
    set(&mut filter);
    filter
}

pub(crate) async fn log_obeys_each_member_of_the_filter(place: &Place) {
    let cases: Vec<Case> = vec![
        (all(), |_| true),
        (with(|it| it.as_of = 13), |index| index < 13),
        (with(|it| it.before = Some(9)), |index| index < 9),
        (with(|it| it.service = Some("checkout".into())), |index| {
            index % 2 == 1
        }),
        (with(|it| it.service = Some("check".into())), |_| false),
        (with(|it| it.environment = Some("prod".into())), |index| {
            index % 4 == 1
        }),
        (with(|it| it.kind = Some("change.merged".into())), |index| {
            index % 2 == 0
        }),
        (with(|it| it.kind = Some("change.*".into())), |index| {
            index % 2 == 0
        }),
        (with(|it| it.kind = Some("*".into())), |_| true),
        (with(|it| it.kind = Some("change".into())), |_| false),
        (with(|it| it.kind = Some("chan%".into())), |_| false),
        (
            with(|it| it.principal = Some("urn:piperoll:pipeline:p2".into())),
            |index| index % 3 == 2,
        ),
        (with(|it| it.indexes = Some(vec![3, 2, 999, 17])), |index| {
            [2, 3, 17].contains(&index)
        }),
        (with(|it| it.indexes = Some(vec![])), |_| false),
    ];
    try_filters(place, cases).await;
}

pub(crate) async fn members_of_a_filter_hold_together(place: &Place) {
    let cases: Vec<Case> = vec![
        (with(|it| (it.before, it.as_of) = (Some(20), 9)), |index| {
            index < 9
        }),
        (with(|it| (it.before, it.as_of) = (Some(9), 20)), |index| {
            index < 9
        }),
        (
            with(|it| (it.indexes, it.environment) = (Some(vec![1, 2, 5]), Some("prod".into()))),
            |index| [1, 5].contains(&index),
        ),
        (
            with(|it| (it.service, it.kind) = (Some("checkout".into()), Some("change.*".into()))),
            |_| false,
        ),
        (
            with(|it| {
                it.principal = Some("urn:piperoll:pipeline:p1".into());
                it.service = Some("checkout".into());
                it.kind = Some("deployment.*".into());
                it.before = Some(30);
            }),
            |index| index % 3 == 1 && index % 2 == 1 && index < 30,
        ),
    ];
    try_filters(place, cases).await;
}

async fn try_filters(place: &Place, cases: Vec<Case>) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 40)).await.unwrap();
    for (filter, holds) in cases {
        let expected: Vec<u64> = (0..40).rev().filter(|index| holds(*index)).collect();
        assert_eq!(store.log(&filter).await.unwrap(), expected, "{filter:?}");
        let few = LogFilter { limit: 3, ..filter };
        assert_eq!(
            store.log(&few).await.unwrap(),
            expected[..expected.len().min(3)],
            "{few:?}"
        );
    }
}

pub(crate) async fn log_of_a_time_looks_at_the_event_itself(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let mut late = batch(0, 5);
    let times = [
        "2026-11-21T02:13:00Z",
        "2026-11-21T02:13:00.000000001Z",
        "1999-01-01T00:00:00Z",
        "2026-11-21T02:12:59.999999999Z",
        "9999-12-30T00:00:00Z",
    ];
    for (entry, time) in late.entries.iter_mut().zip(times) {
        entry.time = time.parse().unwrap();
    }
    store.commit(late).await.unwrap();
    let since = |text: &str| LogFilter {
        since: Some(text.parse().unwrap()),
        ..all()
    };
    let until = |text: &str| LogFilter {
        until: Some(text.parse().unwrap()),
        ..all()
    };
    assert_eq!(
        store.log(&since(times[0])).await.unwrap(),
        [4, 1, 0],
        "since is part of it"
    );
    assert_eq!(
        store.log(&until(times[0])).await.unwrap(),
        [3, 2],
        "until is not"
    );
    let both = LogFilter {
        until: Some("2026-11-21T02:13:00.000000002Z".parse().unwrap()),
        ..since(times[3])
    };
    assert_eq!(store.log(&both).await.unwrap(), [3, 1, 0]);
    let prod = LogFilter {
        environment: Some("prod".to_owned()),
        ..both.clone()
    };
    assert_eq!(store.log(&prod).await.unwrap(), [1]);
    let of_one = LogFilter {
        principal: Some("urn:piperoll:pipeline:p0".to_owned()),
        ..both
    };
    assert_eq!(store.log(&of_one).await.unwrap(), [3, 0]);
}
