//! What an operator does with a whole database: bring its tables up to date, move a ledger to another one, compare two.
//!
//! A rebuild of the read models goes through [`crate::Store::write_read_models`] and its neighbours.

use std::sync::Arc;

use piperoll_core::Hash;
use piperoll_tlog::{
    hash::{Sha256Stream, leaf_hash},
    tree::Edge,
};

use crate::{
    Address, Error, Head, OpenMode, Store, postgres,
    sql::{
        Dialect, Sql, Table, Value,
        dialect::{Column, Kind},
        digest, insert,
        pages::Pages,
        tables,
    },
    sqlite,
};

/// Makes or updates the tables. On PostgreSQL this is for the owner of the tables, who also gives the role that serves its
/// rights (`service_role`); a SQLite file has no roles.
pub async fn migrate(address: &Address, service_role: Option<&str>) -> Result<(), Error> {
    match address {
        Address::File(path) => sqlite::open(path, OpenMode::Create).await?.close().await,
        Address::Server(address) => {
            let options = postgres::parse(address)?;
            postgres::migrate(&options).await?;
            if let Some(role) = service_role {
                postgres::grant(&options, role).await?;
            }
        }
    }
    Ok(())
}

/// Bytes that the database takes on disk, indexes and logs of a file included.
pub async fn bytes(address: &Address) -> Result<u64, Error> {
    match address {
        Address::File(path) => Ok(sqlite::bytes(path)),
        Address::Server(address) => postgres::bytes(&postgres::parse(address)?).await,
    }
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Entries, all of whose leaves were hashed again where they arrived.
    pub size: u64,
    /// The root that they make, equal to the head's on both sides.
    pub root: Hash,
}

/// Why a ledger was not copied.
#[derive(Debug, thiserror::Error)]
#[error("{}", match .side { Side::From => "the ledger could not be read", Side::To => "the copy could not be made" })]
pub struct CopyError {
    /// Which of the two databases it is about.
    pub side: Side,
    pub source: Error,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    From,
    To,
}
impl Side {
    fn failed(self) -> impl FnOnce(Error) -> CopyError {
        move |source| CopyError { side: self, source }
    }
}

/// Moves a ledger to another database, which must hold none: every table but the lease, the head last, so that a copy that was
/// cut short is no ledger.
///
/// Nobody may write to `from` meanwhile: [`Error::Conflict`] when its head moved. [`Error::Corrupt`] when the copied entries do
/// not make the root that the head names.
pub async fn copy(from: &Address, to: &Address) -> Result<Copied, CopyError> {
    let from = open(from, OpenMode::ReadOnly)
        .await
        .map_err(Side::From.failed())?;
    let into = open(to, OpenMode::Create)
        .await
        .map_err(Side::To.failed())?;
    let done = copy_between(&*from, &*into, to).await;
    from.close().await;
    into.close().await;
    done
}

async fn copy_between(
    from: &dyn Tables,
    into: &dyn Tables,
    to: &Address,
) -> Result<Copied, CopyError> {
    let head = head_of(from).await.map_err(Side::From.failed())?;
    must_be_empty(into, to).await.map_err(Side::To.failed())?;
    for table in tables::COPIED {
        if table.name != tables::HEAD.name {
            copy_table(from, into, table).await?;
        }
    }
    let root = root_of(into, head.size).await.map_err(Side::To.failed())?;
    if root != head.root {
        let corrupt = Error::Corrupt {
            place: "the copy".to_owned(),
            what: format!(
                "its entries make the root {root}, the head names {}",
                head.root
            ),
        };
        return Err(Side::From.failed()(corrupt));
    }
    copy_head(from, into, &head).await?;
    Ok(Copied {
        size: head.size,
        root,
    })
}
async fn head_of(from: &dyn Tables) -> Result<Head, Error> {
    from.head().await?.ok_or_else(|| Error::Unfit {
        what: "there is no ledger to copy".to_owned(),
        remedy: "name the database that holds it".to_owned(),
    })
}
async fn must_be_empty(into: &dyn Tables, to: &Address) -> Result<(), Error> {
    for table in tables::COPIED {
        if into.page(&mut Pages::of(table)).await?.is_some() {
            return Err(Error::Unfit {
                what: format!("{to} holds rows in {} already", table.name),
                remedy: "copy into a database that is empty".to_owned(),
            });
        }
    }
    Ok(())
}
async fn copy_table(
    from: &dyn Tables,
    into: &dyn Tables,
    table: &'static Table,
) -> Result<(), CopyError> {
    let mut pages = Pages::of(table);
    let next = async |pages: &mut Pages| from.page(pages).await.map_err(Side::From.failed());
    while let Some(rows) = next(&mut pages).await? {
        into.put(table, rows).await.map_err(Side::To.failed())?;
    }
    Ok(())
}
/// A head only goes forward, so the row that is read before it is found unmoved is the one that everything was copied under.
async fn copy_head(from: &dyn Tables, into: &dyn Tables, head: &Head) -> Result<(), CopyError> {
    let read = async {
        let rows = from.page(&mut Pages::of(&tables::HEAD)).await?;
        match rows {
            Some(rows) if from.head().await?.as_ref() == Some(head) => Ok(rows),
            _ => Err(Error::Conflict),
        }
    };
    let rows = read.await.map_err(Side::From.failed())?;
    let put = into.put(&tables::HEAD, rows).await;
    put.map_err(Side::To.failed())
}
/// The root of the leaves as they are stored.
async fn root_of(store: &dyn Tables, size: u64) -> Result<Hash, Error> {
    const ENTRIES_MAX: u32 = 500;
    let mut edge = Edge::new();
    while edge.size() < size {
        let entries = store.entries(edge.size(), ENTRIES_MAX).await?;
        for entry in &entries {
            if entry.index != edge.size() {
                break;
            }
            edge.append(leaf_hash(&entry.leaf));
        }
        if entries
            .last()
            .is_none_or(|last| last.index + 1 != edge.size())
        {
            return Err(Error::Corrupt {
                place: format!("entry {}", edge.size()),
                what: "the row is missing".to_owned(),
            });
        }
    }
    Ok(edge.root())
}

/// How many rows a table has, and one hash over them all, the same on both databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDigest {
    pub table: &'static str,
    pub rows: u64,
    pub digest: Hash,
}
/// Digests of all tables but the lease, to compare two databases.
pub async fn digests(address: &Address) -> Result<Vec<TableDigest>, Error> {
    let store = open(address, OpenMode::ReadOnly).await?;
    let mut digests = Vec::new();
    for table in tables::COPIED {
        let mut hash = Sha256Stream::default();
        let mut rows = 0;
        let mut pages = Pages::of(table);
        while let Some(page) = store.page(&mut pages).await? {
            rows += page.len() as u64;
            page.iter()
                .flatten()
                .for_each(|value| digest::put(&mut hash, value));
        }
        digests.push(TableDigest {
            table: table.name,
            rows,
            digest: hash.finish(),
        });
    }
    store.close().await;
    Ok(digests)
}

/// Whole tables, whatever the database.
#[async_trait::async_trait]
trait Tables: Store {
    async fn page(&self, pages: &mut Pages) -> Result<Option<Vec<Vec<Value>>>, Error>;
    async fn put(&self, table: &'static Table, rows: Vec<Vec<Value>>) -> Result<(), Error>;
}
async fn open(address: &Address, mode: OpenMode) -> Result<Arc<dyn Tables>, Error> {
    Ok(match address {
        Address::File(path) => Arc::new(sqlite::open_sql(path, mode).await?),
        Address::Server(address) => Arc::new(postgres::open_sql(address, mode).await?),
    })
}

#[async_trait::async_trait]
impl<DB: Dialect> Tables for Sql<DB> {
    async fn page(&self, pages: &mut Pages) -> Result<Option<Vec<Vec<Value>>>, Error> {
        let mut connection = self.read().await?;
        pages.next::<DB>(&mut connection).await
    }
    async fn put(&self, table: &'static Table, rows: Vec<Vec<Value>>) -> Result<(), Error> {
        let columns = columns_of(table, rows)?;
        self.transaction(move |connection| {
            Box::pin(async move { insert::<DB>(connection, table, "", columns).await })
        })
        .await
    }
}
/// Rows turned into columns.
fn columns_of(table: &Table, rows: Vec<Vec<Value>>) -> Result<Vec<Column>, Error> {
    let mut columns: Vec<Column> = table
        .columns
        .iter()
        .map(|(_, kind)| match kind {
            Kind::Int => Column::Int(Vec::new()),
            Kind::Text => Column::Text(Vec::new()),
            Kind::Bytes => Column::Bytes(Vec::new()),
        })
        .collect();
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            match (column, value) {
                (Column::Int(values), Value::Int(value)) => values.push(value),
                (Column::Text(values), Value::Text(value)) => values.push(value),
                (Column::Bytes(values), Value::Bytes(value)) => values.push(value),
                (Column::Int(_) | Column::Text(_) | Column::Bytes(_), _) => {
                    return Err(Error::Corrupt {
                        place: table.name.to_owned(),
                        what: "a column of another type".to_owned(),
                    });
                }
            }
        }
    }
    Ok(columns)
}
