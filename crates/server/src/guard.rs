//! The guard: the last size and root that were signed, kept outside the ledger's folder and its backups.
//!
//! It is written before a checkpoint is signed. A database that was put back from a backup, or changed, is behind it or differs from
//! it, and then nothing more is signed: two checkpoints that contradict each other would prove the ledger a liar.
//!
//! Its file has three lines, each ending in LF: `piperoll-guard/v1`, the size in decimal, the root in hexadecimal.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use piperoll_core::name::LedgerId;
use piperoll_tlog::Hash;

use crate::folder::{self, make_private, sync_folder};

const FIRST_LINE: &str = "piperoll-guard/v1";

/// What was signed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub size: u64,
    pub root: Hash,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process writes it at this moment.
    #[error("the guard {} is in use by another process", .0.display())]
    Busy(PathBuf),
    /// Another process has signed since it was read.
    #[error("the guard {} was changed by another server", .0.display())]
    Changed(PathBuf),
    #[error("the guard {} cannot be read: it is not three lines of {FIRST_LINE}", .0.display())]
    Corrupt(PathBuf),
    #[error(transparent)]
    Folder(#[from] folder::Error),
}

/// The guard's file. Servers that share a database may share it: it is replaced by compare-and-swap.
#[derive(Clone, Debug)]
pub struct Guard {
    folder: PathBuf,
}
impl Guard {
    /// The guard of `ledger` in the state directory (`--state`).
    pub fn new(state: &Path, ledger: &LedgerId) -> Self {
        Self {
            folder: state.join(ledger.0.to_hex()),
        }
    }
    pub fn path(&self) -> PathBuf {
        self.folder.join("guard")
    }
    /// What was signed last; `None` when the file is absent.
    pub fn read(&self) -> Result<Option<Signed>, Error> {
        let path = self.path();
        match fs::read_to_string(&path) {
            Ok(text) => parse(&text).map(Some).ok_or(Error::Corrupt(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Error::Corrupt(path)),
            Err(error) => Err(folder::Error::io(&path)(error).into()),
        }
    }
    /// Replaces what it says, if it still says `held`; on return it is on disk. A crash leaves the old or the new text, never a part.
    pub fn replace(&self, held: Option<Signed>, signed: Signed) -> Result<(), Error> {
        if !self.folder.is_dir() {
            if let Some(parent) = self.folder.parent() {
                fs::create_dir_all(parent).map_err(folder::Error::io(parent))?;
            }
            make_private(&self.folder)?;
        }
        // A process that was stopped with the lock in its hands must not hang others: they come again.
        let _lock = self.lock()?;
        if self.read()? != held {
            return Err(Error::Changed(self.path()));
        }
        let text = format!("{FIRST_LINE}\n{}\n{}\n", signed.size, signed.root);
        let next = self.folder.join("guard.next");
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(folder::Error::io(&next)(error).into());
            }
            _ => {}
        }
        folder::write_private(&next, text.as_bytes())?;
        fs::rename(&next, self.path()).map_err(folder::Error::io(&next))?;
        Ok(sync_folder(&self.folder)?)
    }
    /// Held until it is dropped, or the process ends.
    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join("guard.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(folder::Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Busy(self.path())),
            Err(TryLockError::Error(source)) => Err(folder::Error::io(&path)(source).into()),
        }
    }
}
fn parse(text: &str) -> Option<Signed> {
    let body = text.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?;
    let (size, root) = body.strip_suffix('\n')?.split_once('\n')?;
    let signed = Signed {
        size: size.parse().ok()?,
        root: Hash::from_hex(root)?,
    };
    (signed.size.to_string() == size).then_some(signed)
}

/// Why the publisher does not sign, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Objection {
    pub why: String,
    pub remedy: String,
}
/// Judges the guard against what the database holds; `latest` is the size of the latest checkpoint. `Ok(None)`: nothing was ever
/// signed. `Ok(Some)`: the tree at `size` must still be shown to grow from that one.
pub fn judge(
    guard: &Guard,
    held: Option<Signed>,
    latest: Option<u64>,
    size: u64,
) -> Result<Option<Signed>, Objection> {
    let path = guard.path();
    let path = path.display();
    let object = |why: String, remedy: &str| {
        Err(Objection {
            why,
            remedy: remedy.to_owned(),
        })
    };
    match (held, latest) {
        (None, None) => Ok(None),
        (None, Some(latest)) => object(
            format!(
                "the guard {path} is missing although a checkpoint of {latest} entries was signed"
            ),
            "put the guard back from the state directory of the server that signed last (--state); without it nobody can tell whether this database is the newest",
        ),
        (Some(held), _) if held.size > size => object(
            format!(
                "the guard {path} says that {} entries were signed, but the database holds {size}",
                held.size
            ),
            "this database is older than what was signed, most likely a restored backup: put back the newest one",
        ),
        (Some(held), Some(latest)) if latest > held.size => object(
            format!(
                "the guard {path} says that {} entries were signed, but there is a checkpoint of {latest}",
                held.size
            ),
            "this guard is older than the last checkpoint: put back the one of the server that signed last (--state)",
        ),
        (Some(held), _) => Ok(Some(held)),
    }
}
/// The guard's file is there and says nothing.
pub fn unreadable(error: &Error) -> Objection {
    Objection {
        why: error.to_string(),
        remedy:
            "put the guard back from the state directory of the server that signed last (--state)"
                .to_owned(),
    }
}
/// The tree no longer grows from what was signed.
pub fn different(guard: &Guard, held: &Signed) -> Objection {
    Objection {
        why: format!(
            "the first {} entries are not those that were signed: their root is not the one in the guard {}",
            held.size,
            guard.path().display()
        ),
        remedy: "run `piperoll verify` on the server's folder: either the database was changed, or the guard belongs to another".to_owned(),
    }
}
