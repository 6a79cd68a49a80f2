//! Which rows of the bridges' outbox a webhook is delivering right now, so that the look at the outbox leaves them alone.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use piperoll_store::BridgeRow;

/// Bridge, dedupe key, ordinal.
pub(crate) type Place = (String, String, u32);
pub(crate) fn place(row: &BridgeRow) -> Place {
    (row.bridge.clone(), row.dedupe_key.clone(), row.ordinal)
}

/// The rows in flight, of one server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Place>>>);
impl InFlight {
    fn places(&self) -> MutexGuard<'_, HashSet<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(crate) fn holds(&self, row: &BridgeRow) -> bool {
        self.places().contains(&place(row))
    }
    /// Counts rows as in flight for as long as the result lives. To be taken before they are kept in the outbox.
    pub(crate) fn take(&self, rows: &[BridgeRow]) -> Flight {
        let mut places = self.places();
        let taken = rows
            .iter()
            .map(place)
            .filter(|place| places.insert(place.clone()))
            .collect();
        drop(places);
        Flight {
            all: self.clone(),
            taken,
        }
    }
}
/// Rows on their way; they land when this is dropped, however that comes.
pub(crate) struct Flight {
    all: InFlight,
    taken: Vec<Place>,
}
impl Drop for Flight {
    fn drop(&mut self) {
        let mut places = self.all.places();
        for place in &self.taken {
            places.remove(place);
        }
    }
}
