//! What the fold writes, and the questions asked of it.

use piperoll_core::fold::{Changes, Row};
use piperoll_store::{ChangeRow, Error, OpenMode, SlotRow};

use crate::{
    make::{FOLD, Seeded, alias, batch, change, folding, key, slot},
    place::Place,
};

pub(crate) async fn an_aggregate_is_the_one_of_its_fold_written_last(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let (a, b) = (key("change", "a"), key("commit", "a"));
    store
        .commit(folding(
            0,
            &[(a.clone(), "1"), (b.clone(), "\"ü\"")],
            vec![],
        ))
        .await
        .unwrap();
    store
        .commit(folding(1, &[(a.clone(), "2")], vec![]))
        .await
        .unwrap();
    let mut other = folding(2, &[(a.clone(), "3")], vec![]);
    other.fold = FOLD + 1;
    store.commit(other).await.unwrap();
    let asked = [b.clone(), key("change", "c"), a.clone(), a];
    let of = |bodies: [Option<&str>; 4]| bodies.map(|body| body.map(str::to_owned)).to_vec();
    assert_eq!(
        store.aggregates(FOLD, &asked).await.unwrap(),
        of([Some("\"ü\""), None, Some("2"), Some("2")])
    );
    assert_eq!(
        store.aggregates(FOLD + 1, &asked).await.unwrap(),
        of([None, None, Some("3"), Some("3")])
    );
    assert_eq!(
        store.aggregates(FOLD, &[]).await.unwrap(),
        Vec::<Option<String>>::new()
    );
}

pub(crate) async fn rows_of_a_batch_are_done_in_order(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let gone = |name: &str, change: &str| Row::AliasGone {
        alias: name.to_owned(),
        change: change.to_owned(),
    };
    let rows = vec![
        alias("tag:a", "c1"),
        alias("tag:a", "c1"),
        alias("tag:b", "c1"),
        gone("tag:b", "c1"),
        gone("tag:d", "c1"),
        alias("tag:d", "c1"),
        change("c1", 0),
        change("c2", 0),
        Row::ChangeGone {
            change: "c2".to_owned(),
        },
    ];
    store.commit(folding(0, &[], rows)).await.unwrap();
    let find = async |text: &str| store.find_changes(FOLD, text, 10).await.unwrap();
    assert_eq!(
        (
            find("tag:a").await,
            find("tag:b").await,
            find("tag:d").await
        ),
        (vec!["c1".into()], vec![], vec!["c1".into()])
    );
    assert_eq!(find("c2").await, Vec::<String>::new());
    let rows = vec![
        gone("tag:a", "c1"),
        Row::ChangeGone {
            change: "c1".to_owned(),
        },
        change("c1", 1),
        change("c3", 1),
    ];
    store.commit(folding(1, &[], rows)).await.unwrap();
    assert_eq!(find("tag:a").await, Vec::<String>::new());
    let row = |change: &str| ChangeRow {
        change: change.to_owned(),
        service: Some("checkout".to_owned()),
        last_index: 1,
    };
    assert_eq!(
        store.changes(FOLD, None, 10).await.unwrap(),
        [row("c1"), row("c3")]
    );
}

pub(crate) async fn slots_are_seen_as_of_any_size(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    store.commit(batch(0, 2)).await.unwrap();
    store
        .commit(folding(2, &[], vec![slot("checkout", 2)]))
        .await
        .unwrap();
    store.commit(batch(3, 1)).await.unwrap();
    let mut several = batch(4, 4);
    several.read_models.rows = vec![slot("checkout", 4), slot("search", 5), slot("checkout", 6)];
    store.commit(several).await.unwrap();
    store
        .commit(folding(8, &[], vec![slot("checkout", 8)]))
        .await
        .unwrap();

    let row = |service: &str, from_index: u64, to_index: Option<u64>| SlotRow {
        service: service.to_owned(),
        environment: "prod".to_owned(),
        from_index,
        to_index,
        body: format!("{{\"by\":{from_index}}}"),
    };
    let expected: [Vec<(&str, u64)>; 10] = [
        vec![],
        vec![],
        vec![],
        vec![("checkout", 2)],
        vec![("checkout", 2)],
        vec![("checkout", 4)],
        vec![("checkout", 4), ("search", 5)],
        vec![("checkout", 6), ("search", 5)],
        vec![("checkout", 6), ("search", 5)],
        vec![("checkout", 8), ("search", 5)],
    ];
    for (as_of, expected) in expected.into_iter().enumerate() {
        let seen = store.slots(FOLD, as_of as u64).await.unwrap();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(service, from)| row(service, from, None))
            .collect();
        assert_eq!(seen, expected, "as of {as_of}");
    }
    assert_eq!(store.slots(FOLD + 1, 9).await.unwrap(), []);
}

pub(crate) async fn changes_are_found_by_name_else_by_beginning(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let rows = vec![
        change("github:acme/checkout#4", 0),
        change("github:acme/checkout#41", 0),
        change("Émile", 0),
        alias("ab12", "github:acme/checkout#41"),
        alias("ab12cd", "github:acme/checkout#4"),
        alias("ab12ce", "github:acme/checkout#4"),
        alias("shared", "github:acme/checkout#4"),
        alias("shared", "github:acme/checkout#41"),
        alias("a_%", "Émile"),
    ];
    store.commit(folding(0, &[], rows)).await.unwrap();
    let find = async |text: &str, limit| store.find_changes(FOLD, text, limit).await.unwrap();
    let (four, fortyone) = ("github:acme/checkout#4", "github:acme/checkout#41");
    assert_eq!(
        find(four, 9).await,
        [four],
        "an exact id is not the beginning of another"
    );
    assert_eq!(find("ab12", 9).await, [fortyone]);
    assert_eq!(
        find("ab12c", 9).await,
        [four],
        "two aliases of one change are one answer"
    );
    assert_eq!(find("ab1", 9).await, [four, fortyone]);
    assert_eq!(find("ab1", 1).await, [four]);
    assert_eq!(find("shared", 9).await, [four, fortyone]);
    assert_eq!(find("É", 9).await, ["Émile"]);
    assert_eq!(find("a_", 9).await, ["Émile"], "no character is a wildcard");
    assert_eq!(find("a%", 9).await, Vec::<String>::new());
    assert_eq!(find("B", 9).await, Vec::<String>::new());
}

pub(crate) async fn pages_of_changes_never_end_inside_an_entry(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let mut many = batch(0, 10);
    many.read_models.rows = (0..20)
        .map(|number| change(&format!("c{number:02}"), number / 5))
        .collect();
    store.commit(many).await.unwrap();
    let mut before = None;
    let mut seen = Vec::new();
    loop {
        let page = store.changes(FOLD, before, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        assert_eq!(page.len(), 5);
        before = Some(last.last_index);
        seen.extend(page.into_iter().map(|row| row.change));
    }
    let expected = [15..20, 10..15, 5..10, 0..5]
        .into_iter()
        .flatten()
        .map(|number| format!("c{number:02}"));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    assert_eq!(store.changes(FOLD, None, 0).await.unwrap(), []);
    assert_eq!(store.changes(FOLD, None, 500).await.unwrap().len(), 20);
}

/// Random changes to read models, one step an entry.
pub(crate) fn steps(seed: u64, count: u64) -> Vec<Changes> {
    let mut random = Seeded::new(seed);
    let mut step = |index: u64| {
        let mut rows = Vec::new();
        for _ in 0..random.below(4) {
            let name = format!("c{}", random.below(8));
            let other = format!("tag:{}", random.below(8));
            rows.push(match random.below(6) {
                0 => alias(&other, &name),
                1 => Row::AliasGone {
                    alias: other,
                    change: name,
                },
                2 | 3 => change(&name, index),
                4 => Row::ChangeGone { change: name },
                _ => slot(&format!("s{}", random.below(3)), index),
            });
        }
        let aggregates = (0..random.below(3))
            .map(|_| {
                (
                    key("change", &format!("a{}", random.below(9))),
                    format!("{{\"at\":{index}}}"),
                )
            })
            .collect();
        Changes { aggregates, rows }
    };
    (0..count).map(&mut step).collect()
}
/// What several entries do, as one batch.
pub(crate) fn together(steps: &[Changes]) -> Changes {
    let mut all = Changes::default();
    for step in steps {
        all.aggregates.extend(step.aggregates.clone());
        all.rows.extend(step.rows.clone());
    }
    all
}

pub(crate) async fn the_digest_does_not_depend_on_batches(place: &Place) {
    let store = place.open(OpenMode::ReadWrite).await;
    let empty = store.read_model_digest(99).await.unwrap();
    for seed in 0..5 {
        let steps = steps(seed, 60);
        let mut digests = Vec::new();
        for (fold, size) in [(10, 1), (11, 7), (12, 60)] {
            let fold = fold + u32::try_from(seed).unwrap() * 100;
            for part in steps.chunks(size) {
                store.write_read_models(fold, together(part)).await.unwrap();
            }
            digests.push(store.read_model_digest(fold).await.unwrap());
        }
        assert!(
            digests[0] == digests[1] && digests[1] == digests[2],
            "seed {seed}"
        );
        assert_ne!(digests[0], empty, "seed {seed}");
        for part in 0..3 {
            let fold = 10 + part + u32::try_from(seed).unwrap() * 100;
            store.drop_read_models(fold).await.unwrap();
            assert_eq!(store.read_model_digest(fold).await.unwrap(), empty);
        }
    }
    let before = store.read_model_digest(FOLD).await.unwrap();
    for (size, row) in [alias("x", "y"), change("x", 7), slot("x", 1)]
        .into_iter()
        .enumerate()
    {
        store
            .commit(folding(size as u64, &[], vec![row]))
            .await
            .unwrap();
        assert_ne!(store.read_model_digest(FOLD).await.unwrap(), before);
    }
}

pub(crate) async fn a_rebuild_stands_beside_and_is_adopted_at_the_head(place: &Place) {
    const BESIDE: u32 = 1001;
    let store = place.open(OpenMode::ReadWrite).await;
    store
        .commit(folding(
            0,
            &[(key("change", "c"), "\"wrong\"")],
            vec![change("c", 0), slot("s", 0)],
        ))
        .await
        .unwrap();
    let right = Changes {
        aggregates: [(key("change", "c"), "\"right\"".to_owned())].into(),
        rows: vec![change("c", 0), slot("t", 0), alias("tag:a", "c")],
    };
    store.write_read_models(BESIDE, right).await.unwrap();
    let rebuilt = store.read_model_digest(BESIDE).await.unwrap();
    assert_ne!(store.read_model_digest(FOLD).await.unwrap(), rebuilt);
    assert!(matches!(
        store.adopt_read_models(BESIDE, FOLD, (2, 1)).await,
        Err(Error::Conflict)
    ));
    assert!(matches!(
        store.adopt_read_models(BESIDE, FOLD, (1, 9)).await,
        Err(Error::Conflict)
    ));
    store.adopt_read_models(BESIDE, FOLD, (1, 1)).await.unwrap();
    assert_eq!(store.read_model_digest(FOLD).await.unwrap(), rebuilt);
    assert_eq!(store.slots(FOLD, 1).await.unwrap()[0].service, "t");
    assert_eq!(store.slots(BESIDE, 1).await.unwrap(), []);
}
