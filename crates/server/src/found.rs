//! Founding a ledger: keys, folder, entry 0. What `init` does once.

use std::path::PathBuf;

use piperoll_core::name::{LedgerId, Origin};

use crate::clock;

/// What `init` was told.
pub struct Founding {
    /// The server's folder; must not hold a ledger yet.
    pub data: PathBuf,
    /// `--database`; `None` is `ledger.db` in the folder.
    pub database: Option<String>,
    pub origin: Origin,
    /// Where the recovery key is written: never inside `data`.
    pub recovery_key: PathBuf,
    pub clock: clock::Shared,
}
/// What came of it.
pub struct Founded {
    pub ledger: LedgerId,
    /// The checkpoint key as a vkey line.
    pub vkey: String,
    /// The administrator's URN.
    pub administrator: String,
}
