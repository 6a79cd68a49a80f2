//! Asks what became of a payload, and verifies the proof (`formats.md` section 11).

use crate::{outbox::Place, query, server::Server};
use piperoll_core::Hash;
pub use piperoll_core::receipt::{Answer, State};
use piperoll_tlog::{
    checkpoint::Checkpoint,
    note::VerifierKey,
    receipt::{self, Receipt},
};

/// Where a payload stands that is an entry.
pub fn place(answer: &Answer) -> Option<Place> {
    Some(Place {
        index: answer.index?,
        leaf: answer.leaf.clone()?,
    })
}

/// The proof does not show what it should: the ledger contradicts itself, or somebody is between us and it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the receipt of entry {index} does not verify: {source}")]
    Receipt {
        index: u64,
        #[source]
        source: receipt::Error,
    },
    #[error("the receipt of entry {index} is of another entry or another leaf")]
    OtherEntry { index: u64 },
}

/// Asks what became of the payload with this hash.
pub async fn ask(server: &Server, payload_hash: Hash) -> Result<Answer, query::Error> {
    let value = query::get_json(server, &format!("/v1/receipts/{payload_hash}"), &[]).await?;
    serde_json::from_value(value).map_err(|_| {
        server
            .not_a_ledger("its answer about a receipt is not one".to_owned())
            .into()
    })
}
/// Verifies that the entry at `place` is in a tree that the ledger signed; gives the checkpoint.
pub fn verify(
    proof: &str,
    place: &Place,
    verifier: &VerifierKey,
) -> Result<(Receipt, Checkpoint), Error> {
    let index = place.index;
    let wrong = |source| Error::Receipt { index, source };
    let receipt = Receipt::parse(proof).map_err(wrong)?;
    if receipt.index != index || receipt.leaf != place.leaf.as_bytes() {
        return Err(Error::OtherEntry { index });
    }
    let checkpoint = receipt.verify(verifier).map_err(wrong)?;
    Ok((receipt, checkpoint))
}
