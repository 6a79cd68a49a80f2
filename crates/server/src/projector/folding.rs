//! Folding recorded entries into read models, whatever they are folded for: a batch, or a rebuild.

use std::{
    collections::BTreeSet,
    panic::{self, AssertUnwindSafe},
};

use piperoll_core::fold::{self, Entry, Key, Missing, Working};
use piperoll_store::{self as store, Store};

use super::Error;

/// Takes entries in, in order, over what `store` holds under the number `fold`. Aggregates are prefetched in one call; what is still
/// missing is loaded entry by entry.
pub(crate) async fn take_in(
    store: &dyn Store,
    fold: u32,
    working: &mut Working,
    entries: &[Entry<'_>],
) -> Result<(), Error> {
    let needs: BTreeSet<_> = entries
        .iter()
        .flat_map(|entry| guarded(entry.index, || fold::needs(*entry)).unwrap_or_default())
        .filter(|key| !working.is_loaded(key))
        .collect();
    provide(store, fold, working, needs).await?;
    for entry in entries {
        while let Some(Err(Missing(keys))) = guarded(entry.index, || fold::fold(*entry, working)) {
            // Each round loads something new, so there is an end to them.
            if keys.iter().all(|key| working.is_loaded(key)) {
                report(entry.index);
                break;
            }
            provide(store, fold, working, keys).await?;
        }
    }
    Ok(())
}
/// Runs a part of the fold, which may have a fault. The entry stands all the same, and the ledger goes on: its read models lack what
/// the entry says until a version without the fault rebuilds them. `None` says that it was so.
fn guarded<T>(index: u64, part: impl FnOnce() -> T) -> Option<T> {
    let done = panic::catch_unwind(AssertUnwindSafe(part)).ok();
    if done.is_none() {
        report(index);
    }
    done
}
fn report(index: u64) {
    tracing::error!(
        index,
        "folding an entry failed by a fault of the program: please report it"
    );
}
async fn provide(
    store: &dyn Store,
    fold: u32,
    working: &mut Working,
    keys: BTreeSet<Key>,
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let found = store.aggregates(fold, &keys).await?;
    for (key, json) in keys.into_iter().zip(found) {
        let place = format!("aggregate {} {}", key.kind, key.id);
        working
            .provide(key, json.as_deref())
            .map_err(|error| store::Error::Corrupt {
                place,
                what: error.to_string(),
            })?;
    }
    Ok(())
}
