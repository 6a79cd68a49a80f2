//! Which server, and which ledger it must be.

use piperoll_client::{ledger, server::Server, state::Folder};
use piperoll_core::{Hash, name::LedgerId};

use crate::{
    exit::{Exit, Problem, Result},
    rim,
};

pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:7470";

/// `--server` and `--ledger`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LedgerArgs {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = DEFAULT_SERVER)]
    pub server: String,
    /// The ledger's id, 64 hex digits; without it the server's ledger is pinned on first use
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
}
impl LedgerArgs {
    /// The id that was given, if one was.
    pub(crate) fn given(&self) -> Result<Option<LedgerId>> {
        self.ledger.as_deref().map(parse_id).transpose()
    }
    /// The server at that address; nothing is sent yet.
    pub(crate) fn connect(&self) -> Result<Server> {
        connect(&self.server)
    }
    /// The ledger everything is signed for: the one that was named, the one pinned for the server, or the server's own.
    pub(crate) async fn id(&self, folder: &Folder) -> Result<LedgerId> {
        if let Some(told) = self.given()? {
            return Ok(told);
        }
        let server = self.connect()?;
        match ledger::identify(folder, &server, None).await {
            Ok(identified) => Ok(identified.ledger.id),
            Err(ledger::Error::Query(error)) => {
                Err(Problem::new(Exit::NoAnswer, error.to_string())
                    .hint("neither the ledger's id nor a server that knows it can be found")
                    .hint("try: --ledger ID (or PIPEROLL_LEDGER), as piperoll init printed it"))
            }
            Err(error) => Err(Problem::new(Exit::Unverified, error.to_string())),
        }
    }
}
/// A ledger's id as a person types it.
pub(crate) fn parse_id(text: &str) -> Result<LedgerId> {
    let hash = Hash::from_hex(text.trim()).ok_or_else(|| {
        Problem::usage(format!("{text:?} is not a ledger id"))
            .hint("a ledger id is 64 hex digits, as piperoll init printed it")
    })?;
    Ok(LedgerId(hash))
}
/// A server by its address; `PIPEROLL_TOKEN` is shown to it, for those that want to know who reads.
pub(crate) fn connect(address: &str) -> Result<Server> {
    Server::new(address, rim::variable("PIPEROLL_TOKEN"))
        .map_err(|error| Problem::usage(error.to_string()))
}
