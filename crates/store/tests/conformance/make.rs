//! Batches to commit: small, and different in every column.

use jiff::Timestamp;
use piperoll_core::{Hash, envelope::Text, fold::Changes};
use piperoll_store::{Batch, Consumed, Cursor, Head, NewEntry};
use piperoll_tlog::hash::{leaf_hash, sha256};

pub(crate) const FOLD: u32 = 1;

pub(crate) fn hash_of(text: &str) -> Hash {
    sha256(text.as_bytes())
}
/// Milliseconds after some day in 2026.
pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + i64::try_from(ms).unwrap()).unwrap()
}

pub(crate) fn text(body: &str) -> Text {
    Text {
        salt: hash_of(body).0[..16].try_into().unwrap(),
        body: body.to_owned(),
    }
}

pub(crate) fn entry(index: u64) -> NewEntry {
    let leaf = format!("leaf {index}\n").into_bytes();
    let odd = index % 2 == 1;
    NewEntry {
        index,
        recorded_at: at(index * 1000),
        payload_hash: hash_of(&format!("payload {index}")),
        leaf_hash: leaf_hash(&leaf),
        leaf,
        event_id: format!("event-{index}"),
        source: format!("urn:piperoll:pipeline:p{}", index % 3),
        kind: if odd {
            "deployment.finished"
        } else {
            "change.merged"
        }
        .to_owned(),
        type_name: "dev.cdevents.change.merged.0.3.0".to_owned(),
        time: "2026-11-21T02:13:00.123456789Z".parse().unwrap(),
        subject: format!("subject {index}"),
        change: odd.then(|| format!("github:acme/checkout#{index}")),
        service: odd.then(|| "checkout".to_owned()),
        environment: (index % 4 == 1).then(|| "prod".to_owned()),
        keyid: "SHA256:abc".to_owned(),
        payload: format!("payload {index}").into_bytes(),
        texts: if odd {
            vec![("reason".to_owned(), text(&format!("because {index}")))]
        } else {
            Vec::new()
        },
    }
}
/// A head of this size; its root is made up.
pub(crate) fn head(size: u64, epoch: u64) -> Head {
    Head {
        size,
        root: hash_of(&format!("root {size}")),
        epoch,
        recorded_at: at(size.saturating_sub(1) * 1000),
        cursor: Cursor {
            incarnation: "embedded".to_owned(),
            sequence: size,
            message: Some((hash_of(&format!("message {size}")), at(size * 1000))),
        },
    }
}
/// The batch that adds `count` entries to a ledger of `size` and takes as many messages.
pub(crate) fn batch(size: u64, count: u64) -> Batch {
    Batch {
        expected: (size > 0).then_some((size, 1)),
        head: head(size + count, 1),
        entries: (size..size + count).map(entry).collect(),
        late_texts: Vec::new(),
        tiles: Vec::new(),
        refused: Vec::new(),
        junk: Vec::new(),
        consumed: vec![Consumed {
            incarnation: "embedded".to_owned(),
            range: Some((size + 1, size + count)),
            recorded: count,
            duplicate: 0,
            refused: 0,
            junk: 0,
        }],
        fold: FOLD,
        read_models: Changes::default(),
    }
}
