//! A store that fails when it is told to, before or after it has done what was asked, and one that answers with altered rows.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use piperoll_core::{
    Hash,
    fold::{Changes, Key},
    judge::Known,
};
use piperoll_store::{
    self as store, Batch, Beyond, BridgeCount, BridgePlace, BridgeRow, ChangeRow, Error, Head,
    JunkRow, Lease, LogFilter, RefusedRow, SlotRow, Store, StoredCheckpoint, StoredConsumed,
    StoredEntry, StoredTile, Tally,
};
use piperoll_tlog::tile::TileId;

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing was done.
    Lost,
    /// It was done, and the answer got lost.
    Kept,
}
/// What is changed in the rows on their way to the reader.
#[derive(Clone, Copy, Default)]
pub(crate) struct Alter {
    pub(crate) entry: Option<fn(&mut StoredEntry)>,
    pub(crate) tile: Option<fn(&mut StoredTile)>,
    pub(crate) checkpoint: Option<fn(&mut StoredCheckpoint)>,
    pub(crate) consumed: Option<fn(&mut StoredConsumed)>,
    pub(crate) head: Option<fn(&mut Head)>,
}

pub(crate) struct Faulty {
    inner: store::Shared,
    /// An open store that was closed: the source of true errors.
    closed: store::Shared,
    /// By method: calls to let through first, then the fault, then how many calls fail so.
    plan: Mutex<BTreeMap<&'static str, (u32, Fault, u32)>>,
    calls: Mutex<BTreeMap<&'static str, u32>>,
    pub(crate) alter: Alter,
}
impl Faulty {
    pub(crate) async fn new(inner: store::Shared, folder: &std::path::Path) -> Self {
        let path = folder.join("closed.db");
        let closed = store::sqlite::open(&path, store::OpenMode::Create).await;
        let closed = closed.unwrap();
        closed.close().await;
        Self {
            inner,
            closed,
            plan: Mutex::default(),
            calls: Mutex::default(),
            alter: Alter::default(),
        }
    }
    pub(crate) fn altered(mut self, alter: Alter) -> Self {
        self.alter = alter;
        self
    }
    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
    /// Lets `after` calls of a method through; then `times` calls fail.
    pub(crate) fn fail(&self, method: &'static str, after: u32, fault: Fault, times: u32) {
        self.plan
            .lock()
            .unwrap()
            .insert(method, (after, fault, times));
    }
    pub(crate) fn heal(&self) {
        self.plan.lock().unwrap().clear();
    }
    /// How often a method was called.
    pub(crate) fn calls(&self, method: &'static str) -> u32 {
        self.calls.lock().unwrap().get(method).copied().unwrap_or(0)
    }
    fn next(&self, method: &'static str) -> Option<Fault> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let mut plan = self.plan.lock().unwrap();
        let (after, fault, times) = plan.get_mut(method)?;
        if *after > 0 {
            *after -= 1;
            return None;
        }
        if *times == 0 {
            return None;
        }
        *times -= 1;
        Some(*fault)
    }
    async fn step<T: Send>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        match self.next(method) {
            None => call.await,
            Some(Fault::Lost) => Err(self.closed.head().await.unwrap_err()),
            Some(Fault::Kept) => {
                call.await?;
                match self.closed.head().await.unwrap_err() {
                    Error::Unavailable(source) => Err(Error::Unknown(source)),
                    other => Err(other),
                }
            }
        }
    }
}
fn each<T>(mut rows: Vec<T>, alter: Option<fn(&mut T)>) -> Vec<T> {
    if let Some(alter) = alter {
        rows.iter_mut().for_each(alter);
    }
    rows
}

macro_rules! store {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty = |$self:ident, $rows:ident| $altered:expr;)*) => {
        #[async_trait::async_trait]
        impl Store for Faulty {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$output, Error> {
                let $rows = self.step(stringify!($name), self.inner.$name($($argument),*)).await?;
                let $self = self;
                let _ = $self;
                Ok($altered)
            })*
            async fn close(&self) {
                self.inner.close().await;
            }
        }
    };
}
store! {
    head() -> Option<Head> = |s, rows| each(rows.into_iter().collect(), s.alter.head).pop();
    commit(batch: Batch) -> () = |s, done| done;
    find(ids: &[(String, String)]) -> Vec<Option<Known>> = |s, rows| rows;
    aggregates(fold: u32, keys: &[Key]) -> Vec<Option<String>> = |s, rows| rows;
    entries(from: u64, limit: u32) -> Vec<StoredEntry> = |s, rows| each(rows, s.alter.entry);
    entries_at(indexes: &[u64]) -> Vec<StoredEntry> = |s, rows| rows;
    indexes_of_kinds(kinds: &[&str], from: u64, limit: u32) -> Vec<u64> = |s, rows| rows;
    index_of_payload(payload_hash: Hash) -> Option<u64> = |s, rows| rows;
    refusal_of_payload(payload_hash: Hash) -> Option<RefusedRow> = |s, rows| rows;
    leaf_hashes(from: u64, limit: u32) -> Vec<Hash> = |s, rows| rows;
    tile_roots(level: u8, from: u64, limit: u32) -> Vec<Hash> = |s, rows| rows;
    tile(id: TileId) -> Option<Vec<Hash>> = |s, rows| rows;
    tiles(after: Option<TileId>, limit: u32) -> Vec<StoredTile> = |s, rows| each(rows, s.alter.tile);
    put_checkpoint(size: u64, note: &str) -> () = |s, done| done;
    latest_checkpoint() -> Option<StoredCheckpoint> = |s, rows| rows;
    checkpoint_covering(index: u64) -> Option<StoredCheckpoint> = |s, rows| rows;
    checkpoints(after: u64, limit: u32) -> Vec<StoredCheckpoint> = |s, rows| each(rows, s.alter.checkpoint);
    consumed(from: u64, limit: u32) -> Vec<StoredConsumed> = |s, rows| each(rows, s.alter.consumed);
    beyond_head() -> Option<Beyond> = |s, row| row;
    tally() -> Tally = |s, tally| tally;
    log(filter: &LogFilter) -> Vec<u64> = |s, rows| rows;
    refused(before: Option<u64>, limit: u32) -> Vec<RefusedRow> = |s, rows| rows;
    slots(fold: u32, as_of: u64) -> Vec<SlotRow> = |s, rows| rows;
    find_changes(fold: u32, text: &str, limit: u32) -> Vec<String> = |s, rows| rows;
    changes(fold: u32, before_index: Option<u64>, limit: u32) -> Vec<ChangeRow> = |s, rows| rows;
    junk(limit: u32) -> Vec<JunkRow> = |s, rows| rows;
    read_model_digest(fold: u32) -> Hash = |s, rows| rows;
    write_read_models(fold: u32, changes: Changes) -> () = |s, done| done;
    drop_read_models(fold: u32) -> () = |s, done| done;
    adopt_read_models(from: u32, to: u32, expected: (u64, u64)) -> () = |s, done| done;
    bridge_keep(rows: &[BridgeRow]) -> Vec<bool> = |s, kept| kept;
    bridge_unsent(after: Option<&BridgePlace>, limit: u32) -> Vec<BridgeRow> = |s, rows| rows;
    bridge_done(bridge: &str, dedupe_key: &str, ordinal: u32) -> () = |s, done| done;
    bridge_count(bridge: &str, event: &str) -> () = |s, done| done;
    bridge_counts() -> Vec<BridgeCount> = |s, rows| rows;
    account(host: &str, user_id: &str, fresh: &str) -> String = |s, rows| rows;
    take_lease(holder: &str, address: &str, for_ms: u32) -> Lease = |s, lease| lease;
    renew_lease(holder: &str, epoch: u64, for_ms: u32) -> bool = |s, kept| kept;
    release_lease(holder: &str, epoch: u64) -> () = |s, done| done;
    lease() -> Option<Lease> = |s, lease| lease;
}
