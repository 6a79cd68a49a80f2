//! The ledger in one SQLite file.
//!
//! One connection writes, a few read; in WAL mode neither waits for the other. `synchronous=FULL`: a commit is on disk when it
//! is reported. The bundled SQLite is used, never the system's.

mod dialect;

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, Pool, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Error, OpenMode, Shared,
    schema::{self, Found, MIGRATED, Source, State},
    sql::{Objection, Sql, failed},
};

/// Readers at a time; a question more waits for one of them.
const READERS_MAX: u32 = 8;
/// Pages that the writer keeps in memory, in KiB (SQLite wants them negative): the upper levels of all indexes of a ledger of some
/// millions of entries.
const CACHE_KIB: &str = "-32768";
/// Pages in the WAL before they are moved to the file: a few full batches, so that not each of them pays for it.
const WAL_PAGES: &str = "4000";
/// How long a writer waits for another process that writes.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How long a question waits for a connection.
const ACQUIRE_WAIT: Duration = Duration::from_secs(30);

pub(crate) const MIGRATIONS: [Source; 1] = [Source {
    number: 1,
    name: "ledger",
    sql: include_str!("../../../migrations/sqlite/0001_ledger.sql"),
}];

/// Opens the ledger in the file at `path`.
///
/// [`Error::Unfit`] when the file is missing, empty, older, newer or not ours, or may not be read; nothing is changed then.
pub async fn open(path: &Path, mode: OpenMode) -> Result<Shared, Error> {
    Ok(Arc::new(open_sql(path, mode).await?))
}
pub(crate) async fn open_sql(path: &Path, mode: OpenMode) -> Result<Sql<sqlx::Sqlite>, Error> {
    let path = std::path::absolute(path).map_err(|error| Error::Unfit {
        what: format!("{} is no path to a file ({error})", path.display()),
        remedy: "name the ledger's file".to_owned(),
    })?;
    match mode {
        OpenMode::ReadOnly => open_read_only(&path).await,
        OpenMode::ReadWrite => open_to_write(&path, false).await,
        OpenMode::Create => open_to_write(&path, true).await,
    }
}

async fn open_to_write(path: &Path, create: bool) -> Result<Sql<sqlx::Sqlite>, Error> {
    let state = if holds_bytes(path) {
        look(path).await?.1
    } else {
        State::Empty
    };
    match state {
        State::Current => {}
        State::Empty if create => migrate(path).await?,
        State::Older => migrate(path).await?,
        State::Empty if !path.exists() => return Err(missing(path)),
        other => return Err(other.unfit(&name(path))),
    }
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(writing(path))
        .await
        .map_err(failed::<sqlx::Sqlite>)?;
    try_to_write(&writer)
        .await
        .map_err(failed::<sqlx::Sqlite>)?;
    Ok(Sql {
        reader: readers().connect_lazy_with(reading(path)),
        writer: Some(writer),
        objection: Objection::default(),
    })
}

/// Whether the file may be written shows only when something is; nothing of it stays.
async fn try_to_write(writer: &Pool<sqlx::Sqlite>) -> sqlx::Result<()> {
    let mut transaction = writer.begin_with("begin immediate").await?;
    sqlx::query("update piperoll set purpose = purpose")
        .execute(&mut *transaction)
        .await?;
    transaction.rollback().await
}

/// Works on a folder that may not be written: SQLite then needs the WAL's index of a running server, or, where there is no
/// WAL, the promise that nobody writes.
async fn open_read_only(path: &Path) -> Result<Sql<sqlx::Sqlite>, Error> {
    if !path.exists() {
        return Err(missing(path));
    }
    let (options, state) = look(path).await?;
    if state != State::Current {
        return Err(state.unfit(&name(path)));
    }
    Ok(Sql {
        reader: readers().connect_lazy_with(options),
        writer: None,
        objection: Objection::default(),
    })
}

fn readers() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(ACQUIRE_WAIT)
        .test_before_acquire(false)
}
fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_WAIT)
        .disable_statement_logging()
}
fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_WAIT)
        // `replace` overwrites a row without asking the triggers on delete unless this is on.
        .pragma("recursive_triggers", "on")
        .pragma("cache_size", CACHE_KIB)
        .pragma("wal_autocheckpoint", WAL_PAGES)
        .disable_statement_logging()
}

/// Reads what the file holds without changing it, and says with which options that worked.
async fn look(path: &Path) -> Result<(SqliteConnectOptions, State), Error> {
    let ordinary = reading(path);
    match look_with(&ordinary).await {
        Ok(found) => Ok((ordinary, found.state(&MIGRATIONS))),
        Err(error) if dialect::cannot_open(&error) => {
            if holds_bytes(&beside(path, "-wal")) {
                return Err(Error::Unfit {
                    what: format!(
                        "{} was left by a server that did not end well, and its folder may not be written",
                        name(path)
                    ),
                    remedy: "start and stop the server once, or read a copy of the whole folder"
                        .to_owned(),
                });
            }
            let still = ordinary.immutable(true);
            match look_with(&still).await {
                Ok(found) => Ok((still, found.state(&MIGRATIONS))),
                Err(_) if !may_be_read(path) => Err(Error::Unfit {
                    what: format!("{} may not be read", name(path)),
                    remedy: "use an account that may".to_owned(),
                }),
                Err(error) => Err(failed::<sqlx::Sqlite>(error)),
            }
        }
        Err(error) if dialect::no_database(&error) => Ok((ordinary, State::NotOurs)),
        Err(error) => Err(failed::<sqlx::Sqlite>(error)),
    }
}
async fn look_with(options: &SqliteConnectOptions) -> sqlx::Result<Found> {
    let mut connection = options.connect().await?;
    let found = find_tables(&mut connection).await;
    connection.close().await?;
    found
}
async fn find_tables(connection: &mut SqliteConnection) -> sqlx::Result<Found> {
    let tables: Vec<String> = sqlx::query("select name from sqlite_schema where type = 'table'")
        .fetch_all(&mut *connection)
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    let mut applied = Vec::new();
    if tables.iter().any(|table| table == MIGRATED) {
        let rows =
            sqlx::query("select version, success, checksum from _sqlx_migrations order by version");
        for row in rows.fetch_all(connection).await? {
            applied.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(Found { tables, applied })
}

/// Makes the tables, or brings them up to date.
pub(crate) async fn migrate(path: &Path) -> Result<(), Error> {
    make_private(path).map_err(|_| cannot_be_made(path))?;
    let mut connection = writing(path).connect().await.map_err(|error| {
        if dialect::cannot_open(&error) {
            cannot_be_made(path)
        } else {
            failed::<sqlx::Sqlite>(error)
        }
    })?;
    let done = schema::migrate(&mut connection, &MIGRATIONS).await;
    let closed = connection.close().await;
    done.map_err(failed::<sqlx::Sqlite>)?;
    closed.map_err(failed::<sqlx::Sqlite>)
}

/// Makes the file, if there is none, so that only its owner may read what people wrote. SQLite gives its other files the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
fn cannot_be_made(path: &Path) -> Error {
    Error::Unfit {
        what: format!("{} cannot be made", name(path)),
        remedy: "name a folder that exists and may be written".to_owned(),
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
fn missing(path: &Path) -> Error {
    Error::Unfit {
        what: format!("{} does not exist", name(path)),
        remedy: "make a ledger with `piperoll init`, or name its folder".to_owned(),
    }
}
/// The file with what is kept beside it.
pub(crate) fn bytes(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    size(path) + size(&beside(path, "-wal"))
}
fn holds_bytes(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}
fn may_be_read(path: &Path) -> bool {
    std::fs::File::open(path).is_ok()
}
/// The file that SQLite keeps beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
