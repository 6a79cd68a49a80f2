//! What the mappings give and the bridges sign. A mapping is pure: it reads a body and says what it becomes.

use piperoll_core::draft::Draft;

/// What a body becomes.
#[derive(Clone, Debug)]
pub enum Mapped {
    /// Events, in the order of their ordinals.
    Events(Vec<Relay>),
    /// Nothing we take; counted under this name, such as `workflow_run completed`.
    Counted(String),
}
/// One event to be relayed, before it has an id and a signature.
///
/// `draft.id`, `draft.profile.ledger`, `draft.profile.relayed` and `draft.profile.actor` are filled in when it is signed.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The same for every delivery of the same fact (`formats.md` section 10).
    pub dedupe_key: String,
    pub ordinal: u32,
    pub draft: Draft,
    /// Who did it, where the body says so.
    pub actor: Option<Account>,
}
/// An account of another system. The login is a text of the draft; it is never stored with the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Such as `github.com`.
    pub host: String,
    /// The system's own number for the user.
    pub user_id: String,
}
/// A body that is not what its system sends, in words for whoever reads the webhook's deliveries there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);
