//! Answers as a terminal shows them: the answer in a sentence first, then the record, each line with the number it stands under.
//! The words come from `core::answer`; here they only get their places. Times are UTC and say so.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use piperoll_core::answer::{
    Cell, Contents, LogRow, Story, Timeline, Where, Words,
    part::{AsOf, ChangeRef, Line, Sentence},
};

use crate::{output, terminal};

/// Columns that running text takes where the terminal gives more, or where there is none.
const TEXT_COLUMNS_MAX: usize = 110;

/// Paragraph width: the terminal's, within reason.
fn columns() -> usize {
    terminal::width().map_or(TEXT_COLUMNS_MAX, |width| {
        usize::from(width).min(TEXT_COLUMNS_MAX)
    })
}

pub(crate) fn log(rows: &[LogRow]) -> String {
    if rows.is_empty() {
        return "none recorded that match\n".to_owned();
    }
    let cells = rows.iter().map(|row| {
        vec![
            row.index.to_string(),
            date(row.time),
            short_principal(&row.principal).to_owned(),
            row.change
                .as_deref()
                .map(short_change)
                .unwrap_or_default()
                .to_owned(),
            row.service.clone().unwrap_or_default(),
            row.environment.clone().unwrap_or_default(),
            row.summary.clone(),
        ]
    });
    output::table(
        &[
            "record",
            "when (utc)",
            "signed by",
            "change",
            "service",
            "environment",
            "what",
        ],
        cells,
    )
}
/// `pipeline:checkout-deploy`; a person's id says nothing to anybody, and their name stands in the line itself.
fn short_principal(urn: &str) -> &str {
    let short = urn.strip_prefix("urn:piperoll:").unwrap_or(urn);
    if short.starts_with("person:") {
        "a person"
    } else {
        short
    }
}
/// `acme/checkout#418`: an id without its host.
fn short_change(id: &str) -> &str {
    id.strip_prefix("github:")
        .or_else(|| id.strip_prefix("gitlab:"))
        .unwrap_or(id)
}

/// A change in brief: what it is, the answer in sentences, and the record.
pub(crate) fn answer(story: &Story) -> String {
    let mut text = heading(&story.change, &story.title);
    text.push_str(&paragraph(&story.lead, "  "));
    text.push('\n');
    text.push_str(&lines(&story.lines, "  "));
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
    text.push_str(&lines(&story.lines, "  "));
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
pub(crate) fn lines(lines: &[Line], indent: &str) -> String {
    let mut text = format!("{indent}record  when (UTC)        what\n");
    for line in lines {
        let sign = line
            .sign
            .map_or_else(|| "    ".to_owned(), |sign| format!("  {sign} "));
        let recorded = match line.at.recorded_at {
            Some(at) => format!(" (recorded {})", date(at)),
            None => String::new(),
        };
        let when = date(line.at.time);
        let words = terminal::escape_line(&line.plain()).into_owned();
        let _ = writeln!(
            text,
            "{indent}{:>6}  {when:<16}{sign}{words}{recorded}",
            line.at.index
        );
    }
    text
}

pub(crate) fn timeline(timeline: &Timeline) -> String {
    let mut text = paragraph(std::slice::from_ref(&timeline.lead), "");
    if !timeline.lines.is_empty() {
        text.push('\n');
        text.push_str(&lines(&timeline.lines, ""));
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

/// What is where: a row for each service, a column for each environment.
pub(crate) fn matrix(answer: &Where, now: Timestamp) -> String {
    let mut headings = vec!["service"];
    headings.extend(answer.environments.iter().map(String::as_str));
    let rows = answer.rows.iter().map(|row| {
        let mut cells = vec![row.service.clone()];
        cells.extend(row.cells.iter().map(|cell| {
            cell.as_ref()
                .map_or_else(|| "none recorded".to_owned(), |cell| slot(cell, now))
        }));
        cells
    });
    let mut text = String::new();
    if !answer.rows.is_empty() {
        text.push_str(&output::table(&headings, rows));
    }
    let last = as_of(&answer.as_of);
    text.push_str(&wrap(&format!("{} {last}", answer.lead.plain()), ""));
    text
}
/// `#418 Ask for the postcode…, 12 Nov 20:04 (2 d)  ↶ rolled back from #418`
fn slot(cell: &Cell, now: Timestamp) -> String {
    let what = match (&cell.change, cell.digests.first()) {
        (Some(change), _) => match &change.title {
            Some(title) => format!("{} {title}", change.label),
            None => change.label.clone(),
        },
        (None, Some(digest)) => format!("{}… ", digest.short()).trim_end().to_owned(),
        (None, None) => "content unknown".to_owned(),
    };
    let others = match &cell.contents {
        Contents::Unknown => ", contents unknown".to_owned(),
        Contents::Known { changes, .. } if changes.len() > 1 => format!(" +{}", changes.len() - 1),
        Contents::Known { .. } | Contents::Rollback => String::new(),
    };
    let marks = cell.marks.iter().fold(String::new(), |mut marks, mark| {
        let _ = write!(marks, "  {}", mark.plain());
        marks
    });
    format!(
        "{what}{others}, {} ({}){marks}",
        date(cell.since.time),
        age(cell.since.time, now)
    )
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

/// `Thu 12 Nov 20:04`
pub(crate) fn date(at: Timestamp) -> String {
    at.strftime("%a %-d %b %H:%M").to_string()
}
/// `5 min`, `21 h` or `3 d`, rounded down.
pub(crate) fn age(from: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(from);
    let hours = age.as_hours();
    if age < SignedDuration::from_mins(1) {
        "now".to_owned()
    } else if hours < 1 {
        format!("{} min", age.as_mins())
    } else if hours < 48 {
        format!("{hours} h")
    } else {
        format!("{} d", hours / 24)
    }
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

    #[test]
    fn ages_are_whole_units_rounded_down() {
        let from: Timestamp = "2026-11-12T20:31:00Z".parse().unwrap();
        let after = |text: &str| age(from, text.parse().unwrap());
        assert_eq!(after("2026-11-12T20:31:59Z"), "now");
        assert_eq!(after("2026-11-12T20:32:00Z"), "1 min");
        assert_eq!(after("2026-11-13T17:31:00Z"), "21 h");
        assert_eq!(after("2026-11-15T20:30:00Z"), "2 d");
        assert_eq!(after("2026-11-12T20:00:00Z"), "now");
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
