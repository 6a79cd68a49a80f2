//! Receipts: C2SP tlog-proof, whose `extra` is the leaf.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <leaf, base64>
//! index <index, decimal>
//! <hash, base64>             any number of them, the leaf's sibling first
//!
//! <signed checkpoint>
//! ```

use std::fmt::Write;

use crate::{Hash, checkpoint::Checkpoint, encoding, hash, note::VerifierKey, proof};

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^63 entries has proofs of 63 hashes.
const PROOF_HASHES_MAX: usize = 63;

/// A proof that an entry stands at `index` under a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The six lines of the leaf.
    pub leaf: Vec<u8>,
    pub index: u64,
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the receipt is malformed: {0}")]
    Malformed(&'static str),
    #[error("the checkpoint of the receipt is not acceptable: {0}")]
    Checkpoint(#[from] crate::note::Error),
    #[error("the proof of the receipt does not hold: {0}")]
    Proof(#[from] crate::proof::Error),
}
impl Receipt {
    pub fn encode(&self) -> String {
        let mut text = format!(
            "{HEADER}\nextra {}\nindex {}\n",
            encoding::base64(&self.leaf),
            self.index
        );
        for hash in &self.proof {
            writeln!(text, "{}", hash.to_base64()).expect("writing to a string does not fail");
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }
    /// Reads the spelling that [`Receipt::encode`] writes. The checkpoint is read by [`Receipt::verify`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or(Error::Malformed("there is no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Error::Malformed("its first line does not name the format"));
        }
        let leaf = lines
            .next()
            .and_then(|line| encoding::from_base64(line.strip_prefix("extra ")?))
            .ok_or(Error::Malformed("its second line is not the leaf"))?;
        let index = lines
            .next()
            .and_then(|line| parse_decimal(line.strip_prefix("index ")?))
            .ok_or(Error::Malformed("its third line is not the index"))?;
        let proof = lines
            .map(|line| {
                Hash::from_base64(line).ok_or(Error::Malformed("a line of the proof is not a hash"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if proof.len() > PROOF_HASHES_MAX {
            return Err(Error::Malformed("the proof is too long"));
        }
        Ok(Self {
            leaf,
            index,
            proof,
            checkpoint: checkpoint.to_owned(),
        })
    }
    /// Checks the checkpoint's signature and the proof; gives the checkpoint back.
    pub fn verify(&self, key: &VerifierKey) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let leaf_hash = hash::leaf_hash(&self.leaf);
        proof::verify_inclusion(
            self.index,
            checkpoint.size,
            &leaf_hash,
            &self.proof,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}
fn parse_decimal(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == text)
}
