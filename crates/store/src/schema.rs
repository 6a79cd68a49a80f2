//! Which migrations there are, and whether a database is one of ours.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr,
    migrate::{Migrate, Migration, MigrationType, Migrator},
};

use crate::Error;

/// Numbers and names, the same for both databases (`tests/it/tidy.rs` compares the folders).
pub(crate) struct Source {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// Applies what is not applied yet, each migration in a transaction; on PostgreSQL under an advisory lock.
pub(crate) async fn migrate<C: Migrate>(
    connection: &mut C,
    sources: &[Source],
) -> sqlx::Result<()> {
    let migrator = Migrator::with_migrations(sources.iter().map(migration).collect());
    // Not `run`, whose bounds make futures that no task can be spawned with.
    migrator
        .run_direct(None, connection, false)
        .await
        .map_err(sqlx::Error::from)
}
fn migration(source: &Source) -> Migration {
    Migration::new(
        source.number,
        Cow::Borrowed(source.name),
        MigrationType::Simple,
        source.sql.into_sql_str(),
        false,
    )
}

/// What was found in a database.
pub(crate) struct Found {
    /// Whether it holds any table at all.
    pub(crate) tables: bool,
    /// Whether the table that says "a Piperoll ledger" is there.
    pub(crate) ours: bool,
    /// (number, finished, checksum) of the migrations that were applied.
    pub(crate) applied: Vec<(i64, bool, Vec<u8>)>,
}
/// What a database is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Empty,
    NotOurs,
    Older,
    Current,
    Newer,
    /// A migration was edited after it was applied, or did not finish.
    Altered,
}
impl Found {
    pub(crate) fn state(&self, sources: &[Source]) -> State {
        if !self.tables {
            return State::Empty;
        }
        if !self.ours {
            return State::NotOurs;
        }
        let known = |number: i64| sources.iter().find(|source| source.number == number);
        let mut altered = false;
        for (number, finished, checksum) in &self.applied {
            match known(*number) {
                None => return State::Newer,
                Some(source) => {
                    altered |=
                        !finished || migration(source).checksum.as_ref() != checksum.as_slice()
                }
            }
        }
        if altered {
            State::Altered
        } else if self.applied.len() < sources.len() {
            State::Older
        } else {
            State::Current
        }
    }
}
impl State {
    /// What to say of a database that cannot be used as it is. `place` names it, without any password.
    pub(crate) fn unfit(self, place: &str) -> Error {
        let (what, remedy) = match self {
            Self::Empty => (
                "holds nothing yet",
                "make a ledger in it with `piperoll init`",
            ),
            Self::NotOurs => (
                "holds tables that are not Piperoll's",
                "name another database",
            ),
            Self::Older => (
                "was made by an older version",
                "run `piperoll admin migrate`",
            ),
            Self::Newer => (
                "was made by a newer version",
                "use that version of piperoll or a later one",
            ),
            Self::Altered => (
                "has tables that differ from this version's",
                "restore it from a backup, or ask whoever changed it",
            ),
            Self::Current => ("is fit for use", "nothing needs to be done"),
        };
        Error::Unfit {
            what: format!("{place} {what}"),
            remedy: remedy.to_owned(),
        }
    }
}
