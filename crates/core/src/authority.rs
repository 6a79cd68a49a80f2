//! Who may say what at a position: registered keys, their grants, and roles, all folded from entries (`formats.md` section 7).
//!
//! The state holds immutable key bytes, so that signatures can be checked ahead on all cores; who may use a key is judged in order.

use std::sync::Arc;

use jiff::Timestamp;
use piperoll_tlog::key::PublicKey;
use serde::{Deserialize, Serialize};

use crate::{
    event::Event,
    name::{LedgerId, Principal},
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
        todo!()
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
        todo!()
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
    pub fn covers(_patterns: &[String], _name: &str) -> bool {
        todo!()
    }
}

/// The entry that registered a key, and the key's 0-based place in it: line 4 of a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPlace {
    pub index: u64,
    pub ordinal: u32,
}

/// A registration in force.
#[derive(Clone, Debug)]
pub struct Registration {
    pub place: KeyPlace,
    pub keyid: String,
    pub key: PublicKey,
    pub scheme: Scheme,
    pub principal: Principal,
    pub purpose: Purpose,
    pub grants: Grants,
    pub until: Option<Timestamp>,
    /// Who enrolled it: the principal that signed the registration, and when it was recorded.
    pub enrolled_by: Principal,
    pub enrolled_at: Timestamp,
}
impl Registration {
    /// Whether `signature` by this key holds over `pae`, in the registration's own scheme.
    pub fn verifies(&self, _pae: &[u8], _signature: &[u8]) -> bool {
        todo!()
    }
}
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    pub role: String,
    /// `None` means all.
    pub services: Option<Vec<String>>,
    pub environments: Option<Vec<String>>,
    pub granted_at_index: u64,
}

/// All keys and roles at a position. Clone is cheap (shared until changed).
#[derive(Clone, Debug, Default)]
pub struct Authority(Arc<State>);
#[derive(Clone, Debug, Default)]
struct State {}

impl Authority {
    /// Before entry 0.
    pub fn new() -> Self {
        Self::default()
    }
    /// The ledger's id and what genesis says; `None` before entry 0.
    pub fn genesis(&self) -> Option<&Genesis> {
        todo!()
    }
    pub fn registration(&self, _keyid: &str) -> Option<&Registration> {
        todo!()
    }
    pub fn registrations(&self) -> impl Iterator<Item = &Registration> {
        let _ = self;
        std::iter::empty()
    }
    pub fn roles(&self, _person: &Principal) -> &[Role] {
        todo!()
    }
    /// Whether `person` holds `role` for this service and environment.
    pub fn holds(
        &self,
        _person: &Principal,
        _role: &str,
        _service: Option<&str>,
        _environment: Option<&str>,
    ) -> bool {
        todo!()
    }
    /// Takes in a recorded event. Only the kinds of [`Authority::concerns`] change anything.
    pub fn apply(&mut self, _index: u64, _recorded_at: Timestamp, _leaf: &[u8], _event: &Event) {
        todo!()
    }
    /// The kinds that must be applied, in order of index, to rebuild the state at start.
    pub fn concerns(_kind: crate::kind::Kind) -> bool {
        todo!()
    }
}

/// What entry 0 says.
#[derive(Clone, Debug)]
pub struct Genesis {
    pub ledger: LedgerId,
    pub origin: crate::name::Origin,
    pub admission: u32,
    pub checkpoint_key: PublicKey,
    pub event_keyid: String,
}

/// OpenSSH's `SHA256:` fingerprint of an Ed25519 public key.
pub fn keyid(_key: &[u8; 32]) -> String {
    todo!()
}
/// What a new key signs to show that its holder has it (PAE included).
pub fn possession_message(
    _ledger: &LedgerId,
    _principal: &Principal,
    _purpose: Purpose,
    _scheme: Scheme,
    _key: &[u8; 32],
) -> Vec<u8> {
    todo!()
}
