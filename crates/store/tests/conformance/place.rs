//! Fresh databases, one a test, and raw SQL on them past the store.

use std::{
    path::PathBuf,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
};

use piperoll_store::{Address, OpenMode, Shared, admin};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

/// The role that the store uses on PostgreSQL: with the rights of `piperoll_grant` and no others.
const SERVICE_ROLE: &str = "piperoll_test_service";

/// Where the ledger of a test is.
pub(crate) enum Place {
    Sqlite {
        folder: tempfile::TempDir,
    },
    Postgres {
        /// The database's owner, a superuser.
        owner: Box<PgConnectOptions>,
        admin: Box<PgConnectOptions>,
    },
}
impl Place {
    pub(crate) async fn sqlite() -> Self {
        let made = Self::Sqlite {
            folder: tempfile::tempdir().unwrap(),
        };
        made.open(OpenMode::Create).await.close().await;
        made
    }
    /// `None`, noted as skipped, where no PostgreSQL was started.
    pub(crate) async fn postgres(rule: &str) -> Option<Self> {
        let place = Self::empty_postgres(rule).await?;
        admin::migrate(&place.owner_address(), Some(SERVICE_ROLE))
            .await
            .unwrap();
        Some(place)
    }
    /// A database without a single table.
    pub(crate) async fn empty_postgres(rule: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("PIPEROLL_TEST_POSTGRES") else {
            skip(rule, "PIPEROLL_TEST_POSTGRES");
            return None;
        };
        let admin = PgConnectOptions::from_str(&server).unwrap();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("piperoll_test_{}_{number}", std::process::id());
        let mut connection = admin.connect().await.unwrap();
        // Several tests, and several runs, make the one role at the same time: only one of them does.
        let make_role = format!("create role {SERVICE_ROLE} login");
        let _ = sqlx::query(AssertSqlSafe(make_role))
            .execute(&mut connection)
            .await;
        run(&mut connection, &format!("create database {name}"))
            .await
            .unwrap();
        connection.close().await.unwrap();
        Some(Self::Postgres {
            owner: Box::new(admin.clone().database(&name)),
            admin: Box::new(admin),
        })
    }
    /// Takes a database of the server away again; a folder goes by itself.
    pub(crate) async fn end(self) {
        if let Self::Postgres { owner, admin } = self {
            let name = owner.get_database().unwrap().to_owned();
            let mut connection = admin.connect().await.unwrap();
            run(
                &mut connection,
                &format!("drop database {name} with (force)"),
            )
            .await
            .unwrap();
        }
    }

    /// As whoever serves sees it.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Sqlite { .. } => Address::from(self.file().as_path()),
            Self::Postgres { owner, .. } => Address::Server(
                owner
                    .clone()
                    .username(SERVICE_ROLE)
                    .to_url_lossy()
                    .to_string(),
            ),
        }
    }
    /// As the owner of the tables sees it.
    pub(crate) fn owner_address(&self) -> Address {
        match self {
            Self::Sqlite { .. } => self.address(),
            Self::Postgres { owner, .. } => Address::Server(owner.to_url_lossy().to_string()),
        }
    }
    fn owner(&self) -> &PgConnectOptions {
        match self {
            Self::Sqlite { .. } => panic!("there is no server for SQLite"),
            Self::Postgres { owner, .. } => owner,
        }
    }
    /// The name of the database.
    pub(crate) fn name(&self) -> String {
        self.owner().get_database().unwrap().to_owned()
    }
    /// Another database of the same server, as its owner.
    pub(crate) fn address_of(&self, database: &str) -> Address {
        Address::Server(
            self.owner()
                .clone()
                .database(database)
                .to_url_lossy()
                .to_string(),
        )
    }
    /// The same database, as whoever serves, over another way (`host:port`).
    pub(crate) fn address_at(&self, host_and_port: &str) -> Address {
        let name = self.name();
        Address::Server(format!(
            "postgres://{SERVICE_ROLE}@{host_and_port}/{name}?sslmode=disable"
        ))
    }
    /// The server's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        let folder = self
            .owner()
            .get_socket()
            .expect("the tests' PostgreSQL is on a socket");
        folder.join(format!(".s.PGSQL.{}", self.owner().get_port()))
    }
    /// The file of a ledger on SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::Sqlite { folder } => folder.path().join("ledger.db"),
            Self::Postgres { .. } => panic!("there is no file on PostgreSQL"),
        }
    }
    pub(crate) async fn open(&self, mode: OpenMode) -> Shared {
        piperoll_store::open(&self.address(), mode).await.unwrap()
    }
    /// Runs a statement past the store, as the owner; the error is what the database says.
    pub(crate) async fn raw(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite { .. } => {
                let options = SqliteConnectOptions::new()
                    .filename(self.file())
                    .pragma("recursive_triggers", "on");
                let mut connection: SqliteConnection = options.connect().await.unwrap();
                let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
                    .execute(&mut connection)
                    .await;
                connection.close().await.unwrap();
                done.map(drop).map_err(|error| error.to_string())
            }
            Self::Postgres { owner, .. } => {
                let mut connection = owner.connect().await.unwrap();
                run(&mut connection, sql).await
            }
        }
    }
    /// The same as whoever serves.
    pub(crate) async fn raw_as_service(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite { .. } => self.raw(sql).await,
            Self::Postgres { owner, .. } => {
                let mut connection = owner
                    .clone()
                    .username(SERVICE_ROLE)
                    .connect()
                    .await
                    .unwrap();
                run(&mut connection, sql).await
            }
        }
    }
}
async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), String> {
    let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await;
    done.map(drop).map_err(|error| error.to_string())
}

/// Says that a test did not run; in CI that is a failure. `scripts/test` prints the list at its end.
pub(crate) fn skip(rule: &str, variable: &str) {
    let why = format!("no PostgreSQL ({variable} is unset; scripts/test starts one)");
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "in CI nothing may be skipped: {rule}: {why}"
    );
    eprintln!("SKIPPED {rule}: {why}");
    if let Some(list) = std::env::var_os("PIPEROLL_TEST_SKIPPED") {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(list)
            .unwrap();
        std::io::Write::write_all(&mut file, format!("{rule}: {why}\n").as_bytes()).unwrap();
    }
}
