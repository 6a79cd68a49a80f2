//! Where a ledger lies: the server's folder, and the database that may take the place of `ledger.db` in it.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, parser::ValueSource};
use piperoll_server::{
    causes::chain,
    folder::{self, Folder},
};
use piperoll_store::{self as store, Address};

use crate::{
    exit::{Problem, Result},
    rim,
};

/// `--database`. It may hold a password, so its value is never shown: not in the help, not in an error, not in a log.
#[derive(Clone, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The PostgreSQL database in place of ledger.db in the folder, such as `postgres://piperoll@db.example/ledger`; best given as
    /// PIPEROLL_DATABASE, its password in ~/.pgpass
    #[arg(long, value_name = "ADDRESS", hide_default_value = true)]
    database: Option<String>,
}
impl std::fmt::Debug for DatabaseArgs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.database.as_deref().map(Address::parse);
        formatter
            .debug_tuple("DatabaseArgs")
            .field(&address)
            .finish()
    }
}

impl DatabaseArgs {
    /// As it was given, password and all.
    pub(crate) fn address_text(&self) -> Option<String> {
        self.database.clone()
    }
    /// Where the database is: the one that was named, else `ledger.db` in the folder.
    pub(crate) fn address_beside(&self, folder: &Path) -> Result<Address> {
        let address = Folder::new(folder).address(self.database.as_deref());
        address.map_err(|error| Problem::usage(error.to_string()))
    }
    /// The address as a word for a shell; one that holds a password is named by its variable.
    pub(crate) fn for_a_shell(&self) -> Option<String> {
        let address = self.database.as_deref()?;
        Some(if shows_a_password(address) || address.contains('\'') {
            "\"$PIPEROLL_DATABASE\"".to_owned()
        } else {
            format!("'{address}'")
        })
    }
}

/// `--data` and `--database`, of commands that need the server's folder.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// The server's folder
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}
impl DataArgs {
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.clone()
    }
    pub(crate) fn database(&self) -> Option<String> {
        self.database.address_text()
    }
    pub(crate) fn database_for_a_shell(&self) -> Option<String> {
        self.database.for_a_shell()
    }
    /// Where the ledger's database is.
    pub(crate) fn address(&self) -> Result<Address> {
        self.database.address_beside(&self.data)
    }
}

/// `--data` or `--database`, of commands that need the database and no key: either one alone.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReadArgs {
    /// The ledger in this server's folder
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
}
impl ReadArgs {
    /// Where the ledger's database is; `None` when neither was named.
    pub(crate) fn address(&self) -> Result<Option<Address>> {
        match (&self.database.database, &self.data) {
            (Some(database), _) => Address::parse(database)
                .map(Some)
                .map_err(|error| Problem::usage(error.to_string())),
            (None, Some(data)) if !data.is_dir() => Err(Problem::failed(
                folder::Error::Missing(data.clone()).to_string(),
            )),
            (None, Some(data)) => Ok(Some(Address::from(Folder::new(data).database().as_path()))),
            (None, None) => Ok(None),
        }
    }
    /// For commands that ask nobody else.
    pub(crate) fn required(&self) -> Result<Address> {
        self.address()?.ok_or_else(|| {
            Problem::usage("it is not said which ledger is meant")
                .hint("a server's folder: --data FOLDER; a database: --database ADDRESS (or PIPEROLL_DATABASE)")
        })
    }
}

/// A command that failed over a ledger's database, with the chain of causes and what to do about those that a person can mend.
pub(crate) fn trouble(
    error: &(dyn std::error::Error + 'static),
    address: Option<&Address>,
) -> Problem {
    let causes = || anyhow::Chain::new(error);
    let message = chain(error);
    let of_the_store = || causes().filter_map(|cause| cause.downcast_ref::<store::Error>());
    let silent = of_the_store().any(|cause| {
        matches!(
            cause,
            store::Error::Unavailable(_) | store::Error::Unknown(_)
        )
    });
    let file = match address {
        Some(address @ Address::File(_)) if of_the_store().next().is_some() => {
            Some(address.to_string()).filter(|file| !message.contains(file))
        }
        _ => None,
    };
    let problem = Problem::failed(message);
    if let Some(file) = file {
        return problem.hint(format!("the file is {file}"));
    }
    match address {
        Some(address @ Address::Server(_)) if silent => problem
            .hint(format!("it is {address}: is it running, and reachable from here?"))
            .hint("--database or PIPEROLL_DATABASE names another; libpq's own tools show more: psql ADDRESS"),
        _ => problem,
    }
}

/// Flags whose value is a database's address.
const ADDRESSES: [&str; 3] = ["database", "from", "to"];

/// Everybody on a machine can list the arguments of its processes, so a password there is refused.
pub(crate) fn refuse_shown_passwords(matches: &ArgMatches) -> Result {
    for name in matches.ids().map(clap::Id::as_str) {
        let typed = matches.value_source(name) == Some(ValueSource::CommandLine);
        if ADDRESSES.contains(&name)
            && typed
            && let Ok(Some(address)) = matches.try_get_one::<String>(name)
            && shows_a_password(address)
        {
            let variable = format!("PIPEROLL_{}", name.to_uppercase());
            return Err(Problem::usage(format!(
                "--{name} holds a password, which everybody on this machine can see in the list of processes"
            ))
            .hint(format!("give the whole address as {variable},"))
            .hint("or leave the password out and put it into ~/.pgpass (mode 0600) or PGPASSWORD"));
        }
    }
    match matches.subcommand() {
        Some((_, deeper)) => refuse_shown_passwords(deeper),
        None => Ok(()),
    }
}
/// Whether an address has a password in it: `user:password@`, or a member `password=`.
fn shows_a_password(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else {
        return false;
    };
    // Slashes and question marks that were not escaped may stand in a password, so that the last @ counts, wherever it is.
    let user = rest.rsplit_once('@');
    user.is_some_and(|(user, _)| user.contains(':'))
        || rest
            .split(['?', '&'])
            .any(|member| member.starts_with("password="))
}

/// `--state`: where the guard lies, outside the server's folder and outside backups.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StateArgs {
    /// Where the guard lies, outside the server's folder and its backups [default: ~/.local/state/piperoll]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
}
impl StateArgs {
    /// The folder that was named, else `$XDG_STATE_HOME/piperoll`, else `~/.local/state/piperoll`.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        if let Some(named) = &self.state {
            return Ok(named.clone());
        }
        let base = rim::variable("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| rim::variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
        base.map(|base| base.join("piperoll")).ok_or_else(|| {
            Problem::usage("state is missing: there is neither XDG_STATE_HOME nor HOME")
                .hint("try: --state /var/lib/piperoll-state")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_in_every_form_of_an_address_and_nowhere_else() {
        for shown in [
            "postgres://me:secret@db/ledger",
            "postgresql://me:@db:5432/ledger",
            "postgres://me:pa/ss@db/ledger",
            "postgres://me:pa?ss@db/ledger",
            "postgres://me@db/ledger?a?password=secret",
            "postgres:///ledger?host=/run&password=secret",
        ] {
            assert!(shows_a_password(shown), "{shown}");
        }
        for clean in [
            "postgres://me@db:5432/ledger",
            "postgres:///ledger?host=/run/postgresql&user=me",
            "data/ledger.db",
        ] {
            assert!(!shows_a_password(clean), "{clean}");
        }
    }
}
