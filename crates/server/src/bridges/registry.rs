//! The bridges of this server: read from its folder at every request, so that one that was added or changed works at once.

use std::io;

use axum::http::HeaderMap;
use piperoll_core::{
    key_file,
    name::{Principal, PrincipalKind},
};
use piperoll_tlog::key::SecretKey;

use super::config::{self, Config};
use crate::{api::problem::Problem, causes, folder::Folder};

/// A bridge that can sign.
pub(super) struct Bridge {
    pub(super) name: String,
    pub(super) principal: Principal,
    pub(super) config: Config,
    pub(super) key: SecretKey,
}

/// Why a bridge that is asked for by name cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("there is no bridge of this name")]
    Unknown,
    #[error("{file} cannot be read")]
    Io {
        file: String,
        #[source]
        source: io::Error,
    },
    #[error("{file} cannot be used")]
    Config {
        file: String,
        #[source]
        source: config::Error,
    },
    #[error("{file} cannot be used")]
    Key {
        file: String,
        #[source]
        source: key_file::Error,
    },
}
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown => Self::not_found(
                "this server has no bridge of that name",
                "piperoll add bridge github NAME makes one",
            ),
            // Our own trouble: the sender did nothing wrong and may try again.
            Error::Io { .. } | Error::Config { .. } | Error::Key { .. } => {
                tracing::error!(error = causes::chain(&error), "a bridge cannot be used");
                Self::internal()
            }
        }
    }
}

/// The bridge of this name, as its files say now.
pub(super) async fn load(folder: &Folder, name: &str) -> Result<Bridge, Error> {
    // A principal's name has no dots or slashes, so it cannot lead out of the folder.
    let principal = Principal::named(PrincipalKind::Bridge, name).map_err(|_| Error::Unknown)?;
    let file = format!("{name}.toml");
    let text = match tokio::fs::read_to_string(folder.bridges().join(&file)).await {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Unknown),
        Err(source) => return Err(Error::Io { file, source }),
    };
    let config = Config::parse(&text).map_err(|source| Error::Config { file, source })?;
    let file = format!("{name}.key");
    let text = match tokio::fs::read_to_string(folder.bridges().join(&file)).await {
        Ok(text) => text,
        Err(source) => return Err(Error::Io { file, source }),
    };
    let (key, _comment) = key_file::read(&text).map_err(|source| Error::Key { file, source })?;
    Ok(Bridge {
        name: name.to_owned(),
        principal,
        config,
        key,
    })
}

/// A header as text; `None` when it is absent or not ASCII.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
