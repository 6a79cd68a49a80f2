//! Printing: data to stdout, everything else to stderr, nothing from elsewhere unescaped.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::{
    exit::{Problem, Result},
    terminal,
};

/// How data is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
}

/// `--output` and its short form, on every command that has data.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FormatArgs {
    /// How to print the answer
    #[arg(
        long,
        short = 'o',
        value_enum,
        default_value = "table",
        value_name = "FORMAT"
    )]
    output: Format,
    /// Short for --output json
    #[arg(long)]
    json: bool,
}
impl FormatArgs {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}

/// Writes data to stdout. A reader that went away (`| head`) is no error, and changes nothing about how the command ends.
pub(crate) fn data(text: &str) -> Result {
    closed_pipe_is_no_error(io::stdout().lock().write_all(text.as_bytes()))
}
/// A value as JSON over several lines.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Problem::failed(error.to_string()))?;
    data(&format!("{}\n", terminal::escape_json(&text)))
}
/// A line about what happened, on stderr. Nobody can be told that stderr is closed.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", terminal::escape_block(line));
}
/// `warning: …`, then hints, like a problem that did not stop us.
pub(crate) fn warn(message: &str, hints: &[String]) {
    let mut text = format!("warning: {message}");
    for hint in hints {
        text.push_str("\n  ");
        text.push_str(hint);
    }
    say(&text);
}

/// An error, once, on stderr.
pub(crate) fn complain(problem: &Problem) {
    let _ = io::stderr().lock().write_all(problem.lines().as_bytes());
}

/// A reader that went away ends the command quietly.
pub(crate) fn closed_pipe_is_no_error(written: io::Result<()>) -> Result {
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Problem::failed(format!("writing to stdout: {error}"))),
    }
}

/// Rows under upper-case headings, two spaces apart, no lines; cells wrap to the terminal's width, and off a terminal each row
/// is one line.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let single = |row: Vec<String>| row.into_iter().map(|cell| vec![cell]).collect();
    stacked(headings, rows.into_iter().map(single))
}
/// The same with cells of several lines; off a terminal they stand behind one another.
pub(crate) fn stacked(
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<Vec<String>>>,
) -> String {
    stacked_at(terminal::width(), headings, rows)
}
fn stacked_at(
    width: Option<u16>,
    headings: &[&str],
    rows: impl IntoIterator<Item = Vec<Vec<String>>>,
) -> String {
    let between = if width.is_some() { "\n" } else { "  " };
    let cell = |lines: &Vec<String>| {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| terminal::escape_line(line))
            .collect();
        lines.join(between)
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Some headings are names of environments.
    let heading = |heading: &&str| terminal::escape_line(&heading.to_uppercase()).into_owned();
    table.set_header(headings.iter().map(heading));
    for row in rows {
        table.add_row(row.iter().map(cell));
    }
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().fold(String::new(), |mut text, line| {
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Vec<String>>> {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        vec![
            vec![
                lines(&["checkout"]),
                lines(&["Ask for the postcode before the address", "since Wed"]),
            ],
            vec![lines(&["pay"]), lines(&["two\nlines \u{1b}[2J"])],
        ]
    }

    #[test]
    fn off_a_terminal_a_row_is_one_line_and_nothing_is_cut() {
        assert_eq!(
            stacked_at(None, &["service", "what"], rows()),
            [
                "SERVICE   WHAT\n",
                "checkout  Ask for the postcode before the address  since Wed\n",
                "pay       two\\nlines \\u{1b}[2J\n",
            ]
            .concat()
        );
    }

    #[test]
    fn on_a_terminal_a_table_keeps_within_its_width_and_lines_of_a_cell_stand_below_each_other() {
        let text = stacked_at(Some(40), &["service", "what"], rows());
        assert!(
            text.lines().all(|line| line.chars().count() <= 40),
            "{text}"
        );
        assert!(
            text.lines().any(|line| line.trim() == "since Wed"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
    }
}
