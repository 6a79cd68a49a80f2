//! Approvals and bundles: that an event binds what it speaks of.

use super::{Checked, equal, wrong};
use crate::{
    event::{Digest, Event},
    kind,
};

pub(super) fn check_approval(
    event: &Event,
    details: &str,
    target: &str,
    claim: (&str, &str),
) -> Checked {
    let wanted = format!("urn:piperoll:approval:{}", event.subject);
    equal(
        "subject.content.approvalDetailsUrl",
        details,
        &wanted,
        "that of this approval",
    )?;
    let Some(first) = event.profile.binds().first() else {
        return Err(wrong(
            "customData.piperoll.binds",
            "an approval binds at least one content",
            "give the digest of what is approved",
        ));
    };
    let wanted = match &first.digest {
        Digest::Sha256(hash) => format!("urn:sha256:{}", hash.to_hex()),
        Digest::GitCommit(commit) => format!("urn:git:{commit}"),
    };
    equal(
        "subject.content.resourceTargetUrl",
        target,
        &wanted,
        "the first bind",
    )?;
    let (name, who) = claim;
    if event.profile.relayed.is_some() {
        return Ok(());
    }
    equal(
        &format!("subject.content.{name}"),
        who,
        event.source.as_str(),
        "who signs",
    )
}
pub(super) fn check_decision(event: &Event) -> Checked {
    let Some(approval) = &event.profile.approval else {
        return Ok(());
    };
    if !event.profile.texts.contains_key(&approval.shown) {
        return Err(wrong(
            "customData.piperoll.approval.shown",
            format!("the text {:?} is not among the texts", approval.shown),
            "name the text that holds what was shown",
        ));
    }
    if approval.request.is_none() && event.profile.relayed.is_none() {
        return Err(wrong(
            "customData.piperoll.approval.request",
            "request is missing: an approval answers a request",
            "give the payload hash of the request",
        ));
    }
    Ok(())
}

pub(super) fn check_bundle(event: &Event, content: &kind::BundleDefined) -> Checked {
    let [bind] = event.profile.binds() else {
        return Err(wrong(
            "customData.piperoll.binds",
            "a bundle binds exactly one content, its manifest",
            "give one bind with the SHA-256 of the manifest",
        ));
    };
    if content.elements.is_empty() {
        return Err(wrong(
            "subject.content.elements",
            "a bundle without elements",
            "list the artifacts that go together",
        ));
    }
    let Some(manifest) = kind::bundle_hash(&content.elements) else {
        return Err(wrong(
            "subject.content.elements",
            "an element stands twice",
            "list each artifact once",
        ));
    };
    if bind.digest == Digest::Sha256(manifest) {
        return Ok(());
    }
    Err(wrong(
        "customData.piperoll.binds",
        "the bind is not the hash of the manifest",
        format!(
            "bind {}, the SHA-256 of the sorted lines <sha256>, two spaces, <purl>",
            manifest.to_hex()
        ),
    ))
}
