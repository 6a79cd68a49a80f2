//! Read models in memory: what a store keeps of the fold, and what it gives back to it and to answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use piperoll_core::{
    answer::{EntryRead, Need, Reading, SlotRead, Words},
    event::{Event, Payload},
    fold::{
        self, Key, Missing, Row, Working,
        aggregate::{Held, Kept},
    },
    leaf::Leaf,
    time::Timestamp,
};
use piperoll_tlog::{Hash, hash};
use serde_json::Value;

use crate::support::{read_lines, test_data};

/// Rounds of loading after which the projector gives up on an entry.
const ROUNDS_MAX: usize = 64;

/// A recorded event with its words.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) event: Arc<Event>,
    pub(crate) payload_hash: Hash,
    pub(crate) recorded_at: Timestamp,
    /// The entry that registered its key.
    pub(crate) key: u64,
    pub(crate) texts: BTreeMap<String, String>,
}
impl Told {
    /// Reads the payload as the ledger does: it must be something it takes.
    pub(crate) fn new(
        payload: &str,
        recorded_at: Timestamp,
        texts: BTreeMap<String, String>,
    ) -> Self {
        let read = Payload::parse(payload.as_bytes()).and_then(|payload| Event::read(&payload));
        let event = read.unwrap_or_else(|refusal| panic!("{refusal}: {payload}"));
        Self {
            event: Arc::new(event),
            payload_hash: hash::sha256(payload.as_bytes()),
            recorded_at,
            key: 0,
            texts,
        }
    }
}

/// The events of the example, with the words that came beside them.
pub(crate) fn example() -> Vec<Told> {
    let folder = test_data("example");
    let mut words: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for message in read_lines(&folder.join("messages.jsonl")) {
        let Ok(envelope) = serde_json::from_str::<Value>(message["envelope"].as_str().unwrap())
        else {
            continue;
        };
        let verdict = message["verdict"].as_str().unwrap();
        let (Some(texts), "recorded" | "duplicate") = (envelope["texts"].as_object(), verdict)
        else {
            continue;
        };
        let payload = envelope["payload"].as_str().unwrap().to_owned();
        for (name, text) in texts {
            words
                .entry(payload.clone())
                .or_default()
                .insert(name.clone(), text["body"].as_str().unwrap().to_owned());
        }
    }
    read_lines(&folder.join("entries.jsonl"))
        .into_iter()
        .map(|line| {
            let payload = line["payload"].as_str().unwrap().to_owned();
            let encoded = piperoll_tlog::encoding::base64(payload.as_bytes());
            let leaf = Leaf::parse(line["leaf"].as_str().unwrap().as_bytes()).unwrap();
            let words = words.remove(&encoded).unwrap_or_default();
            Told {
                key: leaf.key.index,
                ..Told::new(&payload, leaf.recorded_at, words)
            }
        })
        .collect()
}

#[derive(Clone, Default)]
pub(crate) struct Models {
    pub(crate) told: Vec<Told>,
    pub(crate) aggregates: BTreeMap<Key, String>,
    pub(crate) aliases: BTreeSet<(String, String)>,
    pub(crate) changes: BTreeMap<String, (Option<String>, u64)>,
    /// (service, environment) to rows by `from_index`.
    pub(crate) slots: BTreeMap<(String, String), BTreeMap<u64, String>>,
    pub(crate) rounds_max: usize,
    /// Most aggregates that one batch read, most that it wrote, and in how many bytes.
    pub(crate) read_max: usize,
    pub(crate) written_max: usize,
    pub(crate) written_bytes_max: usize,
}
impl Models {
    /// Folds everything, `batch` entries at a time.
    pub(crate) fn of(told: &[Told], batch: usize) -> Self {
        let mut models = Self::default();
        models.go_on(told, batch);
        models
    }
    /// Folds what follows, and measures it anew.
    pub(crate) fn go_on(&mut self, told: &[Told], batch: usize) {
        (self.rounds_max, self.read_max) = (0, 0);
        (self.written_max, self.written_bytes_max) = (0, 0);
        for chunk in told.chunks(batch) {
            let mut working = Working::new();
            for one in chunk {
                self.take(one, &mut working);
            }
            self.commit(&mut working);
        }
    }
    fn take(&mut self, told: &Told, working: &mut Working) {
        let entry = fold::Entry {
            index: u64::try_from(self.told.len()).unwrap(),
            recorded_at: told.recorded_at,
            payload_hash: told.payload_hash,
            key: told.key,
            event: &told.event,
        };
        for key in fold::needs(entry) {
            let json = self.aggregates.get(&key).map(String::as_str);
            working.provide(key, json).unwrap();
        }
        let mut rounds = 0;
        while let Err(Missing(keys)) = fold::fold(entry, working) {
            rounds += 1;
            assert!(
                rounds < ROUNDS_MAX,
                "entry {} goes on needing {keys:?}",
                entry.index
            );
            assert!(!keys.is_empty());
            for key in keys {
                assert!(!working.is_loaded(&key), "asked again for {key:?}");
                let json = self.aggregates.get(&key).map(String::as_str);
                working.provide(key, json).unwrap();
            }
        }
        self.rounds_max = self.rounds_max.max(rounds);
        self.told.push(told.clone());
    }
    fn commit(&mut self, working: &mut Working) {
        let changes = working.take_changes();
        let bytes = changes.aggregates.values().map(String::len).sum();
        self.read_max = self.read_max.max(working.len());
        self.written_max = self.written_max.max(changes.aggregates.len());
        self.written_bytes_max = self.written_bytes_max.max(bytes);
        self.aggregates.extend(changes.aggregates);
        for row in changes.rows {
            match row {
                Row::Alias { alias, change } => {
                    self.aliases.insert((alias, change));
                }
                Row::AliasGone { alias, change } => {
                    self.aliases.remove(&(alias, change));
                }
                Row::Change {
                    change,
                    service,
                    last_index,
                } => {
                    self.changes.insert(change, (service, last_index));
                }
                Row::ChangeGone { change } => {
                    self.changes.remove(&change);
                }
                Row::Slot {
                    service,
                    environment,
                    from_index,
                    body,
                } => {
                    self.slots
                        .entry((service, environment))
                        .or_default()
                        .insert(from_index, body);
                }
            }
        }
    }

    pub(crate) fn get<A: Kept>(&self, id: &str) -> Option<A> {
        let json = self.aggregates.get(&A::key(id))?;
        Some(serde_json::from_str(json).unwrap())
    }
    /// All aggregates of a sort, by id.
    pub(crate) fn all<A: Kept>(&self) -> BTreeMap<String, A> {
        self.aggregates
            .iter()
            .filter(|(key, _)| key.kind == A::KIND)
            .map(|(key, json)| (key.id.clone(), serde_json::from_str(json).unwrap()))
            .collect()
    }
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.told.len()).unwrap()
    }
    /// The slot rows in force at a size.
    pub(crate) fn slots_at(&self, size: u64) -> Vec<SlotRead> {
        self.slots
            .iter()
            .filter_map(|((service, environment), rows)| {
                let (_, body) = rows.range(..size).next_back()?;
                let read = SlotRead::read(service.clone(), environment.clone(), body);
                Some(read.unwrap())
            })
            .collect()
    }
    /// As the store finds changes.
    pub(crate) fn find(&self, text: &str) -> Vec<String> {
        let names = || {
            let aliases = self.aliases.iter().map(|(alias, change)| (alias, change));
            aliases.chain(self.changes.keys().map(|change| (change, change)))
        };
        let exact: BTreeSet<String> = names()
            .filter(|(name, _)| *name == text)
            .map(|(_, change)| change.clone())
            .collect();
        if !exact.is_empty() {
            return exact.into_iter().collect();
        }
        let starting: BTreeSet<String> = names()
            .filter(|(name, _)| name.starts_with(text))
            .map(|(_, change)| change.clone())
            .collect();
        starting.into_iter().collect()
    }
    /// Asks until there is an answer.
    pub(crate) fn ask<T>(
        &self,
        size: u64,
        mut question: impl FnMut(&Reading) -> Result<T, Need>,
    ) -> T {
        let mut reading = Reading {
            size,
            ..Reading::default()
        };
        for _ in 0..ROUNDS_MAX {
            match question(&reading) {
                Ok(answer) => return answer,
                Err(need) => self.load(&mut reading, need),
            }
        }
        panic!("the question does not end");
    }
    fn load(&self, reading: &mut Reading, need: Need) {
        assert_ne!(
            need,
            Need::default(),
            "nothing is needed and there is no answer"
        );
        for key in need.aggregates {
            let json = self.aggregates.get(&key);
            let value = json.map(|json| Arc::new(Held::from_json(key.kind, json).unwrap()));
            let before = reading.aggregates.insert(key.clone(), value);
            assert!(before.is_none(), "asked again for {key:?}");
        }
        for index in need.entries {
            assert!(
                index < reading.size,
                "entry {index} is not there at {}",
                reading.size
            );
            let read = self.entry(index);
            let before = reading.entries.insert(index, read);
            assert!(before.is_none(), "asked again for entry {index}");
        }
    }
    pub(crate) fn entry(&self, index: u64) -> EntryRead {
        let told = &self.told[usize::try_from(index).unwrap()];
        let event = Event::clone(&told.event);
        let texts = event
            .profile
            .texts
            .keys()
            .map(|name| {
                let words = match told.texts.get(name) {
                    Some(body) => Words::Said(body.clone()),
                    None => Words::NotSupplied,
                };
                (name.clone(), words)
            })
            .collect();
        EntryRead {
            index,
            recorded_at: told.recorded_at,
            payload_hash: told.payload_hash,
            event,
            texts,
        }
    }
}
