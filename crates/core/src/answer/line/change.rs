//! Merge requests and pushes.

use super::{Said, Telling, by, change_of};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, Tone},
    },
    event::{Bind, Verdict},
    fold::aggregate::Change,
    kind::Content,
};

pub(super) fn said(entry: &EntryRead, telling: Telling<'_>, asked: &Asked<'_>) -> Said {
    let start = |word: &str| change_of(Sentence::strong(word), entry, telling, asked);
    let binds = entry.event.profile.binds();
    match &entry.event.content {
        Content::ChangeCreated(_) => {
            let word = if is_first(entry, asked) {
                "Proposed"
            } else {
                "Proposed again"
            };
            Said::new(Tone::Step, by(start(word), entry, asked))
        }
        Content::ChangeUpdated(_) => {
            let sentence = by(start("Updated"), entry, asked);
            Said::new(Tone::Soft, at(sentence, ", now at ", bound(binds, "head")))
        }
        Content::ChangeReviewed(_) => reviewed(entry, start("Reviewed"), asked),
        Content::ChangeMerged(_) => {
            let sentence = by(start("Merged"), entry, asked);
            Said::new(Tone::Step, at(sentence, " as ", bound(binds, "merge")))
        }
        Content::ChangeAbandoned(_) => Said::new(
            Tone::Warn,
            by(start("Closed").text(" without being merged"), entry, asked),
        ),
        Content::BranchPushed(push) => {
            let word = if push.forced {
                "Force-pushed"
            } else {
                "Pushed"
            };
            let count = push.commits.len();
            let more = if push.truncated { "more than " } else { "" };
            let commits = if count == 1 { "commit" } else { "commits" };
            let sentence = Sentence::strong(word)
                .text(format!(" {more}{count} {commits} to {}", push.branch))
                .text(if telling.services {
                    format!(" of {}", push.repository.id)
                } else {
                    String::new()
                });
            Said::new(Tone::Soft, by(sentence, entry, asked))
        }
        _ => Said::new(Tone::Soft, start("Recorded")),
    }
}

fn reviewed(entry: &EntryRead, sentence: Sentence, asked: &Asked<'_>) -> Said {
    let sentence = by(sentence, entry, asked);
    match entry.event.profile.verdict {
        Some(Verdict::Approved) => Said::new(Tone::Step, sentence.text(": the code is fine")),
        Some(Verdict::ChangesRequested) => {
            Said::new(Tone::Warn, sentence.text(": changes requested"))
        }
        Some(Verdict::Dismissed) => Said::new(Tone::Warn, sentence.text(": review dismissed")),
        Some(Verdict::Commented) | None => Said::new(Tone::Soft, sentence.text(": commented")),
    }
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
fn bound<'a>(binds: &'a [Bind], name: &str) -> Option<&'a Bind> {
    binds.iter().find(|bind| bind.name == name)
}
fn at(sentence: Sentence, joint: &str, bind: Option<&Bind>) -> Sentence {
    match bind {
        Some(bind) => sentence.text(joint).digest(names::digest(bind)),
        None => sentence,
    }
}
