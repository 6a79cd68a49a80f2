//! Steps 4 and 5 as far as they need the ledger: meant for this one, by a key for this, live, granted, in a role that is held.

use jiff::Timestamp;

use crate::{
    authority::{self, Authority, Grants, Registration},
    event::Event,
    kind::{Content, KeyRegistered},
    refusal::{Reason, Refusal},
    shape::any_of,
};

type Standing = Result<(), Refusal>;

pub(super) fn check(
    event: &Event,
    registration: &Registration,
    authority: &Authority,
    recorded_at: Timestamp,
) -> Standing {
    check_ledger(event, authority)?;
    check_purpose(event, registration)?;
    if let Content::KeyRegistered(content) = &event.content {
        check_new_key(content, authority)?;
    }
    check_live(registration, recorded_at)?;
    check_grants(event, registration)?;
    check_role(event, authority)
}

/// An event is meant for one ledger, and a ledger begins once.
fn check_ledger(event: &Event, authority: &Authority) -> Standing {
    let Some(genesis) = authority.genesis() else {
        return Ok(());
    };
    match event.profile.ledger {
        Some(ledger) if ledger == genesis.ledger => Ok(()),
        Some(ledger) => Err(Refusal::new(
            Reason::Content,
            format!("the event is meant for another ledger, {ledger}"),
        )
        .at("customData.piperoll.ledger")
        .remedy(format!("this ledger's id is {}", genesis.ledger))),
        // Only a genesis event names no ledger.
        None => Err(Refusal::new(
            Reason::Content,
            "a ledger has one genesis, and this one has it",
        )
        .at("context.type")
        .remedy("begin another ledger with `piperoll init`")),
    }
}
fn check_purpose(event: &Event, registration: &Registration) -> Standing {
    let kind = event.kind();
    if kind.signers().contains(&registration.purpose) {
        return Ok(());
    }
    let signers: Vec<&str> = kind
        .signers()
        .iter()
        .map(|purpose| purpose.as_str())
        .collect();
    Err(Refusal::new(
        Reason::Content,
        format!(
            "{} is not for a key for {}",
            kind.name(),
            registration.purpose.as_str()
        ),
    )
    .at("context.type")
    .remedy(format!("sign it with a key for {}", any_of(&signers))))
}
/// A public key has one (principal, purpose, scheme) for ever, and only this ledger speaks as this ledger.
fn check_new_key(content: &KeyRegistered, authority: &Authority) -> Standing {
    let key: Option<[u8; 32]> =
        piperoll_tlog::encoding::from_base64(&content.key).and_then(|bytes| bytes.try_into().ok());
    let known = key.and_then(|key| authority.registration(&authority::keyid(&key)));
    if let Some(known) = known {
        let same = (&known.principal, known.purpose, known.scheme)
            == (&content.principal, content.purpose, content.scheme);
        if !same {
            return Err(Refusal::new(
                Reason::Content,
                format!(
                    "the key belongs to {} already, for {}, with scheme {}",
                    known.principal,
                    known.purpose.as_str(),
                    known.scheme.as_str()
                ),
            )
            .at("subject.content.key")
            .remedy("make a key of its own for each principal, purpose and scheme"));
        }
    }
    let Some(genesis) = authority.genesis() else {
        return Ok(());
    };
    let ledger = genesis.principal();
    if content.principal.kind() == ledger.kind() && content.principal != ledger {
        return Err(Refusal::new(
            Reason::Content,
            format!("{} is another ledger", content.principal),
        )
        .at("subject.content.principal")
        .remedy(format!("this ledger is {ledger}")));
    }
    Ok(())
}

fn missing(field: &str, detail: String, remedy: &str) -> Refusal {
    Refusal::new(Reason::Grant, detail).at(field).remedy(remedy)
}
fn check_live(registration: &Registration, recorded_at: Timestamp) -> Standing {
    match registration.until {
        Some(until) if !registration.is_live(recorded_at) => Err(missing(
            "signatures[0].keyid",
            format!("the key {} ended at {until}", registration.keyid),
            "let an administrator register the key again, with a later end or none",
        )),
        _ => Ok(()),
    }
}
/// Kinds are always judged, services and environments where the event names one.
fn check_grants(event: &Event, registration: &Registration) -> Standing {
    if registration.purpose.needs_no_grants() {
        return Ok(());
    }
    let grants = &registration.grants;
    let profile = &event.profile;
    let kind = event.kind().name();
    let asked = [
        ("context.type", "kind", &grants.kinds, Some(kind)),
        (
            "customData.piperoll.service",
            "service",
            &grants.services,
            profile.service.as_deref(),
        ),
        (
            "customData.piperoll.environment",
            "environment",
            &grants.environments,
            profile.environment.as_deref(),
        ),
    ];
    for (field, sort, patterns, name) in asked {
        if let Some(name) = name
            && !Grants::covers(patterns, name)
        {
            return Err(missing(
                field,
                format!(
                    "the key of {} has no grant for the {sort} {name:?}",
                    registration.principal
                ),
                "let an administrator register the key again with a grant that covers it (of a pipeline: piperoll add pipeline NAME --replace-grants), then send the event again",
            ));
        }
    }
    Ok(())
}
fn check_role(event: &Event, authority: &Authority) -> Standing {
    let profile = &event.profile;
    let Some(role) = &profile.role else {
        return Ok(());
    };
    let service = profile.service.as_deref();
    let environment = profile.environment.as_deref();
    if authority.holds(&event.source, role, service, environment) {
        return Ok(());
    }
    Err(missing(
        "customData.piperoll.role",
        format!("{} does not hold the role {role:?} here", event.source),
        "take a role that the signer holds, or let an administrator grant this one",
    ))
}
