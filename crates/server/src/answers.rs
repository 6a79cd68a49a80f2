//! Loads what `core::answer` needs and gives its answers: the rim around the pure questions.
//!
//! An answer speaks of one size of the ledger. Read models are mutable, so the head is read before and after everything else; when
//! it moved in between, the question is asked again, this time with all it needed before loaded at once, which leaves the projector
//! hardly a moment to come in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use piperoll_core::{
    answer::{self, EntryRead, Found, Need, Reading, Words},
    event::{Event, Payload},
    fold::{self, FOLD, aggregate::Held},
};
use piperoll_store::{self as store, Store, StoredEntry};

use crate::api::limits;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("reading from the store")]
    Store(#[from] store::Error),
    /// A mistake of ours: the question goes on needing what it was given.
    #[error("the question needs {0} and does not end")]
    Endless(String),
    /// The ledger grew during every attempt; try again.
    #[error("the ledger grew faster than the question could be answered")]
    Moving,
}

/// How often a question is asked again because the ledger grew meanwhile.
const ATTEMPTS_MAX: usize = 16;

/// Asks `question` of the ledger as it stands now.
pub async fn ask<T>(
    store: &dyn Store,
    mut question: impl FnMut(&Reading) -> Result<T, Need>,
) -> Result<T, Error> {
    let mut wanted = Need::default();
    for _ in 0..ATTEMPTS_MAX {
        let size = size(store).await?;
        let mut reading = Reading {
            size,
            ..Reading::default()
        };
        // An earlier attempt may have met entries that are at or above this attempt's size only if the head went back.
        load(store, &mut reading, &wanted).await?;
        let Some(answer) = rounds(store, &mut reading, &mut wanted, &mut question).await? else {
            continue;
        };
        if self::size(store).await? == size {
            return Ok(answer);
        }
    }
    Err(Error::Moving)
}

/// Asks until the answer is there; `None` when the ledger grew meanwhile.
async fn rounds<T>(
    store: &dyn Store,
    reading: &mut Reading,
    wanted: &mut Need,
    question: &mut impl FnMut(&Reading) -> Result<T, Need>,
) -> Result<Option<T>, Error> {
    for _ in 0..limits::ANSWER_ROUNDS_MAX {
        let need = match question(reading) {
            Ok(answer) => return Ok(Some(answer)),
            Err(need) => need,
        };
        if need.entries.iter().any(|index| *index >= reading.size) {
            // A read model of a later size speaks of an entry that this reading does not have yet.
            if size(store).await? == reading.size {
                return Err(Error::Endless(describe(&need)));
            }
            wanted.entries.extend(need.entries);
            return Ok(None);
        }
        let before = (reading.aggregates.len(), reading.entries.len());
        load(store, reading, &need).await?;
        if (reading.aggregates.len(), reading.entries.len()) == before {
            return Err(Error::Endless(describe(&need)));
        }
        wanted.aggregates.extend(need.aggregates);
        wanted.entries.extend(need.entries);
    }
    Err(Error::Endless(
        "more rounds than any question takes".to_owned(),
    ))
}
fn describe(need: &Need) -> String {
    let aggregate = need
        .aggregates
        .first()
        .map(|key| format!("{} {:?}", key.kind, key.id));
    let entry = need.entries.first().map(|index| format!("entry {index}"));
    aggregate.or(entry).unwrap_or_else(|| "nothing".to_owned())
}

/// Number of entries; 0 before entry 0.
async fn size(store: &dyn Store) -> Result<u64, store::Error> {
    Ok(store.head().await?.map_or(0, |head| head.size))
}
async fn load(store: &dyn Store, reading: &mut Reading, need: &Need) -> Result<(), Error> {
    let keys: Vec<fold::Key> = need
        .aggregates
        .iter()
        .filter(|key| !reading.aggregates.contains_key(key))
        .cloned()
        .collect();
    if !keys.is_empty() {
        let found = store.aggregates(FOLD, &keys).await?;
        for (key, json) in keys.into_iter().zip(found) {
            let value = json.map(|json| aggregate(&key, &json)).transpose()?;
            reading.aggregates.insert(key, value);
        }
    }
    let indexes: Vec<u64> = need
        .entries
        .iter()
        .copied()
        .filter(|index| *index < reading.size && !reading.entries.contains_key(index))
        .collect();
    if !indexes.is_empty() {
        for stored in store.entries_at(&indexes).await? {
            let read = entry(stored)?;
            reading.entries.insert(read.index, read);
        }
    }
    Ok(())
}
fn aggregate(key: &fold::Key, json: &str) -> Result<Arc<Held>, store::Error> {
    Held::from_json(key.kind, json)
        .map(Arc::new)
        .map_err(|error| store::Error::Corrupt {
            place: format!("aggregate {} {:?}", key.kind, key.id),
            what: error.to_string(),
        })
}

/// An entry as `core` reads it. What was recorded passed every check, so that it reads is not a question but a fact.
pub fn entry(stored: StoredEntry) -> Result<EntryRead, store::Error> {
    let place = || format!("entry {}", stored.index);
    let corrupt = |what: String| store::Error::Corrupt {
        place: place(),
        what,
    };
    let payload = stored
        .payload
        .as_deref()
        .ok_or_else(|| corrupt("its payload is gone".to_owned()))?;
    let event = Payload::parse(payload)
        .and_then(|payload| Event::read(&payload))
        .map_err(|refusal| corrupt(refusal.to_string()))?;
    let mut supplied: BTreeMap<String, Words> = stored
        .texts
        .into_iter()
        .map(|(name, text)| {
            let words = text.map_or(Words::Erased, |text| Words::Said(text.body));
            (name, words)
        })
        .collect();
    let texts = event
        .profile
        .texts
        .keys()
        .map(|name| {
            let words = supplied.remove(name).unwrap_or(Words::NotSupplied);
            (name.clone(), words)
        })
        .collect();
    Ok(EntryRead {
        index: stored.index,
        recorded_at: stored.recorded_at,
        payload_hash: stored.payload_hash,
        event,
        texts,
    })
}

/// Which change somebody means by what they typed.
pub async fn find(store: &dyn Store, typed: &str) -> Result<Found, store::Error> {
    for text in answer::lookups(typed) {
        let rows = store
            .find_changes(FOLD, &text, limits::FIND_ROWS_MAX)
            .await?;
        if !rows.is_empty() {
            return Ok(answer::find_change(typed, &rows));
        }
    }
    Ok(answer::find_change(typed, &[]))
}
/// The entries of a change's story, ascending; `None` if the ledger knows no such change.
pub async fn entries_of_change(
    store: &dyn Store,
    change: &str,
) -> Result<Option<BTreeSet<u64>>, Error> {
    ask(store, |reading| answer::entries_of_change(change, reading)).await
}
/// The answers to several questions, in order; what they need is collected, so that it is loaded at once.
pub fn all<Q, T>(
    questions: impl IntoIterator<Item = Q>,
    mut ask: impl FnMut(Q) -> Result<T, Need>,
) -> Result<Vec<T>, Need> {
    let mut need = Need::default();
    let mut answers = Vec::new();
    let mut complete = true;
    for question in questions {
        match ask(question) {
            Ok(answer) => answers.push(answer),
            Err(more) => {
                complete = false;
                need.aggregates.extend(more.aggregates);
                need.entries.extend(more.entries);
            }
        }
    }
    if complete { Ok(answers) } else { Err(need) }
}
