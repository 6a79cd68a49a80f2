//! Events that this process works on, under their lock.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use piperoll_core::{Hash, envelope::Envelope, leaf::Leaf};
use serde::{Deserialize, Serialize};

use super::{Error, Name, Outbox};
use crate::{durable, problem::Problem};

/// What came of reaching for an event.
#[derive(Debug)]
pub enum Taken<T> {
    Held(T),
    /// Another process has it, or has moved it on.
    Elsewhere,
    /// It cannot be read and was put aside as refused.
    Unreadable(Problem),
}

/// Where the ledger says that an event stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub index: u64,
    /// The six lines.
    pub leaf: String,
}
impl Place {
    /// Whether the leaf holds this payload's hash and this signature.
    pub fn is_of(&self, envelope: &Envelope) -> bool {
        Leaf::parse(self.leaf.as_bytes()).is_some_and(|leaf| {
            leaf.payload_hash == envelope.payload_hash() && leaf.signature == envelope.signature
        })
    }
    pub(super) fn to_file(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a number and a string make JSON")
    }
    pub(super) fn from_file(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// A waiting event that nobody else sends while this lives. Dropped, it goes on waiting.
#[derive(Debug)]
pub struct Claim {
    outbox: Outbox,
    name: Name,
    envelope: Envelope,
    message: Vec<u8>,
    fresh: bool,
    _lock: File,
}
impl Claim {
    pub(super) fn new(
        outbox: Outbox,
        name: Name,
        envelope: Envelope,
        message: Vec<u8>,
        fresh: bool,
        lock: File,
    ) -> Self {
        Self {
            outbox,
            name,
            envelope,
            message,
            fresh,
            _lock: lock,
        }
    }
    pub fn name(&self) -> &Name {
        &self.name
    }
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }
    /// The bytes to send.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
    pub fn payload_hash(&self) -> Hash {
        self.envelope.payload_hash()
    }
    /// Whether this process kept the event just now, so that nobody can have sent it before.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }
    /// The ledger has it at `place`, which the caller has checked with [`Place::is_of`].
    pub fn recorded(self, place: &Place) -> Result<(), Error> {
        self.outbox.record(&self.name, place)
    }
    /// The ledger will never take it.
    pub fn refused(self, problem: &Problem) -> Result<(), Error> {
        self.outbox.put_aside(&self.name, problem)
    }
}

/// A recorded event whose receipt is still to come, held as a [`Claim`] is.
#[derive(Debug)]
pub struct Recorded {
    outbox: Outbox,
    name: Name,
    payload_hash: Hash,
    place: Place,
    _lock: File,
}
impl Recorded {
    pub(super) fn new(
        outbox: Outbox,
        name: Name,
        payload_hash: Hash,
        place: Place,
        lock: File,
    ) -> Self {
        Self {
            outbox,
            name,
            payload_hash,
            place,
            _lock: lock,
        }
    }
    pub fn name(&self) -> &Name {
        &self.name
    }
    pub fn payload_hash(&self) -> Hash {
        self.payload_hash
    }
    pub fn place(&self) -> &Place {
        &self.place
    }
    /// The ledger does not have it: it waits again. What the ledger had said of it stays beside it.
    pub fn not_after_all(self) -> Result<(), Error> {
        self.outbox.rename(&self.name, "recorded", "waiting")
    }
    /// Keeps the receipt, which the caller has verified, and lets the event go.
    pub fn confirmed(self, receipt: &str) -> Result<(), Error> {
        self.outbox.finish(&self.name, self.place.index, receipt)
    }
}

/// Opens and locks an event's file; `None` when another process holds it or has moved it on.
pub(super) fn lock(path: &Path) -> Result<Option<(Vec<u8>, File)>, Error> {
    let open = || -> io::Result<Option<(Vec<u8>, File)>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        // Whoever held it may have moved it before we got the lock: then its name is gone.
        if !durable::try_lock(&file)? || !path.exists() {
            return Ok(None);
        }
        let mut message = Vec::new();
        file.read_to_end(&mut message)?;
        Ok(Some((message, file)))
    };
    open().map_err(Error::on("read", path))
}
