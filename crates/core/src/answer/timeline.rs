//! What happened in a window of time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Need, Reading,
    part::{AsOf, Line, Sentence},
};

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    #[serde(default)]
    pub since: Option<Timestamp>,
    #[serde(default)]
    pub until: Option<Timestamp>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
}
/// Lines by the emitters' times, oldest first, and what is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub as_of: AsOf,
    pub window: Window,
    pub lead: Sentence,
    pub lines: Vec<Line>,
    /// `Alerts: none recorded in this window.` and the like, one for each sort of event that is absent.
    pub absent: Vec<Sentence>,
    /// More entries matched than were given; the window should be narrowed.
    pub more: bool,
}

/// The timeline of the entries that the store found for this window (`Store::log` with the same filter, any order).
/// `more`: the store had further ones.
pub fn timeline(
    _window: &Window,
    _indexes: &[u64],
    _more: bool,
    _reading: &Reading,
) -> Result<Timeline, Need> {
    todo!()
}
