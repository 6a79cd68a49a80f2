//! Where a ledger is kept: a file, or a database on a server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{Error, OpenMode, Shared, postgres, sqlite};

/// The address of a ledger's database. Never shows a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A SQLite file, such as `ledger.db` in the server's folder.
    File(PathBuf),
    /// A PostgreSQL URL, as libpq takes it.
    Server(String),
}
impl Address {
    /// `postgres://…` or `postgresql://…` is a server, a text without a scheme a file.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Server(text.to_owned())),
            Some(_) => Err(Error::Unfit {
                what: "the database's address begins with a scheme that is not postgres".to_owned(),
                remedy: "write it as postgres://user@host:5432/database, or name a file".to_owned(),
            }),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}
impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Server(address) => match postgres::parse(address) {
                Ok(options) => formatter.write_str(&postgres::name(&options)),
                Err(_) => formatter.write_str("a database whose address cannot be read"),
            },
        }
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

/// Opens a ledger wherever it is; who reads and writes it need not know.
pub async fn open(address: &Address, mode: OpenMode) -> Result<Shared, Error> {
    match address {
        Address::File(path) => sqlite::open(path, mode).await,
        Address::Server(address) => postgres::open(address, mode).await,
    }
}
