//! Makes sure that a server keeps the ledger that was pinned.
//!
//! A ledger's id is the SHA-256 of its first leaf, and that leaf commits to everything entry 0 says: origin, checkpoint key, event
//! key. So whoever knows the id can take all of that from any server and check it. The id itself comes from configuration or from
//! the first use of a server, and another one is refused from then on.

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    authority::Authority,
    judge::{self, Verdict},
    leaf::Leaf,
    name::LedgerId,
    receipt::Genesis,
};
use piperoll_tlog::{
    hash,
    note::{KeyName, VerifierKey},
};

use crate::{query, server::Server, state};

/// A ledger whose genesis was verified.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub id: LedgerId,
    /// The checkpoint key; its name is the origin.
    pub verifier: VerifierKey,
}
/// A ledger, and how we came to trust it.
#[derive(Clone, Debug)]
pub struct Identified {
    pub ledger: Ledger,
    /// Nothing was known before: it was pinned just now, on trust, and the person should be told.
    pub first_use: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer: try later.
    #[error(transparent)]
    Query(#[from] query::Error),
    /// Not the ledger that was pinned. Stop, and let a person find out why.
    #[error("the server at {server} keeps ledger {given}, and {expected} is pinned {pinned_by}")]
    Wrong {
        server: String,
        given: String,
        expected: String,
        pinned_by: String,
    },
    /// What it calls its genesis does not prove itself.
    #[error("the server at {server} does not prove which ledger it keeps: {why}")]
    Unproved { server: String, why: String },
    #[error(transparent)]
    State(#[from] state::Error),
}

/// The ledger to sign for, known without asking anybody: `told` (`PIPEROLL_LEDGER`), or the one pinned for this server.
/// `None`: neither is known.
pub fn expected(
    folder: &state::Folder,
    server: &Server,
    told: Option<LedgerId>,
) -> Result<Option<LedgerId>, Error> {
    let pinned = folder.pinned(server.address())?;
    match (told, pinned) {
        (Some(told), Some(pinned)) if told != pinned => Err(Error::Wrong {
            server: server.address().to_owned(),
            given: pinned.0.to_hex(),
            expected: told.0.to_hex(),
            pinned_by: format!(
                "by configuration (the server's was kept in {})",
                folder.pin_path(server.address()).display()
            ),
        }),
        (told, pinned) => Ok(told.or(pinned)),
    }
}
/// The ledger behind `server`. Asks the server unless it was verified before that this one keeps it: whoever knows the id from
/// elsewhere sends nothing to an address that was never asked. Pins on first use.
pub async fn identify(
    folder: &state::Folder,
    server: &Server,
    told: Option<LedgerId>,
) -> Result<Identified, Error> {
    let expected = expected(folder, server, told)?;
    if let Some(id) = expected
        && folder.pinned(server.address())? == Some(id)
        && let Some(verifier) = folder.verifier(id)?
    {
        return Ok(Identified {
            ledger: Ledger { id, verifier },
            first_use: false,
        });
    }
    let ledger = ask(folder, server, expected).await?;
    folder.keep_verifier(ledger.id, &ledger.verifier)?;
    folder.pin(server.address(), ledger.id)?;
    Ok(Identified {
        ledger,
        first_use: expected.is_none(),
    })
}
/// Whether `server` keeps `ledger` at this moment. An error that is no [`Error::Query`] says that it does not.
pub async fn confirm(
    folder: &state::Folder,
    server: &Server,
    ledger: &Ledger,
) -> Result<(), Error> {
    ask(folder, server, Some(ledger.id)).await.map(drop)
}

async fn ask(
    folder: &state::Folder,
    server: &Server,
    expected: Option<LedgerId>,
) -> Result<Ledger, Error> {
    let value = query::get_json(server, "/v1/genesis", &[]).await?;
    let unproved = |why: &str| Error::Unproved {
        server: server.address().to_owned(),
        why: why.to_owned(),
    };
    let ledger = read_genesis(value).map_err(unproved)?;
    match expected {
        Some(expected) if expected != ledger.id => Err(Error::Wrong {
            server: server.address().to_owned(),
            given: ledger.id.0.to_hex(),
            expected: expected.0.to_hex(),
            pinned_by: match folder.pinned(server.address())? {
                Some(pinned) if pinned == expected => {
                    format!("in {}", folder.pin_path(server.address()).display())
                }
                _ => "by configuration".to_owned(),
            },
        }),
        _ => Ok(ledger),
    }
}
/// The ledger that the body of `GET /v1/genesis` proves; the error says what does not hold.
pub fn read_genesis(body: serde_json::Value) -> Result<Ledger, &'static str> {
    let genesis: Genesis =
        serde_json::from_value(body).map_err(|_| "its genesis lacks a member")?;
    read(&genesis)
}
/// Judges entry 0 as the ledger did, and checks that exactly this leaf comes of it.
fn read(genesis: &Genesis) -> Result<Ledger, &'static str> {
    let id = hash::sha256(genesis.leaf.as_bytes());
    if Hash::from_hex(&genesis.ledger) != Some(id) {
        return Err("the id is not the hash of leaf 0");
    }
    let leaf = Leaf::parse(genesis.leaf.as_bytes()).ok_or("leaf 0 is malformed")?;
    let message = genesis.envelope.to_string();
    let mut authority = Authority::new();
    let checked = judge::check(message.as_bytes(), &authority);
    let recorded_at: Timestamp = leaf.recorded_at;
    let Verdict::Recorded(entry) = judge::judge(checked, &authority, 0, None, recorded_at, None)
    else {
        return Err("entry 0 is not a genesis event that its own key signed");
    };
    if entry.leaf != genesis.leaf.as_bytes() {
        return Err("leaf 0 is not that of entry 0");
    }
    authority
        .apply(0, &entry.leaf, &entry.event)
        .map_err(|_| "entry 0 cannot be read as a genesis")?;
    let facts = authority.genesis().ok_or("entry 0 founds no ledger")?;
    let name = KeyName::new(facts.origin.as_str()).map_err(|_| "its origin cannot name a key")?;
    Ok(Ledger {
        id: LedgerId(id),
        verifier: VerifierKey {
            name,
            key: facts.checkpoint_key.clone(),
        },
    })
}
