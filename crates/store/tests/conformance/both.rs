//! The same batches leave the same tables on both databases, and a ledger moves from one to the other.

use std::collections::BTreeSet;

use piperoll_core::judge::Reason;
use piperoll_store::{
    Address, Batch, Error, Expected, LogFilter, OpenMode, Store,
    admin::{self, Side},
};
use piperoll_tlog::tree::Edge;

use crate::{
    make::{self, FOLD, Seeded},
    place::Place,
    read_models::{steps, together},
};

/// A ledger of about `entries` entries in batches of any size, with refusals, repetitions, junk and late texts.
fn batches(seed: u64, entries: u64) -> Vec<Batch> {
    let mut random = Seeded::new(seed);
    let steps = steps(seed, entries + 100);
    let mut edge = Edge::new();
    let mut batches = Vec::new();
    let (mut size, mut sequence) = (0, 0);
    while size < entries {
        let count = if size == 0 { 1 } else { random.below(90) };
        let mut batch = make::batch(size, count);
        batch.tiles = batch
            .entries
            .iter()
            .flat_map(|entry| edge.append(entry.leaf_hash))
            .collect();
        batch.head.root = edge.root();
        for _ in 0..random.below(4) {
            let reason = [Reason::Grant, Reason::Content, Reason::Equivocation]
                [usize::try_from(random.below(3)).unwrap()];
            batch
                .refused
                .push(make::refused(&format!("r{}", random.below(12)), reason));
        }
        for _ in 0..random.below(4) {
            batch.junk.push(make::junk(
                size * 60_000,
                ["http", "monitor-m"][usize::try_from(random.below(2)).unwrap()],
                Reason::Shape,
            ));
        }
        for _ in 0..random.below(3) {
            let late = random.below(size + count);
            batch.late_texts.push((
                late,
                "summary".to_owned(),
                make::text(&format!("late {}", random.below(99))),
            ));
        }
        let range = usize::try_from(size).unwrap()..usize::try_from(size + count).unwrap();
        batch.read_models = together(&steps[range]);
        let consumed = &mut batch.consumed[0];
        (consumed.refused, consumed.junk) = (batch.refused.len() as u64, batch.junk.len() as u64);
        consumed.duplicate = random.below(5);
        let taken = count + consumed.refused + consumed.junk + consumed.duplicate;
        if taken == 0 {
            batch.consumed.clear();
        } else {
            consumed.range = Some((sequence + 1, sequence + taken));
        }
        if let Some(expected) = &mut batch.expected {
            expected.sequence = sequence;
        }
        sequence += taken;
        batch.head.cursor.sequence = sequence;
        size += count;
        batches.push(batch);
    }
    batches
}

async fn fill(place: &Place, seed: u64, entries: u64) {
    let store = place.open(OpenMode::ReadWrite).await;
    for batch in batches(seed, entries) {
        let size = batch.head.size;
        store.commit(batch).await.unwrap();
        store
            .put_checkpoint(size, &format!("note {size}\n"))
            .await
            .unwrap_or(());
    }
    store.account("github.com", "1", "urn:a").await.unwrap();
    store.bridge_count("github", "star").await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seeded_batches_leave_the_same_tables_on_both() {
    let seed = 20_261_121;
    let Some(postgres) = Place::postgres("seeded_batches_leave_the_same_tables_on_both").await
    else {
        return;
    };
    let sqlite = Place::sqlite().await;
    fill(&sqlite, seed, 700).await;
    fill(&postgres, seed, 700).await;
    let digests = admin::digests(&sqlite.address()).await.unwrap();
    assert_eq!(
        digests,
        admin::digests(&postgres.address()).await.unwrap(),
        "seed {seed}"
    );
    let empty: BTreeSet<_> = digests
        .iter()
        .filter(|table| table.rows == 0)
        .map(|table| table.table)
        .collect();
    assert_eq!(
        empty,
        BTreeSet::from(["bridge_seen"]),
        "nothing else is left empty"
    );

    let stores = [
        sqlite.open(OpenMode::ReadOnly).await,
        postgres.open(OpenMode::ReadOnly).await,
    ];
    let mut random = Seeded::new(seed);
    for _ in 0..60 {
        let questions = Questions::any(&mut random);
        let [one, other] = [
            questions.ask(&*stores[0]).await,
            questions.ask(&*stores[1]).await,
        ];
        assert_eq!(one, other, "seed {seed}");
    }
    for store in stores {
        store.close().await;
    }
    postgres.end().await;
}

/// One of each question, with anything in it.
struct Questions {
    filter: LogFilter,
    index: u64,
    name: String,
    limit: u32,
}
impl Questions {
    fn any(random: &mut Seeded) -> Self {
        let mut maybe = |words: &[&str]| {
            let all = words.len() as u64;
            let which = usize::try_from(random.below(all + 2)).unwrap();
            words.get(which).map(|word| (*word).to_owned())
        };
        let filter = LogFilter {
            service: maybe(&["checkout"]),
            environment: maybe(&["prod"]),
            kind: maybe(&["change.merged", "change.*", "dep*"]),
            principal: maybe(&["urn:piperoll:pipeline:p1", "urn:piperoll:pipeline:p2"]),
            ..LogFilter::default()
        };
        let name = maybe(&["c1", "c", "tag:2", "tag:", ""]).unwrap_or_else(|| "z".to_owned());
        let index = random.below(800);
        let limit = u32::try_from(random.below(40)).unwrap() + 1;
        let before = (random.below(2) == 0).then_some(index);
        Self {
            filter: LogFilter {
                as_of: random.below(800),
                before,
                limit,
                ..filter
            },
            index,
            name,
            limit,
        }
    }
    async fn ask(&self, store: &dyn Store) -> String {
        let (index, limit, name) = (self.index, self.limit, self.name.as_str());
        let entries = (
            store.log(&self.filter).await.unwrap(),
            store.entries(index, limit).await.unwrap(),
            store.leaf_hashes(index, limit).await.unwrap(),
            store.refused(Some(index), limit).await.unwrap(),
            store.consumed(index / 40, limit).await.unwrap(),
            store.checkpoint_covering(index).await.unwrap(),
            store.junk(limit).await.unwrap(),
        );
        let folded = (
            store.slots(FOLD, index).await.unwrap(),
            store.find_changes(FOLD, name, limit).await.unwrap(),
            store.changes(FOLD, Some(index), limit).await.unwrap(),
            store.read_model_digest(FOLD).await.unwrap(),
        );
        format!("{entries:?} {folded:?}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_moves_to_the_other_database_and_back() {
    let rule = "a_ledger_moves_to_the_other_database_and_back";
    let Some(postgres) = Place::empty_postgres(rule).await else {
        return;
    };
    let sqlite = Place::sqlite().await;
    fill(&sqlite, 7, 600).await;
    let digests = admin::digests(&sqlite.address()).await.unwrap();
    let head = sqlite
        .open(OpenMode::ReadOnly)
        .await
        .head()
        .await
        .unwrap()
        .unwrap();

    let there = admin::copy(&sqlite.address(), &postgres.owner_address())
        .await
        .unwrap();
    assert_eq!((there.size, there.root), (head.size, head.root));
    assert_eq!(
        admin::digests(&postgres.owner_address()).await.unwrap(),
        digests
    );

    let folder = tempfile::tempdir().unwrap();
    let back = Address::from(folder.path().join("ledger.db").as_path());
    assert_eq!(
        admin::copy(&postgres.owner_address(), &back).await.unwrap(),
        there
    );
    assert_eq!(admin::digests(&back).await.unwrap(), digests);
    let store = piperoll_store::open(&back, OpenMode::ReadWrite)
        .await
        .unwrap();
    assert_eq!(store.head().await.unwrap(), Some(head.clone()));
    let mut next = make::batch(head.size, 1);
    next.expected = Some(Expected::from(&head));
    next.head.cursor.sequence = head.cursor.sequence + 1;
    store.commit(next).await.unwrap();
    store.close().await;
    postgres.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_only_into_an_empty_database() {
    let (from, into) = (Place::sqlite().await, Place::sqlite().await);
    let refused = admin::copy(&from.address(), &into.address()).await;
    assert!(
        matches!(&refused, Err(error) if error.side == Side::From && matches!(error.source, Error::Unfit { .. })),
        "there is nothing to copy"
    );
    fill(&from, 1, 50).await;
    into.open(OpenMode::ReadWrite)
        .await
        .bridge_count("github", "star")
        .await
        .unwrap();
    let refused = admin::copy(&from.address(), &into.address()).await;
    let error = refused.unwrap_err();
    assert_eq!(error.side, Side::To);
    let what = error.source.to_string();
    assert!(what.contains("bridge_count"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_entries_that_do_not_make_the_root_is_no_ledger() {
    let (from, into) = (Place::sqlite().await, Place::sqlite().await);
    fill(&from, 1, 50).await;
    from.raw("drop trigger entry_no_update").await.unwrap();
    from.raw("update entry set leaf = 'other' where idx = 3")
        .await
        .unwrap_err();
    from.raw("update entry set leaf = x'00' where idx = 3")
        .await
        .unwrap();
    let refused = admin::copy(&from.address(), &into.address()).await;
    let error = refused.unwrap_err();
    assert!(matches!(error.source, Error::Corrupt { .. }), "{error:?}");
    assert_eq!(
        into.open(OpenMode::ReadOnly).await.head().await.unwrap(),
        None
    );
}
