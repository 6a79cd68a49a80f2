//! Answers as a terminal shows them: the answer in a sentence first, then the record, each line with the number it stands under.
//! The words come from `core::answer`; here they only get their places. Times are UTC and say so.

mod matrix;

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use piperoll_core::answer::{
    LogRow, Story, Timeline, Words,
    part::{AsOf, ChangeRef, Line, Moment, Sentence},
};

pub(crate) use self::matrix::matrix;
use crate::{output, terminal};

/// Where an entry of the log was recorded further than this from its emitter's time, both are shown, as answers do that carry a
/// [`Moment`].
const RECORDED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Columns that running text takes where the terminal gives more, or where there is none.
const TEXT_COLUMNS_MAX: usize = 110;

/// Paragraph width: the terminal's, within reason.
fn columns() -> usize {
    terminal::width().map_or(TEXT_COLUMNS_MAX, |width| {
        usize::from(width).min(TEXT_COLUMNS_MAX)
    })
}

/// One line an entry: number, time, what it is about, what happened and by whom.
pub(crate) fn log(rows: &[LogRow]) -> String {
    if rows.is_empty() {
        return "none recorded that match\n".to_owned();
    }
    let cells = rows.iter().map(|row| {
        vec![
            row.index.to_string(),
            instant(row.time),
            about(row),
            format!("{}{}", row.summary, recorded_apart(row)),
        ]
    });
    output::table(&["record", "when (utc)", "about", "what"], cells)
}
/// ` (recorded 2026-11-12 20:04)`, where that is not when it happened.
fn recorded_apart(row: &LogRow) -> String {
    let apart = |at: &Timestamp| at.duration_since(row.time).abs() > RECORDED_WITHIN;
    let recorded_at = row.recorded_at.parse().ok().filter(apart);
    recorded_at.map_or_else(String::new, |at| format!(" (recorded {})", instant(at)))
}
/// The change, else the service; and the environment where the line itself does not name it.
fn about(row: &LogRow) -> String {
    let change = row.change.as_deref().map(short_change);
    let mut about = change
        .or(row.service.as_deref())
        .unwrap_or_default()
        .to_owned();
    if let Some(environment) = &row.environment
        && !row.summary.contains(environment.as_str())
    {
        if !about.is_empty() {
            about.push_str(" in ");
        }
        about.push_str(environment);
    }
    about
}
/// `checkout#418`: an id without its host and owner; the first digits of a bare commit.
fn short_change(id: &str) -> &str {
    if let Some(commit) = id.strip_prefix("commit:") {
        return commit.get(..7).unwrap_or(commit);
    }
    match id
        .strip_prefix("github:")
        .or_else(|| id.strip_prefix("gitlab:"))
    {
        Some(path) => path.rsplit('/').next().unwrap_or(path),
        None => id,
    }
}

/// A change in brief: what it is, the answer in sentences, and the record.
pub(crate) fn answer(story: &Story) -> String {
    let mut text = heading(&story.change, &story.title);
    text.push_str(&paragraph(&story.lead, "  "));
    text.push('\n');
    text.push_str(&lines(&story.lines, &story.as_of, "  "));
    text
}
/// A change's whole story.
pub(crate) fn story(story: &Story) -> String {
    let mut text = heading(&story.change, &story.title);
    text.push_str(&paragraph(&story.lead, "  "));
    if !story.chips.is_empty() {
        let chips: Vec<String> = story
            .chips
            .iter()
            .map(piperoll_core::answer::part::Mark::plain)
            .collect();
        let _ = writeln!(text, "  {}", terminal::escape_line(&chips.join("   ")));
    }
    text.push('\n');
    text.push_str(&lines(&story.lines, &story.as_of, "  "));
    if !story.completeness.is_empty() {
        text.push('\n');
        text.push_str(&paragraph(&story.completeness, "  "));
    }
    if !story.disputed.is_empty() {
        let names = story.disputed.join(", ");
        text.push_str(&wrap(
            &format!("More than one change claims {names}: until a person settles it, its standing cannot be judged."),
            "  ",
        ));
    }
    text
}
/// `checkout #418  Ask for the postcode before the address`
fn heading(change: &ChangeRef, title: &Words) -> String {
    let service = change
        .service
        .as_deref()
        .map(|service| format!("{service} "))
        .unwrap_or_default();
    let title = match title {
        Words::Said(title) => title.as_str(),
        Words::NotSupplied => "(no title supplied)",
        Words::Erased => "(its title was erased)",
    };
    format!(
        "  {}  {}\n",
        terminal::escape_line(&format!("{service}{}", change.label)),
        terminal::escape_line(title)
    )
}
/// The record: number, time, sign and words of each line.
pub(crate) fn lines(lines: &[Line], as_of: &AsOf, indent: &str) -> String {
    let dates: Vec<String> = lines.iter().map(|line| as_of.date(line.at.time)).collect();
    let width = dates.iter().map(String::len).max().unwrap_or(0).max(16);
    let mut text = format!("{indent}record  {:<width$}  what\n", "when (UTC)");
    for (line, when) in lines.iter().zip(dates) {
        let sign = line
            .sign
            .map_or_else(|| "    ".to_owned(), |sign| format!("  {sign} "));
        let recorded = recorded(&line.at, as_of);
        let words = terminal::escape_line(&line.plain()).into_owned();
        let _ = writeln!(
            text,
            "{indent}{:>6}  {when:<width$}{sign}{words}{recorded}",
            line.at.index
        );
    }
    text
}
/// ` (recorded Thu 12 Nov 20:04)`, where that is not when it happened.
fn recorded(at: &Moment, as_of: &AsOf) -> String {
    at.recorded_at
        .map_or_else(String::new, |at| format!(" (recorded {})", as_of.date(at)))
}

pub(crate) fn timeline(timeline: &Timeline) -> String {
    let mut text = paragraph(std::slice::from_ref(&timeline.lead), "");
    if !timeline.lines.is_empty() {
        text.push('\n');
        text.push_str(&lines(&timeline.lines, &timeline.as_of, ""));
    }
    if timeline.more {
        text.push_str("more was recorded in this window than is shown; narrow it with --since, --until, -s or -e\n");
    }
    if !timeline.absent.is_empty() {
        text.push('\n');
        text.push_str(&paragraph(&timeline.absent, ""));
    }
    text
}

pub(crate) fn as_of(as_of: &AsOf) -> String {
    let Some(last) = as_of.size.checked_sub(1) else {
        return "Nothing is recorded yet.".to_owned();
    };
    match as_of.recorded_at {
        Some(at) => format!(
            "As of record {last}, {} UTC.",
            at.strftime("%Y-%m-%d %H:%M")
        ),
        None => format!("As of record {last}."),
    }
}

/// `2026-11-12 20:04`
pub(crate) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Sentences as one wrapped paragraph.
pub(crate) fn paragraph(sentences: &[Sentence], indent: &str) -> String {
    let plain: Vec<String> = sentences.iter().map(Sentence::plain).collect();
    wrap(&plain.join(" "), indent)
}
/// Words in lines that fit, each behind `indent`; escaped.
pub(crate) fn wrap(words: &str, indent: &str) -> String {
    let words = terminal::escape_line(words);
    let mut text = String::new();
    let mut line = indent.to_owned();
    let mut width = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && indent.len() + width + 1 + length > columns() {
            text.push_str(&line);
            text.push('\n');
            indent.clone_into(&mut line);
            width = 0;
        }
        if width > 0 {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += length;
    }
    text.push_str(&line);
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(change: Option<&str>, service: Option<&str>, summary: &str) -> LogRow {
        LogRow {
            index: 7,
            recorded_at: "2026-11-12T20:31:00.012Z".to_owned(),
            time: "2026-11-12T20:31:00Z".parse().unwrap(),
            kind: "rollback.finished".to_owned(),
            type_name: "dev.cdeventsx.piperoll-rollback.finished.0.1.0".to_owned(),
            principal: "urn:piperoll:person:ber5kkddz2zvtsfz6f3b4n6l3y".to_owned(),
            change: change.map(str::to_owned),
            service: service.map(str::to_owned),
            environment: service.map(|_| "production".to_owned()),
            summary: summary.to_owned(),
            id: "01a1d174-dfa0-799a-90e3-aec651e4e23d".to_owned(),
        }
    }

    #[test]
    fn a_line_of_the_log_says_what_it_is_about_in_few_words() {
        let of = |change, service, summary| about(&row(change, service, summary));
        let change = Some("github:acme/checkout#418");
        assert_eq!(
            of(change, Some("checkout"), "to production"),
            "checkout#418"
        );
        assert_eq!(
            of(None, Some("checkout"), "alert"),
            "checkout in production"
        );
        assert_eq!(of(Some("winter sale"), None, "asked"), "winter sale");
        let commit = format!("commit:{}", "4be1c09a".repeat(5));
        assert_eq!(of(Some(&commit), None, "pushed"), "4be1c09");
        assert_eq!(of(None, None, "key registered"), "");
    }

    #[test]
    fn the_log_shows_the_year_and_nobodys_id() {
        let text = log(&[row(
            None,
            Some("checkout"),
            "gone \u{1b}[2Jback by Ines Okafor",
        )]);
        assert!(text.contains("2026-11-12 20:31"), "{text}");
        assert!(
            text.contains("gone \\u{1b}[2Jback by Ines Okafor"),
            "{text}"
        );
        assert!(!text.contains("ber5kkdd"), "{text}");
        assert_eq!(log(&[]), "none recorded that match\n");
    }

    #[test]
    fn the_log_shows_when_it_was_recorded_where_that_is_far_from_when_it_happened() {
        let mut late = row(None, Some("checkout"), "deployed");
        assert!(!log(std::slice::from_ref(&late)).contains("recorded 2026"));
        late.time = "2126-11-20T11:45:00Z".parse().unwrap();
        let text = log(&[late]);
        assert!(text.contains("2126-11-20 11:45"), "{text}");
        assert!(
            text.contains("deployed (recorded 2026-11-12 20:31)"),
            "{text}"
        );
    }

    #[test]
    fn wrapped_words_keep_their_order_and_their_width() {
        let text = wrap(&"word ".repeat(100), "  ");
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= TEXT_COLUMNS_MAX && line.starts_with("  "))
        );
        assert_eq!(text.matches("word").count(), 100);
        assert_eq!(wrap("a \u{1b}[2Jb", ""), "a \\u{1b}[2Jb\n");
    }
}
