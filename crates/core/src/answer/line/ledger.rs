//! The ledger's own affairs: keys, people, roles, the stream.

use super::{Said, by};
use crate::{
    answer::{
        EntryRead,
        asked::Asked,
        names,
        part::{Sentence, Tone},
        say,
    },
    kind::Content,
};

pub(super) fn said(entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let subject = &entry.event.subject;
    let sentence = match &entry.event.content {
        Content::LedgerCreated(created) => {
            Sentence::strong("Ledger created").text(format!(": {}", created.origin))
        }
        Content::KeyRegistered(key) => by(
            Sentence::strong("Key registered")
                .text(" for ")
                .who(names::principal(key.principal.as_str(), asked)),
            entry,
            asked,
        ),
        Content::PersonDescribed(_) => by(
            Sentence::strong("Person described")
                .text(": ")
                .who(names::principal(subject, asked)),
            entry,
            asked,
        ),
        Content::AccountLinked(linked) => by(
            Sentence::strong("Account linked")
                .text(format!(" at {} to ", say::one_line(&linked.system)))
                .who(names::principal(subject, asked)),
            entry,
            asked,
        ),
        Content::RoleGranted(granted) => {
            let sentence = Sentence::strong("Role granted")
                .text(format!(": {} to ", say::role(&granted.role)))
                .who(names::principal(subject, asked))
                .text(list(" for ", granted.services.as_deref()))
                .text(list(" in ", granted.environments.as_deref()));
            by(sentence, entry, asked)
        }
        Content::StreamAdopted(adopted) => Sentence::strong("Stream adopted").text(format!(
            ": {}, from message {} on",
            adopted.incarnation,
            adopted.sequence + 1
        )),
        Content::StreamGapAccepted(gap) => by(
            Sentence::strong("Gap accepted").text(format!(
                ": messages {} to {} of the stream are missing",
                gap.first, gap.last
            )),
            entry,
            asked,
        ),
        Content::TimeCorrected(corrected) => by(
            Sentence::strong("Time corrected").text(format!(
                " of message {}: {} counts as {}",
                corrected.sequence, corrected.stream_time, corrected.used_time
            )),
            entry,
            asked,
        ),
        _ => Sentence::strong("Recorded"),
    };
    let tone = match &entry.event.content {
        Content::StreamGapAccepted(_) | Content::TimeCorrected(_) => Tone::Warn,
        _ => Tone::Soft,
    };
    Said::new(tone, sentence)
}

/// ` for checkout and payments`; nothing where all are meant.
fn list(joint: &str, names: Option<&[String]>) -> String {
    match names {
        Some(names) if !names.iter().any(|name| name == "*") && !names.is_empty() => {
            format!("{joint}{}", names.join(", "))
        }
        _ => String::new(),
    }
}
