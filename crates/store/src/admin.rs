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
    Address, Error, OpenMode, Store, postgres,
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

/// Moves a ledger to another database, which must hold none: every table but the lease, the head last, so that a copy that was
/// cut short is no ledger.
///
/// Nobody may write to `from` meanwhile: [`Error::Conflict`] when its head moved. [`Error::Corrupt`] when the copied entries do
/// not make the root that the head names.
pub async fn copy(from: &Address, to: &Address) -> Result<Copied, Error> {
    let from = open(from, OpenMode::ReadOnly).await?;
    let into = open(to, OpenMode::Create).await?;
    let done = copy_between(&*from, &*into, to).await;
    from.close().await;
    into.close().await;
    done
}

async fn copy_between(from: &dyn Tables, into: &dyn Tables, to: &Address) -> Result<Copied, Error> {
    let Some(head) = from.head().await? else {
        return Err(Error::Unfit {
            what: "there is no ledger to copy".to_owned(),
            remedy: "name the database that holds it".to_owned(),
        });
    };
    for table in tables::COPIED {
        if from_start(into, table).await?.is_some() {
            return Err(Error::Unfit {
                what: format!("{to} holds rows in {} already", table.name),
                remedy: "copy into a database that is empty".to_owned(),
            });
        }
    }
    let mut root = Hash::empty_root();
    for table in tables::COPIED {
        if table.name == tables::HEAD.name {
            root = root_of(into, head.size).await?;
            if root != head.root {
                return Err(Error::Corrupt {
                    place: "the copy".to_owned(),
                    what: format!(
                        "its entries make the root {root}, the head names {}",
                        head.root
                    ),
                });
            }
            if from.head().await?.as_ref() != Some(&head) {
                return Err(Error::Conflict);
            }
        }
        let mut pages = Pages::of(table);
        while let Some(rows) = from.page(&mut pages).await? {
            into.put(table, rows).await?;
        }
    }
    Ok(Copied {
        size: head.size,
        root,
    })
}
async fn from_start(
    store: &dyn Tables,
    table: &'static Table,
) -> Result<Option<Vec<Vec<Value>>>, Error> {
    store.page(&mut Pages::of(table)).await
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
