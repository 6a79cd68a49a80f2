//! What an event must satisfy beyond the shape of its members, as far as no ledger is needed (`formats.md` sections 3 and 7).

mod approval;
mod keys;

use crate::{
    event::{Digest, Event, Profile},
    kind::{Content, Kind},
    name::{Principal, PrincipalKind},
    refusal::{Reason, Refusal},
    shape::any_of,
};

type Checked = Result<(), Refusal>;

fn wrong(field: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Content, detail)
        .at(field)
        .remedy(remedy)
}
/// Refuses unless the two are equal.
fn equal(field: &str, found: &str, wanted: &str, what: &str) -> Checked {
    if found == wanted {
        return Ok(());
    }
    Err(wrong(
        field,
        format!("{field} is {found:?}, which is not {what}, {wanted:?}"),
        format!("write {wanted:?}"),
    ))
}

pub(super) fn check(event: &Event) -> Checked {
    check_signer(event)?;
    check_presence(event)?;
    check_belonging(event)?;
    check_subject(event)?;
    check_references(event)?;
    match &event.content {
        Content::LedgerCreated(content) => keys::check_genesis(event, content),
        Content::KeyRegistered(content) => keys::check_registration(event, content),
        Content::ApprovalCreated(content) => approval::check_approval(
            event,
            &content.approval_details_url,
            &content.resource_target_url,
            ("requestor", &content.requestor),
        ),
        Content::ApprovalUpdated(content) => {
            approval::check_approval(
                event,
                &content.approval_details_url,
                &content.resource_target_url,
                ("responder", &content.responder),
            )?;
            approval::check_decision(event)
        }
        Content::BundleDefined(content) => approval::check_bundle(event, content),
        Content::StreamGapAccepted(content) if content.first > content.last => Err(wrong(
            "subject.content.last",
            "the gap ends before it begins: last is smaller than first",
            "give the first and the last sequence that are missing",
        )),
        _ => Ok(()),
    }
}

/// A principal of this sort may have a key that signs this kind.
fn check_signer(event: &Event) -> Checked {
    let kind = event.kind();
    let sort = event.source.kind();
    if kind
        .signers()
        .iter()
        .any(|purpose| purpose.principal_kind() == Some(sort))
    {
        return Ok(());
    }
    let signers: Vec<&str> = kind
        .signers()
        .iter()
        .map(|purpose| purpose.as_str())
        .collect();
    Err(wrong(
        "context.type",
        format!("{} is not for a {}", kind.name(), sort.as_str()),
        format!("it is signed by a key for {}", any_of(&signers)),
    ))
}

/// What the kind demands of the profile, and the texts it demands.
fn check_presence(event: &Event) -> Checked {
    let kind = event.kind();
    let profile = &event.profile;
    for name in kind.profile_required() {
        if !has(profile, name) {
            return Err(wrong(
                &format!("customData.piperoll.{name}"),
                format!("{name} is missing"),
                kind.needs(),
            ));
        }
    }
    for name in kind.texts_required() {
        if !profile.texts.contains_key(*name) {
            return Err(wrong(
                &format!("customData.piperoll.texts.{name}"),
                format!("the hash of the text {name} is missing"),
                kind.needs(),
            ));
        }
    }
    let is_genesis = kind == Kind::LedgerCreated;
    match (profile.ledger, is_genesis) {
        (None, false) => Err(wrong(
            "customData.piperoll.ledger",
            "ledger is missing: an event says which ledger it is meant for",
            "write the ledger's id, as `piperoll init` printed it",
        )),
        (Some(_), true) => Err(wrong(
            "customData.piperoll.ledger",
            "the first event of a ledger cannot know the ledger's id",
            "leave it out",
        )),
        _ => Ok(()),
    }
}
fn has(profile: &Profile, name: &str) -> bool {
    match name {
        "change" => profile.change.is_some(),
        "service" => profile.service.is_some(),
        "environment" => profile.environment.is_some(),
        "binds" => profile.binds.is_some(),
        "verdict" => profile.verdict.is_some(),
        "role" => profile.role.is_some(),
        "approval" => profile.approval.is_some(),
        _ => false,
    }
}

/// Members that some events have and others must not.
fn check_belonging(event: &Event) -> Checked {
    let kind = event.kind();
    let profile = &event.profile;
    let is_bridge = event.source.kind() == PrincipalKind::Bridge;
    if profile.relayed.is_some() != is_bridge {
        let (detail, remedy) = if is_bridge {
            (
                "relayed is missing: a bridge says whose words it passes on",
                "name the system, the digest of the raw body and how it was authenticated",
            )
        } else {
            (
                "relayed is for bridges, and only for them",
                "leave it out, or let a bridge sign",
            )
        };
        return Err(wrong("customData.piperoll.relayed", detail, remedy));
    }
    let only = |name: &str, present: bool, allowed: bool, whom: &str| {
        if present && !allowed {
            let field = format!("customData.piperoll.{name}");
            let detail = format!("{name} is for {whom} only");
            return Err(wrong(&field, detail, "leave it out"));
        }
        Ok(())
    };
    let is_decision = matches!(kind, Kind::ApprovalUpdated | Kind::OverrideDeclared);
    let is_person = event.source.kind() == PrincipalKind::Person;
    let is_review = kind == Kind::ChangeReviewed;
    only(
        "verdict",
        profile.verdict.is_some(),
        is_review,
        "change.reviewed",
    )?;
    let is_answer = kind == Kind::ApprovalUpdated;
    only(
        "approval",
        profile.approval.is_some(),
        is_answer,
        "approval.updated",
    )?;
    only(
        "role",
        profile.role.is_some(),
        is_decision && is_person,
        "decisions and overrides of persons",
    )?;
    if is_decision && is_person && profile.role.is_none() {
        return Err(wrong(
            "customData.piperoll.role",
            "role is missing: a person decides in a role",
            "name a role that the signer holds",
        ));
    }
    Ok(())
}

/// The "subject.id" column of the table of kinds.
fn check_subject(event: &Event) -> Checked {
    const FIELD: &str = "subject.id";
    let subject = event.subject.as_str();
    match &event.content {
        Content::LedgerCreated(content) => equal(FIELD, subject, &content.origin, "the origin"),
        Content::PersonDescribed(_) | Content::AccountLinked(_) | Content::RoleGranted(_) => {
            match Principal::parse(subject).map(|principal| principal.kind()) {
                Ok(PrincipalKind::Person) => Ok(()),
                _ => Err(wrong(
                    FIELD,
                    format!("subject.id is {subject:?}, which is not a person"),
                    "write the person's URN, urn:piperoll:person:<26 characters>",
                )),
            }
        }
        Content::ChangeCreated(_)
        | Content::ChangeUpdated(_)
        | Content::ChangeReviewed(_)
        | Content::ChangeMerged(_)
        | Content::ChangeAbandoned(_) => {
            let change = event.profile.change.as_deref().unwrap_or_default();
            equal("customData.piperoll.change", change, subject, "the subject")
        }
        Content::BranchPushed(content) => {
            let wanted = format!("{}@{}", content.repository.id, content.branch);
            equal(FIELD, subject, &wanted, "<repository>@<branch>")
        }
        Content::ApprovalCreated(_) | Content::OverrideDeclared(_) => {
            equal(FIELD, subject, &event.id, "the event's own context.id")
        }
        Content::BundleDefined(content) => {
            let wanted = format!("{}@{}", content.name, content.version);
            equal(FIELD, subject, &wanted, "<name>@<version>")
        }
        Content::ServiceDeployed(_)
        | Content::ServiceUpgraded(_)
        | Content::ServiceRolledback(_) => {
            let service = event.profile.service.as_deref().unwrap_or_default();
            equal(
                "customData.piperoll.service",
                service,
                subject,
                "the subject",
            )
        }
        Content::AlertFired(content) | Content::AlertResolved(content) => {
            let wanted = format!("{}@{}", content.alert_key, content.starts_at);
            equal(FIELD, subject, &wanted, "<alertKey>@<startsAt>")
        }
        Content::ArtifactPublished(_) if !subject.starts_with("pkg:") => Err(wrong(
            FIELD,
            format!("subject.id is {subject:?}, which is not a package URL"),
            "write a purl, such as pkg:oci/checkout@sha256:<digest>",
        )),
        // The subject of a registration is looked at beside its key.
        Content::KeyRegistered(_)
        | Content::ApprovalUpdated(_)
        | Content::DeploymentStarted(_)
        | Content::DeploymentFinished(_)
        | Content::RollbackStarted(_)
        | Content::RollbackFinished(_)
        | Content::IncidentDetected(_)
        | Content::IncidentResolved(_)
        | Content::ArtifactPublished(_)
        | Content::StreamAdopted(_)
        | Content::StreamGapAccepted(_)
        | Content::TimeCorrected(_) => Ok(()),
    }
}

/// Standard content that names what the profile names says the same, and digests inside an `artifactId` are bound.
fn check_references(event: &Event) -> Checked {
    let (environment, service, artifact) = match &event.content {
        Content::ServiceDeployed(content)
        | Content::ServiceUpgraded(content)
        | Content::ServiceRolledback(content) => (
            &content.environment.id,
            None,
            Some(content.artifact_id.as_str()),
        ),
        Content::IncidentDetected(content) | Content::IncidentResolved(content) => (
            &content.environment.id,
            content.service.as_ref().map(|service| service.id.as_str()),
            content.artifact_id.as_deref(),
        ),
        _ => return Ok(()),
    };
    let profile = &event.profile;
    equal(
        "customData.piperoll.environment",
        profile.environment.as_deref().unwrap_or_default(),
        environment,
        "subject.content.environment.id",
    )?;
    if let Some(service) = service {
        equal(
            "customData.piperoll.service",
            profile.service.as_deref().unwrap_or_default(),
            service,
            "subject.content.service.id",
        )?;
    }
    for digest in artifact.map(sha256_in).unwrap_or_default() {
        let bound = |bind: &Digest| matches!(bind, Digest::Sha256(hash) if hash.to_hex() == digest);
        if !profile.binds().iter().any(|bind| bound(&bind.digest)) {
            return Err(wrong(
                "customData.piperoll.binds",
                "a sha256 of artifactId is not in binds",
                format!("bind {digest}"),
            ));
        }
    }
    Ok(())
}
/// Every SHA-256 in a purl, in lower case; `sha256:` and `sha256%3A` are equal.
fn sha256_in(purl: &str) -> Vec<String> {
    const DIGITS: usize = 64;
    let lower = purl.to_ascii_lowercase().replace("sha256%3a", "sha256:");
    lower
        .split("sha256:")
        .skip(1)
        .filter_map(|rest| {
            let length = rest
                .bytes()
                .position(|byte| !byte.is_ascii_hexdigit())
                .unwrap_or(rest.len());
            (length == DIGITS).then(|| rest[..DIGITS].to_owned())
        })
        .collect()
}
