//! Batches to commit: small, and different in every column.

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    envelope::Text,
    fold::{Changes, Key, Row},
    judge::Reason,
};
use piperoll_store::{Batch, Consumed, Cursor, Expected, Head, NewEntry, NewJunk, NewRefused};
use piperoll_tlog::{
    hash::{leaf_hash, sha256},
    tree::Edge,
};

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
        stream_time: at(index * 1000),
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
/// What such a head is to the next batch.
pub(crate) fn expected(size: u64, epoch: u64) -> Expected {
    Expected::from(&head(size, epoch))
}
/// The batch that adds `count` entries to a ledger of `size` and takes as many messages.
pub(crate) fn batch(size: u64, count: u64) -> Batch {
    Batch {
        expected: (size > 0).then(|| expected(size, 1)),
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

pub(crate) fn refused(name: &str, reason: Reason) -> NewRefused {
    NewRefused {
        at: "2026-11-21T02:13:00.000000001Z".parse().unwrap(),
        source: "urn:piperoll:pipeline:p0".to_owned(),
        event_id: format!("refused {name}"),
        payload_hash: hash_of(name),
        reason,
        detail: format!("{name} was refused"),
        first: (reason == Reason::Equivocation).then_some(0),
        envelope: format!("{{\"payload\":\"{name}\"}}"),
    }
}
pub(crate) fn junk(ms: u64, subject: &str, reason: Reason) -> NewJunk {
    NewJunk {
        at: at(ms),
        subject: subject.to_owned(),
        reason,
    }
}
pub(crate) fn key(kind: &'static str, id: &str) -> Key {
    Key {
        kind,
        id: id.to_owned(),
    }
}
pub(crate) fn alias(alias: &str, change: &str) -> Row {
    Row::Alias {
        alias: alias.to_owned(),
        change: change.to_owned(),
    }
}
pub(crate) fn change(change: &str, last_index: u64) -> Row {
    Row::Change {
        change: change.to_owned(),
        service: Some("checkout".to_owned()),
        last_index,
    }
}
pub(crate) fn slot(service: &str, from_index: u64) -> Row {
    Row::Slot {
        service: service.to_owned(),
        environment: "prod".to_owned(),
        from_index,
        body: format!("{{\"by\":{from_index}}}"),
    }
}
/// A batch that changes read models only; its one entry keeps the head moving.
pub(crate) fn folding(size: u64, aggregates: &[(Key, &str)], rows: Vec<Row>) -> Batch {
    let aggregates = aggregates
        .iter()
        .map(|(key, body)| (key.clone(), (*body).to_owned()))
        .collect();
    Batch {
        read_models: Changes { aggregates, rows },
        ..batch(size, 1)
    }
}

/// A batch with something for every table, and the tree that its entries really make.
pub(crate) fn full_batch(size: u64, count: u64) -> Batch {
    let mut batch = batch(size, count);
    let mut edge = Edge::new();
    (0..size).for_each(|index| drop(edge.append(entry(index).leaf_hash)));
    batch.tiles = batch
        .entries
        .iter()
        .flat_map(|entry| edge.append(entry.leaf_hash))
        .collect();
    batch.head.root = edge.root();
    batch.refused = vec![refused(&format!("at {size}"), Reason::Grant)];
    batch.junk = vec![
        junk(size, "http", Reason::Shape),
        junk(size, "http", Reason::UnknownKey),
    ];
    batch.consumed[0].range = Some((size * 10 + 1, size * 10 + count + 3));
    (batch.consumed[0].refused, batch.consumed[0].junk) = (1, 2);
    let last = size + count - 1;
    batch
        .read_models
        .aggregates
        .insert(key("slot", "every"), batch.head.size.to_string());
    batch.read_models.aggregates.insert(
        key("change", &format!("c{size}")),
        "{\"standing\":\"open\"}".to_owned(),
    );
    batch.read_models.rows = vec![
        alias(&format!("tag:checkout@{size}"), &format!("c{size}")),
        change(&format!("c{size}"), last),
        slot("checkout", last),
    ];
    batch
}

/// Numbers that only look random: the same for the same seed, on every machine.
pub(crate) struct Seeded(u64);
impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
