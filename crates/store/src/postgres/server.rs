//! Whether a server may keep a ledger: what a receipt promises rests on its settings.

use sqlx::{PgConnection, Row};

use crate::{Error, sql::failed};

/// Oldest server whose behaviour was tried.
const VERSION_MIN: i32 = 150_000;

const SERVER: &str = "select cast(current_setting('server_version_num') as integer), pg_is_in_recovery(), \
     current_setting('synchronous_commit'), current_setting('fsync'), current_setting('server_encoding'), \
     cast(current_schema() as text)";

/// What a server says of itself.
struct Server {
    version: i32,
    replica: bool,
    synchronous_commit: String,
    fsync: String,
    encoding: String,
    /// Where tables are looked for.
    schema: Option<String>,
}
/// `name` is what the database is called in messages.
pub(super) async fn check(connection: &mut PgConnection, name: &str) -> Result<(), Error> {
    let row = sqlx::query(SERVER)
        .fetch_one(connection)
        .await
        .map_err(failed::<sqlx::Postgres>)?;
    let read = || -> sqlx::Result<Server> {
        Ok(Server {
            version: row.try_get(0)?,
            replica: row.try_get(1)?,
            synchronous_commit: row.try_get(2)?,
            fsync: row.try_get(3)?,
            encoding: row.try_get(4)?,
            schema: row.try_get(5)?,
        })
    };
    match read().map_err(Error::Database)?.trouble() {
        None => Ok(()),
        Some((what, remedy)) => Err(Error::Unfit {
            what: format!("{name} {what}"),
            remedy: remedy.to_owned(),
        }),
    }
}
impl Server {
    /// Why no ledger may be kept there, and what to do about it.
    fn trouble(&self) -> Option<(String, &'static str)> {
        if self.version < VERSION_MIN {
            let version = self.version / 10_000;
            return Some((
                format!("runs PostgreSQL {version}"),
                "use PostgreSQL 15 or newer",
            ));
        }
        if self.replica {
            return Some(("is a replica".to_owned(), "name the primary"));
        }
        let crash = "a receipt could be lost in a crash";
        // `remote_apply` waits for even more than `on`.
        if self.synchronous_commit != "on" && self.synchronous_commit != "remote_apply" {
            return Some((
                format!(
                    "has synchronous_commit={}: {crash}",
                    self.synchronous_commit
                ),
                "set synchronous_commit=on for the server, the database and the role",
            ));
        }
        if self.fsync != "on" {
            return Some((format!("has fsync={}: {crash}", self.fsync), "set fsync=on"));
        }
        if self.encoding != "UTF8" {
            return Some((
                format!("is encoded in {}", self.encoding),
                "make the database anew with encoding UTF8",
            ));
        }
        if self.schema.is_none() {
            return Some((
                "has no schema in its search_path that the role may use".to_owned(),
                "set search_path for the role, and let the owner of the tables give it its rights with `piperoll admin migrate`",
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Server {
        Server {
            version: 150_018,
            replica: false,
            synchronous_commit: "on".to_owned(),
            fsync: "on".to_owned(),
            encoding: "UTF8".to_owned(),
            schema: Some("public".to_owned()),
        }
    }
    fn but(set: impl FnOnce(&mut Server)) -> Server {
        let mut server = fit();
        set(&mut server);
        server
    }

    #[test]
    fn only_a_primary_that_waits_for_its_disk_is_fit() {
        let of = |word: &str| word.to_owned();
        assert_eq!(fit().trouble(), None);
        assert_eq!(
            but(|it| it.synchronous_commit = of("remote_apply")).trouble(),
            None
        );
        let cases = [
            (but(|it| it.version = 140_020), "PostgreSQL 14"),
            (but(|it| it.replica = true), "replica"),
            (
                but(|it| it.synchronous_commit = of("off")),
                "synchronous_commit=off",
            ),
            (
                but(|it| it.synchronous_commit = of("local")),
                "synchronous_commit=local",
            ),
            (
                but(|it| it.synchronous_commit = of("remote_write")),
                "=remote_write",
            ),
            (but(|it| it.fsync = of("off")), "fsync=off"),
            (but(|it| it.encoding = of("SQL_ASCII")), "SQL_ASCII"),
            (but(|it| it.schema = None), "no schema"),
        ];
        for (server, words) in cases {
            let (what, _) = server.trouble().unwrap();
            assert!(what.contains(words), "{what}");
        }
    }
}
