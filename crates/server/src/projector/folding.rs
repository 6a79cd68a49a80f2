//! Folding recorded entries into read models, whatever they are folded for: a batch, or a rebuild.

use std::collections::BTreeSet;

use piperoll_core::fold::{self, Entry, Key, Missing, Working};
use piperoll_store::{self as store, Store};

use super::Error;

/// How often the fold may ask for more aggregates for one entry; each round loads at least one.
const FOLD_ROUNDS_MAX: usize = 64;

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
        .flat_map(|entry| fold::needs(*entry))
        .filter(|key| !working.is_loaded(key))
        .collect();
    provide(store, fold, working, needs).await?;
    for entry in entries {
        let mut rounds = 0;
        while let Err(Missing(keys)) = fold::fold(*entry, working) {
            rounds += 1;
            if rounds > FOLD_ROUNDS_MAX {
                return Err(Error::Fold { index: entry.index });
            }
            provide(store, fold, working, keys).await?;
        }
    }
    Ok(())
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
