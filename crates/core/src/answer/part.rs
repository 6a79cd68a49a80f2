//! What answers are made of: sentences, marks, moments, and names for who and what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Words;

/// Supports a mark or line; never says anything that its word and sign do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// An ordinary fact (ink).
    #[default]
    Plain,
    /// A person's step on the way (blue).
    Step,
    Good,
    Warn,
    Bad,
    /// Context (soft).
    Soft,
}

/// A state as a sign and a word, such as `↶ rolled back in production`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// `✓`, `✕`, `!`, `↶`, `…`, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<char>,
    pub word: String,
    pub tone: Tone,
}

/// A piece of a sentence. Pieces follow each other without added spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Part {
    Text {
        text: String,
    },
    /// The word that says what happened; the page sets it bold.
    Strong {
        text: String,
    },
    /// A change, to be linked; `label` is what is shown, such as `#416`.
    Change {
        id: String,
        label: String,
    },
    /// Who did it.
    Who {
        who: Who,
    },
    /// Content, shown short (`9f2c…`), copied whole.
    Digest {
        digest: DigestRef,
    },
    /// An instant, to be shown in the reader's zone.
    Time {
        at: Timestamp,
        form: TimeForm,
    },
}
/// How much of an instant a sentence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeForm {
    /// `Thu 12 Nov at 20:04`, of the year of the last entry
    Day,
    /// `Thu 12 Nov 2026 at 20:04`
    Date,
    /// `20:31`, where the day was just said
    Clock,
}

/// One sentence, always one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sentence(pub Vec<Part>);

/// When an entry's event happened and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub index: u64,
    /// The emitter's time, which is what people are shown.
    pub time: Timestamp,
    /// Set where it lies more than five minutes from `time`, and then shown beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

/// Who did or said something, as far as the ledger knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// What to show: a person's name, a pipeline's slug, `an account nobody is linked to`, `a person whose name was erased`. One line.
    pub name: String,
    /// URN of the principal or account; absent where only words name somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urn: Option<String>,
    /// `person`, `pipeline`, `bridge`, `monitor`, `ledger`, `account` (linked to nobody) or `unknown` (claimed in words only).
    pub sort: String,
}

/// A change where it is only mentioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRef {
    pub id: String,
    /// `#418`, `!7`, `commit 4be1c09`, or the name a person gave.
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// One line; absent when no words were supplied or they are erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Content by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestRef {
    /// `sha256` or `gitCommit`.
    pub algorithm: String,
    pub hex: String,
    /// Label of the bind, such as `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// As of which entries an answer speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// Number of entries; `record <size - 1>` is the last one.
    pub size: u64,
    /// Of the last entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

/// Something opened below a line: a label and words or a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Such as `reason`, `was shown`, `commit`.
    pub label: String,
    #[serde(flatten)]
    pub body: DetailBody,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DetailBody {
    /// Words of people, possibly several lines, not escaped.
    Words(Words),
    Sentence(Sentence),
}

/// One line of a story or timeline. It opens to its entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub at: Moment,
    /// Kind of the entry, such as `deployment.finished`.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<char>,
    pub tone: Tone,
    /// Begins with a capital [`Part::Strong`].
    pub sentence: Sentence,
    /// The system it was relayed from, such as `GitHub`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
    /// Other entries that this line speaks for (a start beside its finish, a relayed report beside the signed one).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<u64>,
}

impl Tone {
    /// Lower-case word, usable as a class name.
    pub fn as_str(self) -> &'static str {
        match self {
            Tone::Plain => "plain",
            Tone::Step => "step",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Soft => "soft",
        }
    }
}
impl Mark {
    pub(crate) fn new(sign: char, tone: Tone, word: impl Into<String>) -> Self {
        Self {
            sign: Some(sign),
            word: word.into(),
            tone,
        }
    }
    pub(crate) fn soft(word: impl Into<String>) -> Self {
        Self {
            sign: None,
            word: word.into(),
            tone: Tone::Soft,
        }
    }
    /// `✓ approved, exact content`
    pub fn plain(&self) -> String {
        match self.sign {
            Some(sign) => format!("{sign} {}", self.word),
            None => self.word.clone(),
        }
    }
}
impl DigestRef {
    /// `9f2c`: the first 4 characters of a digest, the first 7 of a commit. A page adds `…`.
    pub fn short(&self) -> &str {
        let length = if self.algorithm == "gitCommit" { 7 } else { 4 };
        self.hex.get(..length).unwrap_or(&self.hex)
    }
}
impl TimeForm {
    /// The instant in UTC.
    pub fn show(self, at: Timestamp) -> String {
        let form = match self {
            Self::Day => "%a %-d %b at %H:%M",
            Self::Date => "%a %-d %b %Y at %H:%M",
            Self::Clock => "%H:%M",
        };
        at.strftime(form).to_string()
    }
}
impl AsOf {
    /// `Thu 12 Nov 20:04` in UTC, with the year where it is not that of the last entry.
    pub fn date(&self, at: Timestamp) -> String {
        let form = if self.is_of_this_year(at) {
            "%a %-d %b %H:%M"
        } else {
            "%a %-d %b %Y %H:%M"
        };
        at.strftime(form).to_string()
    }
    pub(super) fn is_of_this_year(&self, at: Timestamp) -> bool {
        let year = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).year();
        self.recorded_at.is_some_and(|last| year(last) == year(at))
    }
}
impl Moment {
    /// `Thu 20:04`, in UTC.
    pub fn short(&self) -> String {
        self.time.strftime("%a %H:%M").to_string()
    }
}
impl Line {
    /// As in the terminal: `approved by Ines Okafor, business approver`, `… (via GitHub)`. Without time, record and sign.
    pub fn plain(&self) -> String {
        let mut text = self.sentence.plain();
        if let Some(first) = text.chars().next() {
            let lower: String = first.to_lowercase().collect();
            text.replace_range(..first.len_utf8(), &lower);
        }
        if let Some(via) = &self.via {
            text.push_str(" (via ");
            text.push_str(via);
            text.push(')');
        }
        text
    }
}
impl Sentence {
    /// The sentence as one line of plain text, times in UTC.
    pub fn plain(&self) -> String {
        self.0.iter().map(Part::plain).collect()
    }
}
impl Part {
    /// The piece as plain text, times in UTC.
    pub fn plain(&self) -> String {
        match self {
            Part::Text { text } | Part::Strong { text } => text.clone(),
            Part::Change { label, .. } => label.clone(),
            Part::Who { who } => who.name.clone(),
            Part::Digest { digest } => format!("{}…", digest.short()),
            Part::Time { at, form } => form.show(*at),
        }
    }
}
