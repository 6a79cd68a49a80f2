//! The catalogue of kinds (`formats.md` section 7): a kind is one row below plus the struct of its content.

use serde::{Deserialize, Serialize};

use crate::{
    authority::{Grants, Purpose, Scheme},
    event::Digest,
    name::Principal,
};

/// Where a type comes from, which gives it its full name and its specversion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// `dev.cdeventsx.piperoll-<kind>.<version>`, specversion 0.5.1.
    Own,
    /// `dev.cdevents.<kind>.<version>`, specversion 0.5.1.
    Standard,
    /// `dev.cdevents.<kind>.<version>`, specversion 0.6.0-draft.
    Draft,
}

macro_rules! catalogue {
    ($($variant:ident($content:ty) = $family:ident $name:literal $version:literal,
       by [$($purpose:ident),*], words [$($required:literal),*] [$($optional:literal),*];)*) => {
        /// A kind of event.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Kind { $($variant),* }
        /// What an event of each kind holds in `subject.content`.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Content { $($variant($content)),* }
        impl Kind {
            /// Every kind, in the order of `formats.md`.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];
            /// Such as `deployment.finished`.
            pub fn name(self) -> &'static str { match self { $(Kind::$variant => $name),* } }
            pub fn version(self) -> &'static str { match self { $(Kind::$variant => $version),* } }
            pub fn family(self) -> Family { match self { $(Kind::$variant => Family::$family),* } }
            /// The purposes of keys that may sign it.
            pub fn signers(self) -> &'static [Purpose] { match self { $(Kind::$variant => &[$(Purpose::$purpose),*]),* } }
            /// Texts that must be named.
            pub fn texts_required(self) -> &'static [&'static str] { match self { $(Kind::$variant => &[$($required),*]),* } }
            /// Texts that are usual; any other name is allowed too.
            pub fn texts_optional(self) -> &'static [&'static str] { match self { $(Kind::$variant => &[$($optional),*]),* } }
        }
        impl Content {
            pub fn kind(&self) -> Kind { match self { $(Content::$variant(_) => Kind::$variant),* } }
            /// Reads the content of a kind; the error names the member.
            pub fn from_value(kind: Kind, value: &serde_json::Value) -> Result<Self, serde_json::Error> {
                Ok(match kind { $(Kind::$variant => Content::$variant(<$content>::deserialize(value)?)),* })
            }
            pub fn to_value(&self) -> serde_json::Value {
                let value = match self { $(Content::$variant(content) => serde_json::to_value(content)),* };
                value.expect("contents hold only strings, integers, lists and maps with string keys")
            }
        }
    };
}

catalogue! {
    LedgerCreated(LedgerCreated) = Own "ledger.created" "0.1.0", by [EventLedger], words [] [];
    KeyRegistered(KeyRegistered) = Own "key.registered" "0.1.0", by [Admin], words [] [];
    PersonDescribed(Empty) = Own "person.described" "0.1.0", by [Admin], words ["name"] ["email"];
    AccountLinked(AccountLinked) = Own "account.linked" "0.1.0", by [Admin], words ["login"] [];
    RoleGranted(RoleGranted) = Own "role.granted" "0.1.0", by [Admin], words [] [];
    ChangeCreated(ChangeContent) = Standard "change.created" "0.4.0", by [EventBridge, EventPipeline], words [] ["summary", "description"];
    ChangeUpdated(ChangeContent) = Standard "change.updated" "0.3.0", by [EventBridge, EventPipeline], words [] ["summary", "description"];
    ChangeReviewed(ChangeContent) = Standard "change.reviewed" "0.3.0", by [EventBridge, EventPipeline], words [] ["summary", "description"];
    ChangeMerged(ChangeContent) = Standard "change.merged" "0.3.0", by [EventBridge, EventPipeline], words [] ["summary", "description"];
    ChangeAbandoned(ChangeContent) = Standard "change.abandoned" "0.3.0", by [EventBridge, EventPipeline], words [] ["summary", "description"];
    BranchPushed(BranchPushed) = Own "branch.pushed" "0.1.0", by [EventBridge, EventPipeline], words [] [];
    ApprovalCreated(ApprovalCreated) = Draft "approval.created" "0.1.0", by [EventPerson, EventPipeline], words ["summary"] ["users", "risk", "undo"];
    ApprovalUpdated(ApprovalUpdated) = Draft "approval.updated" "0.1.0", by [EventPerson], words ["shown"] ["comment"];
    BundleDefined(BundleDefined) = Own "bundle.defined" "0.1.0", by [EventPipeline], words [] [];
    DeploymentStarted(DeploymentStarted) = Own "deployment.started" "0.1.0", by [EventPipeline, EventBridge], words [] ["actor", "reason"];
    DeploymentFinished(DeploymentFinished) = Own "deployment.finished" "0.1.0", by [EventPipeline, EventBridge], words [] ["actor", "reason"];
    RollbackStarted(RollbackStarted) = Own "rollback.started" "0.1.0", by [EventPipeline, EventPerson], words [] ["actor", "reason"];
    RollbackFinished(RollbackFinished) = Own "rollback.finished" "0.1.0", by [EventPipeline, EventPerson], words [] ["actor", "reason"];
    ServiceDeployed(ServiceContent) = Standard "service.deployed" "0.3.0", by [EventPipeline, EventBridge], words [] [];
    ServiceUpgraded(ServiceContent) = Standard "service.upgraded" "0.3.0", by [EventPipeline, EventBridge], words [] [];
    ServiceRolledback(ServiceContent) = Standard "service.rolledback" "0.3.0", by [EventPipeline, EventBridge], words [] [];
    OverrideDeclared(OverrideDeclared) = Own "override.declared" "0.1.0", by [EventPerson, EventPipeline], words ["reason"] [];
    AlertFired(Alert) = Own "alert.fired" "0.1.0", by [EventBridge, EventMonitor], words [] ["summary"];
    AlertResolved(Alert) = Own "alert.resolved" "0.1.0", by [EventBridge, EventMonitor], words [] ["summary"];
    IncidentDetected(IncidentContent) = Standard "incident.detected" "0.3.0", by [EventPerson, EventBridge, EventMonitor], words [] ["description"];
    IncidentResolved(IncidentContent) = Standard "incident.resolved" "0.3.0", by [EventPerson, EventBridge, EventMonitor], words [] ["description"];
    ArtifactPublished(ArtifactPublished) = Standard "artifact.published" "0.3.0", by [EventPipeline, EventBridge], words [] [];
    StreamAdopted(StreamAdopted) = Own "stream.adopted" "0.1.0", by [EventLedger], words [] [];
    StreamGapAccepted(StreamGapAccepted) = Own "stream.gapaccepted" "0.1.0", by [Admin], words ["reason"] [];
    TimeCorrected(TimeCorrected) = Own "time.corrected" "0.1.0", by [Admin], words ["reason"] [];
}

impl Kind {
    /// The full type, such as `dev.cdeventsx.piperoll-deployment.finished.0.1.0`.
    pub fn type_name(self) -> String {
        let prefix = match self.family() {
            Family::Own => "dev.cdeventsx.piperoll-",
            Family::Standard | Family::Draft => "dev.cdevents.",
        };
        format!("{prefix}{}.{}", self.name(), self.version())
    }
    pub fn specversion(self) -> &'static str {
        match self.family() {
            Family::Own | Family::Standard => "0.5.1",
            Family::Draft => "0.6.0-draft",
        }
    }
    /// By its short name, such as `deployment.finished`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
    /// By its full type.
    pub fn from_type(type_name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.type_name() == type_name)
    }
}

/// No members at all.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerCreated {
    pub origin: String,
    pub admission: u32,
    pub threshold: u32,
    /// Event key, checkpoint key, administrators.
    pub keys: Vec<GenesisKey>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisKey {
    /// Standard base64 of the raw 32 bytes.
    pub key: String,
    pub scheme: Scheme,
    pub principal: Principal,
    pub purpose: Purpose,
    pub custody: Custody,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Custody {
    Agent,
    File,
    Browser,
    Server,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRegistered {
    pub key: String,
    pub scheme: Scheme,
    pub principal: Principal,
    pub purpose: Purpose,
    pub custody: Custody,
    /// Standard base64 of a signature by the new key (`formats.md` section 7, Possession).
    pub possession: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
    /// RFC 3339; the key is live while `recorded_at` is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub established: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLinked {
    pub account: String,
    pub system: String,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleGranted {
    pub role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
}
/// A CDEvents reference to something by id.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
/// A repository; both members are required by `branch.pushed` and by our `change.*`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    pub id: String,
    pub source: String,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeContent {
    pub repository: Repository,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchPushed {
    pub repository: Repository,
    pub branch: String,
    pub before: Commit,
    pub after: Commit,
    pub forced: bool,
    /// Oldest first, at most 1000.
    pub commits: Vec<Commit>,
    pub truncated: bool,
}
/// `{"gitCommit": "<40 or 64 hex>"}`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Commit {
    pub git_commit: String,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApprovalCreated {
    pub approval_details_url: String,
    pub resource_target_url: String,
    pub requestor: String,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ApprovalUpdated {
    pub approval_details_url: String,
    pub resource_target_url: String,
    pub responder: String,
    pub decision: Decision,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    Escalated,
    Delegate,
    Deferred,
    RequestChanges,
    Approved,
    Rejected,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleDefined {
    pub name: String,
    pub version: String,
    pub elements: Vec<BundleElement>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleElement {
    pub purl: String,
    /// Bare lower-case hexadecimal.
    pub sha256: String,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Success,
    Failure,
    Cancel,
    Error,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStarted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DeploymentFinished {
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_type: Option<String>,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    Auto,
    Manual,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackStarted {
    pub trigger: Trigger,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackFinished {
    pub trigger: Trigger,
    pub outcome: Outcome,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceContent {
    pub environment: Reference,
    pub artifact_id: String,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OverrideDeclared {
    /// RFC 3339.
    pub expires_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmet_criteria: Option<Vec<String>>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Alert {
    pub alert_key: String,
    pub starts_at: String,
    /// Required when resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IncidentContent {
    pub environment: Reference,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_id: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactPublished {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbom: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamAdopted {
    pub incarnation: String,
    pub sequence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<StreamPosition>,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamPosition {
    pub incarnation: String,
    pub sequence: u64,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamGapAccepted {
    pub incarnation: String,
    pub first: u64,
    pub last: u64,
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TimeCorrected {
    pub incarnation: String,
    pub sequence: u64,
    pub stream_time: String,
    pub used_time: String,
}

/// What a digest is called on a page: 4 characters.
pub fn short(_digest: &Digest) -> String {
    todo!()
}
