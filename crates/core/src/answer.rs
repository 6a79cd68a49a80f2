//! Answers for people and programs, made on reading from aggregates, entries and texts.
//!
//! Pure, in the manner of the fold: an answer is asked of a [`Reading`]; when something is not loaded yet the answer is
//! `Err(Need)`, the caller loads that and asks again until it is `Ok` (a handful of rounds).
//!
//! Every answer is plain data with public fields, serialises as the JSON of `/v1` and reads back from it, and holds no markup:
//! a page, a terminal and a report render the same struct. Sentences are [`part::Sentence`]s, made here so that they are the
//! same everywhere. Times are instants; [`part::Sentence::plain`] writes them in UTC.
//!
//! | question | function | answer |
//! |---|---|---|
//! | what is where | [`where_is()`] | [`Where`] |
//! | the whole story of a change | [`story()`] | [`Story`] |
//! | many changes, one line each | [`changes()`] | [`ChangeLine`] |
//! | one entry, one line | [`log_row()`] | [`LogRow`] |
//! | one entry, opened | [`entry()`] | [`EntryView`] |
//! | what happened in a window | [`timeline()`] | [`Timeline`] |
//! | which change somebody means | [`lookups()`], then [`find_change()`] | [`Found`] |

mod agreement;
mod asked;
mod environment;
mod find;
mod gather;
mod lead;
mod line;
mod log_row;
mod names;
pub mod part;
mod picture;
mod say;
mod story;
mod timeline;
mod where_is;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use piperoll_tlog::Hash;
use serde::{Deserialize, Serialize};

pub use agreement::{Agreement, Covers};
pub use find::{Found, find_change, lookups};
pub use log_row::{EntryView, LogRow, NamedText, entry, log_row};
pub use picture::{AlertBar, AttemptMark, Bar, Lane, PersonMark, Picture, Stage};
pub use story::{ChangeLine, State, Story, changes, entries_of_change, story};
pub use timeline::{Timeline, Window, timeline};
pub use where_is::{Behind, Cell, Contents, Narrowed, SlotRead, Where, WhereRow, where_is};

use crate::{
    event::Event,
    fold::{Key, aggregate::Held},
};

/// What must be loaded before the answer can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    pub aggregates: BTreeSet<Key>,
    pub entries: BTreeSet<u64>,
}
/// The words of a text, or why there are none. As JSON `{"said": "…"}`, `"not_supplied"` or `"erased"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Words {
    Said(String),
    NotSupplied,
    Erased,
}
/// An entry as a reader sees it.
#[derive(Clone, Debug)]
pub struct EntryRead {
    pub index: u64,
    pub recorded_at: Timestamp,
    pub payload_hash: Hash,
    pub event: Event,
    pub texts: BTreeMap<String, Words>,
}
/// What is loaded so far, all as of one size of the ledger.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Number of entries the answer speaks of.
    pub size: u64,
    /// Read from JSON by [`Held::from_json`]; `None` when there is no such aggregate.
    pub aggregates: HashMap<Key, Option<Arc<Held>>>,
    pub entries: HashMap<u64, EntryRead>,
}
