//! The members of every content, one table a kind, and what a kind demands of the profile (`formats.md` sections 3 and 7).

use crate::{
    kind::Kind,
    limits::COMMITS_COUNT_MAX,
    shape::{Field, Shape, optional, required},
};

/// Most keys a genesis may list, and most patterns or elements in any other list that the formats leave open.
const LIST_MAX: usize = 1000;
const SCHEMES: Shape = Shape::OneOf(&["ed25519", "sshsig-ed25519"]);
const PURPOSES: Shape = Shape::OneOf(&[
    "event.pipeline",
    "event.person",
    "event.monitor",
    "event.bridge",
    "event.ledger",
    "admin",
    "invitation",
    "checkpoint",
    "witness",
]);
const CUSTODY: Shape = Shape::OneOf(&["agent", "file", "browser", "server"]);
const OUTCOME: Shape = Shape::OneOf(&["success", "failure", "cancel", "error"]);
const TRIGGER: Shape = Shape::OneOf(&["auto", "manual"]);
const PATTERNS: Shape = Shape::List(&Shape::Pattern, LIST_MAX);
const REPOSITORY: Shape =
    Shape::Object(&[required("id", Shape::Id), required("source", Shape::Id)]);
const REFERENCE: Shape =
    Shape::Object(&[required("id", Shape::Id), optional("source", Shape::Words)]);

const NOTHING: &[Field] = &[];
const LEDGER_CREATED: &[Field] = &[
    required("origin", Shape::Words),
    required("admission", Shape::Count),
    required("threshold", Shape::Ordinal),
    required("keys", Shape::List(&GENESIS_KEY, LIST_MAX)),
];
const GENESIS_KEY: Shape = Shape::Object(&[
    required("key", Shape::Key),
    required("scheme", SCHEMES),
    required("principal", Shape::Principal),
    required("purpose", PURPOSES),
    required("custody", CUSTODY),
]);
const KEY_REGISTERED: &[Field] = &[
    required("key", Shape::Key),
    required("scheme", SCHEMES),
    required("principal", Shape::Principal),
    required("purpose", PURPOSES),
    required("custody", CUSTODY),
    required("possession", Shape::Base64),
    optional(
        "grants",
        Shape::Object(&[
            optional("kinds", PATTERNS),
            optional("services", PATTERNS),
            optional("environments", PATTERNS),
        ]),
    ),
    optional("until", Shape::Time),
    optional("established", Shape::Words),
];
const ACCOUNT_LINKED: &[Field] = &[
    required("account", Shape::Account),
    required("system", Shape::Id),
];
const ROLE_GRANTED: &[Field] = &[
    required("role", Shape::Id),
    optional("services", PATTERNS),
    optional("environments", PATTERNS),
];
/// Only `change.created` has a description in `CDEvents`.
const CHANGE_CREATED: &[Field] = &[
    required("repository", REPOSITORY),
    optional("description", Shape::Words),
];
const CHANGE: &[Field] = &[required("repository", REPOSITORY)];
const BRANCH_PUSHED: &[Field] = &[
    required("repository", REPOSITORY),
    required("branch", Shape::Id),
    required("before", Shape::CommitDigest),
    required("after", Shape::CommitDigest),
    required("forced", Shape::Flag),
    required(
        "commits",
        Shape::List(&Shape::CommitDigest, COMMITS_COUNT_MAX),
    ),
    required("truncated", Shape::Flag),
];
const APPROVAL_CREATED: &[Field] = &[
    required("approvalDetailsUrl", Shape::Words),
    required("resourceTargetUrl", Shape::Words),
    required("requestor", Shape::Words),
];
const APPROVAL_UPDATED: &[Field] = &[
    required("approvalDetailsUrl", Shape::Words),
    required("resourceTargetUrl", Shape::Words),
    required("responder", Shape::Words),
    required(
        "decision",
        Shape::OneOf(&[
            "approved",
            "rejected",
            "requestChanges",
            "escalated",
            "delegate",
            "deferred",
        ]),
    ),
];
const BUNDLE_DEFINED: &[Field] = &[
    required("name", Shape::Id),
    required("version", Shape::Id),
    required(
        "elements",
        Shape::List(
            &Shape::Object(&[
                required("purl", Shape::Id),
                required("sha256", Shape::Sha256),
            ]),
            LIST_MAX,
        ),
    ),
];
const DEPLOYMENT_STARTED: &[Field] = &[optional("trigger", Shape::Id)];
const DEPLOYMENT_FINISHED: &[Field] = &[
    required("outcome", OUTCOME),
    optional("trigger", Shape::Id),
    optional("failureType", Shape::Id),
];
const ROLLBACK_STARTED: &[Field] = &[required("trigger", TRIGGER)];
const ROLLBACK_FINISHED: &[Field] = &[required("trigger", TRIGGER), required("outcome", OUTCOME)];
const SERVICE: &[Field] = &[
    required("environment", REFERENCE),
    required("artifactId", Shape::Id),
];
const OVERRIDE_DECLARED: &[Field] = &[
    required("expiresAt", Shape::Time),
    optional("gate", Shape::Id),
    optional("unmetCriteria", Shape::List(&Shape::Id, LIST_MAX)),
];
const ALERT_FIRED: &[Field] = &[
    required("alertKey", Shape::Id),
    required("startsAt", Shape::Time),
    optional("name", Shape::Words),
    optional("severity", Shape::Words),
    optional("labels", Shape::Labels),
    optional("generatorUrl", Shape::Words),
];
const ALERT_RESOLVED: &[Field] = &[
    required("alertKey", Shape::Id),
    required("startsAt", Shape::Time),
    required("endsAt", Shape::Time),
    optional("name", Shape::Words),
    optional("severity", Shape::Words),
    optional("labels", Shape::Labels),
    optional("generatorUrl", Shape::Words),
];
const INCIDENT: &[Field] = &[
    required("environment", REFERENCE),
    // The standard lets it be empty, and what it carries is accepted as sent.
    optional("description", Shape::Text),
    optional("service", REFERENCE),
    optional("artifactId", Shape::Id),
];
const ARTIFACT_PUBLISHED: &[Field] = &[
    optional("sbom", Shape::Object(&[required("uri", Shape::Words)])),
    optional("user", Shape::Words),
];
const STREAM_ADOPTED: &[Field] = &[
    required("incarnation", Shape::Id),
    required("sequence", Shape::Count),
    optional(
        "previous",
        Shape::Object(&[
            required("incarnation", Shape::Id),
            required("sequence", Shape::Count),
        ]),
    ),
];
const STREAM_GAP_ACCEPTED: &[Field] = &[
    required("incarnation", Shape::Id),
    required("first", Shape::Ordinal),
    required("last", Shape::Ordinal),
];
const TIME_CORRECTED: &[Field] = &[
    required("incarnation", Shape::Id),
    required("sequence", Shape::Ordinal),
    required("streamTime", Shape::Time),
    required("usedTime", Shape::Time),
];

impl Kind {
    /// The members of `subject.content`.
    pub fn content_fields(self) -> &'static [Field] {
        match self {
            Self::LedgerCreated => LEDGER_CREATED,
            Self::KeyRegistered => KEY_REGISTERED,
            Self::PersonDescribed => NOTHING,
            Self::AccountLinked => ACCOUNT_LINKED,
            Self::RoleGranted => ROLE_GRANTED,
            Self::ChangeCreated => CHANGE_CREATED,
            Self::ChangeUpdated
            | Self::ChangeReviewed
            | Self::ChangeMerged
            | Self::ChangeAbandoned => CHANGE,
            Self::BranchPushed => BRANCH_PUSHED,
            Self::ApprovalCreated => APPROVAL_CREATED,
            Self::ApprovalUpdated => APPROVAL_UPDATED,
            Self::BundleDefined => BUNDLE_DEFINED,
            Self::DeploymentStarted => DEPLOYMENT_STARTED,
            Self::DeploymentFinished => DEPLOYMENT_FINISHED,
            Self::RollbackStarted => ROLLBACK_STARTED,
            Self::RollbackFinished => ROLLBACK_FINISHED,
            Self::ServiceDeployed | Self::ServiceUpgraded | Self::ServiceRolledback => SERVICE,
            Self::OverrideDeclared => OVERRIDE_DECLARED,
            Self::AlertFired => ALERT_FIRED,
            Self::AlertResolved => ALERT_RESOLVED,
            Self::IncidentDetected | Self::IncidentResolved => INCIDENT,
            Self::ArtifactPublished => ARTIFACT_PUBLISHED,
            Self::StreamAdopted => STREAM_ADOPTED,
            Self::StreamGapAccepted => STREAM_GAP_ACCEPTED,
            Self::TimeCorrected => TIME_CORRECTED,
        }
    }
    /// The members of the profile that an event of this kind must have beside `profile`, `ledger` and `salt`.
    pub fn profile_required(self) -> &'static [&'static str] {
        match self {
            Self::ChangeCreated
            | Self::ChangeUpdated
            | Self::ChangeMerged
            | Self::ChangeAbandoned => &["change"],
            Self::ChangeReviewed => &["change", "verdict"],
            Self::ApprovalCreated | Self::BundleDefined | Self::OverrideDeclared => &["binds"],
            Self::ApprovalUpdated => &["binds", "approval", "role"],
            Self::DeploymentStarted
            | Self::DeploymentFinished
            | Self::RollbackStarted
            | Self::RollbackFinished => &["service", "environment", "binds"],
            Self::ServiceDeployed | Self::ServiceUpgraded | Self::ServiceRolledback => {
                &["service", "environment"]
            }
            Self::IncidentDetected | Self::IncidentResolved => &["environment"],
            Self::LedgerCreated
            | Self::KeyRegistered
            | Self::PersonDescribed
            | Self::AccountLinked
            | Self::RoleGranted
            | Self::BranchPushed
            | Self::AlertFired
            | Self::AlertResolved
            | Self::ArtifactPublished
            | Self::StreamAdopted
            | Self::StreamGapAccepted
            | Self::TimeCorrected => &[],
        }
    }
    /// What an emitter must say, in one line: `a deployment.finished needs: service, environment, binds, outcome`.
    pub fn needs(self) -> String {
        let content = self
            .content_fields()
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name.to_owned());
        let texts = self
            .texts_required()
            .iter()
            .map(|name| format!("text {name}"));
        let needs: Vec<String> = self
            .profile_required()
            .iter()
            .map(|name| (*name).to_owned())
            .chain(content)
            .chain(texts)
            .collect();
        let article = if self.name().starts_with(['a', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        if needs.is_empty() {
            format!("{article} {} needs nothing but its subject", self.name())
        } else {
            format!("{article} {} needs: {}", self.name(), needs.join(", "))
        }
    }
}
