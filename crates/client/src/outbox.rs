//! The outbox: events that are signed and that the ledger has not yet proved to have.
//!
//! ```text
//! tmp/                           being written
//! waiting/<name>.json            an envelope, as it is sent
//! recorded/<name>.json, .leaf    the ledger said "recorded", with the leaf it gave; the receipt is still to come
//! refused/<name>.json, .reason   the ledger will never take it; why
//! receipts/<index>.tlog-proof    proofs, kept after their event is gone
//! ```
//! `<name>` begins with the millisecond it was kept, so names sort by age; the beginning of the payload hash follows, and what
//! makes it unique.
//!
//! An event is in exactly one of the three folders: it moves by rename, and what belongs beside it is durable before. A process
//! works on an event while it holds the lock of its file; the operating system lets go of the lock when the process dies, however
//! that happens. So each event is sent by one process at a time and none is forgotten. What can happen twice is the sending: a
//! process may die between the ledger's answer and the rename. The ledger notices the duplicate.

mod held;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use piperoll_core::{Hash, envelope::Envelope};

pub use held::{Claim, Place, Recorded, Taken};

use crate::{
    durable::{self, Scratch},
    problem::Problem,
};

/// The outbox cannot be read or written: a full disk, a missing right.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {path}")]
pub struct Error {
    doing: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}
impl Error {
    fn on<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

/// An event's name in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);
impl Name {
    fn new(kept_at_ms: i64, payload_hash: Hash, unique: &str) -> Self {
        let hash = payload_hash.to_hex();
        Self(format!("{kept_at_ms:014}-{}-{unique}", &hash[..16]))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    fn kept_at_ms(&self) -> Option<i64> {
        self.0.split_once('-')?.0.parse().ok()
    }
}

/// How many events are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub waiting: usize,
    pub recorded: usize,
    pub refused: usize,
}
/// An event that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub name: Name,
    /// The envelope's file.
    pub path: PathBuf,
    /// `None` when the file beside it was removed or changed.
    pub problem: Option<Problem>,
}

/// An outbox on disk, for one ledger. Any number of processes may use it at once.
#[derive(Clone, Debug)]
pub struct Outbox {
    root: PathBuf,
    scratch: Scratch,
}
impl Outbox {
    /// Makes the folders where they are missing, readable for their owner only, and clears up after processes that died.
    pub fn open(root: &Path) -> Result<Self, Error> {
        for folder in ["waiting", "recorded", "refused", "receipts"] {
            let path = root.join(folder);
            durable::create_private_folder(&path).map_err(Error::on("make", &path))?;
        }
        let tmp = root.join("tmp");
        let scratch = Scratch::open(tmp.clone()).map_err(Error::on("clear up", &tmp))?;
        let outbox = Self {
            root: root.to_owned(),
            scratch,
        };
        outbox.remove_lone("recorded", "leaf")?;
        outbox.remove_lone("refused", "reason")?;
        Ok(outbox)
    }
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps a signed event. When this returns, the event is durable; the claim lets nobody else send it until it is dropped.
    pub fn keep(&self, envelope: Envelope, now: Timestamp) -> Result<Claim, Error> {
        let message = envelope.to_json().into_bytes();
        let waiting = self.root.join("waiting");
        let written = self
            .scratch
            .write(&message)
            .map_err(Error::on("write to", &waiting))?;
        let name = Name::new(
            self.next_ms(now)?,
            envelope.payload_hash(),
            &written.unique_name(),
        );
        let path = self.path("waiting", &name, "json");
        let lock = written.publish(&path).map_err(Error::on("write", &path))?;
        Ok(Claim::new(
            self.clone(),
            name,
            envelope,
            message,
            true,
            lock,
        ))
    }
    /// The time of `now`, or just after the newest event that waits: so one emitter's events stay in their order although its
    /// clock steps back or two of them fall into one millisecond.
    fn next_ms(&self, now: Timestamp) -> Result<i64, Error> {
        let newest = self.waiting()?.last().and_then(Name::kept_at_ms);
        Ok(newest.map_or(now.as_millisecond(), |newest| {
            now.as_millisecond().max(newest.saturating_add(1))
        }))
    }

    /// Names of the events that wait, oldest first.
    pub fn waiting(&self) -> Result<Vec<Name>, Error> {
        self.names("waiting", "json")
    }
    /// Names of the events that are recorded and whose receipt is still to come, oldest first.
    pub fn recorded(&self) -> Result<Vec<Name>, Error> {
        self.names("recorded", "json")
    }
    /// What was put aside, oldest first.
    pub fn refused(&self) -> Result<Vec<Refused>, Error> {
        let read = |name: Name| {
            let reason = self.path("refused", &name, "reason");
            let problem = durable::read(&reason).map_err(Error::on("read", &reason))?;
            let problem = problem.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            Ok(Refused {
                path: self.path("refused", &name, "json"),
                name,
                problem,
            })
        };
        self.names("refused", "json")?
            .into_iter()
            .map(read)
            .collect()
    }
    pub fn counts(&self) -> Result<Counts, Error> {
        Ok(Counts {
            waiting: self.waiting()?.len(),
            recorded: self.recorded()?.len(),
            refused: self.names("refused", "json")?.len(),
        })
    }
    /// Where the receipt of entry `index` is kept.
    pub fn receipt_path(&self, index: u64) -> PathBuf {
        self.root
            .join("receipts")
            .join(format!("{index}.tlog-proof"))
    }

    /// Takes a waiting event, unless another process has it.
    pub fn claim(&self, name: &Name) -> Result<Taken<Claim>, Error> {
        let path = self.path("waiting", name, "json");
        let Some((message, lock)) = held::lock(&path)? else {
            return Ok(Taken::Elsewhere);
        };
        match Envelope::parse(&message) {
            Ok(envelope) => Ok(Taken::Held(Claim::new(
                self.clone(),
                name.clone(),
                envelope,
                message,
                false,
                lock,
            ))),
            Err(refusal) => {
                let problem = Problem {
                    title: "the file in the outbox is not an event any more".to_owned(),
                    detail: refusal.detail,
                    field: refusal.field,
                    remedy: Some(
                        "its bytes are kept; send the event again from where it came".to_owned(),
                    ),
                    ..Problem::default()
                };
                self.put_aside(name, &problem)?;
                Ok(Taken::Unreadable(problem))
            }
        }
    }
    /// Takes a recorded event, unless another process has it.
    pub fn claim_recorded(&self, name: &Name) -> Result<Taken<Recorded>, Error> {
        let path = self.path("recorded", name, "json");
        let Some((message, lock)) = held::lock(&path)? else {
            return Ok(Taken::Elsewhere);
        };
        let leaf = self.path("recorded", name, "leaf");
        let place = durable::read(&leaf).map_err(Error::on("read", &leaf))?;
        let place = place.and_then(|bytes| Place::from_file(&bytes));
        let (Ok(envelope), Some(place)) = (Envelope::parse(&message), place) else {
            // Without its leaf nothing is known any more but that it exists: it waits again, and the ledger tells.
            self.rename(name, "recorded", "waiting")?;
            return Ok(Taken::Elsewhere);
        };
        Ok(Taken::Held(Recorded::new(
            self.clone(),
            name.clone(),
            envelope.payload_hash(),
            place,
            lock,
        )))
    }

    /// waiting → recorded. The caller holds the event's lock.
    fn record(&self, name: &Name, place: &Place) -> Result<(), Error> {
        self.write(&self.path("recorded", name, "leaf"), &place.to_file())?;
        self.rename(name, "waiting", "recorded")
    }
    /// waiting → refused. The caller holds the event's lock.
    fn put_aside(&self, name: &Name, problem: &Problem) -> Result<(), Error> {
        let reason = serde_json::to_vec(problem).expect("strings and numbers make JSON");
        self.write(&self.path("refused", name, "reason"), &reason)?;
        self.rename(name, "waiting", "refused")
    }
    /// recorded → gone. The caller holds the event's lock and has verified the receipt.
    fn finish(&self, name: &Name, index: u64, receipt: &str) -> Result<(), Error> {
        self.write(&self.receipt_path(index), receipt.as_bytes())?;
        // The leaf goes last: alone it is cleared up, an event without its leaf would be asked for again.
        for path in [
            self.path("recorded", name, "json"),
            self.path("recorded", name, "leaf"),
        ] {
            durable::remove(&path).map_err(Error::on("remove", &path))?;
        }
        Ok(())
    }
    /// Leaves and reasons beside no event: a process died while it finished, or before it moved the event there.
    fn remove_lone(&self, state: &str, ending: &str) -> Result<(), Error> {
        for name in self.names(state, ending)? {
            // In this order an event that moves meanwhile is seen in one of the two places.
            let is_there = ["waiting", state]
                .iter()
                .any(|state| self.path(state, &name, "json").exists());
            if !is_there {
                let path = self.path(state, &name, ending);
                durable::remove(&path).map_err(Error::on("remove", &path))?;
            }
        }
        Ok(())
    }

    fn path(&self, state: &str, name: &Name, ending: &str) -> PathBuf {
        self.root.join(state).join(format!("{}.{ending}", name.0))
    }
    fn names(&self, state: &str, ending: &str) -> Result<Vec<Name>, Error> {
        let folder = self.root.join(state);
        let read = || -> io::Result<Vec<Name>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(&folder)? {
                let file_name = entry?.file_name();
                let name = file_name
                    .to_str()
                    .and_then(|name| name.strip_suffix(ending)?.strip_suffix('.'));
                names.extend(name.map(|name| Name(name.to_owned())));
            }
            names.sort_unstable();
            Ok(names)
        };
        read().map_err(Error::on("list", &folder))
    }
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let write = || self.scratch.write(bytes)?.publish(path).map(drop);
        write().map_err(Error::on("write", path))
    }
    fn rename(&self, name: &Name, from: &str, to: &str) -> Result<(), Error> {
        let (from, to) = (self.path(from, name, "json"), self.path(to, name, "json"));
        durable::rename(&from, &to).map_err(Error::on("move", &from))
    }
}
