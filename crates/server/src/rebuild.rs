//! Making the read models anew from the entries, while nobody else writes: what `admin rebuild` does.
//!
//! The new ones are folded beside the old ones, under a number that nobody reads. Where both have one digest, nothing is changed;
//! where they differ, the new ones take the place of the old ones in one transaction.

use std::time::Duration;

use piperoll_core::{
    fold::{Entry, FOLD, Working},
    leaf::Leaf,
};
use piperoll_store::{self as store, Store, StoredEntry};
use piperoll_tlog::Hash;

use crate::projector::{self, folding, read_event};

/// The number under which the new ones are folded; folds are counted from 1.
const BESIDE: u32 = 0;
/// Entries in memory at once.
const PAGE_ENTRIES: u32 = 256;
/// Aggregates kept in memory; above it the cache starts anew.
const CACHE_AGGREGATES_MAX: usize = 20_000;
/// How long the lease is held without a sign of life; a page takes far less.
const LEASE: Duration = Duration::from_mins(1);
/// What the lease says in place of a server's address.
const ADDRESS: &str = "piperoll admin rebuild";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database holds no ledger yet; make one with `piperoll init`")]
    NoLedger,
    #[error("{0} is at work on this ledger; stop it first")]
    Served(String),
    #[error("another server has taken the ledger over; nothing was changed")]
    Overtaken,
    #[error("the entries cannot be folded")]
    Project(#[from] projector::Error),
    #[error("the database failed")]
    Store(#[from] store::Error),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries that were folded.
    pub size: u64,
    /// The digest of the read models that were there.
    pub before: Hash,
    /// The digest of those that the entries make. They are in place now.
    pub after: Hash,
}

/// Rebuilds the read models of the ledger in `store`. `holder` names this process in the lease, which is taken so that no server
/// writes meanwhile; the caller holds the folder's lock where the database lies in a folder.
pub async fn rebuild(store: &dyn Store, holder: &str) -> Result<Rebuilt, Error> {
    let lease = store.take_lease(holder, ADDRESS, lease_ms()).await?;
    if lease.holder != holder {
        return Err(Error::Served(lease.address));
    }
    let held = Held {
        store,
        holder,
        epoch: lease.epoch,
    };
    let rebuilt = held.rebuild().await;
    // It runs out by itself where it cannot be given back.
    let released = store.release_lease(holder, lease.epoch).await;
    let rebuilt = rebuilt?;
    released?;
    Ok(rebuilt)
}

struct Held<'a> {
    store: &'a dyn Store,
    holder: &'a str,
    epoch: u64,
}
impl Held<'_> {
    async fn rebuild(&self) -> Result<Rebuilt, Error> {
        let head = self.store.head().await?.ok_or(Error::NoLedger)?;
        let before = self.store.read_model_digest(FOLD).await?;
        self.store.drop_read_models(BESIDE).await?;
        self.fold_beside(head.size).await?;
        let after = self.store.read_model_digest(BESIDE).await?;
        if before == after {
            self.store.drop_read_models(BESIDE).await?;
        } else {
            let expected = (head.size, self.epoch);
            let adopted = self.store.adopt_read_models(BESIDE, FOLD, expected).await;
            adopted.map_err(|error| match error {
                store::Error::Conflict => Error::Overtaken,
                other => Error::Store(other),
            })?;
        }
        Ok(Rebuilt {
            size: head.size,
            before,
            after,
        })
    }
    async fn fold_beside(&self, size: u64) -> Result<(), Error> {
        let mut working = Working::new();
        let mut next = 0;
        while next < size {
            let entries = self.store.entries(next, PAGE_ENTRIES).await?;
            let mut events = Vec::with_capacity(entries.len());
            for entry in &entries {
                if entry.index != next {
                    break;
                }
                events.push((read_event(entry)?, key_of(entry)?));
                next += 1;
            }
            if events.len() < entries.len() || entries.is_empty() {
                return Err(Error::Store(store::Error::Corrupt {
                    place: format!("entry {next}"),
                    what: "it is missing".to_owned(),
                }));
            }
            let folded: Vec<_> = entries
                .iter()
                .zip(&events)
                .map(|(entry, (event, key))| Entry {
                    index: entry.index,
                    recorded_at: entry.recorded_at,
                    payload_hash: entry.payload_hash,
                    key: *key,
                    event,
                })
                .collect();
            folding::take_in(self.store, BESIDE, &mut working, &folded).await?;
            let changes = working.take_changes();
            self.store.write_read_models(BESIDE, changes).await?;
            if working.len() > CACHE_AGGREGATES_MAX {
                working = Working::new();
            }
            self.renew().await?;
        }
        Ok(())
    }
    async fn renew(&self) -> Result<(), Error> {
        let renewed = self.store.renew_lease(self.holder, self.epoch, lease_ms());
        if renewed.await? {
            Ok(())
        } else {
            Err(Error::Overtaken)
        }
    }
}
/// The entry that registered the key which signed this one.
fn key_of(entry: &StoredEntry) -> Result<u64, Error> {
    let leaf = Leaf::parse(&entry.leaf).ok_or_else(|| {
        Error::Store(store::Error::Corrupt {
            place: format!("entry {}", entry.index),
            what: "its leaf cannot be read".to_owned(),
        })
    })?;
    Ok(leaf.key.index)
}
fn lease_ms() -> u32 {
    u32::try_from(LEASE.as_millis()).expect("a minute fits")
}
