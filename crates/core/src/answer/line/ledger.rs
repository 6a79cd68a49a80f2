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
    kind::{
        AccountLinked, KeyRegistered, LedgerCreated, RoleGranted, StreamAdopted, StreamGapAccepted,
        TimeCorrected,
    },
};

pub(super) fn created(created: &LedgerCreated) -> Said {
    soft(Sentence::strong("Ledger created").text(format!(": {}", created.origin)))
}
pub(super) fn key(key: &KeyRegistered, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let holder = names::principal(key.principal.as_str(), asked);
    let sort = match holder.sort.as_str() {
        "person" | "ledger" => String::new(),
        sort => format!("{sort} "),
    };
    let sentence = Sentence::strong("Key registered").text(format!(" for {sort}"));
    soft(by(sentence.who(holder), entry, asked))
}
pub(super) fn person(entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let sentence = Sentence::strong("Person described").text(": ");
    soft(told_by(subject(sentence, entry, asked), entry, asked))
}
pub(super) fn account(linked: &AccountLinked, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let system = say::system(&linked.system);
    let sentence = Sentence::strong("Account linked").text(format!(" at {system} to "));
    soft(by(subject(sentence, entry, asked), entry, asked))
}
pub(super) fn role(granted: &RoleGranted, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let role = say::role(&granted.role);
    let sentence = Sentence::strong("Role granted").text(format!(": {role} to "));
    let sentence = subject(sentence, entry, asked)
        .text(list(" for ", granted.services.as_deref()))
        .text(list(" in ", granted.environments.as_deref()));
    soft(told_by(sentence, entry, asked))
}
pub(super) fn stream(adopted: &StreamAdopted) -> Said {
    soft(Sentence::strong("Stream adopted").text(format!(
        ": {}, from message {} on",
        adopted.incarnation,
        adopted.sequence + 1
    )))
}
pub(super) fn gap(gap: &StreamGapAccepted, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let sentence = by(Sentence::strong("Gap accepted"), entry, asked);
    let messages = if gap.first == gap.last {
        format!("message {} of the stream is missing", gap.first)
    } else {
        format!(
            "messages {} to {} of the stream are missing",
            gap.first, gap.last
        )
    };
    Said::signed('!', Tone::Warn, sentence.text(format!(": {messages}")))
}
pub(super) fn time(corrected: &TimeCorrected, entry: &EntryRead, asked: &Asked<'_>) -> Said {
    let sentence = by(Sentence::strong("Time corrected"), entry, asked);
    let text = format!(
        ": message {} said {} and counts as {}",
        corrected.sequence, corrected.stream_time, corrected.used_time
    );
    Said::signed('!', Tone::Warn, sentence.text(text))
}

fn soft(sentence: Sentence) -> Said {
    Said::new(Tone::Soft, sentence)
}
/// The person the entry is about.
fn subject(sentence: Sentence, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    sentence.who(names::principal(&entry.event.subject, asked))
}
/// `, by …`
fn told_by(sentence: Sentence, entry: &EntryRead, asked: &Asked<'_>) -> Sentence {
    by(sentence.text(","), entry, asked)
}
/// ` for checkout, payments`; nothing where all are meant.
fn list(joint: &str, names: Option<&[String]>) -> String {
    match names {
        Some(names) if !names.iter().any(|name| name == "*") && !names.is_empty() => {
            format!("{joint}{}", names.join(", "))
        }
        _ => String::new(),
    }
}
