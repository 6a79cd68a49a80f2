//! A good draft of every kind.

use std::collections::BTreeMap;

use piperoll_core::{
    Hash,
    draft::Draft,
    event::{Approval, ApprovalFrom, Bind, Chain, Digest, Profile, ReviewVerdict as Review, Seen},
    kind::{self, Content, Kind},
    name,
};
use piperoll_tlog::encoding;

use crate::world::{ROLE, Who, at, draft};

fn sha256_bind(name: &str, digit: u8) -> Bind {
    Bind {
        name: name.to_owned(),
        digest: Digest::Sha256(Hash([digit; 32])),
    }
}
fn commit_bind(name: &str) -> Bind {
    Bind {
        name: name.to_owned(),
        digest: Digest::GitCommit("ab".repeat(20)),
    }
}
pub(crate) fn of_person(kind: Kind, profile: Profile) -> Draft {
    let content = match kind {
        Kind::PersonDescribed => Content::PersonDescribed(kind::Empty {}),
        Kind::AccountLinked => Content::AccountLinked(kind::AccountLinked {
            account: name::account_urn([1; 16]),
            system: "github.com".to_owned(),
        }),
        _ => Content::RoleGranted(kind::RoleGranted {
            role: ROLE.to_owned(),
            services: None,
            environments: Some(vec!["production".to_owned()]),
        }),
    };
    Draft {
        subject: Some(Who::Person.principal().as_str().to_owned()),
        ..draft(content, profile)
    }
}
pub(crate) fn of_repository(kind: Kind, profile: Profile) -> Draft {
    let repository = kind::Repository {
        id: "acme/checkout".to_owned(),
        source: "https://github.com".to_owned(),
    };
    let commit = || kind::Commit {
        git_commit: "ab".repeat(20),
    };
    let change = || kind::ChangeContent {
        repository: repository.clone(),
        description: None,
    };
    let change_id = "github:acme/checkout#418".to_owned();
    let mut profile = Profile {
        service: Some("checkout".to_owned()),
        actor: Some(name::account_urn([1; 16])),
        ..profile
    };
    let content = match kind {
        Kind::BranchPushed => Content::BranchPushed(kind::BranchPushed {
            repository,
            branch: "main".to_owned(),
            before: commit(),
            after: commit(),
            forced: false,
            commits: vec![commit()],
            truncated: false,
        }),
        Kind::ChangeUpdated => Content::ChangeUpdated(change()),
        Kind::ChangeReviewed => Content::ChangeReviewed(change()),
        Kind::ChangeMerged => Content::ChangeMerged(change()),
        Kind::ChangeAbandoned => Content::ChangeAbandoned(change()),
        _ => Content::ChangeCreated(change()),
    };
    if kind == Kind::BranchPushed {
        return Draft {
            subject: Some("acme/checkout@main".to_owned()),
            ..draft(content, profile)
        };
    }
    profile.change = Some(change_id.clone());
    profile.binds = Some(vec![commit_bind("head")]);
    profile.verdict = (kind == Kind::ChangeReviewed).then_some(Review::ChangesRequested);
    Draft {
        subject: Some(change_id),
        ..draft(content, profile)
    }
}
pub(crate) fn of_approval(kind: Kind, profile: Profile) -> Draft {
    let id = "01a1c9fa-8180-7d07-b358-407d43a950a7".to_owned();
    let details = format!("urn:piperoll:approval:{id}");
    let target = format!("urn:sha256:{}", Hash([9; 32]));
    let person = Who::Person.principal();
    let mut profile = Profile {
        environment: Some("production".to_owned()),
        binds: Some(vec![sha256_bind("image", 9), commit_bind("commit")]),
        ..profile
    };
    if kind == Kind::ApprovalCreated {
        let content = kind::ApprovalCreated {
            approval_details_url: details,
            resource_target_url: target,
            requestor: person.as_str().to_owned(),
        };
        return Draft {
            id: Some(id),
            ..draft(Content::ApprovalCreated(content), profile)
        };
    }
    profile.role = Some(ROLE.to_owned());
    profile.approval = Some(Approval {
        request: Some(Hash([3; 32])),
        shown: "shown".to_owned(),
        policy: Some(12),
        from: vec![
            from(Some(Some(Digest::Sha256(Hash([1; 32]))))),
            from(Some(None)),
            from(None),
        ],
        expires: Some(at(86_400)),
    });
    let content = kind::ApprovalUpdated {
        approval_details_url: details,
        resource_target_url: target,
        responder: person.as_str().to_owned(),
        decision: kind::Decision::RequestChanges,
    };
    Draft {
        subject: Some(id),
        ..draft(Content::ApprovalUpdated(content), profile)
    }
}
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things"
)]
fn from(digest: Option<Option<Digest>>) -> ApprovalFrom {
    ApprovalFrom {
        service: "checkout".to_owned(),
        environment: "production".to_owned(),
        digest,
    }
}
pub(crate) fn of_bundle(profile: Profile) -> Draft {
    let element = |digit: u8| kind::BundleElement {
        purl: format!("pkg:oci/checkout-{digit}"),
        sha256: Hash([digit; 32]).to_hex(),
    };
    let elements = vec![element(9), element(4)];
    let manifest = kind::bundle_hash(&elements).unwrap();
    let profile = Profile {
        binds: Some(vec![Bind {
            name: "bundle:shop@4.12.0".to_owned(),
            digest: Digest::Sha256(manifest),
        }]),
        ..profile
    };
    let content = kind::BundleDefined {
        name: "shop".to_owned(),
        version: "4.12.0".to_owned(),
        elements,
    };
    Draft {
        subject: Some("shop@4.12.0".to_owned()),
        ..draft(Content::BundleDefined(content), profile)
    }
}
pub(crate) fn of_deployment(kind: Kind, profile: Profile) -> Draft {
    let profile = Profile {
        service: Some("checkout".to_owned()),
        environment: Some("production".to_owned()),
        binds: Some(vec![sha256_bind("image", 9)]),
        seen: Some(Seen {
            size: 3,
            root: Hash([2; 32]),
        }),
        chain: Some(Chain {
            id: encoding::base64url(&[5; 16]),
            n: 1,
            last: true,
        }),
        ..profile
    };
    let service = || kind::ServiceContent {
        environment: kind::Reference {
            id: "production".to_owned(),
            source: None,
        },
        artifact_id: format!("pkg:oci/checkout@sha256%3A{}", Hash([9; 32])),
    };
    let run = "run:ci.example/7/checkout/production";
    let (subject, content) = match kind {
        Kind::DeploymentStarted => (
            run,
            Content::DeploymentStarted(kind::DeploymentStarted {
                trigger: Some("auto".to_owned()),
            }),
        ),
        Kind::RollbackStarted => (
            run,
            Content::RollbackStarted(kind::RollbackStarted {
                trigger: kind::Trigger::Manual,
            }),
        ),
        Kind::RollbackFinished => (
            run,
            Content::RollbackFinished(kind::RollbackFinished {
                trigger: kind::Trigger::Auto,
                outcome: kind::Outcome::Error,
            }),
        ),
        Kind::ServiceDeployed => ("checkout", Content::ServiceDeployed(service())),
        Kind::ServiceUpgraded => ("checkout", Content::ServiceUpgraded(service())),
        Kind::ServiceRolledback => ("checkout", Content::ServiceRolledback(service())),
        Kind::ArtifactPublished => (
            "pkg:generic/checkout@1",
            Content::ArtifactPublished(kind::ArtifactPublished {
                sbom: None,
                user: Some("bot".to_owned()),
            }),
        ),
        _ => (
            run,
            Content::DeploymentFinished(kind::DeploymentFinished {
                outcome: kind::Outcome::Cancel,
                trigger: None,
                failure_type: None,
            }),
        ),
    };
    Draft {
        subject: Some(subject.to_owned()),
        ..draft(content, profile)
    }
}
pub(crate) fn of_override(profile: Profile) -> Draft {
    let content = kind::OverrideDeclared {
        expires_at: "2026-11-13T23:59:59.999999999Z".to_owned(),
        gate: Some("approval".to_owned()),
        unmet_criteria: Some(vec!["business-approver".to_owned()]),
    };
    let profile = Profile {
        service: Some("payments".to_owned()),
        environment: Some("production".to_owned()),
        binds: Some(Vec::new()),
        role: Some(ROLE.to_owned()),
        ..profile
    };
    draft(Content::OverrideDeclared(content), profile)
}
pub(crate) fn of_monitor(kind: Kind, profile: Profile) -> Draft {
    let profile = Profile {
        service: Some("checkout".to_owned()),
        environment: Some("production".to_owned()),
        ..profile
    };
    let alert = |ends_at: Option<&str>| kind::Alert {
        alert_key: "68bc2b403c13dfd3".to_owned(),
        starts_at: "2026-11-12T20:17:00Z".to_owned(),
        ends_at: ends_at.map(str::to_owned),
        name: Some("HighErrorRate".to_owned()),
        severity: None,
        labels: Some(BTreeMap::from([("team".to_owned(), "Café".to_owned())])),
        generator_url: None,
    };
    let incident = || kind::IncidentContent {
        environment: kind::Reference {
            id: "production".to_owned(),
            source: Some("/iaas/geo1".to_owned()),
        },
        description: None,
        service: Some(kind::Reference {
            id: "checkout".to_owned(),
            source: None,
        }),
        artifact_id: None,
    };
    let (subject, content) = match kind {
        Kind::AlertFired => (
            "68bc2b403c13dfd3@2026-11-12T20:17:00Z",
            Content::AlertFired(alert(None)),
        ),
        Kind::AlertResolved => (
            "68bc2b403c13dfd3@2026-11-12T20:17:00Z",
            Content::AlertResolved(alert(Some("2026-11-12T20:33:00Z"))),
        ),
        Kind::IncidentDetected => ("inc-7", Content::IncidentDetected(incident())),
        _ => ("inc-7", Content::IncidentResolved(incident())),
    };
    Draft {
        subject: Some(subject.to_owned()),
        ..draft(content, profile)
    }
}
pub(crate) fn of_stream(kind: Kind, profile: Profile) -> Draft {
    let incarnation = "piperoll-main@2026-11-11T06:59:58Z".to_owned();
    let content = match kind {
        Kind::StreamAdopted => Content::StreamAdopted(kind::StreamAdopted {
            incarnation,
            sequence: 0,
            previous: Some(kind::StreamPosition {
                incarnation: "embedded".to_owned(),
                sequence: 29,
            }),
        }),
        Kind::StreamGapAccepted => Content::StreamGapAccepted(kind::StreamGapAccepted {
            incarnation,
            first: 42,
            last: 44,
        }),
        _ => Content::TimeCorrected(kind::TimeCorrected {
            incarnation,
            sequence: 63,
            stream_time: "2026-11-13T18:00:00.500Z".to_owned(),
            used_time: "2026-11-13T15:00:00.500Z".to_owned(),
        }),
    };
    Draft {
        subject: Some("piperoll-main".to_owned()),
        ..draft(content, profile)
    }
}
