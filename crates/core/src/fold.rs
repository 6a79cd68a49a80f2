//! The fold: entries in, read models out (`design.md` section 7, `formats.md` section 9).
//!
//! Pure over the few aggregates an entry touches. [`fold`] reads all it needs before it writes; on [`Missing`] nothing was
//! written, the caller loads those keys and calls again. It never emits events, stores nothing that depends on "now", and holds
//! (index, text name), never words. Nothing depends on where a batch ends.
//!
//! | module | takes in | keeps |
//! |---|---|---|
//! | [`aggregate`] | | the shapes of everything kept |
//! | `naming` | whatever names a change | [`aggregate::Change`], [`aggregate::Alias`]: which change a commit, digest or ticket is |
//! | `push` | `branch.pushed` | [`aggregate::Run`]: which commit follows which |
//! | `deployment` | `deployment.*`, `rollback.*`, `service.*` | [`aggregate::Deployment`] |
//! | `slot` | what happened in a service and environment | [`aggregate::Slot`]: what is there, what joins, follows and undoes what |
//! | `contents` | a deployment and what ran before it | the commits and changes it contains |
//! | `decision` | requests, decisions, overrides, bundles | [`aggregate::Decision`], [`aggregate::Content`] |
//! | `trouble` | alerts and incidents | [`aggregate::Trouble`] |
//! | `people` | persons, accounts, keys, roles, numbered chains | [`aggregate::Person`], [`aggregate::Account`], [`aggregate::Grant`], [`aggregate::Chain`] |
//!
//! Order of arrival does not matter: lists are kept by the emitters' times, and what is derived from them (joins, contents,
//! undoing, following) is worked out again whenever a list changes.

pub mod aggregate;
mod compare;
pub(crate) mod contents;
pub(crate) mod decision;
pub(crate) mod deployment;
pub(crate) mod naming;
pub(crate) mod people;
mod push;
pub(crate) mod session;
pub(crate) mod slot;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use piperoll_tlog::Hash;

use self::{aggregate::Held, session::Session};
use crate::{event::Event, kind::Content};

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
    /// The entry that registered the key that signed it (line 4 of its leaf).
    pub key: u64,
    pub event: &'a Event,
}

/// A row of a typed question table. Every row is keyed by the fold number as well.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Row {
    /// `alias` is another name of `change` (inserted once; the same row again changes nothing). One alias may stand for several
    /// changes, such as `#7` in two repositories.
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
///
/// Cloning is shallow. After a commit that failed, throw it away: what it holds is ahead of the store.
#[derive(Clone, Debug, Default)]
pub struct Working {
    loaded: HashMap<Key, Option<Arc<Held>>>,
    dirty: BTreeSet<Key>,
    rows: Vec<Row>,
}
impl Working {
    pub fn new() -> Self {
        Self::default()
    }
    /// Gives what the store has for a key: its JSON, or `None` when there is no such aggregate. What is held already stays,
    /// because it may be newer.
    pub fn provide(&mut self, key: Key, json: Option<&str>) -> Result<(), serde_json::Error> {
        if self.loaded.contains_key(&key) {
            return Ok(());
        }
        let held = match json {
            Some(json) => Some(Arc::new(Held::from_json(key.kind, json)?)),
            None => None,
        };
        self.loaded.insert(key, held);
        Ok(())
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
        let aggregates = std::mem::take(&mut self.dirty)
            .into_iter()
            .filter_map(|key| {
                let json = self.loaded.get(&key)?.as_ref()?.to_json();
                Some((key, json))
            })
            .collect();
        Changes {
            aggregates,
            rows: std::mem::take(&mut self.rows),
        }
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
pub fn fold(entry: Entry<'_>, working: &mut Working) -> Result<(), Missing> {
    let mut session = Session::new(working);
    route(entry, &mut session)?;
    let (written, rows) = session.finish();
    for (key, held) in written {
        working.loaded.insert(key.clone(), Some(Arc::new(held)));
        working.dirty.insert(key);
    }
    working.rows.extend(rows);
    Ok(())
}
/// The aggregates that folding this entry will surely need; prefetching them is only speed.
pub fn needs(entry: Entry<'_>) -> Vec<Key> {
    match fold(entry, &mut Working::new()) {
        Ok(()) => Vec::new(),
        Err(Missing(keys)) => keys.into_iter().collect(),
    }
}

/// What every entry goes through.
enum Part {
    Number,
    Name,
    Kind,
}
/// All three look at what is missing before giving up, so that it is loaded in one go.
fn route(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    session::each([Part::Number, Part::Name, Part::Kind], |part| match part {
        Part::Number => people::number(entry, session),
        Part::Name => naming::name(entry, session),
        Part::Kind => take(entry, session),
    })
}

fn take(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    match &entry.event.content {
        Content::LedgerCreated(_)
        | Content::StreamAdopted(_)
        | Content::StreamGapAccepted(_)
        | Content::TimeCorrected(_)
        // What these say of the change itself was taken in by naming it.
        | Content::ChangeCreated(_)
        | Content::ChangeUpdated(_)
        | Content::ChangeReviewed(_)
        | Content::ChangeMerged(_)
        | Content::ChangeAbandoned(_) => Ok(()),
        Content::KeyRegistered(registered) => {
            people::register(entry, registered, session);
            Ok(())
        }
        Content::RoleGranted(granted) => people::grant(entry, granted, session),
        Content::PersonDescribed(_) => people::describe(entry, session),
        Content::AccountLinked(linked) => people::link(entry, linked, session),
        Content::BranchPushed(push) => push::push(entry, push, session),
        Content::ApprovalCreated(_) => decision::ask(entry, session),
        Content::ApprovalUpdated(updated) => decision::decide(entry, updated, session),
        Content::OverrideDeclared(declared) => decision::declare(entry, declared, session),
        Content::BundleDefined(bundle) => decision::define(entry, bundle, session),
        Content::ArtifactPublished(_) => decision::publish(entry, session),
        Content::DeploymentStarted(_)
        | Content::DeploymentFinished(_)
        | Content::RollbackStarted(_)
        | Content::RollbackFinished(_)
        | Content::ServiceDeployed(_)
        | Content::ServiceUpgraded(_)
        | Content::ServiceRolledback(_) => deployment::take(entry, session),
        Content::AlertFired(alert) | Content::AlertResolved(alert) => {
            trouble::alert(entry, alert, session)
        }
        Content::IncidentDetected(_) | Content::IncidentResolved(_) => {
            trouble::incident(entry, session)
        }
    }
}
