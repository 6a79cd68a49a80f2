//! Files that survive a power cut, and a folder in which they are written before they get their name.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Makes a folder, and those above it, that only its owner can read: envelopes hold words that are not for everybody.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    if !parent.as_os_str().is_empty() {
        create_private_folder(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        // Another process was here first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // An event is only as durable as the name of every folder above it.
        Ok(()) => sync_folder(parent),
    }
}
/// Makes what was renamed, made or removed in a folder outlast a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    // Windows cannot open a folder as a file; its renames are journalled.
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}
/// Renames a file; durable when it returns.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    // The new name first: a power cut in between leaves two names, never none.
    sync_folder(folder_of(to))?;
    sync_folder(folder_of(from))
}
/// Removes a file; one that is gone already is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
/// A file's content, `None` when there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
/// Whether this process now holds the file. A file system without locks gives every file to whoever asks: then an event may be
/// sent twice, which the ledger notices, but none is lost.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// The folder in which files are written. Each is locked by its writer while it is here, so an unlocked one was left by a
/// process that died.
#[derive(Clone, Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
}
/// A file that is written and durable and has no name yet. Its lock is held until it is dropped, under its name too.
pub(crate) struct Written {
    file: File,
    path: PathBuf,
}
impl Scratch {
    /// Makes the folder where it is missing and removes what dead processes left in it.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        create_private_folder(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                continue;
            }
            let path = entry.path();
            match File::open(&path) {
                Ok(file) if try_lock(&file)? => remove(&path)?,
                // Another user's, who wrote here once: it is in nobody's way.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Self { folder })
    }
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Written> {
        let (mut file, path) = self.create()?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(Written { file, path })
    }
    fn create(&self) -> io::Result<(File, PathBuf)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{}-{number}", std::process::id()));
            match options.open(&path) {
                // Another process that swept just now may have held the lock for a moment and removed the file.
                Ok(file) if try_lock(&file)? && path.exists() => return Ok((file, path)),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
    }
}
impl Written {
    /// A name that no other file written on this machine has at this time.
    pub(crate) fn unique_name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
    /// Gives the file its name, in the place of another if there is one. Returns the file, still locked.
    pub(crate) fn publish(self, to: &Path) -> io::Result<File> {
        rename(&self.path, to)?;
        Ok(self.file)
    }
}
