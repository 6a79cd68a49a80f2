//! Requests, decisions, overrides, bundles, artifacts.

use super::{Said, Telling, by, service};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, TimeForm, Tone},
        say,
    },
    kind::{Content, Decision},
    time,
};

pub(super) fn said(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    match &entry.event.content {
        Content::ApprovalCreated(_) => {
            let sentence = wanted(Sentence::strong("Approval asked"), entry, telling);
            Said::new(Tone::Step, by(sentence, entry, asked))
        }
        Content::ApprovalUpdated(updated) => decided(updated.decision, entry, telling, asked),
        Content::OverrideDeclared(declared) => {
            let sentence = place(Sentence::strong("Override declared"), entry, telling);
            let mut sentence = role(by(sentence, entry, asked), entry);
            if let Some(until) = time::parse(&declared.expires_at) {
                sentence = sentence.text(", until ").time(until, TimeForm::Day);
            }
            Said::signed('!', Tone::Warn, sentence)
        }
        Content::BundleDefined(bundle) => {
            let count = bundle.elements.len();
            let artifacts = say::count(count, "artifact", "artifacts");
            let sentence = Sentence::strong("Bundle").text(format!(
                " {} {} defined, {artifacts},",
                bundle.name, bundle.version
            ));
            Said::new(Tone::Soft, by(sentence, entry, asked))
        }
        Content::ArtifactPublished(_) => {
            let name = entry.event.subject.split('?').next().unwrap_or_default();
            let name = name.strip_prefix("pkg:").unwrap_or(name);
            let sentence = Sentence::strong("Artifact").text(format!(" {name} published"));
            Said::new(Tone::Soft, by(sentence, entry, asked))
        }
        _ => Said::new(Tone::Soft, Sentence::strong("Recorded")),
    }
}

fn decided(decision: Decision, entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let (sign, tone, word) = match decision {
        Decision::Approved => (Some('✓'), Tone::Good, "Approved"),
        Decision::Rejected => (Some('✕'), Tone::Bad, "Rejected"),
        Decision::RequestChanges => (Some('!'), Tone::Warn, "Changes requested"),
        Decision::Deferred => (None, Tone::Step, "Decision deferred"),
        Decision::Delegate => (None, Tone::Step, "Decision delegated"),
        Decision::Escalated => (None, Tone::Step, "Decision escalated"),
    };
    let mut sentence = Sentence::strong(word);
    if telling.services {
        sentence = wanted(sentence, entry, telling);
    }
    Said {
        sign,
        tone,
        sentence: role(by(sentence, entry, asked), entry),
    }
}

/// ` for checkout in production, image 9f2c…,`
fn wanted(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    let sentence = place(sentence, entry, telling);
    match entry.event.profile.binds().first() {
        Some(bind) => sentence
            .text(format!(", {} ", say::one_line(&bind.name)))
            .digest(names::digest(bind))
            .text(","),
        None => sentence,
    }
}
/// ` for checkout in production`, ` for production`
fn place(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    let profile = &entry.event.profile;
    let named = telling.services && profile.service.is_some();
    match &profile.environment {
        Some(environment) if named => {
            service(sentence.text(" for"), entry, telling).text(format!(" in {environment}"))
        }
        Some(environment) => sentence.text(format!(" for {environment}")),
        None if named => service(sentence.text(" for"), entry, telling),
        None => sentence,
    }
}
/// `, business approver`
fn role(sentence: Sentence, entry: &EntryRead) -> Sentence {
    match &entry.event.profile.role {
        Some(role) => sentence.text(format!(", {}", say::role(role))),
        None => sentence,
    }
}
