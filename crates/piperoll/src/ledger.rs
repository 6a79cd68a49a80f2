//! Which server, and which ledger it must be.

use piperoll_core::{Hash, name::LedgerId};

use crate::exit::{Exit, Problem, Result};

pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7470";

/// `--server` and `--ledger`.
#[derive(Clone, Debug, clap::Args)]
pub struct LedgerArgs {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = DEFAULT_SERVER)]
    pub server: String,
    /// The ledger's id, 64 hex digits; without it the server's ledger is pinned on first use
    #[arg(long, value_name = "ID")]
    pub ledger: Option<String>,
}
impl LedgerArgs {
    /// The id that was given, if one was.
    pub fn given(&self) -> Result<Option<LedgerId>> {
        let Some(text) = &self.ledger else {
            return Ok(None);
        };
        let hash = Hash::from_hex(text.trim()).ok_or_else(|| {
            Problem::usage(format!("{text:?} is not a ledger id"))
                .hint("a ledger id is 64 hex digits, as piperoll init printed it")
        })?;
        Ok(Some(LedgerId(hash)))
    }
    /// The ledger everything is signed for.
    pub async fn id(&self) -> Result<LedgerId> {
        match self.given()? {
            Some(id) => Ok(id),
            None => Err(Problem::new(
                Exit::NoAnswer,
                "neither the ledger's id nor a server is known",
            )
            .hint("try: --ledger ID (or PIPEROLL_LEDGER), as piperoll init printed it")),
        }
    }
}
