//! What the projector knows between two batches. All of it follows from the database, so it can be dropped at any time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_core::{
    authority::{self, Authority},
    event::Event,
    fold::Working,
    kind::{Content, Kind, TimeCorrected},
    time,
};
use piperoll_store::{self as store, Head, Store};
use piperoll_tlog::tree::Edge;

use crate::hashes;

/// Entries read at once while the state is rebuilt.
const PAGE_ENTRIES: u32 = 500;
/// Aggregates kept in memory between batches; above it the cache starts anew after a commit.
const CACHE_AGGREGATES_MAX: usize = 20_000;

/// Head, authority, edge of the tree and cache of aggregates, all at the same position.
#[derive(Debug)]
pub struct State {
    /// `None` before entry 0.
    pub(super) head: Option<Head>,
    pub(super) authority: Authority,
    pub(super) edge: Edge,
    pub(super) working: Working,
    pub(super) corrections: Corrections,
}
impl State {
    /// Before entry 0.
    pub fn empty() -> Self {
        Self {
            head: None,
            authority: Authority::new(),
            edge: Edge::new(),
            working: Working::new(),
            corrections: Corrections::default(),
        }
    }
    /// Rebuilds the state from what is committed. The root of the stored hashes must be the head's.
    pub async fn load(store: &dyn Store) -> Result<Self, store::Error> {
        let Some(head) = store.head().await? else {
            return Ok(Self::empty());
        };
        let edge = hashes::edge_at(store, head.size).await?;
        if edge.root() != head.root {
            return Err(store::Error::Corrupt {
                place: "head".to_owned(),
                what: format!(
                    "its root {} is not that of the {} stored leaf hashes, {}",
                    head.root,
                    head.size,
                    edge.root()
                ),
            });
        }
        let mut state = Self {
            head: Some(head),
            edge,
            ..Self::empty()
        };
        state.load_authority(store).await?;
        Ok(state)
    }
    async fn load_authority(&mut self, store: &dyn Store) -> Result<(), store::Error> {
        let kinds: Vec<_> = Kind::ALL
            .iter()
            .filter(|kind| Authority::concerns(**kind) || **kind == Kind::TimeCorrected)
            .map(|kind| kind.name())
            .collect();
        let mut from = 0;
        loop {
            let indexes = store.indexes_of_kinds(&kinds, from, PAGE_ENTRIES).await?;
            let Some(last) = indexes.last() else { break };
            from = last + 1;
            for entry in store.entries_at(&indexes).await? {
                let event = read_event(&entry)?;
                self.authority
                    .apply(entry.index, &entry.leaf, &event)
                    .map_err(corrupt)?;
                if let Content::TimeCorrected(correction) = &event.content {
                    self.corrections.add(correction);
                }
            }
        }
        if let Some(head) = &self.head {
            self.corrections.forget_up_to(&head.cursor);
        }
        Ok(())
    }
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }
    /// Keys and roles as of the head; cheap to clone, for checking signatures ahead.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
    /// The time a message counts as stamped with: its own, unless an administrator corrected it.
    pub fn effective_time(&self, sequence: u64, stamped: Timestamp) -> Timestamp {
        let Some(head) = &self.head else {
            return stamped;
        };
        self.corrections
            .used_time(&head.cursor.incarnation, sequence, stamped)
            .unwrap_or(stamped)
    }
    /// Keeps the cache of aggregates within its limit.
    pub(super) fn trim(&mut self) {
        if self.working.len() > CACHE_AGGREGATES_MAX {
            self.working = Working::new();
        }
    }
}

/// An entry that the rules do not allow.
pub(super) fn corrupt(corrupt: authority::Corrupt) -> store::Error {
    store::Error::Corrupt {
        place: format!("entry {}", corrupt.index),
        what: corrupt.what,
    }
}
/// The event of a stored entry. What cannot be read is corrupt: it was checked before it was recorded.
pub fn read_event(entry: &store::StoredEntry) -> Result<Event, store::Error> {
    let corrupt = |what: String| store::Error::Corrupt {
        place: format!("entry {}", entry.index),
        what,
    };
    let payload = entry
        .payload
        .as_deref()
        .ok_or_else(|| corrupt("its payload is missing".to_owned()))?;
    Event::parse(payload).map_err(|refusal| corrupt(refusal.to_string()))
}

/// Messages whose stream time an administrator corrected, by (incarnation, sequence): their own time and the one used.
#[derive(Clone, Debug, Default)]
pub(super) struct Corrections(BTreeMap<(String, u64), (Timestamp, Timestamp)>);
impl Corrections {
    pub(super) fn add(&mut self, content: &TimeCorrected) {
        let times = time::parse(&content.stream_time).zip(time::parse(&content.used_time));
        if let Some(times) = times {
            self.0
                .insert((content.incarnation.clone(), content.sequence), times);
        }
    }
    /// A correction counts for the message that bears the time it names, to the millisecond: a stream rolled back may hold another.
    fn used_time(&self, incarnation: &str, sequence: u64, stamped: Timestamp) -> Option<Timestamp> {
        let (own, used) = self.0.get(&(incarnation.to_owned(), sequence))?;
        (time::floor_to_millis(*own) == time::floor_to_millis(stamped)).then_some(*used)
    }
    pub(super) fn forget_up_to(&mut self, cursor: &store::Cursor) {
        self.0.retain(|(incarnation, sequence), _| {
            *incarnation == cursor.incarnation && *sequence > cursor.sequence
        });
    }
}
