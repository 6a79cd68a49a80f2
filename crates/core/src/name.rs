//! Names of principals, ledgers and accounts (`formats.md` section 2).

use piperoll_tlog::Hash;
use serde::{Deserialize, Serialize};

/// SHA-256 of the six lines of leaf 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LedgerId(pub Hash);

/// What sort of principal a URN names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PrincipalKind {
    Ledger,
    Person,
    Pipeline,
    Bridge,
    Monitor,
}

/// A principal's URN, checked: `urn:piperoll:<kind>:<slug or 26 characters>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Principal(String);
impl Principal {
    pub fn parse(_urn: &str) -> Result<Self, InvalidName> {
        todo!()
    }
    /// A pipeline, bridge, monitor or ledger by its slug.
    pub fn named(_kind: PrincipalKind, _slug: &str) -> Result<Self, InvalidName> {
        todo!()
    }
    /// A person from 128 random bits.
    pub fn person(_random: [u8; 16]) -> Self {
        todo!()
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn kind(&self) -> PrincipalKind {
        todo!()
    }
    /// The slug or the 26 characters.
    pub fn slug(&self) -> &str {
        todo!()
    }
    /// The token of the NATS subject this principal publishes on.
    pub fn subject_token(&self) -> String {
        todo!()
    }
}
impl TryFrom<String> for Principal {
    type Error = InvalidName;
    fn try_from(_urn: String) -> Result<Self, InvalidName> {
        todo!()
    }
}
impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.0
    }
}
impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {rule}")]
pub struct InvalidName {
    pub what: &'static str,
    pub value: String,
    pub rule: &'static str,
}

/// `urn:piperoll:account:<26>` from 128 random bits.
pub fn account_urn(_random: [u8; 16]) -> String {
    todo!()
}
/// Whether `urn` is a well-formed account URN.
pub fn is_account_urn(_urn: &str) -> bool {
    todo!()
}

/// The origin of a ledger: a schema-less URL whose last segment is the slug, such as `piperoll.acme.example/log/main`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(String);
impl Origin {
    pub fn parse(_text: &str) -> Result<Self, InvalidName> {
        todo!()
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn slug(&self) -> &str {
        todo!()
    }
}
