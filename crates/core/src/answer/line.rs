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
        Content::LedgerCreated(_)
        | Content::KeyRegistered(_)
        | Content::PersonDescribed(_)
        | Content::AccountLinked(_)
        | Content::RoleGranted(_)
        | Content::StreamAdopted(_)
        | Content::StreamGapAccepted(_)
        | Content::TimeCorrected(_) => ledger::said(entry, asked),
        Content::ChangeCreated(_)
        | Content::ChangeUpdated(_)
        | Content::ChangeReviewed(_)
        | Content::ChangeMerged(_)
        | Content::ChangeAbandoned(_)
        | Content::BranchPushed(_) => change::said(entry, telling, asked),
        Content::ApprovalCreated(_)
        | Content::ApprovalUpdated(_)
        | Content::OverrideDeclared(_)
        | Content::BundleDefined(_)
        | Content::ArtifactPublished(_) => decision::said(entry, telling, asked),
        Content::DeploymentStarted(_)
        | Content::DeploymentFinished(_)
        | Content::RollbackStarted(_)
        | Content::RollbackFinished(_)
        | Content::ServiceDeployed(_)
        | Content::ServiceUpgraded(_)
        | Content::ServiceRolledback(_) => deployment::said(entry, telling, asked),
        Content::AlertFired(_)
        | Content::AlertResolved(_)
        | Content::IncidentDetected(_)
        | Content::IncidentResolved(_) => trouble::said(entry, telling, asked),
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
            .text(format!("{} ", say::one_line(&bind.name)))
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

/// ` by Ines Okafor`, or nothing.
fn by(sentence: Sentence, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    match names::author(entry, asked) {
        Some(who) => sentence.text(" by ").who(who),
        None => sentence,
    }
}
/// ` checkout`, where the service is named.
fn service(sentence: Sentence, entry: &EntryRead, telling: Telling<'_>) -> Sentence {
    match &entry.event.profile.service {
        Some(service) if telling.services => sentence.text(format!(" {service}")),
        _ => sentence,
    }
}
/// ` #418 of checkout` outside a story.
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
