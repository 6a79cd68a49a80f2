//! The audit behind `piperoll verify`: everything the ledger claims is computed again from what is stored.
//!
//! Read-only, page by page, also beside a running server: it speaks of the head as it stood at the beginning. Nothing is taken
//! from read models. Keys and roles are rebuilt from the entries while walking, so that each entry is judged by what stood
//! before it. The walk ends at the first thing that is wrong.

mod consumed;
mod entries;
mod refused;
mod tree;

use std::fmt;

use piperoll_core::name::{LedgerId, Origin};
use piperoll_store::{self as store, Store};
use piperoll_tlog::Hash;

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The whole ledger: it is not the one that was pinned.
    Ledger,
    Entry(u64),
    Tile {
        level: u8,
        index: u64,
    },
    /// By its size.
    Checkpoint(u64),
    /// By its number.
    Consumed(u64),
    /// What is kept of refused events.
    Refused,
    /// The counts of junk.
    Junk,
    Head,
    /// What the store itself could not read.
    Stored(String),
}
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => f.write_str("ledger"),
            Self::Entry(index) => write!(f, "entry {index}"),
            Self::Tile { level, index } => write!(f, "tile {level}/{index}"),
            Self::Checkpoint(size) => write!(f, "checkpoint {size}"),
            Self::Consumed(number) => write!(f, "consumed {number}"),
            Self::Refused => f.write_str("refused"),
            Self::Junk => f.write_str("junk"),
            Self::Head => f.write_str("head"),
            Self::Stored(place) => f.write_str(place),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger is not what was signed. `what` is a clause about `place`, for people.
    #[error("{place}: {what}")]
    Wrong { place: Place, what: String },
    #[error("there is no ledger in this database")]
    NoLedger,
    #[error(
        "the ledger was made under admission {0}, which this version does not know; use a newer one"
    )]
    Admission(u32),
    /// Nothing was found out.
    #[error("the database cannot be read")]
    Store(#[source] store::Error),
}
impl Error {
    fn wrong(place: Place, what: impl Into<String>) -> Self {
        Self::Wrong {
            place,
            what: what.into(),
        }
    }
}
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Corrupt { place, what } => Self::wrong(Place::Stored(place), what),
            other => Self::Store(other),
        }
    }
}

/// What was checked, and found to be as it was signed. Every number is a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub ledger: LedgerId,
    pub origin: Origin,
    /// Whether the id was compared with one that was known before.
    pub pinned: bool,
    pub root: Hash,
    pub entries: u64,
    /// Signatures of events; as many as entries.
    pub signatures: u64,
    /// Texts whose hash was compared.
    pub texts: u64,
    /// Texts whose words are erased: their hash stands, and nothing was compared.
    pub texts_erased: u64,
    /// Texts that were named and never came.
    pub texts_not_supplied: u64,
    /// Complete tiles.
    pub tiles: u64,
    pub checkpoints: u64,
    /// Entries that no checkpoint covers yet.
    pub unpublished: u64,
    /// Rows of the account of what was consumed.
    pub consumed: u64,
    /// Messages in it: recorded, duplicate, refused, junk.
    pub messages: [u64; 4],
    /// Refused events whose signature was checked again.
    pub refused_compared: u64,
    /// Refused events that are kept without what was signed.
    pub refused_erased: u64,
}
impl Report {
    /// What this audit says nothing about, one sentence each.
    pub fn not_checked(&self) -> Vec<String> {
        let mut list = Vec::new();
        if !self.pinned {
            list.push("the ledger's id was not pinned: that this is the right ledger, and not another in its place, was not checked".to_owned());
        }
        if self.unpublished > 0 {
            list.push(format!(
                "the last {} entries are under no signed checkpoint yet",
                self.unpublished
            ));
        }
        if self.texts_erased + self.texts_not_supplied > 0 {
            list.push(format!(
                "{} texts are erased and {} were never supplied: there was nothing to compare",
                self.texts_erased, self.texts_not_supplied
            ));
        }
        list.push(
            "that this is the newest state, and that no checkpoint was taken away: whoever holds a later checkpoint or a receipt can tell"
                .to_owned(),
        );
        list.push(
            "when and why events were refused and how often each came, the subjects of junk, what is noted of the stream's last message, the bridges' accounts and outbox, and read models, which are under no signature"
                .to_owned(),
        );
        if self.refused_erased > 0 {
            list.push(format!(
                "{} refused events are kept without what was signed: there was nothing to compare",
                self.refused_erased
            ));
        }
        list
    }
}

/// Audits the ledger in `store`. `pinned` is its id, if somebody knows it from elsewhere.
pub async fn audit(store: &dyn Store, pinned: Option<LedgerId>) -> Result<Report, Error> {
    let Some(head) = store.head().await? else {
        return Err(without_head(store).await?);
    };
    let walked = entries::walk(store, &head, pinned).await?;
    let account = consumed::check(store, &head, &walked.controls).await?;
    let refused = refused::check(store, &walked.authority).await?;
    Ok(Report {
        ledger: walked.ledger,
        origin: walked.origin,
        pinned: pinned.is_some(),
        root: head.root,
        entries: head.size,
        signatures: head.size,
        texts: walked.texts.compared,
        texts_erased: walked.texts.erased,
        texts_not_supplied: walked.texts.not_supplied,
        tiles: walked.tiles,
        checkpoints: walked.checkpoints,
        unpublished: head.size - walked.published,
        consumed: account.rows,
        messages: account.messages,
        refused_compared: refused.compared,
        refused_erased: refused.erased,
    })
}
/// A database without a head holds no ledger, or one whose head was taken away.
async fn without_head(store: &dyn Store) -> Result<Error, Error> {
    let left = store.beyond_head().await?.is_some()
        || store.latest_checkpoint().await?.is_some()
        || !store.consumed(0, 1).await?.is_empty();
    Ok(if left {
        Error::wrong(Place::Head, "it is missing, but there are rows of a ledger")
    } else {
        Error::NoLedger
    })
}
