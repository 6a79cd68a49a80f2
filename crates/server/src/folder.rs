//! The server's folder: `keys/`, `bridges/`, `lock` and, on the embedded default, `ledger.db`.

use std::path::{Path, PathBuf};

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
}
