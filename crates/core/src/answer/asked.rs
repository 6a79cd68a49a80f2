//! Asking a [`Reading`]: what is not loaded is noted and taken as absent for now, so that one pass finds everything it needs.

use std::cell::RefCell;

use super::{
    EntryRead, Need, Reading,
    part::{AsOf, TimeForm},
};
use crate::fold::{Key, Missing, aggregate::Kept, session::Source};

pub(super) struct Asked<'a> {
    reading: &'a Reading,
    need: RefCell<Need>,
}
impl<'a> Asked<'a> {
    pub(super) fn new(reading: &'a Reading) -> Self {
        Self {
            reading,
            need: RefCell::default(),
        }
    }
    /// The answer, if nothing was needed that is not loaded.
    pub(super) fn finish<T>(self, answer: T) -> Result<T, Need> {
        let need = self.need.into_inner();
        if need == Need::default() {
            Ok(answer)
        } else {
            Err(need)
        }
    }
    /// As of which entries the answer speaks; it needs the last one.
    pub(super) fn as_of(&self) -> AsOf {
        let size = self.reading.size;
        let last = size.checked_sub(1).and_then(|index| self.entry(index));
        AsOf {
            size,
            recorded_at: last.map(|entry| entry.recorded_at),
        }
    }
    /// How much of a date must be said.
    pub(super) fn day(&self, at: jiff::Timestamp) -> TimeForm {
        if self.as_of().is_of_this_year(at) {
            TimeForm::Day
        } else {
            TimeForm::Date
        }
    }
    /// Whether an entry is among those the answer speaks of.
    pub(super) fn has(&self, index: u64) -> bool {
        index < self.reading.size
    }
    /// An aggregate, if there is one.
    pub(super) fn find<A: Kept>(&self, id: &str) -> Option<A> {
        self.find_ref(id).cloned()
    }
    pub(super) fn find_ref<A: Kept>(&self, id: &str) -> Option<&'a A> {
        let key = A::key(id);
        let Some(held) = self.reading.aggregates.get(&key) else {
            self.need.borrow_mut().aggregates.insert(key);
            return None;
        };
        held.as_deref().and_then(A::unwrap)
    }
    /// An entry below the size.
    pub(super) fn entry(&self, index: u64) -> Option<&'a EntryRead> {
        if !self.has(index) {
            return None;
        }
        self.entry_or_need(index)
    }
    /// An entry that must be there: beyond the size it stays needed.
    pub(super) fn entry_or_need(&self, index: u64) -> Option<&'a EntryRead> {
        let entry = self.reading.entries.get(&index);
        if entry.is_none() {
            self.need.borrow_mut().entries.insert(index);
        }
        entry
    }
    /// Notes what a walk through aggregates is missing.
    pub(super) fn walked<T>(&self, result: Result<T, Missing>) -> Option<T> {
        match result {
            Ok(found) => Some(found),
            Err(Missing(keys)) => {
                self.need.borrow_mut().aggregates.extend(keys);
                None
            }
        }
    }
}
impl Source for Asked<'_> {
    fn is_there(&self, key: &Key) -> bool {
        self.reading.aggregates.contains_key(key)
    }
    fn look<A: Kept>(&self, id: &str) -> Result<Option<&A>, Missing> {
        let key = A::key(id);
        match self.reading.aggregates.get(&key) {
            Some(held) => Ok(held.as_deref().and_then(A::unwrap)),
            None => Err(Missing([key].into())),
        }
    }
}
