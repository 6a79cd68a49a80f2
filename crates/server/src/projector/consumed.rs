//! The account of what was read from the stream: rows whose four counts sum to their range.

use piperoll_store::{Consumed, Cursor};

use super::outcome::Outcome;

/// Rows of `consumed` for one batch. A recorded control entry ends the open range and has a row of its own; control entries that were
/// not recorded share one, without a range, at the end.
#[derive(Debug, Default)]
pub(super) struct Account {
    rows: Vec<Consumed>,
    open: Option<Consumed>,
    aside: Option<Consumed>,
}
impl Account {
    /// Counts the message the cursor has just been moved to.
    pub(super) fn count(&mut self, cursor: &Cursor, outcome: &Outcome) {
        let row = self.open.get_or_insert_with(|| Consumed {
            range: Some((cursor.sequence, cursor.sequence)),
            ..empty(cursor)
        });
        if let Some((_, to)) = &mut row.range {
            *to = cursor.sequence;
        }
        add(row, outcome);
    }
    /// Counts a control entry; `cursor` is the one it left behind.
    pub(super) fn control(&mut self, cursor: &Cursor, outcome: &Outcome) {
        if matches!(outcome, Outcome::Recorded { .. }) {
            self.rows.extend(self.open.take());
            let mut row = empty(cursor);
            add(&mut row, outcome);
            self.rows.push(row);
        } else {
            add(self.aside.get_or_insert_with(|| empty(cursor)), outcome);
        }
    }
    /// All rows; `cursor` is where the batch ends.
    pub(super) fn into_rows(mut self, cursor: &Cursor) -> Vec<Consumed> {
        self.rows.extend(self.open);
        self.rows.extend(self.aside.map(|aside| Consumed {
            incarnation: cursor.incarnation.clone(),
            ..aside
        }));
        self.rows
    }
}
fn add(row: &mut Consumed, outcome: &Outcome) {
    let column = match outcome {
        Outcome::Recorded { .. } => &mut row.recorded,
        Outcome::Duplicate { .. } => &mut row.duplicate,
        Outcome::Refused { kept: true, .. } => &mut row.refused,
        Outcome::Refused { kept: false, .. } => &mut row.junk,
    };
    *column += 1;
}
fn empty(cursor: &Cursor) -> Consumed {
    Consumed {
        incarnation: cursor.incarnation.clone(),
        range: None,
        recorded: 0,
        duplicate: 0,
        refused: 0,
        junk: 0,
    }
}
