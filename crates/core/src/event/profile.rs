//! `customData.piperoll` between JSON and [`Profile`]: one table for its members, one type for its bytes.

use std::collections::BTreeMap;

use piperoll_tlog::{Hash, encoding};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    digest::hex_hash,
    event::{
        Approval, ApprovalFrom, Bind, Chain, Digest, Evidence, Profile, Relayed, RelayedAuth,
        ReviewVerdict, Seen,
    },
    limits::BINDS_COUNT_MAX,
    name::LedgerId,
    shape::{self, Fault, Field, Shape, optional, required},
    time,
};

/// The only version of the profile there is.
const VERSION: u64 = 1;
/// Most elements of the lists that the formats leave open.
const LIST_MAX: usize = 200;

const FIELDS: &[Field] = &[
    required("profile", Shape::Exactly(VERSION)),
    optional("ledger", Shape::Sha256),
    required("salt", Shape::Bytes16),
    optional("texts", Shape::TextHashes),
    optional("change", Shape::Change),
    optional("service", Shape::Id),
    optional("environment", Shape::Id),
    optional("binds", Shape::List(&BIND, BINDS_COUNT_MAX)),
    optional("aliases", Shape::List(&Shape::Alias, LIST_MAX)),
    optional("actor", Shape::Actor),
    optional(
        "verdict",
        Shape::OneOf(&["approved", "changes_requested", "commented", "dismissed"]),
    ),
    optional("role", Shape::Id),
    optional("approval", Shape::Object(APPROVAL)),
    optional("evidence", Shape::List(&EVIDENCE, LIST_MAX)),
    optional(
        "chain",
        Shape::Object(&[
            required("id", Shape::Bytes16),
            required("n", Shape::Ordinal),
            optional("last", Shape::Flag),
        ]),
    ),
    optional(
        "seen",
        Shape::Object(&[
            required("size", Shape::Ordinal),
            required("root", Shape::Sha256),
        ]),
    ),
    optional(
        "relayed",
        Shape::Object(&[
            required("system", Shape::Id),
            required("digest", Shape::Sha256Digest),
            required("auth", Shape::OneOf(&["hmac", "token", "none"])),
        ]),
    ),
];
const BIND: Shape = Shape::Object(&[
    required("name", Shape::Id),
    required("digest", Shape::Digest),
]);
const EVIDENCE: Shape = Shape::Object(&[
    required("uri", Shape::Words),
    required("mediaType", Shape::Words),
    required("digest", Shape::Digest),
]);
const APPROVAL: &[Field] = &[
    optional("request", Shape::Sha256),
    required("shown", Shape::Words),
    optional("policy", Shape::Count),
    required("from", Shape::List(&APPROVAL_FROM, LIST_MAX)),
    optional("expires", Shape::Time),
];
const APPROVAL_FROM: Shape = Shape::Object(&[
    required("service", Shape::Id),
    required("environment", Shape::Id),
    optional("digest", Shape::OrNull(&Shape::Digest)),
]);

/// Reads `customData.piperoll`; the fault names the member relative to it.
pub(super) fn read(value: &Value) -> Result<Profile, Fault> {
    shape::check(value, FIELDS)?;
    // The table is stricter than the types, so what fails here is a disagreement between the two.
    Wire::deserialize(value)
        .ok()
        .and_then(Wire::into_profile)
        .ok_or_else(|| Fault {
            path: String::new(),
            problem: "cannot be read".to_owned(),
            remedy: None,
        })
}

/// The profile as JSON, members in the order of `formats.md`.
impl Serialize for Profile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire::from_profile(self).serialize(serializer)
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    profile: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<Hex>,
    salt: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    texts: BTreeMap<String, Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binds: Option<Vec<Bind>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<ReviewVerdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<WireApproval>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<WireSeen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relayed: Option<WireRelayed>,
}
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Hex(#[serde(with = "hex_hash")] Hash);
#[derive(Serialize, Deserialize)]
struct WireApproval {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Hex>,
    shown: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<u64>,
    from: Vec<WireApprovalFrom>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}
#[derive(Serialize, Deserialize)]
struct WireApprovalFrom {
    service: String,
    environment: String,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    #[expect(
        clippy::option_option,
        reason = "absent and null mean different things"
    )]
    digest: Option<Option<Digest>>,
}
/// Tells `null` (nothing runs there) from an absent member (unknown).
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things"
)]
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Digest>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
#[derive(Serialize, Deserialize)]
struct WireSeen {
    size: u64,
    root: Hex,
}
#[derive(Serialize, Deserialize)]
struct WireRelayed {
    system: String,
    digest: Digest,
    auth: RelayedAuth,
}

impl Wire {
    fn into_profile(self) -> Option<Profile> {
        let approval = match self.approval {
            None => None,
            Some(approval) => Some(approval.into_approval()?),
        };
        let relayed = match self.relayed {
            None => None,
            Some(WireRelayed {
                system,
                digest: Digest::Sha256(digest),
                auth,
            }) => Some(Relayed {
                system,
                digest,
                auth,
            }),
            Some(WireRelayed {
                digest: Digest::GitCommit(_),
                ..
            }) => return None,
        };
        Some(Profile {
            ledger: self.ledger.map(|Hex(hash)| LedgerId(hash)),
            salt: encoding::from_base64url(&self.salt)?.try_into().ok()?,
            texts: self
                .texts
                .into_iter()
                .map(|(name, Hex(hash))| (name, hash))
                .collect(),
            change: self.change,
            service: self.service,
            environment: self.environment,
            binds: self.binds,
            aliases: self.aliases,
            actor: self.actor,
            verdict: self.verdict,
            role: self.role,
            approval,
            evidence: self.evidence,
            chain: self.chain,
            seen: self.seen.map(|seen| Seen {
                size: seen.size,
                root: seen.root.0,
            }),
            relayed,
        })
    }
    fn from_profile(profile: &Profile) -> Self {
        Self {
            profile: VERSION,
            ledger: profile.ledger.map(|ledger| Hex(ledger.0)),
            salt: encoding::base64url(&profile.salt),
            texts: profile
                .texts
                .iter()
                .map(|(name, hash)| (name.clone(), Hex(*hash)))
                .collect(),
            change: profile.change.clone(),
            service: profile.service.clone(),
            environment: profile.environment.clone(),
            binds: profile.binds.clone(),
            aliases: profile.aliases.clone(),
            actor: profile.actor.clone(),
            verdict: profile.verdict,
            role: profile.role.clone(),
            approval: profile.approval.as_ref().map(WireApproval::from_approval),
            evidence: profile.evidence.clone(),
            chain: profile.chain.clone(),
            seen: profile.seen.as_ref().map(|seen| WireSeen {
                size: seen.size,
                root: Hex(seen.root),
            }),
            relayed: profile.relayed.as_ref().map(|relayed| WireRelayed {
                system: relayed.system.clone(),
                digest: Digest::Sha256(relayed.digest),
                auth: relayed.auth,
            }),
        }
    }
}
impl WireApproval {
    fn into_approval(self) -> Option<Approval> {
        let expires = match self.expires {
            None => None,
            Some(text) => Some(time::parse(&text)?),
        };
        Some(Approval {
            request: self.request.map(|Hex(hash)| hash),
            shown: self.shown,
            policy: self.policy,
            from: self
                .from
                .into_iter()
                .map(|from| ApprovalFrom {
                    service: from.service,
                    environment: from.environment,
                    digest: from.digest,
                })
                .collect(),
            expires,
        })
    }
    fn from_approval(approval: &Approval) -> Self {
        Self {
            request: approval.request.map(Hex),
            shown: approval.shown.clone(),
            policy: approval.policy,
            from: approval
                .from
                .iter()
                .map(|from| WireApprovalFrom {
                    service: from.service.clone(),
                    environment: from.environment.clone(),
                    digest: from.digest.clone(),
                })
                .collect(),
            expires: approval.expires.map(|at| at.to_string()),
        }
    }
}
