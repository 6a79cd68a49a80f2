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
    /// `postgres://…` or `postgresql://…` is a server, a text without a scheme a file. What seems to be a server's address in
    /// another spelling is neither, and is not repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unfit = |what: &str| Error::Unfit {
            what: what.to_owned(),
            remedy: "write it as postgres://user@host:5432/database, or name a file".to_owned(),
        };
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Server(text.to_owned())),
            Some(_) => Err(unfit(
                "the database's address begins with a scheme that is not postgres",
            )),
            None if is_like_a_server(text) => Err(unfit(
                "the database's address is neither a URL nor like a file's path",
            )),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}
/// `postgres:me:secret@host`, `me@host/ledger`, `host=db password=secret`.
fn is_like_a_server(text: &str) -> bool {
    text.starts_with("postgres:")
        || text.starts_with("postgresql:")
        || text.contains('@')
        || text.split_whitespace().any(|word| {
            let setting = word.split_once('=');
            setting.is_some_and(|(key, _)| ["host", "dbname", "user", "password"].contains(&key))
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_or_a_path_and_what_may_hold_a_password_is_never_repeated() {
        for server in ["postgres://me@db/ledger", "postgresql:///ledger?host=/run"] {
            let parsed = Address::parse(server).unwrap();
            assert_eq!(parsed, Address::Server(server.to_owned()));
        }
        for file in [
            "ledger.db",
            "/srv/a b/ledger.db",
            "postgres/ledger.db",
            "x=1.db",
        ] {
            let parsed = Address::parse(file).unwrap();
            assert_eq!(parsed, Address::File(PathBuf::from(file)));
        }
        for neither in [
            "mysql://me:hunter2@db/ledger",
            "postgres:me:hunter2@db/ledger",
            "postgres:/me:hunter2@db/ledger",
            "me:hunter2@db/ledger",
            "host=db password=hunter2",
            "postgresql:ledger",
        ] {
            let error = Address::parse(neither).unwrap_err().to_string();
            assert!(error.contains("postgres://user@host"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for odd in [
            "postgres://me@db/ledger?sslmode=require&hunter2@x",
            "postgres://me@db/ledger?Hunter2=1",
        ] {
            let error = postgres::parse(odd).unwrap_err().to_string();
            assert!(!error.to_lowercase().contains("hunter2"), "{error}");
        }
    }
}
