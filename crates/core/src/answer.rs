//! Answers for people and programs, made on reading from aggregates, entries and texts.
//!
//! Pure, in the manner of the fold: an answer is asked of a [`Reading`]; when something is not loaded yet the answer is
//! `Err(Need)`, the caller loads that and asks again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use piperoll_tlog::Hash;

use crate::{event::Event, fold::Key};

/// What must be loaded before the answer can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    pub aggregates: BTreeSet<Key>,
    pub entries: BTreeSet<u64>,
}
/// The words of a text, or why there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub aggregates: HashMap<Key, Option<serde_json::Value>>,
    pub entries: HashMap<u64, EntryRead>,
}
