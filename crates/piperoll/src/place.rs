//! Where a ledger lies: the server's folder, and the database that may take the place of `ledger.db` in it.

use std::path::PathBuf;

use crate::{
    exit::{Problem, Result},
    rim,
};

/// `--data` and `--database`, of commands that cannot do without.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// The server's folder
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// A database in place of ledger.db in the folder
    #[arg(long, value_name = "ADDRESS", hide_env_values = true)]
    database: Option<String>,
}
impl DataArgs {
    pub(crate) fn folder(&self) -> PathBuf {
        self.data.clone()
    }
    pub(crate) fn database(&self) -> Option<String> {
        self.database.clone()
    }
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
