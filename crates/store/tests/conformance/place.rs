//! Fresh databases, one a test, and raw SQL on them.

use std::path::PathBuf;

use piperoll_store::{OpenMode, Shared, sqlite};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, sqlite::SqliteConnectOptions};

/// Where the ledger of a test is; it goes when this goes.
pub(crate) enum Place {
    Sqlite {
        _folder: tempfile::TempDir,
        path: PathBuf,
    },
}
impl Place {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let place = Self::Sqlite {
            _folder: folder,
            path,
        };
        place.open(OpenMode::Create).await.close().await;
        place
    }
    pub(crate) async fn open(&self, mode: OpenMode) -> Shared {
        match self {
            Self::Sqlite { path, .. } => sqlite::open(path, mode).await.unwrap(),
        }
    }
    /// Runs a statement past the store; the error is what the database says.
    pub(crate) async fn raw(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite { path, .. } => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .pragma("recursive_triggers", "on");
                let mut connection = options.connect().await.unwrap();
                let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
                    .execute(&mut connection)
                    .await;
                connection.close().await.unwrap();
                done.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}
