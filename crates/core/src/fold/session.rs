//! Reading and writing aggregates while one entry is folded: writes are kept aside until nothing is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Key, Missing, Row, Working,
    aggregate::{Held, Kept},
};

/// Where aggregates are read from, while folding and while answering.
pub(crate) trait Source {
    /// Whether it is known what stands under this key, be it nothing.
    fn is_there(&self, key: &Key) -> bool;
    /// The aggregate as it lies there, if there is one.
    fn look<A: Kept>(&self, id: &str) -> Result<Option<&A>, Missing>;
    /// A copy of it.
    fn find<A: Kept>(&self, id: &str) -> Result<Option<A>, Missing> {
        Ok(self.look(id)?.cloned())
    }
    /// The aggregate, or an empty one.
    fn get<A: Kept>(&self, id: &str) -> Result<A, Missing> {
        Ok(self.find(id)?.unwrap_or_default())
    }
    /// Asks for several aggregates at once, so that the caller loads them in one go.
    fn want(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Missing> {
        let missing: BTreeSet<Key> = keys.into_iter().filter(|key| !self.is_there(key)).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Missing(missing))
        }
    }
}

pub(super) struct Session<'a> {
    working: &'a Working,
    written: BTreeMap<Key, Held>,
    rows: Vec<Row>,
}
impl<'a> Session<'a> {
    pub(super) fn new(working: &'a Working) -> Self {
        Self {
            working,
            written: BTreeMap::new(),
            rows: Vec::new(),
        }
    }
    /// Changes an aggregate in place; an empty one is made where there is none.
    pub(super) fn change<A: Kept>(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut A),
    ) -> Result<(), Missing> {
        let mut aggregate = self.get::<A>(id)?;
        change(&mut aggregate);
        self.put(id, aggregate);
        Ok(())
    }
    pub(super) fn put<A: Kept>(&mut self, id: &str, aggregate: A) {
        let key = A::key(id);
        let held = aggregate.wrap();
        let unchanged = !self.written.contains_key(&key)
            && self
                .working
                .loaded
                .get(&key)
                .and_then(Option::as_deref)
                .is_some_and(|before| *before == held);
        if !unchanged {
            self.written.insert(key, held);
        }
    }
    pub(super) fn row(&mut self, row: Row) {
        self.rows.push(row);
    }
    pub(super) fn finish(self) -> (BTreeMap<Key, Held>, Vec<Row>) {
        (self.written, self.rows)
    }
}

impl Source for Session<'_> {
    fn is_there(&self, key: &Key) -> bool {
        self.written.contains_key(key) || self.working.is_loaded(key)
    }
    fn look<A: Kept>(&self, id: &str) -> Result<Option<&A>, Missing> {
        let key = A::key(id);
        if let Some(held) = self.written.get(&key) {
            return Ok(A::unwrap(held));
        }
        match self.working.loaded.get(&key) {
            Some(held) => Ok(held.as_deref().and_then(A::unwrap)),
            None => Err(Missing(BTreeSet::from([key]))),
        }
    }
}

/// Does something for each item. All of them say what is missing before the first gives up, so that it is loaded together: the
/// number of rounds must not grow with the number of items.
pub(super) fn each<T>(
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T) -> Result<(), Missing>,
) -> Result<(), Missing> {
    let mut missing = BTreeSet::new();
    for item in items {
        if let Err(Missing(keys)) = each(item) {
            missing.extend(keys);
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Missing(missing))
    }
}
