//! The demo: a week of a small shop, told through the real intake and bridges to a real server, on a clock of its own.
//!
//! [`story`] is the week as data, [`bodies`] what a code host and a monitor would post, [`play`] sends it all, [`mod@print`] shows what
//! came of it. Everything lies in one folder: the server's own things at its top, and in `elsewhere` what in life would lie on
//! other machines (people's keys, outboxes, the recovery key, the guard).

mod bodies;
mod clock;
mod play;
pub(crate) mod print;
pub(crate) mod story;

pub(crate) use clock::StoryClock;
pub(crate) use play::Player;

use std::path::{Path, PathBuf};

/// The moment at which the story's ledger is founded, for a demo that runs at `now`.
pub(crate) fn story_begins(now: jiff::Timestamp) -> jiff::Timestamp {
    let (day, clock) = story::FOUNDED;
    clock::Week::before(now).at(day, clock)
}

/// What lies where in the demo's folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub data: PathBuf,
}
impl Layout {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }
    fn elsewhere(&self, name: &str) -> PathBuf {
        self.data.join("elsewhere").join(name)
    }
    pub(crate) fn recovery_key(&self) -> PathBuf {
        self.elsewhere("recovery-key")
    }
    /// Where the guard lies.
    pub(crate) fn state(&self) -> PathBuf {
        self.elsewhere("guard")
    }
    /// The key of a person or a pipeline.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.elsewhere("keys").join(name)
    }
    /// What an emitter's commands remember on its own machine.
    pub(crate) fn outbox(&self, name: &str) -> PathBuf {
        self.elsewhere("outboxes").join(name)
    }
    /// Written when the story was told to its end.
    pub(crate) fn told(&self) -> PathBuf {
        self.elsewhere("told")
    }
    /// Where the ledger is founded before its folder gets its content.
    pub(crate) fn founding(&self) -> PathBuf {
        self.data.join("founding")
    }
    /// After a founding that failed: removes the folders that are empty, and keeps what must not be lost.
    pub(crate) fn take_back(&self) {
        for folder in [self.data.join("elsewhere"), self.data.clone()] {
            if let Err(error) = std::fs::remove_dir(&folder) {
                tracing::debug!(%error, "{} is left", folder.display());
            }
        }
    }
}
