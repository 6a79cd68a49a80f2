//! The catalogue of kinds (`formats.md` section 7): a kind is one row below, the struct of its content and the table of its members.

mod content;
mod fields;

use piperoll_tlog::{Hash, hash};
use serde::{Deserialize, Serialize};

pub use self::content::*;
use crate::{
    digest::Digest,
    key::Purpose,
    shape::{self, Fault},
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
            fn deserialize(kind: Kind, value: &serde_json::Value) -> Result<Self, serde_json::Error> {
                Ok(match kind { $(Kind::$variant => Content::$variant(<$content>::deserialize(value)?)),* })
            }
        }
        impl Serialize for Content {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Content::$variant(content) => content.serialize(serializer)),* }
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
        format!("{}{}.{}", self.prefix(), self.name(), self.version())
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
        Self::ALL.iter().copied().find(|kind| {
            type_name
                .strip_prefix(kind.prefix())
                .and_then(|rest| rest.strip_prefix(kind.name()))
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|version| version == kind.version())
        })
    }
    fn prefix(self) -> &'static str {
        match self.family() {
            Family::Own => "dev.cdeventsx.piperoll-",
            Family::Standard | Family::Draft => "dev.cdevents.",
        }
    }
}

impl Content {
    /// Reads the content of a kind; the fault names the member, relative to `subject.content`.
    pub fn from_value(kind: Kind, value: &serde_json::Value) -> Result<Self, Fault> {
        shape::check(value, kind.content_fields())?;
        // The table is stricter than the type in all but the size of an integer.
        Self::deserialize(kind, value).map_err(|_| Fault {
            path: String::new(),
            problem: "holds a number that is too large".to_owned(),
            remedy: Some("write a smaller one".to_owned()),
        })
    }
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self)
            .expect("contents hold only strings, integers, lists and maps with string keys")
    }
}

/// The SHA-256 of a bundle's manifest: lines `<sha256>  <purl>`, sorted by their bytes. `None` when a line stands twice.
pub fn bundle_hash(elements: &[BundleElement]) -> Option<Hash> {
    let mut lines: Vec<String> = elements
        .iter()
        .map(|element| format!("{}  {}\n", element.sha256, element.purl))
        .collect();
    lines.sort_unstable();
    let has_duplicates = lines.windows(2).any(|pair| pair[0] == pair[1]);
    (!has_duplicates).then(|| hash::sha256(lines.concat().as_bytes()))
}

/// What a digest is called on a page: its first 4 characters.
pub fn short(digest: &Digest) -> String {
    let text = match digest {
        Digest::Sha256(hash) => hash.to_hex(),
        Digest::GitCommit(commit) => commit.clone(),
    };
    text.chars().take(4).collect()
}
