//! Words about keys: what one is for, how it signs, what it may speak about, how it is called (`formats.md` sections 2 and 7).

use piperoll_tlog::{encoding, hash, key::PublicKey};
use serde::{Deserialize, Serialize};

use crate::{
    envelope::{self, POSSESSION_TYPE},
    name::{LedgerId, Principal, PrincipalKind},
    sshsig,
};

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Purpose {
    #[serde(rename = "event.pipeline")]
    EventPipeline,
    #[serde(rename = "event.person")]
    EventPerson,
    #[serde(rename = "event.monitor")]
    EventMonitor,
    #[serde(rename = "event.bridge")]
    EventBridge,
    #[serde(rename = "event.ledger")]
    EventLedger,
    #[serde(rename = "admin")]
    Admin,
    #[serde(rename = "invitation")]
    Invitation,
    #[serde(rename = "checkpoint")]
    Checkpoint,
    #[serde(rename = "witness")]
    Witness,
}
impl Purpose {
    /// As it is written, such as `event.pipeline`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventPipeline => "event.pipeline",
            Self::EventPerson => "event.person",
            Self::EventMonitor => "event.monitor",
            Self::EventBridge => "event.bridge",
            Self::EventLedger => "event.ledger",
            Self::Admin => "admin",
            Self::Invitation => "invitation",
            Self::Checkpoint => "checkpoint",
            Self::Witness => "witness",
        }
    }
    /// The sort of principal that may have a key for this; `None` where the formats bind it to none.
    pub fn principal_kind(self) -> Option<PrincipalKind> {
        match self {
            Self::EventPipeline => Some(PrincipalKind::Pipeline),
            Self::EventPerson | Self::Admin => Some(PrincipalKind::Person),
            Self::EventMonitor => Some(PrincipalKind::Monitor),
            Self::EventBridge => Some(PrincipalKind::Bridge),
            Self::EventLedger | Self::Checkpoint => Some(PrincipalKind::Ledger),
            Self::Invitation | Self::Witness => None,
        }
    }
    /// Whether keys for this act without grants.
    pub fn needs_no_grants(self) -> bool {
        matches!(self, Self::Admin | Self::EventLedger)
    }
}
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Scheme {
    #[serde(rename = "ed25519")]
    Ed25519,
    #[serde(rename = "sshsig-ed25519")]
    SshsigEd25519,
}
impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::SshsigEd25519 => "sshsig-ed25519",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ed25519, Self::SshsigEd25519]
            .into_iter()
            .find(|scheme| scheme.as_str() == name)
    }
    /// Whether `signature` in this scheme by `key` holds over `message`.
    pub fn verifies(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519 => key.verifies(message, signature),
            Self::SshsigEd25519 => sshsig::verifies(key, message, signature),
        }
    }
}
/// Lists of exact names, `name*` prefixes, or `*`; an empty list grants none of that sort.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
}
impl Grants {
    /// Whether `name` is covered by `patterns`.
    pub fn covers(patterns: &[String], name: &str) -> bool {
        patterns
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => pattern == name,
            })
    }
}

/// The entry that registered a key, and the key's 0-based place in it: line 4 of a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPlace {
    pub index: u64,
    pub ordinal: u32,
}

/// OpenSSH's `SHA256:` fingerprint of an Ed25519 public key.
pub fn keyid(key: &[u8; 32]) -> String {
    let fingerprint = hash::sha256(&sshsig::public_blob(key)).to_base64();
    format!("SHA256:{}", fingerprint.trim_end_matches('='))
}
/// What a new key signs to show that its holder has it (PAE included).
pub fn possession_message(
    ledger: &LedgerId,
    principal: &Principal,
    purpose: Purpose,
    scheme: Scheme,
    key: &[u8; 32],
) -> Vec<u8> {
    let body = format!(
        "{ledger}\n{principal}\n{}\n{}\n{}\n",
        purpose.as_str(),
        scheme.as_str(),
        encoding::base64(key)
    );
    envelope::pae(POSSESSION_TYPE, body.as_bytes())
}
