//! Founding a ledger: keys, folder, entry 0. What `init` does once.
//!
//! Everything is made in a folder beside the one that was named, which takes its name at the very end: a founding that dies in the
//! middle leaves a hidden folder, never half a ledger. The recovery key gets its name just before, so that there is no ledger without.

use std::{
    fs,
    path::{Path, PathBuf},
};

use piperoll_core::{
    authority::{Purpose, Scheme, keyid},
    draft::Draft,
    event::Profile,
    judge::Refusal,
    key_file,
    kind::{Content, Custody, GenesisKey, LedgerCreated},
    name::{InvalidName, LedgerId, Origin, Principal, PrincipalKind},
};
use piperoll_store::{self as store, OpenMode, Store};
use piperoll_tlog::{
    encoding, hash,
    key::SecretKey,
    note::{self, KeyName, VerifierKey},
};

use crate::{
    clock,
    entropy::{self, Entropy},
    folder::{self, Folder, make_private, sync_folder, write_private},
    projector::{self, Message, Outcome, Position},
};

/// The number of the formats this version writes and knows; 0 until the first tagged release (`formats.md`).
pub(crate) const ADMISSION: u32 = 0;
/// How many different administrators must agree to change the root: a working and a recovery key of one person, one of two.
const THRESHOLD: u32 = 1;

/// What `init` was told.
pub struct Founding {
    /// The server's folder; must not hold a ledger yet.
    pub data: PathBuf,
    /// `--database`; `None` is `ledger.db` in the folder.
    pub database: Option<String>,
    pub origin: Origin,
    /// Where the recovery key is written: never inside `data`.
    pub recovery_key: PathBuf,
    pub clock: clock::Shared,
    pub entropy: Entropy,
}
/// What came of it.
#[derive(Clone, Debug)]
pub struct Founded {
    pub ledger: LedgerId,
    /// The checkpoint key as a vkey line.
    pub vkey: String,
    /// The administrator's URN.
    pub administrator: String,
}

/// Why no ledger was founded; nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} is there already and not empty; name a folder that does not exist yet", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} already holds a ledger; it is never overwritten", .0.display())]
    HoldsLedger(PathBuf),
    #[error(
        "the recovery key may not lie in the server's folder: whoever takes the folder would have it; name another place, best on another medium"
    )]
    RecoveryInside,
    #[error("{} is there already; name a file that does not exist yet", .0.display())]
    RecoveryThere(PathBuf),
    #[error(
        "the database already holds a ledger; name an empty one (if an earlier `piperoll init` ended without a word, the keys of that ledger lie in a hidden folder .NAME.founding-… beside the one it was told to make)"
    )]
    DatabaseTaken,
    /// Entry 0 may or may not be there.
    #[error(
        "the database went away while entry 0 was committed, so nobody knows whether the ledger was founded; its keys are kept in {} and its recovery key in {}: if the database holds a ledger now, give both their names, else remove both and run `piperoll init` again", .folder.display(), .recovery.display()
    )]
    Unknown {
        folder: PathBuf,
        recovery: PathBuf,
        #[source]
        source: store::Error,
    },
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(transparent)]
    Folder(#[from] folder::Error),
    #[error("the database could not be made")]
    Store(#[from] store::Error),
    #[error("entry 0 could not be recorded")]
    Project(#[from] projector::Error),
    #[error("entry 0 was refused: {0}")]
    Refused(Refusal),
    #[error("the origin cannot name a checkpoint key")]
    Origin(#[from] note::Error),
}

/// The four keys of a new ledger and whose they are.
struct Keys {
    ledger: Principal,
    administrator: Principal,
    event: SecretKey,
    checkpoint: SecretKey,
    admin: SecretKey,
    recovery: SecretKey,
}
impl Keys {
    fn new(origin: &Origin, entropy: Entropy) -> Result<Self, InvalidName> {
        let secret = || SecretKey::from_seed(entropy::take(entropy));
        Ok(Self {
            ledger: Principal::named(PrincipalKind::Ledger, origin.slug())?,
            administrator: Principal::person(entropy::take(entropy)),
            event: secret(),
            checkpoint: secret(),
            admin: secret(),
            recovery: secret(),
        })
    }
    /// As entry 0 lists them: event, checkpoint, administrators.
    fn listed(&self) -> Vec<GenesisKey> {
        let listed = |secret: &SecretKey, principal: &Principal, purpose, custody| GenesisKey {
            key: encoding::base64(secret.public().as_bytes()),
            scheme: Scheme::Ed25519,
            principal: principal.clone(),
            purpose,
            custody,
        };
        let (ledger, person) = (&self.ledger, &self.administrator);
        vec![
            listed(&self.event, ledger, Purpose::EventLedger, Custody::Server),
            listed(
                &self.checkpoint,
                ledger,
                Purpose::Checkpoint,
                Custody::Server,
            ),
            listed(&self.admin, person, Purpose::Admin, Custody::File),
            listed(&self.recovery, person, Purpose::Admin, Custody::File),
        ]
    }
}

/// Founds a ledger. On an error nothing is left: neither folder nor recovery key.
pub async fn found(founding: Founding) -> Result<Founded, Error> {
    let data = absolute(&founding.data)?;
    let recovery = absolute(&founding.recovery_key)?;
    refuse_what_is_there(&data, &recovery)?;
    let keys = Keys::new(&founding.origin, founding.entropy)?;
    let vkey = VerifierKey {
        name: KeyName::new(founding.origin.as_str())?,
        key: keys.checkpoint.public(),
    };
    let mut scaffold = Scaffold::new(&data, &recovery, founding.entropy)?;
    scaffold.write_keys(&keys)?;
    let ledger = match record_genesis(&scaffold.folder, &founding, &keys).await {
        Err(Error::Project(projector::Error::Store(source @ store::Error::Unknown(_)))) => {
            return Err(scaffold.keep(source));
        }
        recorded => recorded?,
    };
    scaffold.finish()?;
    Ok(Founded {
        ledger,
        vkey: vkey.encode(),
        administrator: keys.administrator.into(),
    })
}

fn absolute(path: &Path) -> Result<PathBuf, folder::Error> {
    std::path::absolute(path).map_err(folder::Error::io(path))
}
fn refuse_what_is_there(data: &Path, recovery: &Path) -> Result<(), Error> {
    if Folder::new(data).check().is_ok() {
        return Err(Error::HoldsLedger(data.to_owned()));
    }
    if data.exists() {
        let mut names = fs::read_dir(data).map_err(folder::Error::io(data))?;
        if names.next().is_some() {
            return Err(Error::NotEmpty(data.to_owned()));
        }
    }
    if lies_within(recovery, data) {
        return Err(Error::RecoveryInside);
    }
    if recovery.symlink_metadata().is_ok() {
        return Err(Error::RecoveryThere(recovery.to_owned()));
    }
    Ok(())
}
/// Whether a path, which need not exist, is inside a folder, whatever links lead there.
pub fn lies_within(path: &Path, folder: &Path) -> bool {
    resolved(path).starts_with(resolved(folder))
}
/// A path with the links of its existing part followed, so that a link cannot hide where a key ends up.
fn resolved(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), _, _) => real,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), _, _) => path.to_owned(),
    }
}

/// The folder under a hidden name, and the recovery key under another; both are removed unless the founding is finished.
struct Scaffold {
    folder: Folder,
    recovery_next: PathBuf,
    data: PathBuf,
    recovery: PathBuf,
    finished: bool,
}
impl Scaffold {
    fn new(data: &Path, recovery: &Path, entropy: Entropy) -> Result<Self, Error> {
        let mark = encoding::hex(&entropy::take::<4>(entropy));
        for parent in [data.parent(), recovery.parent()].into_iter().flatten() {
            fs::create_dir_all(parent).map_err(folder::Error::io(parent))?;
        }
        let scaffold = Self {
            folder: Folder::new(beside(data, &mark)),
            recovery_next: beside(recovery, &mark),
            data: data.to_owned(),
            recovery: recovery.to_owned(),
            finished: false,
        };
        make_private(scaffold.folder.root())?;
        make_private(&scaffold.folder.root().join("keys"))?;
        make_private(&scaffold.folder.bridges())?;
        Ok(scaffold)
    }
    fn write_keys(&self, keys: &Keys) -> Result<(), folder::Error> {
        let ledger = keys.ledger.as_str();
        let person = keys.administrator.as_str();
        for (name, key, comment) in [
            ("event", &keys.event, ledger),
            ("checkpoint", &keys.checkpoint, ledger),
            ("admin", &keys.admin, person),
        ] {
            let text = key_file::write(key, comment);
            write_private(&self.folder.key(name), text.as_bytes())?;
        }
        let text = key_file::write(&keys.recovery, person);
        write_private(&self.recovery_next, text.as_bytes())?;
        sync_folder(&self.folder.root().join("keys"))
    }
    /// Leaves everything where it is: without these keys a ledger that was founded after all would be lost.
    fn keep(&mut self, source: store::Error) -> Error {
        self.finished = true;
        Error::Unknown {
            folder: self.folder.root().to_owned(),
            recovery: self.recovery_next.clone(),
            source,
        }
    }
    /// Gives both their names.
    fn finish(mut self) -> Result<(), folder::Error> {
        sync_folder(self.folder.root())?;
        let rename = |from: &Path, to: &Path| {
            fs::rename(from, to).map_err(folder::Error::io(to))?;
            to.parent().map_or(Ok(()), sync_folder)
        };
        rename(&self.recovery_next, &self.recovery)?;
        let named = rename(self.folder.root(), &self.data);
        if named.is_err() {
            remove_if_there(fs::remove_file(&self.recovery), &self.recovery);
        }
        self.finished = named.is_ok();
        named
    }
}
impl Drop for Scaffold {
    fn drop(&mut self) {
        if !self.finished {
            let root = self.folder.root();
            remove_if_there(fs::remove_dir_all(root), root);
            remove_if_there(fs::remove_file(&self.recovery_next), &self.recovery_next);
        }
    }
}
fn remove_if_there(removed: std::io::Result<()>, path: &Path) {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a file of a founding that failed is left");
        }
        _ => {}
    }
}
/// A hidden name in the same folder, so that a rename stays within one file system.
fn beside(path: &Path, mark: &str) -> PathBuf {
    let name = path
        .file_name()
        .map_or_else(|| "ledger".into(), |name| name.to_string_lossy());
    path.with_file_name(format!(".{name}.founding-{mark}"))
}

/// Entry 0 through the projector's own code: message 1 of the embedded stream.
async fn record_genesis(
    folder: &Folder,
    founding: &Founding,
    keys: &Keys,
) -> Result<LedgerId, Error> {
    let message = genesis(founding, keys)?;
    let store = folder
        .open_store(founding.database.as_deref(), OpenMode::Create)
        .await?;
    let recorded = record(&*store, message).await;
    store.close().await;
    recorded
}
/// Gives the new ledger's id.
async fn record(store: &dyn Store, message: Message) -> Result<LedgerId, Error> {
    if store.head().await?.is_some() {
        return Err(Error::DatabaseTaken);
    }
    let recorded = projector::replay(store, &[message], 1).await;
    if let Err(projector::Error::Store(store::Error::Conflict)) = recorded {
        return Err(Error::DatabaseTaken);
    }
    match recorded?.pop() {
        Some(Outcome::Recorded { leaf, .. }) => Ok(LedgerId(hash::sha256(&leaf))),
        Some(Outcome::Refused { refusal, .. }) => Err(Error::Refused(refusal)),
        Some(Outcome::Duplicate { .. }) | None => Err(Error::DatabaseTaken),
    }
}
fn genesis(founding: &Founding, keys: &Keys) -> Result<Message, Error> {
    let now = founding.clock.now();
    let origin = founding.origin.as_str().to_owned();
    let draft = Draft {
        id: None,
        timestamp: now,
        subject: Some(origin.clone()),
        content: Content::LedgerCreated(LedgerCreated {
            origin,
            admission: ADMISSION,
            threshold: THRESHOLD,
            keys: keys.listed(),
        }),
        profile: Profile::default(),
        texts: std::collections::BTreeMap::new(),
    };
    let mut entropy = founding.entropy;
    let envelope = draft
        .sign(&keys.ledger, &keys.event, &mut entropy)
        .map_err(Error::Refused)?;
    tracing::debug!(
        keyid = keyid(keys.event.public().as_bytes()),
        "genesis signed"
    );
    Ok(Message {
        bytes: envelope.to_json().into_bytes(),
        stream_time: now,
        position: Position::Next,
    })
}
