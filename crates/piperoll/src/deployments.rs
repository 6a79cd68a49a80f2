//! Deployments that were started here and not finished yet, kept beside the outbox, so that `deploy finish` knows which one is
//! meant and what it brings without being told again (`formats.md` section 9).

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use piperoll_client::state::Folder;
use piperoll_core::{event::Bind, name::LedgerId};
use piperoll_tlog::hash::sha256_parts;
use serde::{Deserialize, Serialize};

use crate::exit::{Problem, Result};

/// What `deploy start` said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Started {
    pub id: String,
    pub rollback: bool,
    pub binds: Vec<Bind>,
    pub change: Option<String>,
    pub run: Option<String>,
}

/// The file for a place: one deployment at a time goes to one environment of one service from here.
pub(crate) struct Memory {
    path: PathBuf,
}
impl Memory {
    pub(crate) fn of(folder: &Folder, ledger: LedgerId, service: &str, environment: &str) -> Self {
        let name = sha256_parts(&[
            ledger.0.as_bytes(),
            service.as_bytes(),
            b"\n",
            environment.as_bytes(),
        ])
        .to_hex();
        Self {
            path: folder
                .root()
                .join("deployments")
                .join(format!("{}.json", &name[..32])),
        }
    }
    /// What was started and not finished; `None` when nothing was.
    pub(crate) fn recall(&self) -> Result<Option<Started>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.broken(&error)),
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| self.broken(&error))
    }
    /// Remembers a start; one that was never finished is forgotten by it.
    pub(crate) fn remember(&self, started: &Started) -> Result {
        let text = serde_json::to_string(started).map_err(anyhow::Error::from)?;
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder)?;
            // Under a name of its own: several jobs may start deployments at the same time.
            let mut next = tempfile::NamedTempFile::new_in(folder)?;
            next.write_all(text.as_bytes())?;
            next.persist(&self.path)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| self.broken(&error))
    }
    pub(crate) fn forget(&self) -> Result {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.broken(&error)),
            _ => Ok(()),
        }
    }
    fn broken(&self, error: &dyn std::fmt::Display) -> Problem {
        Problem::failed(format!(
            "what was started is noted in {}, which cannot be used: {error}",
            self.path.display()
        ))
        .hint("name the deployment with --deployment, or remove that file")
    }
}

#[cfg(test)]
mod tests {
    use piperoll_core::{Hash, event::Digest};

    use super::*;

    #[test]
    fn a_start_is_remembered_by_its_place_until_it_is_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        let ledger = LedgerId(Hash([7; 32]));
        let started = Started {
            id: "deployment-1".into(),
            rollback: false,
            binds: vec![Bind {
                name: "image".into(),
                digest: Digest::Sha256(Hash([1; 32])),
            }],
            change: None,
            run: None,
        };
        let here = Memory::of(&folder, ledger, "checkout", "production");
        assert_eq!(here.recall().unwrap(), None);
        here.remember(&started).unwrap();
        assert_eq!(
            Memory::of(&folder, ledger, "checkout", "production")
                .recall()
                .unwrap(),
            Some(started)
        );
        assert_eq!(
            Memory::of(&folder, ledger, "checkout", "staging")
                .recall()
                .unwrap(),
            None
        );
        here.forget().unwrap();
        here.forget().unwrap();
        assert_eq!(here.recall().unwrap(), None);
    }
}
