//! Genesis and registrations: keys that are good, and belong to whom they may.

use piperoll_tlog::{encoding, key::PublicKey};

use super::{Checked, equal, wrong};
use crate::{
    event::Event,
    key::{self, Purpose},
    kind,
    name::{Origin, PrincipalKind},
    refusal::Refusal,
};

/// What a registration says about itself; whom the key belongs to already is judged against the ledger.
pub(super) fn check_registration(event: &Event, content: &kind::KeyRegistered) -> Checked {
    let key = admitted("subject.content.key", &content.key)?;
    equal(
        "subject.id",
        &event.subject,
        &key::keyid(key.as_bytes()),
        "the fingerprint of the key",
    )?;
    let sort = content.principal.kind();
    match content.purpose {
        Purpose::EventPipeline
        | Purpose::EventPerson
        | Purpose::EventMonitor
        | Purpose::EventBridge
        | Purpose::EventLedger
        | Purpose::Admin => {
            if content.purpose.principal_kind() != Some(sort) {
                return Err(wrong(
                    "subject.content.purpose",
                    format!(
                        "a key for {} cannot belong to a {}",
                        content.purpose.as_str(),
                        sort.as_str()
                    ),
                    "let purpose and principal agree",
                ));
            }
        }
        Purpose::Invitation | Purpose::Checkpoint | Purpose::Witness => {
            return Err(wrong(
                "subject.content.purpose",
                format!(
                    "keys for {} are not registered this way",
                    content.purpose.as_str()
                ),
                "register a key that signs events, or an administrator's",
            ));
        }
    }
    let Some(ledger) = event.profile.ledger else {
        return Ok(());
    };
    let message = key::possession_message(
        &ledger,
        &content.principal,
        content.purpose,
        content.scheme,
        key.as_bytes(),
    );
    let possession = encoding::from_base64(&content.possession).unwrap_or_default();
    if content.scheme.verifies(&key, &message, &possession) {
        return Ok(());
    }
    Err(wrong(
        "subject.content.possession",
        "possession does not verify: the new key did not sign this ledger, principal, purpose, scheme and key",
        "let the holder of the new key make it with `piperoll key new`",
    ))
}
fn admitted(field: &str, base64: &str) -> Result<PublicKey, Refusal> {
    let bytes = encoding::from_base64(base64).unwrap_or_default();
    PublicKey::admit(&bytes).map_err(|error| {
        wrong(
            field,
            error.to_string(),
            "make another key; a key made by ssh-keygen or by `piperoll key new` is always good",
        )
    })
}

pub(super) fn check_genesis(event: &Event, content: &kind::LedgerCreated) -> Checked {
    let origin = Origin::parse(&content.origin).map_err(|error| {
        wrong(
            "subject.content.origin",
            error.to_string(),
            "write an origin such as piperoll.acme.example/log/main",
        )
    })?;
    equal(
        "context.source",
        event.source.slug(),
        origin.slug(),
        "the last segment of the origin",
    )?;
    if content.admission != 0 {
        return Err(wrong(
            "subject.content.admission",
            format!("admission {} is not known here", content.admission),
            "write 0, or use a newer build",
        ));
    }
    let [event_key, checkpoint_key, administrators @ ..] = content.keys.as_slice() else {
        return Err(genesis_keys(
            "a ledger begins with its event key and its checkpoint key",
        ));
    };
    for (at, key) in content.keys.iter().enumerate() {
        let field = format!("subject.content.keys[{at}].key");
        admitted(&field, &key.key)?;
        if content.keys[..at].iter().any(|other| other.key == key.key) {
            return Err(genesis_keys("a key stands twice"));
        }
    }
    let is_ledgers =
        |key: &kind::GenesisKey, purpose| key.purpose == purpose && key.principal == event.source;
    if !is_ledgers(event_key, Purpose::EventLedger)
        || !is_ledgers(checkpoint_key, Purpose::Checkpoint)
    {
        return Err(genesis_keys(
            "the first two keys are not the ledger's event key and its checkpoint key",
        ));
    }
    let is_administrators = |key: &kind::GenesisKey| {
        key.purpose == Purpose::Admin && key.principal.kind() == PrincipalKind::Person
    };
    if administrators.is_empty() || !administrators.iter().all(is_administrators) {
        return Err(genesis_keys(
            "the keys behind the first two are not administrators' keys, of persons",
        ));
    }
    let mut persons: Vec<&str> = administrators
        .iter()
        .map(|key| key.principal.as_str())
        .collect();
    persons.sort_unstable();
    persons.dedup();
    if usize::try_from(content.threshold).is_ok_and(|threshold| threshold <= persons.len()) {
        return Ok(());
    }
    Err(wrong(
        "subject.content.threshold",
        format!(
            "threshold {} is more than the {} different administrators",
            content.threshold,
            persons.len()
        ),
        "the threshold counts different persons",
    ))
}
fn genesis_keys(detail: &str) -> Refusal {
    wrong(
        "subject.content.keys",
        detail,
        "list the event key, the checkpoint key, then the administrators' keys",
    )
}
