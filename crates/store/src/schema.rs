//! Which migrations there are, and whether a database is one of ours.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr,
    migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator},
};

use crate::{Error, sql::tables};

/// The table that says "a Piperoll ledger".
pub(crate) const PURPOSE: &str = "piperoll";
/// Where the migrations are noted that were applied.
pub(crate) const MIGRATED: &str = "_sqlx_migrations";

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
    let done = migrator.run_direct(None, connection, false).await;
    done.map_err(|error| match error {
        // What the database said is what the caller can act on.
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => source,
        other => other.into(),
    })
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
    /// The names of all ordinary tables; what a view shows does not count.
    pub(crate) tables: Vec<String>,
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
    /// One of our tables is gone.
    Lacks(&'static str),
}
impl Found {
    pub(crate) fn state(&self, sources: &[Source]) -> State {
        let has = |name: &str| self.tables.iter().any(|table| table == name);
        // A start that was cut short before the first migration leaves the list of migrations, empty.
        if self.tables.iter().all(|table| table == MIGRATED) && self.applied.is_empty() {
            return State::Empty;
        }
        // Nobody else has both of the others.
        let ours = [PURPOSE, tables::ENTRY.name, tables::HEAD.name];
        if ours.iter().filter(|name| has(name)).count() < 2 {
            return State::NotOurs;
        }
        if let Some(gone) = [PURPOSE, MIGRATED].iter().find(|name| !has(name)) {
            return State::Lacks(gone);
        }
        let known = |number: i64| sources.iter().find(|source| source.number == number);
        let mut altered = false;
        for (number, finished, checksum) in &self.applied {
            match known(*number) {
                None => return State::Newer,
                Some(source) => {
                    let same = migration(source).checksum.as_ref() == checksum.as_slice();
                    altered |= !finished || !same;
                }
            }
        }
        if altered {
            State::Altered
        } else if self.applied.len() < sources.len() {
            State::Older
        } else if let Some(gone) = tables::names().find(|name| !has(name)) {
            State::Lacks(gone)
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
            Self::Lacks(table) => {
                return Error::Corrupt {
                    place: place.to_owned(),
                    what: format!("the table {table} is gone"),
                };
            }
            Self::Current => ("is fit for use", "nothing needs to be done"),
        };
        Error::Unfit {
            what: format!("{place} {what}"),
            remedy: remedy.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    const SOURCES: [Source; 2] = [
        Source {
            number: 1,
            name: "one",
            sql: "select 1",
        },
        Source {
            number: 2,
            name: "two",
            sql: "select 2",
        },
    ];
    /// Number, whether it finished, and what it was.
    type Applied = (i64, bool, &'static str);

    fn found(applied: &[Applied]) -> Found {
        let checksum = |sql: &'static str| {
            migration(&Source {
                number: 1,
                name: "",
                sql,
            })
            .checksum
            .into_owned()
        };
        let ours = iter::chain([PURPOSE, MIGRATED], tables::names());
        Found {
            tables: ours.map(str::to_owned).collect(),
            applied: applied
                .iter()
                .map(|(number, finished, sql)| (*number, *finished, checksum(sql)))
                .collect(),
        }
    }

    #[test]
    fn a_database_is_told_by_its_migrations() {
        let (one, two) = ((1, true, "select 1"), (2, true, "select 2"));
        let cases: [(&[Applied], State); 7] = [
            (&[], State::Older),
            (&[one], State::Older),
            (&[one, two], State::Current),
            (&[one, two, (3, true, "select 3")], State::Newer),
            (&[(1, true, "select 1;"), two], State::Altered),
            (&[one, (2, false, "select 2")], State::Altered),
            (
                &[(1, true, "select 1;"), two, (3, true, "select 3")],
                State::Newer,
            ),
        ];
        for (applied, state) in cases {
            assert_eq!(found(applied).state(&SOURCES), state, "{applied:?}");
        }
        let holds = |tables: &[&str]| Found {
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
            applied: Vec::new(),
        };
        for tables in [&[][..], &[MIGRATED]] {
            assert_eq!(holds(tables).state(&SOURCES), State::Empty, "{tables:?}");
        }
        for tables in [&["invoice"][..], &["entry", MIGRATED]] {
            assert_eq!(holds(tables).state(&SOURCES), State::NotOurs, "{tables:?}");
        }
        for gone in iter::chain([PURPOSE, MIGRATED], tables::names()) {
            let mut found = found(&[one, two]);
            found.tables.retain(|table| table != gone);
            assert_eq!(found.state(&SOURCES), State::Lacks(gone));
        }
    }
}
