//! Keeps entries and read models and gives them back: SQLite or PostgreSQL behind one trait, [`Store`].
//!
//! The trait speaks of entries, batches, tiles, aggregates and questions, never of SQL. The projector has one way to write,
//! [`Store::commit`]: one transaction that moves the head by compare-and-swap on (size, epoch) and holds everything a batch
//! brings. What events mean is not known here, nor HTTP, NATS or the clock.
//!
//! | table | may change |
//! |---|---|
//! | `entry`, `tile` (complete ones), `checkpoint`, `consumed`, `refused` | insert-only, and numbered without a hole |
//! | `payload`, `text`, `refused_body` | the words can be set to null (erased), once and for ever |
//! | `login_id` | insert and delete |
//! | `head`, `lease`, `refused_count`, `junk`, `bridge_seen`, `bridge_count` | yes; the head only goes forward |
//! | `aggregate`, `alias`, `change`, `slot` | yes: read models, under the number of the fold that made them |
//!
//! Triggers in the database say so too. They guard against accidents; `piperoll verify` is what finds malice.
//! `recorded_at` is kept in milliseconds of Unix time, every other instant as text with nine fraction digits, an index as `idx`
//! (`index` is a word of SQL's own).
//!
//! To add a question: a method of [`Store`], its statement in the module of `sql/` that it belongs to (in
//! `sql::dialect::Statements`, once for each database, only if it takes a list), and a rule in `tests/conformance`. To add a
//! column: a migration of the same number in both folders of `migrations/`, its place in `sql/tables.rs`, and whoever fills it.

mod address;
pub mod admin;
pub mod batch;
pub mod error;
pub mod postgres;
pub mod question;
mod schema;
mod sql;
pub mod sqlite;

use std::sync::Arc;

use piperoll_core::{
    Hash,
    fold::{Changes, Key},
    judge::Known,
};
use piperoll_tlog::tile::TileId;

pub use address::{Address, open};
pub use batch::*;
pub use error::Error;
pub use question::*;

/// What the caller is going to do with a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// Read and write; an absent or empty database becomes an empty ledger, an older one is migrated.
    Create,
    /// Read and write a ledger that is there; an older one is migrated, where the role may.
    ReadWrite,
    /// Read a ledger that is there, also beside whoever writes it.
    ReadOnly,
}

/// A handle that tasks share.
pub type Shared = Arc<dyn Store>;

/// The contract of both databases.
///
/// Durability: when [`Store::commit`] gives `Ok`, the batch survives the death of process and machine. Atomicity: a reader sees
/// all of a batch or none of it. Concurrency: any number of readers beside one writer; a second writer gets [`Error::Conflict`].
/// An [`Error::Unknown`] from `commit` means that nobody knows whether it happened: read the head again, then decide.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// The head, or `None` before entry 0.
    async fn head(&self) -> Result<Option<Head>, Error>;
    /// The projector's and the bootstrapping `init`'s only write.
    ///
    /// [`Error::Conflict`]: the head is elsewhere, or an event or a payload is recorded already; nothing was written.
    /// [`Error::Unavailable`]: nothing was written. [`Error::Unknown`]: read the head. [`Error::Corrupt`]: the entries do not
    /// continue the ledger, or the head does not count them.
    async fn commit(&self, batch: Batch) -> Result<(), Error>;

    /// What is recorded under each (source, id), in the order asked.
    async fn find(&self, ids: &[(String, String)]) -> Result<Vec<Option<Known>>, Error>;
    /// The aggregates of a fold, in the order asked; `None` where there is none.
    async fn aggregates(&self, fold: u32, keys: &[Key]) -> Result<Vec<Option<String>>, Error>;
    /// Entries by index, ascending, from `from` (at most `limit`, and below `size` of the head at the call).
    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<StoredEntry>, Error>;
    /// Entries by their indexes; those that do not exist are left out.
    async fn entries_at(&self, indexes: &[u64]) -> Result<Vec<StoredEntry>, Error>;
    /// Indexes of the entries of some kinds, ascending (to rebuild authority at start).
    async fn indexes_of_kinds(
        &self,
        kinds: &[&str],
        from: u64,
        limit: u32,
    ) -> Result<Vec<u64>, Error>;
    /// The entry with this payload hash (for receipts).
    async fn index_of_payload(&self, payload_hash: Hash) -> Result<Option<u64>, Error>;
    /// The latest refusal of a payload (for receipts).
    async fn refusal_of_payload(&self, payload_hash: Hash) -> Result<Option<RefusedRow>, Error>;

    /// Leaf hashes from `from` on, at most `limit`: partial tiles at level 0 are made of them.
    async fn leaf_hashes(&self, from: u64, limit: u32) -> Result<Vec<Hash>, Error>;
    /// Roots of the complete tiles of `level` from tile number `from` on, at most `limit`: partial tiles above.
    async fn tile_roots(&self, level: u8, from: u64, limit: u32) -> Result<Vec<Hash>, Error>;
    /// A complete tile's 256 hashes.
    async fn tile(&self, id: TileId) -> Result<Option<Vec<Hash>>, Error>;
    /// All complete tiles in order of (level, index), from `after` on (exclusive), at most `limit`; for `verify`.
    async fn tiles(&self, after: Option<TileId>, limit: u32) -> Result<Vec<StoredTile>, Error>;

    /// Keeps a signed checkpoint. The same size with another note is [`Error::Conflict`].
    async fn put_checkpoint(&self, size: u64, note: &str) -> Result<(), Error>;
    async fn latest_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error>;
    /// The smallest checkpoint whose size is above `index`.
    async fn checkpoint_covering(&self, index: u64) -> Result<Option<StoredCheckpoint>, Error>;
    /// All of them by size, from above `after`, at most `limit`; for `verify`.
    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Error>;
    /// All rows of `consumed` by number, from `from` on, at most `limit`; for `verify` and `/metrics`.
    async fn consumed(&self, from: u64, limit: u32) -> Result<Vec<StoredConsumed>, Error>;

    /// A row of `entry`, `payload` or `text` whose index the head does not count, a checkpoint of no entries, a tile or an account
    /// below zero, a second checkpoint of a size or a second head, if there is one; for `verify`.
    async fn beyond_head(&self) -> Result<Option<Beyond>, Error>;
    /// What was not recorded, as it was accounted for and as it is kept, at one moment; for `verify`.
    async fn tally(&self) -> Result<Tally, Error>;

    /// Entries by filter, newest first, keyset-paged (see [`LogFilter`]).
    async fn log(&self, filter: &LogFilter) -> Result<Vec<u64>, Error>;
    /// Refused events, newest first, below `before` (row number), at most `limit`.
    async fn refused(&self, before: Option<u64>, limit: u32) -> Result<Vec<RefusedRow>, Error>;
    /// What is in every slot as of a size of the ledger.
    async fn slots(&self, fold: u32, as_of: u64) -> Result<Vec<SlotRow>, Error>;
    /// Changes with this exact alias or id, else those one of whose aliases or ids starts with `text`; at most `limit`.
    async fn find_changes(&self, fold: u32, text: &str, limit: u32) -> Result<Vec<String>, Error>;
    /// Changes by latest entry, newest first: `limit` of them, and those that share the latest entry of the last one, so that
    /// a page never ends inside an entry.
    async fn changes(
        &self,
        fold: u32,
        before_index: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, Error>;
    /// Counts of junk by hour, subject and reason, newest first.
    async fn junk(&self, limit: u32) -> Result<Vec<JunkRow>, Error>;
    /// SHA-256 over all read-model tables of a fold: listed tables, rows by primary key, length-prefixed columns.
    async fn read_model_digest(&self, fold: u32) -> Result<Hash, Error>;

    /// Writes read models apart from any batch: for a rebuild, under the number of a fold that nobody reads.
    async fn write_read_models(&self, fold: u32, changes: Changes) -> Result<(), Error>;
    /// Drops all read models of a fold.
    async fn drop_read_models(&self, fold: u32) -> Result<(), Error>;
    /// Puts the read models of fold `from` in the place of those of `to`, if the head still is at the `expected` (size, epoch),
    /// else [`Error::Conflict`].
    async fn adopt_read_models(
        &self,
        from: u32,
        to: u32,
        expected: (u64, u64),
    ) -> Result<(), Error>;

    /// The bridges' own outbox: keeps envelopes under their dedupe key. `Ok(stored)` are those that were not there before; for
    /// the others the earlier envelope stays.
    async fn bridge_keep(&self, rows: &[BridgeRow]) -> Result<Vec<bool>, Error>;
    /// Envelopes a bridge has not seen recorded yet, oldest first, behind the one named.
    async fn bridge_unsent(
        &self,
        after: Option<&BridgePlace>,
        limit: u32,
    ) -> Result<Vec<BridgeRow>, Error>;
    /// Marks (bridge, dedupe key, ordinal) as answered finally by the ledger (recorded, duplicate or refused for good).
    async fn bridge_done(&self, bridge: &str, dedupe_key: &str, ordinal: u32) -> Result<(), Error>;
    /// Counts a body whose event type is not one we take.
    async fn bridge_count(&self, bridge: &str, event: &str) -> Result<(), Error>;
    async fn bridge_counts(&self) -> Result<Vec<BridgeCount>, Error>;
    /// The account that (host, numeric user id) was given; `fresh` is stored when there is none yet.
    async fn account(&self, host: &str, user_id: &str, fresh: &str) -> Result<String, Error>;

    /// Takes the lease to project for `for_ms`, unless another holder has it: the answer says who does. Whoever gets it has a
    /// new epoch, which the head has from then on; batches of any earlier epoch are [`Error::Conflict`].
    async fn take_lease(&self, holder: &str, address: &str, for_ms: u32) -> Result<Lease, Error>;
    /// Keeps the lease for `for_ms` from now, by the database's clock; `false` when it was lost.
    async fn renew_lease(&self, holder: &str, epoch: u64, for_ms: u32) -> Result<bool, Error>;
    /// Gives the lease back, if it still is the holder's.
    async fn release_lease(&self, holder: &str, epoch: u64) -> Result<(), Error>;
    /// Who has, or last had, the lease.
    async fn lease(&self) -> Result<Option<Lease>, Error>;

    /// Closes connections.
    async fn close(&self);
}
