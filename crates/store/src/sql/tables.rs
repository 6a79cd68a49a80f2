//! The tables, as bulk inserts, copies and digests need them. `migrations/` says the rest about each.

use super::dialect::{
    Kind::{Bytes, Int, Text},
    Table,
};

pub(crate) static ENTRY: Table = Table {
    name: "entry",
    columns: &[
        ("idx", Int),
        ("recorded_at", Int),
        ("payload_hash", Bytes),
        ("leaf", Bytes),
        ("leaf_hash", Bytes),
        ("event_id", Text),
        ("source", Text),
        ("kind", Text),
        ("type_name", Text),
        ("time", Text),
        ("subject", Text),
        ("change", Text),
        ("service", Text),
        ("environment", Text),
        ("keyid", Text),
        ("stream_time", Text),
    ],
    key: 1,
};
pub(crate) static PAYLOAD: Table = Table {
    name: "payload",
    columns: &[("idx", Int), ("body", Bytes)],
    key: 1,
};
pub(crate) static TEXT: Table = Table {
    name: "text",
    columns: &[
        ("idx", Int),
        ("name", Text),
        ("salt", Bytes),
        ("body", Text),
    ],
    key: 2,
};
pub(crate) static TILE: Table = Table {
    name: "tile",
    columns: &[
        ("level", Int),
        ("idx", Int),
        ("hashes", Bytes),
        ("root", Bytes),
    ],
    key: 2,
};
pub(crate) static CHECKPOINT: Table = Table {
    name: "checkpoint",
    columns: &[("size", Int), ("note", Text)],
    key: 1,
};
pub(crate) static CONSUMED: Table = Table {
    name: "consumed",
    columns: &[
        ("number", Int),
        ("incarnation", Text),
        ("from_sequence", Int),
        ("to_sequence", Int),
        ("recorded", Int),
        ("duplicate", Int),
        ("refused", Int),
        ("junk", Int),
    ],
    key: 1,
};
pub(crate) static REFUSED: Table = Table {
    name: "refused",
    columns: &[
        ("number", Int),
        ("at", Text),
        ("source", Text),
        ("event_id", Text),
        ("payload_hash", Bytes),
        ("reason", Text),
        ("detail", Text),
        ("first_idx", Int),
    ],
    key: 1,
};
pub(crate) static REFUSED_BODY: Table = Table {
    name: "refused_body",
    columns: &[("number", Int), ("envelope", Text)],
    key: 1,
};
pub(crate) static REFUSED_COUNT: Table = Table {
    name: "refused_count",
    columns: &[("number", Int), ("times", Int)],
    key: 1,
};
pub(crate) static JUNK: Table = Table {
    name: "junk",
    columns: &[
        ("hour", Int),
        ("subject", Text),
        ("reason", Text),
        ("count", Int),
    ],
    key: 3,
};
pub(crate) static LOGIN_ID: Table = Table {
    name: "login_id",
    columns: &[("host", Text), ("user_id", Text), ("account", Text)],
    key: 2,
};
pub(crate) static BRIDGE_SEEN: Table = Table {
    name: "bridge_seen",
    columns: &[
        ("bridge", Text),
        ("dedupe_key", Text),
        ("ordinal", Int),
        ("at", Text),
        ("envelope", Text),
    ],
    key: 3,
};
pub(crate) static BRIDGE_COUNT: Table = Table {
    name: "bridge_count",
    columns: &[("bridge", Text), ("event", Text), ("count", Int)],
    key: 2,
};
pub(crate) static HEAD: Table = Table {
    name: "head",
    columns: &[
        ("one", Int),
        ("size", Int),
        ("root", Bytes),
        ("epoch", Int),
        ("recorded_at", Int),
        ("incarnation", Text),
        ("sequence", Int),
        ("message_hash", Bytes),
        ("message_time", Text),
    ],
    key: 1,
};

pub(crate) static AGGREGATE: Table = Table {
    name: "aggregate",
    columns: &[("fold", Int), ("kind", Text), ("key", Text), ("body", Text)],
    key: 3,
};
pub(crate) static ALIAS: Table = Table {
    name: "alias",
    columns: &[("fold", Int), ("alias", Text), ("change", Text)],
    key: 3,
};
pub(crate) static CHANGE: Table = Table {
    name: "change",
    columns: &[
        ("fold", Int),
        ("change", Text),
        ("service", Text),
        ("last_index", Int),
    ],
    key: 2,
};
pub(crate) static SLOT: Table = Table {
    name: "slot",
    columns: &[
        ("fold", Int),
        ("service", Text),
        ("environment", Text),
        ("from_index", Int),
        ("to_index", Int),
        ("body", Text),
    ],
    key: 4,
};

/// The read models, in the order of their digest.
pub(crate) static READ_MODELS: [&Table; 4] = [&AGGREGATE, &ALIAS, &CHANGE, &SLOT];

/// Everything that a ledger is, in the order of a copy: the head makes it one, so it comes last.
pub(crate) static COPIED: [&Table; 18] = [
    &ENTRY,
    &PAYLOAD,
    &TEXT,
    &TILE,
    &CHECKPOINT,
    &CONSUMED,
    &REFUSED,
    &REFUSED_BODY,
    &REFUSED_COUNT,
    &JUNK,
    &LOGIN_ID,
    &BRIDGE_SEEN,
    &BRIDGE_COUNT,
    &AGGREGATE,
    &ALIAS,
    &CHANGE,
    &SLOT,
    &HEAD,
];

/// The names of all tables of a ledger.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    COPIED.iter().map(|table| table.name).chain(["lease"])
}
