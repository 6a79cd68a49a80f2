//! The fold: entries in, read models out (`design.md` section 7, `formats.md` section 9).
//!
//! Pure over the few aggregates an entry touches. [`fold`] reads all it needs before it writes; on [`Missing`] nothing was
//! written, the caller loads those keys and calls again. It never emits events, stores nothing that depends on "now", and holds
//! (index, text name), never words. Nothing depends on where a batch ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use piperoll_tlog::Hash;

use crate::event::Event;

/// The number of this fold; every key of a read model starts with it, so that a rebuild can stand beside.
pub const FOLD: u32 = 1;

/// Which aggregate. `kind` is one word (`change`, `commit`, `deployment`, …), `id` its key within the kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    pub kind: &'static str,
    pub id: String,
}

/// Aggregates the fold must see before it can go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing(pub BTreeSet<Key>);

/// A recorded event, as the fold sees it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub index: u64,
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub event: &'a Event,
}

/// A row of a typed question table. Every row is keyed by the fold number as well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Row {
    /// `alias` is another name of `change` (inserted once; the same row again changes nothing).
    Alias { alias: String, change: String },
    /// It is no longer (a shared digest).
    AliasGone { alias: String, change: String },
    /// One row a change: its service and the last entry that touched it (upserted).
    Change {
        change: String,
        service: Option<String>,
        last_index: u64,
    },
    /// A change that turned out to be another one's commit is listed no longer.
    ChangeGone { change: String },
    /// What is in (service, environment) from `from_index` on; `body` is JSON. Closes the row that was open.
    Slot {
        service: String,
        environment: String,
        from_index: u64,
        body: String,
    },
}

/// Aggregates loaded so far, and what the fold changed since [`Working::take_changes`].
#[derive(Clone, Debug, Default)]
pub struct Working {
    loaded: HashMap<Key, Option<serde_json::Value>>,
    dirty: BTreeSet<Key>,
    rows: Vec<Row>,
}
impl Working {
    pub fn new() -> Self {
        Self::default()
    }
    /// Gives what the store has for a key: its JSON, or `None` when there is no such aggregate.
    pub fn provide(&mut self, _key: Key, _json: Option<&str>) -> Result<(), serde_json::Error> {
        todo!()
    }
    pub fn is_loaded(&self, key: &Key) -> bool {
        self.loaded.contains_key(key)
    }
    /// How many aggregates are held, so that a cache can be bounded.
    pub fn len(&self) -> usize {
        self.loaded.len()
    }
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
    }
    /// What is to be written, and starts anew. The loaded aggregates stay, as a cache.
    pub fn take_changes(&mut self) -> Changes {
        todo!()
    }
}
/// What a batch does to the read models: each aggregate once, rows in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Key to the aggregate's JSON.
    pub aggregates: BTreeMap<Key, String>,
    pub rows: Vec<Row>,
}

/// Takes one entry in.
pub fn fold(_entry: Entry<'_>, _working: &mut Working) -> Result<(), Missing> {
    todo!()
}
/// The aggregates that folding this entry will surely need; prefetching them is only speed.
pub fn needs(_entry: Entry<'_>) -> Vec<Key> {
    todo!()
}
