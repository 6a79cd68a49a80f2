//! One entry as one line: what happened, by whom, with what is inside.

mod change;
mod decision;
mod deployment;
mod ledger;
mod trouble;

use super::{
    EntryRead,
    asked::Asked,
    names,
    part::{Detail, DetailBody, Line, Sentence, Tone},
    say,
};
use crate::kind::Content;

/// How a line is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Telling<'a> {
    /// In the story of this change: others are mentioned as "with".
    pub(super) story_of: Option<&'a str>,
    /// Name the service, because the reader does not see it elsewhere.
    pub(super) services: bool,
}
/// What a kind makes of a line.
struct Said {
    sign: Option<char>,
    tone: Tone,
    sentence: Sentence,
}
impl Said {
    fn new(tone: Tone, sentence: Sentence) -> Self {
        Self {
            sign: None,
            tone,
            sentence,
        }
    }
    fn signed(sign: char, tone: Tone, sentence: Sentence) -> Self {
        Self {
            sign: Some(sign),
            tone,
            sentence,
        }
    }
}

pub(super) use self::trouble::{minutes as minutes_since, since};

pub(super) fn line(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Line {
    let said = said(entry, telling, asked);
    Line {
        at: names::moment(entry),
        kind: entry.event.kind().name().to_owned(),
        sign: said.sign,
        tone: said.tone,
        sentence: said.sentence,
        via: names::via(entry),
        details: details(entry),
        also: Vec::new(),
    }
}

fn said(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    match &entry.event.content {
        Content::LedgerCreated(created) => ledger::created(created),
        Content::KeyRegistered(key) => ledger::key(key, entry, asked),
        Content::PersonDescribed(_) => ledger::person(entry, asked),
        Content::AccountLinked(linked) => ledger::account(linked, entry, asked),
        Content::RoleGranted(granted) => ledger::role(granted, entry, asked),
        Content::StreamAdopted(adopted) => ledger::stream(adopted),
        Content::StreamGapAccepted(gap) => ledger::gap(gap, entry, asked),
        Content::TimeCorrected(corrected) => ledger::time(corrected, entry, asked),
        Content::ChangeCreated(_) => change::created(entry, telling, asked),
        Content::ChangeUpdated(_) => change::updated(entry, telling, asked),
        Content::ChangeReviewed(_) => change::reviewed(entry, telling, asked),
        Content::ChangeMerged(_) => change::merged(entry, telling, asked),
        Content::ChangeAbandoned(_) => change::abandoned(entry, telling, asked),
        Content::BranchPushed(push) => change::pushed(push, entry, telling, asked),
        Content::ApprovalCreated(_) => decision::wanted(entry, telling, asked),
        Content::ApprovalUpdated(updated) => {
            decision::decided(updated.decision, entry, telling, asked)
        }
        Content::OverrideDeclared(declared) => {
            decision::overridden(declared, entry, telling, asked)
        }
        Content::BundleDefined(bundle) => decision::bundle(bundle, entry, asked),
        Content::ArtifactPublished(_) => decision::artifact(entry, asked),
        Content::DeploymentStarted(_) => deployment::started(entry, telling, asked),
        Content::DeploymentFinished(done) => deployment::finished(done, entry, telling, asked),
        Content::RollbackStarted(_) => deployment::rollback_started(entry, telling, asked),
        Content::RollbackFinished(done) => {
            deployment::rollback_finished(done.outcome, entry, telling, asked)
        }
        Content::ServiceDeployed(_) | Content::ServiceUpgraded(_) => {
            deployment::reported("Seen", entry, telling)
        }
        Content::ServiceRolledback(_) => deployment::reported("Seen rolled back", entry, telling),
        Content::AlertFired(alert) => trouble::fired(alert, entry, telling, asked),
        Content::AlertResolved(alert) => trouble::resolved(alert, entry, telling),
        Content::IncidentDetected(_) => trouble::detected(entry, telling, asked),
        Content::IncidentResolved(_) => trouble::over(entry, telling, asked),
    }
}

/// Texts by which people say something, with the labels they are shown under. Others (titles, names, logins) are in the line.
const TOLD: [(&str, &str); 8] = [
    ("shown", "was shown"),
    ("comment", "said"),
    ("reason", "reason"),
    ("summary", "summary"),
    ("description", "description"),
    ("users", "effect on users"),
    ("risk", "risk"),
    ("undo", "way back"),
];

fn details(entry: &EntryRead) -> Vec<Detail> {
    let mut details: Vec<Detail> = TOLD
        .iter()
        .filter_map(|(name, label)| {
            let words = entry.texts.get(*name)?;
            Some(Detail {
                label: (*label).to_owned(),
                body: DetailBody::Words(words.clone()),
            })
        })
        .collect();
    if let Some(binds) = &entry.event.profile.binds {
        details.push(content(binds));
    }
    details
}
/// `image dbaf…, commit 9000c11…`, or that it is unknown.
pub(super) fn content(binds: &[crate::event::Bind]) -> Detail {
    let mut sentence = Sentence::default();
    for (at, bind) in binds.iter().enumerate() {
        sentence = sentence
            .text(if at > 0 { ", " } else { "" })
            .text(format!("{} ", bind_name(&bind.name)))
            .digest(names::digest(bind));
    }
    if binds.is_empty() {
        sentence = sentence.text("unknown");
    }
    Detail {
        label: "content".to_owned(),
        body: DetailBody::Sentence(sentence),
    }
}

/// `bundle shop@4.12.0` for `bundle:shop@4.12.0`.
fn bind_name(name: &str) -> String {
    say::one_line(&name.replacen(':', " ", 1))
}

/// ` by Ines Okafor`, or nothing.
fn by(sentence: Sentence, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    match names::author(entry, asked) {
        Some(who) => sentence.text(" by ").who(who),
        None => sentence,
    }
}
/// ` checkout #418`, outside a story.
fn change_of(
    sentence: Sentence,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Sentence {
    match &entry.event.profile.change {
        Some(change) if telling.services && telling.story_of.is_none() => {
            let change = names::change(change, asked);
            let sentence = match &entry.event.profile.service {
                Some(service) => sentence.text(format!(" {service} ")),
                None => sentence.text(" "),
            };
            sentence.change(&change)
        }
        _ => sentence,
    }
}
