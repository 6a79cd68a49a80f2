//! Pieces of what is shown: sentences, chips, words and times, ready for a template that only loops.
//!
//! Templates escape every string. What an emitter typed goes through [`clean`] besides, so that nothing invisible reorders a page.

use askama::{Template, filters::HtmlSafe};
use jiff::{SignedDuration, Timestamp};
use piperoll_core::{
    answer::{
        Words,
        part::{self, ChangeRef, Detail, DetailBody, DigestRef, Mark, Part, Tone, Who},
    },
    words::url_segment,
};

/// A sentence. Its template escapes, so that it may stand in another one as it is; so do the three below.
#[derive(Clone, Debug, Default, PartialEq, Eq, Template)]
#[template(path = "sentence.html")]
pub(super) struct Sentence {
    pub(super) pieces: Vec<Piece>,
}
impl HtmlSafe for Sentence {}
impl Sentence {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
    fn of(piece: Piece) -> Self {
        Self {
            pieces: vec![piece],
        }
    }
}
/// A piece of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Strong(String),
    Link {
        href: String,
        text: String,
    },
    /// A digest: its first characters are seen, all of it is copied.
    Digest(Digest),
    Time {
        datetime: String,
        text: String,
    },
    /// Somebody; `title` is the URN.
    Who {
        name: String,
        title: String,
    },
}
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "digest.html")]
pub(super) struct Digest {
    pub(super) short: String,
    pub(super) rest: String,
    /// `image sha256:…`, for whoever points at it.
    pub(super) title: String,
}
/// A state as sign and word, with the class of its colour.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "chip.html")]
pub(super) struct Chip {
    pub(super) sign: String,
    pub(super) word: String,
    pub(super) class: &'static str,
}
/// A label and what stands beside it.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "fact.html")]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) sentence: Sentence,
    /// Words of people, quoted; several lines possible.
    pub(super) quote: Option<String>,
}

impl HtmlSafe for Digest {}
impl HtmlSafe for Chip {}
impl HtmlSafe for Fact {}

/// Without characters that are not seen; line feeds and tabs stay.
pub(super) fn clean(text: &str) -> String {
    let shown = |letter| {
        if is_invisible(letter) {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    };
    piperoll_core::words::clean_text(text)
        .chars()
        .map(shown)
        .collect()
}
/// Characters that nobody sees, by which two different names can look the same. The two joiners (U+200C, U+200D) stay: some
/// languages and emoji are not written without them.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
pub(super) fn sentence(sentence: &part::Sentence) -> Sentence {
    Sentence {
        pieces: sentence.0.iter().map(piece).collect(),
    }
}
fn piece(part: &Part) -> Piece {
    match part {
        Part::Text { text } => Piece::Text(clean(text)),
        Part::Strong { text } => Piece::Strong(clean(text)),
        Part::Change { id, label } => Piece::Link {
            href: change_href(id),
            text: clean(label),
        },
        Part::Who { who } => person(who),
        Part::Digest { digest } => Piece::Digest(self::digest(digest)),
        Part::Time { at, form } => Piece::Time {
            datetime: at.to_string(),
            text: form.show(*at),
        },
    }
}
pub(super) fn who(who: &Who) -> Sentence {
    Sentence::of(person(who))
}
fn person(who: &Who) -> Piece {
    Piece::Who {
        name: clean(&who.name),
        title: who.urn.clone().unwrap_or_default(),
    }
}
pub(super) fn digest(digest: &DigestRef) -> Digest {
    let short = digest.short();
    let name = digest
        .name
        .as_deref()
        .map(|name| format!("{} ", clean(name)))
        .unwrap_or_default();
    Digest {
        short: short.to_owned(),
        rest: digest.hex.get(short.len()..).unwrap_or_default().to_owned(),
        title: format!("{name}{}:{}", digest.algorithm, digest.hex),
    }
}
pub(super) fn chip(mark: &Mark) -> Chip {
    Chip {
        sign: mark.sign.map(String::from).unwrap_or_default(),
        word: clean(&mark.word),
        class: tone(mark.tone),
    }
}
pub(super) fn tone(tone: Tone) -> &'static str {
    tone.as_str()
}
/// A detail below a line. Words that are not there are said to be missing, and why.
pub(super) fn fact(detail: &Detail) -> Fact {
    let (sentence, quote) = match &detail.body {
        DetailBody::Words(words) => said(words),
        DetailBody::Sentence(words) => (self::sentence(words), None),
    };
    Fact {
        label: clean(&detail.label),
        sentence,
        quote,
    }
}
/// Words as a quotation, or a sentence that says why there are none.
pub(super) fn said(words: &Words) -> (Sentence, Option<String>) {
    let missing = |why: &str| Sentence::of(Piece::Text(why.to_owned()));
    match words {
        Words::Said(text) => (Sentence::default(), Some(clean(text))),
        Words::NotSupplied => (missing("not supplied"), None),
        Words::Erased => (missing("erased"), None),
    }
}
/// A change as a link: its label, and its title where there is one.
pub(super) fn change_text(change: &ChangeRef) -> String {
    match &change.title {
        Some(title) => clean(&format!("{} {title}", change.label)),
        None => clean(&change.label),
    }
}

pub(super) fn change_href(id: &str) -> String {
    format!("/changes/{}", url_segment(id))
}

/// `12 November 2026 at 20:04:05.120`
pub(super) fn long_moment(at: Timestamp) -> String {
    at.strftime("%A %-d %B %Y at %H:%M:%S").to_string()
}
/// How long ago, roughly: `3 d`, `21 h`, `5 min`; nothing for the future.
pub(super) fn age(at: Timestamp, now: Timestamp) -> Option<String> {
    let passed = now.duration_since(at);
    if passed < SignedDuration::ZERO {
        return None;
    }
    let minutes = passed.as_mins();
    Some(match minutes {
        0 => "just now".to_owned(),
        1..=99 => format!("{minutes} min"),
        100..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / (24 * 60)),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::age;
    #[test]
    fn an_age_is_told_roughly_and_never_of_the_future() {
        let now: Timestamp = "2026-11-14T13:05:00Z".parse().unwrap();
        for (at, told) in [
            ("2026-11-14T13:04:30Z", Some("just now")),
            ("2026-11-14T12:10:00Z", Some("55 min")),
            ("2026-11-13T16:00:00Z", Some("21 h")),
            ("2026-11-11T11:45:00Z", Some("3 d")),
            ("2026-11-14T13:05:01Z", None),
        ] {
            assert_eq!(age(at.parse().unwrap(), now).as_deref(), told, "{at}");
        }
    }
}
