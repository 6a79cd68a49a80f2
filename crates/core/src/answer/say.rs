//! Building sentences, and the small words they need.

use jiff::{SignedDuration, Timestamp};

use super::{
    asked::Asked,
    part::{ChangeRef, DigestRef, Part, Sentence, TimeForm, Who},
};

impl Sentence {
    pub(super) fn strong(text: impl Into<String>) -> Self {
        Self(vec![Part::Strong { text: text.into() }])
    }
    pub(super) fn plain_text(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.push(Part::Text { text });
        }
        self
    }
    pub(super) fn who(mut self, who: Who) -> Self {
        self.0.push(Part::Who { who });
        self
    }
    pub(super) fn digest(mut self, digest: DigestRef) -> Self {
        self.0.push(Part::Digest { digest });
        self
    }
    pub(super) fn change(mut self, change: &ChangeRef) -> Self {
        self.0.push(Part::Change {
            id: change.id.clone(),
            label: change.label.clone(),
        });
        self
    }
    /// An instant with its day.
    pub(super) fn day(self, at: Timestamp, asked: &Asked<'_>) -> Self {
        self.time(at, asked.day(at))
    }
    pub(super) fn time(mut self, at: Timestamp, form: TimeForm) -> Self {
        self.0.push(Part::Time { at, form });
        self
    }
    /// `#416`, `#416 and #417`, `#416, #417 and #418`
    pub(super) fn changes(mut self, changes: &[ChangeRef]) -> Self {
        for (at, change) in changes.iter().enumerate() {
            if at > 0 {
                self = self.text(if at + 1 == changes.len() {
                    " and "
                } else {
                    ", "
                });
            }
            self = self.change(change);
        }
        self
    }
}

/// `one`, `two`, … `ten`, `11`
pub(super) fn number(count: usize) -> String {
    const WORDS: [&str; 11] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    WORDS
        .get(count)
        .map_or_else(|| count.to_string(), |word| (*word).to_owned())
}
/// `one alert`, `two alerts`
pub(super) fn count(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}
/// The first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
/// Whole minutes from one instant to a later one.
pub(super) fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).max(SignedDuration::ZERO).as_mins()
}
/// `13 min after`, `less than a minute after`
pub(super) fn minutes_after(minutes: i64) -> String {
    match minutes {
        0 => "less than a minute after".to_owned(),
        minutes => format!("{minutes} min after"),
    }
}
/// `13 minutes later`, `less than a minute later`
pub(super) fn minutes_later(minutes: i64) -> String {
    match minutes {
        0 => "less than a minute later".to_owned(),
        1 => "1 minute later".to_owned(),
        minutes => format!("{minutes} minutes later"),
    }
}
/// Words of people on one line: line ends, tabs and whatever else could disturb a line become single spaces.
pub(super) fn one_line(words: &str) -> String {
    let spaced: String = words
        .chars()
        .map(|character| {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                character
            }
        })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}
/// `business approver` for `business-approver`.
pub(super) fn role(role: &str) -> String {
    one_line(&role.replace(['-', '_'], " "))
}
/// How a relaying system is called by people.
pub(super) fn system(system: &str) -> String {
    match system {
        "github" | "github.com" => "GitHub".to_owned(),
        "gitlab" | "gitlab.com" => "GitLab".to_owned(),
        "alertmanager" => "Alertmanager".to_owned(),
        "argocd" => "Argo CD".to_owned(),
        "jenkins" => "Jenkins".to_owned(),
        other => one_line(other),
    }
}
