//! Loads what `core::answer` needs and gives its answers: the rim around the pure questions.
//!
//! An answer speaks of one size of the ledger: `core` leaves out what came later, though read models may hold it already. Where the
//! ledger grew while an answer about "now" was loaded, it is asked again a few times, so that read models and size fit exactly.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use piperoll_core::{
    answer::{self, EntryRead, Found, Need, Reading, Words},
    fold::{self, FOLD, aggregate::Held},
};
use piperoll_store::{self as store, Store, StoredEntry};

use crate::{api::limits, projector::read_event};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("reading from the store")]
    Store(#[from] store::Error),
    /// A mistake of ours: the question goes on needing what it was given.
    #[error("the question needs {0} and does not end")]
    Endless(String),
    /// Asked as of a size the ledger does not have yet; it has `size`.
    #[error("the ledger has only {size} entries")]
    Ahead { size: u64 },
}

/// How often a question about now is asked because the ledger grew meanwhile. The last answer is taken as it is.
const ATTEMPTS_MAX: usize = 3;

/// Asks `question` of the ledger as it stands now, or as of an earlier size.
pub async fn ask<T>(
    store: &dyn Store,
    as_of: Option<u64>,
    mut question: impl FnMut(&Reading) -> Result<T, Need>,
) -> Result<T, Error> {
    let mut wanted = Need::default();
    let mut attempt = 1;
    loop {
        let head = size(store).await?;
        let size = as_of.unwrap_or(head);
        if size > head {
            return Err(Error::Ahead { size: head });
        }
        let mut reading = Reading {
            size,
            ..Reading::default()
        };
        // Every answer says as of when it speaks.
        wanted.entries.extend(size.checked_sub(1));
        // What the attempt before needed is loaded at once, which leaves the projector hardly a moment to come in between.
        load(store, &mut reading, &wanted).await?;
        let answer = rounds(store, &mut reading, &mut wanted, &mut question).await?;
        let settled = as_of.is_some() || attempt == ATTEMPTS_MAX;
        if settled || self::size(store).await? == head {
            return Ok(answer);
        }
        attempt += 1;
    }
}

/// Asks until the answer is there.
async fn rounds<T>(
    store: &dyn Store,
    reading: &mut Reading,
    wanted: &mut Need,
    question: &mut impl FnMut(&Reading) -> Result<T, Need>,
) -> Result<T, Error> {
    for _ in 0..limits::ANSWER_ROUNDS_MAX {
        let need = match question(reading) {
            Ok(answer) => return Ok(answer),
            Err(need) => need,
        };
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
    let event = read_event(&stored)?;
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
    as_of: u64,
    change: &str,
) -> Result<Option<BTreeSet<u64>>, Error> {
    ask(store, Some(as_of), |reading| {
        answer::entries_of_change(change, reading)
    })
    .await
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
