//! What a client remembers between commands, in one folder of its user's:
//!
//! ```text
//! servers/<hash of the address>.json   which ledger is pinned for a server: {"server": …, "ledger": …}
//! ledgers/<ledger id>.json             what its genesis says: {"origin": …, "vkey": …}
//! seen/<ledger id>                     the last checkpoint that was verified, as it was signed
//! outbox/<ledger id>/                  see `outbox`
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use piperoll_core::{event::Seen, name::LedgerId};
use piperoll_tlog::{checkpoint::Checkpoint, hash, note::VerifierKey};
use serde::{Deserialize, Serialize};

use crate::durable::{self, Scratch};

/// The folder could not be read or written, or holds what this program did not write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot use {path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{path} does not hold what Piperoll wrote there; look at it, then remove it")]
    Corrupt { path: PathBuf },
    /// Two checkpoints of one size, both signed by the ledger, with different roots: it shows different histories.
    #[error(
        "the ledger signed two different trees of {size} entries: the one kept in {kept} and this one:\n{given}"
    )]
    Contradiction {
        size: u64,
        kept: PathBuf,
        given: String,
    },
}

/// The folder. Several processes may use it at once.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    scratch: Scratch,
}
#[derive(Serialize, Deserialize)]
struct Pin {
    server: String,
    ledger: String,
}
/// What genesis says, kept so that receipts can be verified without a server.
#[derive(Serialize, Deserialize)]
struct About {
    origin: String,
    vkey: String,
}

impl Folder {
    /// Makes the folder where it is missing, readable for its owner only.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let scratch = Scratch::open(root.join("tmp"));
        let scratch = scratch.map_err(|source| Error::Io {
            path: root.to_owned(),
            source,
        })?;
        Ok(Self {
            root: root.to_owned(),
            scratch,
        })
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// Where the outbox for a ledger lies.
    pub fn outbox(&self, ledger: LedgerId) -> PathBuf {
        self.root.join("outbox").join(ledger.0.to_hex())
    }

    /// The file that pins a ledger for a server, so that a person can be told which one to remove.
    pub fn pin_path(&self, server: &str) -> PathBuf {
        let name = hash::sha256(server.as_bytes()).to_hex();
        self.root
            .join("servers")
            .join(format!("{}.json", &name[..16]))
    }
    /// The ledger pinned for a server's address.
    pub fn pinned(&self, server: &str) -> Result<Option<LedgerId>, Error> {
        let path = self.pin_path(server);
        let Some(pin) = Self::read_json::<Pin>(&path)? else {
            return Ok(None);
        };
        let ledger = piperoll_core::Hash::from_hex(&pin.ledger).filter(|_| pin.server == server);
        ledger
            .map(|id| Some(LedgerId(id)))
            .ok_or(Error::Corrupt { path })
    }
    pub fn pin(&self, server: &str, ledger: LedgerId) -> Result<(), Error> {
        let pin = Pin {
            server: server.to_owned(),
            ledger: ledger.0.to_hex(),
        };
        self.write_json(&self.pin_path(server), &pin)
    }

    /// The checkpoint key of a ledger whose genesis was verified before; its name is the origin.
    pub fn verifier(&self, ledger: LedgerId) -> Result<Option<VerifierKey>, Error> {
        let path = self.about_path(ledger);
        let Some(about) = Self::read_json::<About>(&path)? else {
            return Ok(None);
        };
        let verifier = VerifierKey::parse(&about.vkey)
            .ok()
            .filter(|key| key.name.as_str() == about.origin);
        verifier.map(Some).ok_or(Error::Corrupt { path })
    }
    /// Keeps the checkpoint key of a ledger. The caller has verified it against the ledger's id.
    pub fn keep_verifier(&self, ledger: LedgerId, verifier: &VerifierKey) -> Result<(), Error> {
        let about = About {
            origin: verifier.name.as_str().to_owned(),
            vkey: verifier.encode(),
        };
        self.write_json(&self.about_path(ledger), &about)
    }
    fn about_path(&self, ledger: LedgerId) -> PathBuf {
        self.root
            .join("ledgers")
            .join(format!("{}.json", ledger.0.to_hex()))
    }

    /// The last checkpoint of a ledger that was verified, for the member `seen` of events.
    pub fn seen(&self, ledger: LedgerId) -> Result<Option<Seen>, Error> {
        let Some(verifier) = self.verifier(ledger)? else {
            return Ok(None);
        };
        let checkpoint = self.seen_checkpoint(ledger, &verifier)?;
        Ok(checkpoint.map(|Checkpoint { size, root, .. }| Seen { size, root }))
    }
    /// Keeps a checkpoint that the caller has verified, as it was `signed`, unless a later one is kept already.
    ///
    /// Two processes at once may leave the earlier of their two: `seen` is a lower bound, nothing more.
    pub fn keep_seen(
        &self,
        ledger: LedgerId,
        verifier: &VerifierKey,
        checkpoint: &Checkpoint,
        signed: &str,
    ) -> Result<(), Error> {
        let path = self.seen_path(ledger);
        if let Some(kept) = self.seen_checkpoint(ledger, verifier)? {
            let size = kept.size;
            if size == checkpoint.size && kept.root != checkpoint.root {
                return Err(Error::Contradiction {
                    size,
                    kept: path,
                    given: signed.to_owned(),
                });
            }
            if size >= checkpoint.size {
                return Ok(());
            }
        }
        self.write(&path, signed.as_bytes())
    }
    fn seen_checkpoint(
        &self,
        ledger: LedgerId,
        verifier: &VerifierKey,
    ) -> Result<Option<Checkpoint>, Error> {
        let path = self.seen_path(ledger);
        let bytes = durable::read(&path).map_err(|source| Error::Io {
            path: path.clone(),
            source,
        })?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let checkpoint = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|signed| Checkpoint::open(signed, verifier).ok());
        checkpoint.map(Some).ok_or(Error::Corrupt { path })
    }
    fn seen_path(&self, ledger: LedgerId) -> PathBuf {
        self.root.join("seen").join(ledger.0.to_hex())
    }

    fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
        let bytes = durable::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| Error::Corrupt {
                path: path.to_owned(),
            })
    }
    fn write_json<T: Serialize>(&self, path: &Path, value: &T) -> Result<(), Error> {
        self.write(path, &serde_json::to_vec(value).expect("strings make JSON"))
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let write = || {
            path.parent()
                .map_or(Ok(()), durable::create_private_folder)?;
            self.scratch.write(bytes)?.publish(path).map(drop)
        };
        write().map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }
}
