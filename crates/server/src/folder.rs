//! The server's folder: `keys/`, `bridges/`, `lock` and, on the embedded default, `ledger.db`.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use piperoll_core::key_file;
use piperoll_store::{self as store, Address, OpenMode};
use piperoll_tlog::key::SecretKey;

/// Why a folder cannot be used. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no folder {}; `piperoll init --data {}` makes a ledger there", .0.display(), .0.display())]
    Missing(PathBuf),
    #[error("{} is not a Piperoll folder: it has no {missing}; name the folder that `piperoll init` made", folder.display())]
    NotOurs {
        folder: PathBuf,
        missing: &'static str,
    },
    #[error("{} is in use by a running server; stop that one first, or ask it with --server", .0.display())]
    Locked(PathBuf),
    #[error("{} is read-only; a server needs to write there: change its permissions, or name another folder with --data", .0.display())]
    ReadOnly(PathBuf),
    #[error("{} is not a usable key file; restore it from a backup", path.display())]
    Key {
        path: PathBuf,
        source: key_file::Error,
    },
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}
impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// A folder that `init` made. One running server holds its lock.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}
impl Folder {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// Key files: `event`, `checkpoint`, `admin`.
    pub fn key(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }
    pub fn bridges(&self) -> PathBuf {
        self.root.join("bridges")
    }
    pub fn database(&self) -> PathBuf {
        self.root.join("ledger.db")
    }

    /// Whether this is a folder that `init` made; nothing is opened or written.
    pub fn check(&self) -> Result<(), Error> {
        if !self.root.is_dir() {
            return Err(Error::Missing(self.root.clone()));
        }
        for missing in ["keys/event", "keys/checkpoint"] {
            if !self.root.join(missing).is_file() {
                return Err(Error::NotOurs {
                    folder: self.root.clone(),
                    missing,
                });
            }
        }
        Ok(())
    }
    /// Takes the lock for as long as the result lives. The operating system lets go of it when the process ends, however it ends.
    pub fn lock(&self) -> Result<Lock, Error> {
        self.check()?;
        let metadata = fs::metadata(&self.root).map_err(Error::io(&self.root))?;
        if metadata.permissions().readonly() {
            return Err(Error::ReadOnly(self.root.clone()));
        }
        let path = self.root.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Error::ReadOnly(self.root.clone())
                }
                _ => Error::io(&path)(source),
            })?;
        match file.try_lock() {
            Ok(()) => {
                let metadata = file.metadata().map_err(Error::io(&path))?;
                Ok(Lock {
                    file,
                    device: metadata.dev(),
                    inode: metadata.ino(),
                })
            }
            Err(TryLockError::WouldBlock) => Err(Error::Locked(self.root.clone())),
            Err(TryLockError::Error(source)) => Err(Error::io(&path)(source)),
        }
    }
    /// The lock of the folder that a database file belongs to, where that is another one: whoever runs on it writes the same file.
    pub fn lock_of_database(&self, database: Option<&str>) -> Result<Option<Lock>, Error> {
        let Some(Ok(Address::File(file))) = database.map(Address::parse) else {
            return Ok(None);
        };
        let Some(home) = file.canonicalize().ok().and_then(|file| {
            let home = Self::new(file.parent()?);
            (home.database() == file && home.check().is_ok()).then_some(home)
        }) else {
            return Ok(None);
        };
        let own = self.root.canonicalize().map_err(Error::io(&self.root))?;
        if home.root == own {
            return Ok(None);
        }
        home.lock().map(Some)
    }
    /// Where the ledger's database is; its `Display` never shows a password.
    pub fn address(&self, database: Option<&str>) -> Result<Address, store::Error> {
        match database {
            None => Ok(Address::from(self.database().as_path())),
            Some(address) => Address::parse(address),
        }
    }
    /// Opens the ledger's database: the file in the folder, or the one that `--database` names.
    pub async fn open_store(
        &self,
        database: Option<&str>,
        mode: OpenMode,
    ) -> Result<store::Shared, store::Error> {
        store::open(&self.address(database)?, mode).await
    }
    /// Reads one of the key files; gives the key and its comment, the principal's URN.
    pub fn read_key(&self, name: &str) -> Result<(SecretKey, String), Error> {
        let path = self.key(name);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        key_file::read(&text).map_err(|source| Error::Key { path, source })
    }
}

/// Held by the one server that runs on a folder.
#[derive(Debug)]
pub struct Lock {
    file: File,
    device: u64,
    inode: u64,
}
impl Lock {
    /// Names the folder on this machine, the same for every process that ever holds its lock. A copy of the folder has another name.
    pub(crate) fn name(&self) -> String {
        let Self { device, inode, .. } = self;
        // Not every system says its name there; device and inode tell its folders apart all the same.
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        format!("{}/{device}-{inode}", host.trim())
    }
    /// Lets go of it.
    pub fn release(self) {
        drop(self.file);
    }
}

/// Makes a folder that only its owner may enter; its parent must exist.
pub(crate) fn make_private(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(Error::io(path))
}
/// Writes a new file that only its owner may read, and waits for the disk. An existing file is never touched.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(Error::io(path))
}
/// Waits until the names in a folder are on disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io(path))
}
