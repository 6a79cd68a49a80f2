//! Merge requests and pushes.

use super::{Said, Telling, by, change_of};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, Tone},
    },
    event::ReviewVerdict,
    fold::aggregate::Change,
    kind::BranchPushed,
};

pub(super) fn created(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let word = if is_first(entry, asked) {
        "Proposed"
    } else {
        "Proposed again"
    };
    Said::new(Tone::Step, start(word, entry, telling, asked))
}
pub(super) fn updated(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = start("Updated", entry, telling, asked);
    Said::new(Tone::Soft, at(sentence, ", now at ", entry, "head"))
}
pub(super) fn reviewed(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = start("Reviewed", entry, telling, asked);
    match entry.event.profile.verdict {
        Some(ReviewVerdict::Approved) => Said::new(Tone::Step, sentence.text(": code found good")),
        Some(ReviewVerdict::ChangesRequested) => {
            Said::new(Tone::Warn, sentence.text(": changes requested"))
        }
        Some(ReviewVerdict::Dismissed) => {
            Said::new(Tone::Warn, sentence.text(": review dismissed"))
        }
        Some(ReviewVerdict::Commented) | None => {
            Said::new(Tone::Soft, sentence.text(": commented"))
        }
    }
}
pub(super) fn merged(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = start("Merged", entry, telling, asked);
    Said::new(Tone::Step, at(sentence, " as ", entry, "merge"))
}
pub(super) fn abandoned(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let sentence = start("Closed", entry, telling, asked);
    Said::new(Tone::Warn, sentence.text(" without being merged"))
}
pub(super) fn pushed(
    push: &BranchPushed,
    entry: &EntryRead,
    telling: Telling<'_>,
    asked: &Asked<'_>,
) -> Said {
    let word = if push.forced {
        "Force-pushed"
    } else {
        "Pushed"
    };
    let count = push.commits.len();
    let more = if push.truncated { "more than " } else { "" };
    let commits = if count == 1 { "commit" } else { "commits" };
    let sentence =
        Sentence::strong(word).text(format!(" {more}{count} {commits} to {}", push.branch));
    let sentence = if telling.services {
        sentence.text(format!(" of {}", push.repository.id))
    } else {
        sentence
    };
    Said::new(Tone::Soft, by(sentence, entry, asked))
}

/// `Merged checkout #418 by Tomas Lindqvist`
fn start(word: &str, entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Sentence {
    let sentence = change_of(Sentence::strong(word), entry, telling, asked);
    by(sentence, entry, asked)
}
/// Whether this is the first proposal (a merge request that is opened again is created again).
fn is_first(entry: &EntryRead, asked: &Asked<'_>) -> bool {
    let Some(change) = &entry.event.profile.change else {
        return true;
    };
    let change: Change = asked.find(change).unwrap_or_default();
    change
        .created
        .is_none_or(|created| created.index == entry.index)
}
/// ` as 9000c11…`
fn at(sentence: Sentence, joint: &str, entry: &EntryRead, name: &str) -> Sentence {
    let mut binds = entry.event.profile.binds().iter();
    match binds.find(|bind| bind.name == name) {
        Some(bind) => sentence.text(joint).digest(names::digest(bind)),
        None => sentence,
    }
}
