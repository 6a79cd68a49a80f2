//! What one principal asserts: context, subject, content and the profile `customData.piperoll` (`formats.md` section 3).

pub(crate) mod binds;
mod profile;
mod read;
mod rules;

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_tlog::Hash;
use serde::{Deserialize, Serialize};

pub use crate::digest::Digest;
use crate::{
    json::Value,
    kind::{Content, Kind},
    name::{LedgerId, Principal},
    refusal::Refusal,
};

/// A payload that is strict JSON and says who speaks, with which id, of which type. Its profile and content are not judged yet.
#[derive(Clone, Debug)]
pub struct Payload {
    pub id: String,
    pub source: String,
    pub type_name: String,
    pub value: Value,
}
impl Payload {
    /// Step 1 of judging as far as the payload goes. `bytes` is at most 64 KiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        read::payload(bytes)
    }
    /// The hash that the payload gives for a text, whatever else of the profile holds.
    pub fn text_hash(&self, name: &str) -> Option<Hash> {
        self.value
            .pointer("/customData/piperoll/texts")?
            .get(name)?
            .as_str()
            .and_then(Hash::from_hex)
    }
}

/// An event whose profile and content were checked (step 4 of judging).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub source: Principal,
    pub timestamp: Timestamp,
    pub subject: String,
    pub content: Content,
    pub profile: Profile,
}
impl Event {
    /// Reads profile and content and applies every rule that needs no ledger: names, limits, what a kind requires, equal members.
    pub fn read(payload: &Payload) -> Result<Self, Refusal> {
        let event = read::event(payload)?;
        rules::check(&event)?;
        Ok(event)
    }
    /// The same from the signed bytes.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        Self::read(&Payload::parse(payload)?)
    }
    pub fn kind(&self) -> Kind {
        self.content.kind()
    }
}

/// `customData.piperoll`, as checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Absent in genesis only.
    pub ledger: Option<LedgerId>,
    pub salt: [u8; 16],
    /// Name of a text to its hash.
    pub texts: BTreeMap<String, Hash>,
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// `None` when the member is absent; `Some(vec![])` says "content unknown".
    pub binds: Option<Vec<Bind>>,
    pub aliases: Vec<String>,
    /// Person or account URN.
    pub actor: Option<String>,
    pub verdict: Option<ReviewVerdict>,
    pub role: Option<String>,
    pub approval: Option<Approval>,
    pub evidence: Vec<Evidence>,
    pub chain: Option<Chain>,
    pub seen: Option<Seen>,
    pub relayed: Option<Relayed>,
}
impl Profile {
    /// The binds, none when absent.
    pub fn binds(&self) -> &[Bind] {
        self.binds.as_deref().unwrap_or_default()
    }
}

/// The exact content meant, under a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    pub name: String,
    pub digest: Digest,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewVerdict {
    Approved,
    ChangesRequested,
    Commented,
    Dismissed,
}
/// `approval` of the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Payload hash of the request; absent if relayed.
    pub request: Option<Hash>,
    /// Name of the text that was shown.
    pub shown: String,
    /// Index of the policy.
    pub policy: Option<u64>,
    pub from: Vec<ApprovalFrom>,
    pub expires: Option<Timestamp>,
}
/// What runs before. `digest` `None`: unknown; `Some(None)`: nothing runs there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalFrom {
    pub service: String,
    pub environment: String,
    pub digest: Option<Option<Digest>>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Evidence {
    pub uri: String,
    pub media_type: String,
    pub digest: Digest,
}
/// Numbers an emitter's events within one process. `id` is 16 bytes as unpadded base64url, `n` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    pub id: String,
    pub n: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub last: bool,
}
/// The last checkpoint the emitter saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub size: u64,
    pub root: Hash,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    pub system: String,
    /// SHA-256 of the raw body.
    pub digest: Hash,
    pub auth: RelayedAuth,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayedAuth {
    Hmac,
    Token,
    None,
}
