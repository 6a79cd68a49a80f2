//! What is where, as a terminal shows it: a row for each service and a column for each environment; where the columns would be too
//! narrow to read, a row for each service and environment. Off a terminal nothing is shortened.

use jiff::{SignedDuration, Timestamp};
use piperoll_core::answer::{
    Cell, Contents, Where,
    part::{AsOf, Mark, Part, Sentence},
};

use super::{as_of, recorded, wrap};
use crate::{output, terminal};

/// Characters of a column that can still be read: a change's label and a few words of its title.
const COLUMN_MIN: usize = 26;
/// A title is not cut below this; where there is less room, it wraps.
const TITLE_MIN: usize = 12;

pub(crate) fn matrix(answer: &Where, now: Timestamp) -> String {
    let mut text = String::new();
    if !answer.rows.is_empty() {
        text.push_str(&table(terminal::width().map(usize::from), answer, now));
        text.push('\n');
    }
    let last = as_of(&answer.as_of);
    text.push_str(&wrap(&format!("{} {last}", answer.lead.plain()), ""));
    text
}
fn table(width: Option<usize>, answer: &Where, now: Timestamp) -> String {
    let services = answer.rows.iter().map(|row| row.service.as_str());
    let environments = answer.environments.iter().map(String::as_str);
    // Two columns of space stand behind each column.
    let rest = width.map(|width| width.saturating_sub(widest("service", services) + 2));
    let column = rest.map(|rest| (rest / answer.environments.len().max(1)).saturating_sub(2));
    if column.is_none_or(|column| column >= COLUMN_MIN) {
        return in_columns(column, answer, now);
    }
    let beside = widest("environment", environments) + 2 + 2;
    in_rows(rest.map(|rest| rest.saturating_sub(beside)), answer, now)
}
fn widest<'a>(heading: &str, names: impl Iterator<Item = &'a str>) -> usize {
    let names = names.map(|name| name.chars().count());
    names.max().unwrap_or_default().max(heading.len())
}
fn in_columns(room: Option<usize>, answer: &Where, now: Timestamp) -> String {
    let mut headings = vec!["service"];
    headings.extend(answer.environments.iter().map(String::as_str));
    let rows = answer.rows.iter().map(|row| {
        let mut cells = vec![vec![row.service.clone()]];
        cells.extend(row.cells.iter().map(|cell| {
            cell.as_ref().map_or_else(
                || vec!["none recorded".to_owned()],
                |cell| slot(cell, room, &answer.as_of, now),
            )
        }));
        cells
    });
    output::stacked(&headings, rows)
}
fn in_rows(room: Option<usize>, answer: &Where, now: Timestamp) -> String {
    let cells = answer
        .rows
        .iter()
        .flat_map(|row| row.cells.iter().flatten());
    let rows = cells.map(|cell| {
        vec![
            vec![cell.service.clone()],
            vec![cell.environment.clone()],
            slot(cell, room, &answer.as_of, now),
        ]
    });
    output::stacked(&["service", "environment", "what"], rows)
}

/// `#418 Ask for the postcode…`, then since when, then each mark, then who decided.
fn slot(cell: &Cell, room: Option<usize>, as_of: &AsOf, now: Timestamp) -> Vec<String> {
    let others = match &cell.contents {
        Contents::Unknown => ", contents unknown".to_owned(),
        Contents::Known { changes, .. } if changes.len() > 1 => {
            format!(", and {} more", changes.len() - 1)
        }
        Contents::Known { .. } | Contents::Rollback => String::new(),
    };
    let what = match (&cell.change, cell.digests.first()) {
        (Some(change), _) => match &change.title {
            Some(title) => {
                let taken = change.label.chars().count() + 1 + others.chars().count();
                let room = room.map(|room| room.saturating_sub(taken).max(TITLE_MIN));
                format!("{} {}", change.label, shortened(title, room))
            }
            None => change.label.clone(),
        },
        (None, Some(digest)) => format!("{}…", digest.short()),
        (None, None) => "no change known".to_owned(),
    };
    // Where the two times differ much, nobody can say how long ago it was.
    let beside = match cell.since.recorded_at {
        Some(_) => recorded(&cell.since, as_of),
        None => format!(" ({})", age(cell.since.time, now)),
    };
    let mut lines = vec![
        format!("{what}{others}"),
        format!("since {}{beside}", as_of.date(cell.since.time)),
    ];
    lines.extend(marks(cell));
    lines
}
/// At most `room` characters, the last of them `…` where some are missing.
fn shortened(text: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if text.chars().count() > room => {
            let begin: String = text.chars().take(room.saturating_sub(1)).collect();
            format!("{}…", begin.trim_end())
        }
        _ => text.to_owned(),
    }
}
/// Each mark, then who decided. A mark that says no more than who decided says, `approved only afterwards`, lends it its sign.
fn marks(cell: &Cell) -> Vec<String> {
    let mut deciders = cell.deciders.clone();
    let mut lines = Vec::new();
    for mark in &cell.marks {
        if !sign(&mut deciders, mark) {
            lines.push(mark.plain());
        }
    }
    if !deciders.0.is_empty() {
        lines.push(deciders.plain());
    }
    lines
}
/// Puts the mark's sign before the same words in a sentence; `false` where it has no such words.
fn sign(deciders: &mut Sentence, mark: &Mark) -> bool {
    let Some(sign) = mark.sign else { return false };
    let said = format!("{} by ", mark.word);
    for part in &mut deciders.0 {
        if let Part::Text { text } = part {
            let before = text.strip_suffix(&said);
            if let Some(before @ ("" | "; ")) = before {
                *text = format!("{before}{sign} {said}");
                return true;
            }
        }
    }
    false
}
/// `5 min`, `21 h` or `3 d`, rounded down.
fn age(from: Timestamp, now: Timestamp) -> String {
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

#[cfg(test)]
mod tests {
    use piperoll_core::answer::{
        WhereRow,
        part::{ChangeRef, Moment, Tone, Who},
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }
    fn who(name: &str) -> Who {
        Who {
            name: name.to_owned(),
            urn: None,
            sort: "person".to_owned(),
        }
    }
    fn text(text: &str) -> Part {
        Part::Text {
            text: text.to_owned(),
        }
    }
    fn cell(environment: &str) -> Cell {
        Cell {
            service: "checkout".to_owned(),
            environment: environment.to_owned(),
            change: Some(ChangeRef {
                id: "github:acme/checkout#418".to_owned(),
                label: "#418".to_owned(),
                service: None,
                title: Some("Ask for the postcode before the address".to_owned()),
            }),
            contents: Contents::Rollback,
            digests: Vec::new(),
            commit: None,
            since: Moment {
                index: 52,
                time: at("2026-11-12T20:04:00Z"),
                recorded_at: None,
            },
            again: false,
            deployment: "d".to_owned(),
            by: who("checkout-deploy"),
            via: None,
            agreements: Vec::new(),
            deciders: Sentence(Vec::new()),
            marks: Vec::new(),
        }
    }
    fn as_of() -> AsOf {
        AsOf {
            size: 86,
            recorded_at: Some(at("2026-11-14T13:05:00Z")),
        }
    }
    fn lines(cell: &Cell, room: Option<usize>) -> Vec<String> {
        slot(cell, room, &as_of(), at("2026-11-15T20:04:00Z"))
    }

    #[test]
    fn ages_are_whole_units_rounded_down() {
        let from = at("2026-11-12T20:31:00Z");
        let after = |text: &str| age(from, at(text));
        assert_eq!(after("2026-11-12T20:31:59Z"), "now");
        assert_eq!(after("2026-11-12T20:32:00Z"), "1 min");
        assert_eq!(after("2026-11-13T17:31:00Z"), "21 h");
        assert_eq!(after("2026-11-15T20:30:00Z"), "2 d");
        assert_eq!(after("2026-11-12T20:00:00Z"), "now");
    }

    #[test]
    fn a_title_is_cut_where_room_is_short_and_nowhere_else() {
        let mut cell = cell("production");
        assert_eq!(lines(&cell, Some(26))[0], "#418 Ask for the postcode…");
        assert_eq!(
            lines(&cell, None)[0],
            "#418 Ask for the postcode before the address"
        );
        cell.contents = Contents::Unknown;
        assert_eq!(
            lines(&cell, Some(40))[0],
            "#418 Ask for the post…, contents unknown"
        );
    }

    #[test]
    fn a_time_that_nobody_can_believe_stands_beside_the_time_it_was_recorded() {
        let mut cell = cell("production");
        assert_eq!(lines(&cell, None)[1], "since Thu 12 Nov 20:04 (3 d)");
        cell.since.time = at("2126-11-20T11:45:00Z");
        cell.since.recorded_at = Some(at("2026-11-12T20:04:00Z"));
        assert_eq!(
            lines(&cell, None)[1],
            "since Wed 20 Nov 2126 11:45 (recorded Thu 12 Nov 20:04)"
        );
    }

    #[test]
    fn nothing_is_said_twice() {
        let mut cell = cell("production");
        cell.change = None;
        cell.contents = Contents::Unknown;
        cell.marks = vec![
            Mark {
                sign: Some('✕'),
                word: "rejected".to_owned(),
                tone: Tone::Bad,
            },
            Mark {
                sign: Some('!'),
                word: "approved only afterwards".to_owned(),
                tone: Tone::Warn,
            },
        ];
        cell.deciders = Sentence(vec![
            text("approved only afterwards by "),
            Part::Who {
                who: who("rejected by "),
            },
        ]);
        assert_eq!(
            lines(&cell, None),
            [
                "no change known, contents unknown",
                "since Thu 12 Nov 20:04 (3 d)",
                "✕ rejected",
                "! approved only afterwards by rejected by ",
            ]
        );
    }

    #[test]
    fn many_environments_stand_below_each_other_where_columns_would_be_too_narrow() {
        let environments = ["dev", "staging", "production"].map(str::to_owned).to_vec();
        let answer = Where {
            as_of: as_of(),
            lead: Sentence(Vec::new()),
            rows: vec![WhereRow {
                service: "checkout".to_owned(),
                behind: None,
                cells: vec![None, Some(cell("staging")), Some(cell("production"))],
            }],
            environments,
        };
        let at_width = |width| table(width, &answer, at("2026-11-15T20:04:00Z"));
        let heading = |text: String| {
            let words: Vec<_> = text.lines().next().unwrap().split_whitespace().collect();
            words.join(" ")
        };
        assert_eq!(heading(at_width(Some(80))), "SERVICE ENVIRONMENT WHAT");
        for wide in [Some(120), None] {
            assert_eq!(heading(at_width(wide)), "SERVICE DEV STAGING PRODUCTION");
        }
    }
}
