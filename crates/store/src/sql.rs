//! The store over either database: one generic type, statements that run on both, and [`dialect::Dialect`] for the rest.

mod audit;
mod bridge;
mod commit;
pub(crate) mod dialect;
pub(crate) mod digest;
pub(crate) mod entries;
mod lease;
pub(crate) mod pages;
pub(crate) mod questions;
mod read_models;
mod refused;
pub(crate) mod tables;
mod tree;

use std::{future::Future, pin::Pin, time::Duration};

use piperoll_core::{
    Hash,
    fold::{Changes, Key},
    judge::Known,
};
use piperoll_tlog::tile::TileId;
use sqlx::{Connection, Pool, SqlSafeStr, pool::PoolConnection};
use tokio::sync::watch;

use crate::{
    Batch, Beyond, BridgeCount, BridgePlace, BridgeRow, ChangeRow, Error, Head, JunkRow, Lease,
    LogFilter, RefusedRow, SlotRow, Store, StoredCheckpoint, StoredConsumed, StoredEntry,
    StoredTile, Tally,
};
pub(crate) use dialect::{Column, Columns, Dialect, Meaning, Statements, Table, Value, values};

/// An open ledger. Reads take a connection of `reader`; all writing goes through `writer`, which is absent when the ledger was
/// opened to be read only.
pub(crate) struct Sql<DB: Dialect> {
    pub(crate) reader: Pool<DB>,
    pub(crate) writer: Option<Pool<DB>>,
    pub(crate) objection: Objection,
}

/// Tells whoever waits for a connection why a new one was not used: the pool itself only tries again until it takes too long.
#[derive(Clone, Default)]
pub(crate) struct Objection(watch::Sender<Option<(String, String)>>);
impl Objection {
    /// Passes on what was found of a new connection.
    pub(crate) fn tell(&self, found: Result<(), Error>) -> sqlx::Result<()> {
        found.map_err(|error| match error {
            Error::Unfit { what, remedy } => {
                let given = sqlx::Error::Configuration(what.clone().into());
                self.0.send_replace(Some((what, remedy)));
                given
            }
            Error::Unavailable(error) | Error::Database(error) => error,
            error => sqlx::Error::Configuration(error.into()),
        })
    }
    /// A connection of `pool`.
    async fn or_connection<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
    ) -> Result<PoolConnection<DB>, Error> {
        let mut told = self.0.subscribe();
        tokio::select! {
            biased;
            connection = pool.acquire() => connection.map_err(failed::<DB>),
            Ok(()) = told.changed() => {
                let (what, remedy) = told.borrow().clone().unwrap_or_default();
                Err(Error::Unfit { what, remedy })
            }
        }
    }
}

/// Work done inside a transaction.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

impl<DB: Dialect> Sql<DB> {
    /// A connection to write with.
    pub(crate) async fn write(&self) -> Result<PoolConnection<DB>, Error> {
        let Some(writer) = &self.writer else {
            return Err(Error::Unfit {
                what: "the ledger was opened to be read only".to_owned(),
                remedy: "open it for writing".to_owned(),
            });
        };
        self.objection.or_connection(writer).await
    }
    /// A connection to read with.
    pub(crate) async fn read(&self) -> Result<PoolConnection<DB>, Error> {
        self.objection.or_connection(&self.reader).await
    }
    /// Runs one reading statement.
    async fn rows(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<DB::Row>, Error> {
        let mut connection = self.read().await?;
        let rows = fetch::<DB>(&mut connection, sql, values).await;
        if matches!(rows, Err(Error::Unavailable(_))) {
            abandon(connection);
        }
        rows
    }
    /// Runs one reading statement that gives at most one row.
    async fn row(&self, sql: &'static str, values: Vec<Value>) -> Result<Option<DB::Row>, Error> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }
    /// Runs `work` in one writing transaction. An error inside it undoes all; an error at commit is [`Error::Unknown`].
    pub(crate) async fn transaction<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut DB::Connection) -> Work<'c, T> + Send,
    {
        let mut connection = self.write().await?;
        let (result, sound) = inside(&mut connection, DB::BEGIN_WRITE, work).await;
        if !sound {
            abandon(connection);
        }
        result
    }
    /// Runs `work` in a transaction whose reads all see one moment.
    pub(crate) async fn moment<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut DB::Connection) -> Work<'c, T> + Send,
    {
        let mut connection = self.read().await?;
        let (result, sound) = inside(&mut connection, DB::BEGIN_READ, work).await;
        if !sound {
            abandon(connection);
        }
        result.map_err(|error| match error {
            // Nothing was written, so nothing is in doubt.
            Error::Unknown(source) => Error::Unavailable(source),
            other => other,
        })
    }
}

/// Runs `work` between begin and commit. Says also whether the connection is in a known state afterwards.
async fn inside<DB: Dialect, T, F>(
    connection: &mut PoolConnection<DB>,
    begin: &'static str,
    work: F,
) -> (Result<T, Error>, bool)
where
    T: Send,
    F: for<'c> FnOnce(&'c mut DB::Connection) -> Work<'c, T> + Send,
{
    let mut transaction = match answered(connection.begin_with(begin)).await {
        Ok(transaction) => transaction,
        Err(error) => return (Err(failed::<DB>(error)), false),
    };
    match work(&mut transaction).await {
        Ok(value) => match answered(transaction.commit()).await {
            Ok(()) => (Ok(value), true),
            Err(error) => (Err(Error::Unknown(error)), false),
        },
        // Nobody answers: a rollback would only wait again, and the server undoes it when the connection ends.
        Err(error @ Error::Unavailable(_)) => (Err(error), false),
        Err(error) => {
            let undone = answered(transaction.rollback()).await.is_ok();
            (Err(error), undone)
        }
    }
}

/// Longest a single statement may take. A server behind a broken network never answers, and no error comes either.
const ANSWER_WAIT: Duration = Duration::from_mins(1);

async fn answered<T>(statement: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match tokio::time::timeout(ANSWER_WAIT, statement).await {
        Ok(result) => result,
        Err(elapsed) => Err(sqlx::Error::Io(elapsed.into())),
    }
}
/// Closes a connection of which nobody knows what state it is in, without a word to the other side.
fn abandon<DB: Dialect>(connection: PoolConnection<DB>) {
    drop(connection.detach());
}

/// Runs one statement that may take as long as it takes: for work on whole tables.
pub(crate) async fn fetch_patiently<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: &'static str,
    values: Vec<Value>,
) -> Result<Vec<DB::Row>, Error> {
    DB::fetch(connection, sql.into_sql_str(), values)
        .await
        .map_err(failed::<DB>)
}
/// Runs one statement on a connection.
pub(crate) async fn fetch<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: &'static str,
    values: Vec<Value>,
) -> Result<Vec<DB::Row>, Error> {
    answered(DB::fetch(connection, sql.into_sql_str(), values))
        .await
        .map_err(failed::<DB>)
}
/// Inserts rows, given column by column.
pub(crate) async fn insert<DB: Dialect>(
    connection: &mut DB::Connection,
    table: &'static Table,
    tail: &'static str,
    columns: Vec<Column>,
) -> Result<(), Error> {
    if columns.first().is_none_or(|column| column.len() == 0) {
        return Ok(());
    }
    answered(DB::insert(connection, table, tail, columns))
        .await
        .map_err(failed::<DB>)
}

/// What an error means for the caller.
pub(crate) fn failed<DB: Dialect>(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner) => match DB::judge(inner.as_ref()) {
            Meaning::Conflict => Error::Conflict,
            Meaning::Unavailable => Error::Unavailable(error),
            Meaning::Corrupt => Error::Corrupt {
                place: "the database".to_owned(),
                what: inner.message().to_owned(),
            },
            Meaning::Unfit { what, remedy } => Error::Unfit {
                what: format!("{what} ({})", inner.message()),
                remedy: remedy.to_owned(),
            },
            Meaning::Other => Error::Database(error),
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Error::Unavailable(error),
        _ => Error::Database(error),
    }
}

/// One line each: what a question does stands in the module it belongs to.
#[async_trait::async_trait]
impl<DB: Dialect> Store for Sql<DB> {
    async fn head(&self) -> Result<Option<Head>, Error> {
        commit::head(self).await
    }
    async fn commit(&self, batch: Batch) -> Result<(), Error> {
        commit::check(&batch)?;
        self.transaction(move |connection| Box::pin(commit::commit::<DB>(connection, batch)))
            .await
    }
    async fn find(&self, ids: &[(String, String)]) -> Result<Vec<Option<Known>>, Error> {
        entries::find(self, ids).await
    }
    async fn aggregates(&self, fold: u32, keys: &[Key]) -> Result<Vec<Option<String>>, Error> {
        read_models::aggregates(self, fold, keys).await
    }
    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<StoredEntry>, Error> {
        entries::entries(self, from, limit).await
    }
    async fn entries_at(&self, indexes: &[u64]) -> Result<Vec<StoredEntry>, Error> {
        entries::entries_at(self, indexes).await
    }
    async fn indexes_of_kinds(
        &self,
        kinds: &[&str],
        from: u64,
        limit: u32,
    ) -> Result<Vec<u64>, Error> {
        entries::indexes_of_kinds(self, kinds, from, limit).await
    }
    async fn index_of_payload(&self, payload_hash: Hash) -> Result<Option<u64>, Error> {
        entries::index_of_payload(self, payload_hash).await
    }
    async fn refusal_of_payload(&self, payload_hash: Hash) -> Result<Option<RefusedRow>, Error> {
        refused::of_payload(self, payload_hash).await
    }
    async fn leaf_hashes(&self, from: u64, limit: u32) -> Result<Vec<Hash>, Error> {
        tree::leaf_hashes(self, from, limit).await
    }
    async fn tile_roots(&self, level: u8, from: u64, limit: u32) -> Result<Vec<Hash>, Error> {
        tree::tile_roots(self, level, from, limit).await
    }
    async fn tile(&self, id: TileId) -> Result<Option<Vec<Hash>>, Error> {
        tree::tile(self, id).await
    }
    async fn tiles(&self, after: Option<TileId>, limit: u32) -> Result<Vec<StoredTile>, Error> {
        tree::tiles(self, after, limit).await
    }
    async fn put_checkpoint(&self, size: u64, note: &str) -> Result<(), Error> {
        tree::put_checkpoint(self, size, note).await
    }
    async fn latest_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error> {
        tree::latest_checkpoint(self).await
    }
    async fn checkpoint_covering(&self, index: u64) -> Result<Option<StoredCheckpoint>, Error> {
        tree::checkpoint_covering(self, index).await
    }
    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Error> {
        tree::checkpoints(self, after, limit).await
    }
    async fn consumed(&self, from: u64, limit: u32) -> Result<Vec<StoredConsumed>, Error> {
        questions::consumed(self, from, limit).await
    }
    async fn beyond_head(&self) -> Result<Option<Beyond>, Error> {
        audit::beyond_head(self).await
    }
    async fn tally(&self) -> Result<Tally, Error> {
        audit::tally(self).await
    }
    async fn log(&self, filter: &LogFilter) -> Result<Vec<u64>, Error> {
        questions::log(self, filter).await
    }
    async fn refused(&self, before: Option<u64>, limit: u32) -> Result<Vec<RefusedRow>, Error> {
        refused::refused(self, before, limit).await
    }
    async fn slots(&self, fold: u32, as_of: u64) -> Result<Vec<SlotRow>, Error> {
        questions::slots(self, fold, as_of).await
    }
    async fn find_changes(&self, fold: u32, text: &str, limit: u32) -> Result<Vec<String>, Error> {
        questions::find_changes(self, fold, text, limit).await
    }
    async fn changes(
        &self,
        fold: u32,
        before_index: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, Error> {
        questions::changes(self, fold, before_index, limit).await
    }
    async fn junk(&self, limit: u32) -> Result<Vec<JunkRow>, Error> {
        refused::junk(self, limit).await
    }
    async fn read_model_digest(&self, fold: u32) -> Result<Hash, Error> {
        self.moment(move |connection| Box::pin(digest::read_models::<DB>(connection, fold)))
            .await
    }
    async fn write_read_models(&self, fold: u32, changes: Changes) -> Result<(), Error> {
        self.transaction(move |connection| {
            Box::pin(read_models::write::<DB>(connection, fold, changes))
        })
        .await
    }
    async fn drop_read_models(&self, fold: u32) -> Result<(), Error> {
        self.transaction(move |connection| Box::pin(read_models::drop_fold::<DB>(connection, fold)))
            .await
    }
    async fn adopt_read_models(
        &self,
        from: u32,
        to: u32,
        expected: (u64, u64),
    ) -> Result<(), Error> {
        self.transaction(move |connection| {
            Box::pin(read_models::adopt::<DB>(connection, from, to, expected))
        })
        .await
    }
    async fn bridge_keep(&self, rows: &[BridgeRow]) -> Result<Vec<bool>, Error> {
        let rows = rows.to_vec();
        self.transaction(move |connection| Box::pin(bridge::keep::<DB>(connection, rows)))
            .await
    }
    async fn bridge_unsent(
        &self,
        after: Option<&BridgePlace>,
        limit: u32,
    ) -> Result<Vec<BridgeRow>, Error> {
        bridge::unsent(self, after, limit).await
    }
    async fn bridge_done(&self, bridge: &str, dedupe_key: &str, ordinal: u32) -> Result<(), Error> {
        bridge::done(self, bridge, dedupe_key, ordinal).await
    }
    async fn bridge_count(&self, bridge: &str, event: &str) -> Result<(), Error> {
        bridge::count(self, bridge, event).await
    }
    async fn bridge_counts(&self) -> Result<Vec<BridgeCount>, Error> {
        bridge::counts(self).await
    }
    async fn account(&self, host: &str, user_id: &str, fresh: &str) -> Result<String, Error> {
        bridge::account(self, host, user_id, fresh).await
    }
    async fn take_lease(&self, holder: &str, address: &str, for_ms: u32) -> Result<Lease, Error> {
        lease::take(self, holder, address, for_ms).await
    }
    async fn renew_lease(&self, holder: &str, epoch: u64, for_ms: u32) -> Result<bool, Error> {
        lease::renew(self, holder, epoch, for_ms).await
    }
    async fn release_lease(&self, holder: &str, epoch: u64) -> Result<(), Error> {
        lease::release(self, holder, epoch).await
    }
    async fn lease(&self) -> Result<Option<Lease>, Error> {
        lease::lease(self).await
    }
    async fn close(&self) {
        // The writer last: only it can fold SQLite's log into the file, so that the file alone is a whole ledger.
        self.reader.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }
}
