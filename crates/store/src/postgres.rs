//! The ledger in a PostgreSQL database (15 or newer), on the primary only.
//!
//! What a receipt promises rests on the server's settings, so they are looked at whenever a connection is made: behind the same
//! address another server can answer tomorrow. A password never stands in an error: addresses are named by host, port and
//! database.

mod dialect;
mod server;

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    Error, OpenMode, Shared,
    schema::{self, Found, MIGRATED, PURPOSE, Source, State},
    sql::{Objection, Sql, failed, tables},
};

/// Questions at a time; one more waits for a connection.
const READERS_MAX: u32 = 8;
/// The projector's connection, and some for bridges and checkpoints.
const WRITERS_MAX: u32 = 4;
/// How long anybody waits for a connection before the database counts as not answering.
const ACQUIRE_WAIT: Duration = Duration::from_secs(5);
/// Of whoever writes.
const WRITING: [(&str, &str); 2] = [
    // A writer that was stopped holds the head's row; the server takes it back after this long.
    ("idle_in_transaction_session_timeout", "2s"),
    ("default_transaction_read_only", "off"),
];

pub(crate) const MIGRATIONS: [Source; 1] = [Source {
    number: 1,
    name: "ledger",
    sql: include_str!("../../../migrations/postgres/0001_ledger.sql"),
}];

/// Every question has its index, and each is to be answered through it whatever the server's statistics say of tables that grow
/// from nothing within minutes. Members of a filter are absent most of the time, so a plan is made for the values at hand.
const SESSION: [(&str, &str); 7] = [
    ("plan_cache_mode", "force_custom_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    // Whatever the server's file says after its next reload.
    ("synchronous_commit", "on"),
];

/// Members of an address after `?`. Another one would be ignored with a warning that shows its value.
const MEMBERS: [&str; 14] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "ssl-mode",
    "statement-cache-capacity",
];

/// Opens the ledger at `address`, a URL as libpq takes it.
///
/// [`Error::Unfit`] when the server or the database must not be used: too old, a replica, commits that do not wait for the disk,
/// another encoding, a missing right, or not a ledger of this version.
pub async fn open(address: &str, mode: OpenMode) -> Result<Shared, Error> {
    Ok(Arc::new(open_sql(address, mode).await?))
}
pub(crate) async fn open_sql(address: &str, mode: OpenMode) -> Result<Sql<sqlx::Postgres>, Error> {
    let options = parse(address)?;
    if mode == OpenMode::Create {
        migrate(&options).await?;
    }
    let mut connection = connect(&options).await?;
    server::check(&mut connection, &name(&options)).await?;
    let state = look(&mut connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?;
    match state {
        State::Current => {}
        // The role that serves need not be allowed to; then the owner does it.
        State::Older if mode == OpenMode::ReadWrite => match migrate(&options).await {
            Err(Error::Unfit { .. }) => return Err(state.unfit(&name(&options))),
            migrated => migrated?,
        },
        other => return Err(other.unfit(&name(&options))),
    }
    check_rights(&mut connection, mode).await?;
    // The checks stand; a failure to say good-bye changes nothing.
    let _ = connection.close().await;
    let objection = Objection::default();
    let pool = |connections_max: u32| {
        let (name, objection) = (name(&options), objection.clone());
        PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_WAIT)
            .after_connect(move |connection, _| {
                let (name, objection) = (name.clone(), objection.clone());
                Box::pin(async move { objection.tell(server::check(connection, &name).await) })
            })
    };
    let reader = pool(READERS_MAX).connect_lazy_with(options.clone().options(SESSION));
    let writer = (mode != OpenMode::ReadOnly).then(|| {
        let writing = options.clone().options(SESSION).options(WRITING);
        pool(WRITERS_MAX).connect_lazy_with(writing)
    });
    Ok(Sql {
        reader,
        writer,
        objection,
    })
}

pub(crate) fn parse(address: &str) -> Result<PgConnectOptions, Error> {
    let unreadable = |what: String| Error::Unfit {
        what,
        remedy: "write it as postgres://user@host:5432/database?sslmode=verify-full".to_owned(),
    };
    if let Some((_, members)) = address.split_once('?') {
        for member in members.split('&') {
            let key = member.split('=').next().unwrap_or_default();
            if !MEMBERS.contains(&key) {
                // What is no word may be a part of a password.
                let is_word = |byte: u8| byte.is_ascii_lowercase() || b"-_".contains(&byte);
                return Err(unreadable(if key.bytes().all(is_word) {
                    format!("the database's address has the unknown member {key:?}")
                } else {
                    "the database's address has a member after ? that is none".to_owned()
                }));
            }
        }
    }
    // The parser's own message may quote the address.
    let options = PgConnectOptions::from_str(address)
        .map_err(|_| unreadable("the database's address cannot be read".to_owned()))?;
    Ok(options
        .application_name("piperoll")
        .disable_statement_logging())
}
/// How the database is called in messages: never with user or password.
pub(crate) fn name(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!(
        "the database {:?} at {host}",
        options.get_database().unwrap_or("(of the user's name)")
    )
}
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connecting = tokio::time::timeout(ACQUIRE_WAIT, options.connect());
    match connecting.await {
        Ok(connected) => connected.map_err(failed::<sqlx::Postgres>),
        Err(_) => Err(Error::Unavailable(sqlx::Error::PoolTimedOut)),
    }
}

async fn look(connection: &mut PgConnection) -> sqlx::Result<State> {
    let tables: Vec<String> = sqlx::query(
        "select cast(tablename as text) from pg_tables where schemaname = current_schema()",
    )
    .fetch_all(&mut *connection)
    .await?
    .iter()
    .map(|row| row.try_get(0))
    .collect::<Result<_, _>>()?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    let mut applied = Vec::new();
    if has(PURPOSE) && has(MIGRATED) {
        let rows =
            sqlx::query("select version, success, checksum from _sqlx_migrations order by version");
        for row in rows.fetch_all(connection).await? {
            applied.push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
        }
    }
    let found = Found { tables, applied };
    Ok(found.state(&MIGRATIONS))
}

/// What the role may not do although it must: the list of `piperoll_grant` in the migration, one right a row.
const MISSING_RIGHTS: &str = "select needed.act || ' on ' || needed.relation from (values \
     ('entry', 'insert'), ('tile', 'insert'), ('checkpoint', 'insert'), ('consumed', 'insert'), ('refused', 'insert'), \
     ('payload', 'insert'), ('text', 'insert'), ('refused_body', 'insert'), ('login_id', 'insert'), \
     ('head', 'insert'), ('head', 'update'), ('lease', 'insert'), ('lease', 'update'), \
     ('refused_count', 'insert'), ('refused_count', 'update'), ('junk', 'insert'), ('junk', 'update'), \
     ('bridge_seen', 'insert'), ('bridge_seen', 'update'), ('bridge_count', 'insert'), ('bridge_count', 'update'), \
     ('aggregate', 'insert'), ('aggregate', 'update'), ('aggregate', 'delete'), \
     ('alias', 'insert'), ('alias', 'update'), ('alias', 'delete'), \
     ('change', 'insert'), ('change', 'update'), ('change', 'delete'), \
     ('slot', 'insert'), ('slot', 'update'), ('slot', 'delete')) as needed (relation, act) \
     where not has_table_privilege(needed.relation, needed.act) and $1 \
     union select 'select on ' || ours.relation from unnest($2) as ours (relation) \
     where not has_table_privilege(ours.relation, 'select') order by 1";

async fn check_rights(connection: &mut PgConnection, mode: OpenMode) -> Result<(), Error> {
    let ours: Vec<&str> = [PURPOSE, MIGRATED]
        .into_iter()
        .chain(tables::names())
        .collect();
    let rows = sqlx::query(MISSING_RIGHTS)
        .bind(mode != OpenMode::ReadOnly)
        .bind(ours)
        .fetch_all(connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?;
    let missing: Vec<String> = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()
        .map_err(Error::Database)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Unfit {
        what: format!("the role lacks rights: {}", missing.join(", ")),
        remedy: "let the owner of the tables grant them with `piperoll admin migrate`".to_owned(),
    })
}

/// Makes the tables, or brings them up to date, under an advisory lock; nothing happens when they are.
pub(crate) async fn migrate(options: &PgConnectOptions) -> Result<(), Error> {
    let mut connection = connect(options).await?;
    server::check(&mut connection, &name(options)).await?;
    match look(&mut connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?
    {
        State::Current => {}
        State::Empty | State::Older => {
            let done = schema::migrate(&mut connection, &MIGRATIONS).await;
            done.map_err(failed::<sqlx::Postgres>)?;
        }
        other => return Err(other.unfit(&name(options))),
    }
    let _ = connection.close().await;
    Ok(())
}

const BYTES: &str = "select pg_database_size(current_database())";

pub(crate) async fn bytes(options: &PgConnectOptions) -> Result<u64, Error> {
    let mut connection = connect(options).await?;
    let row = sqlx::query(BYTES)
        .fetch_one(&mut connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?;
    let bytes: i64 = row.try_get(0).map_err(Error::Database)?;
    let _ = connection.close().await;
    Ok(bytes.unsigned_abs())
}

const GRANT: &str = "select piperoll_grant($1)";

/// Gives the role that serves what it needs and no more. For the owner of the tables.
pub(crate) async fn grant(options: &PgConnectOptions, service_role: &str) -> Result<(), Error> {
    let mut connection = connect(options).await?;
    sqlx::query(GRANT)
        .bind(service_role)
        .execute(&mut connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?;
    let _ = connection.close().await;
    Ok(())
}
