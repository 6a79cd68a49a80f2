//! Requests, decisions, overrides, bundles, artifacts.

use super::{Said, Telling, bind_name, by};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, Tone},
        say,
    },
    kind::{BundleDefined, Decision, OverrideDeclared},
    time,
};

/// `Approval asked for production by checkout-deploy, image 9f2c…`
pub(super) fn wanted(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = place(Sentence::strong("Approval asked"), " for ", entry, telling);
    Said::new(Tone::Step, content(by(sentence, entry, asked), entry))
}
/// `Approved by Ines Okafor, business approver`; outside a story also for what and where.
pub(super) fn decided(
    decision: Decision,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    let (sign, tone, word) = match decision {
        Decision::Approved => (Some('✓'), Tone::Good, "Approved"),
        Decision::Rejected => (Some('✕'), Tone::Bad, "Rejected"),
        Decision::RequestChanges => (Some('!'), Tone::Warn, "Changes requested"),
        Decision::Deferred => (None, Tone::Step, "Decision deferred"),
        Decision::Delegate => (None, Tone::Step, "Decision delegated"),
        Decision::Escalated => (None, Tone::Step, "Decision escalated"),
    };
    let sentence = role(by(Sentence::strong(word), entry, asked), entry);
    let sentence = if telling.services {
        content(place(sentence, ", for ", entry, telling), entry)
    } else {
        sentence
    };
    Said {
        sign,
        tone,
        sentence,
    }
}
pub(super) fn overridden(
    declared: &OverrideDeclared,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    let strong = Sentence::strong("Override declared");
    let sentence = place(strong, " for ", entry, telling);
    let sentence = role(by(sentence, entry, asked), entry);
    let sentence = match time::parse(&declared.expires_at) {
        Some(until) => sentence.text(", until ").day(until, asked),
        None => sentence,
    };
    Said::signed('!', Tone::Warn, sentence)
}
pub(super) fn bundle(bundle: &BundleDefined, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let artifacts = say::count(bundle.elements.len(), "artifact", "artifacts");
    let sentence = Sentence::strong("Bundle").text(format!(" {} {}", bundle.name, bundle.version));
    let sentence = by(sentence.text(" defined"), entry, asked);
    Said::new(Tone::Soft, sentence.text(format!(", {artifacts}")))
}
pub(super) fn artifact(entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let purl = entry.event.subject.split('?').next().unwrap_or_default();
    let name = purl.strip_prefix("pkg:").unwrap_or(purl);
    let name = name.strip_prefix("generic/").unwrap_or(name);
    let sentence = Sentence::strong("Artifact").text(format!(" {name} published"));
    Said::new(Tone::Soft, by(sentence, entry, asked))
}

/// `, image 9f2c…`
fn content(sentence: Sentence, entry: &EntryRead) -> Sentence {
    match entry.event.profile.binds().first() {
        Some(bind) => sentence
            .text(format!(", {} ", bind_name(&bind.name)))
            .digest(names::digest(bind)),
        None => sentence,
    }
}
/// ` for checkout in production`, ` for production`
fn place(sentence: Sentence, joint: &str, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    let profile = &entry.event.profile;
    let service = profile.service.as_ref().filter(|_| telling.services);
    match (service, &profile.environment) {
        (Some(service), Some(environment)) => {
            sentence.text(format!("{joint}{service} in {environment}"))
        }
        (None, Some(place)) | (Some(place), None) => sentence.text(format!("{joint}{place}")),
        (None, None) => sentence,
    }
}
/// `, business approver`
fn role(sentence: Sentence, entry: &EntryRead) -> Sentence {
    match &entry.event.profile.role {
        Some(role) => sentence.text(format!(", {}", say::role(role))),
        None => sentence,
    }
}
