//! The account of what was read from the stream: rows whose four counts sum to their range.

use piperoll_store::{Consumed, Cursor};

use super::batch::Outcome;

/// Rows of `consumed` for one batch. A control entry ends the open range and has a row of its own.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: Vec<Consumed>,
    open: Option<Consumed>,
}
impl Ledger {
    /// Counts the message the cursor has just been moved to.
    pub(super) fn count(&mut self, cursor: &Cursor, outcome: &Outcome) {
        let row = self.open.get_or_insert_with(|| Consumed {
            range: Some((cursor.sequence, cursor.sequence)),
            ..empty(cursor)
        });
        if let Some((_, to)) = &mut row.range {
            *to = cursor.sequence;
        }
        let column = match outcome {
            Outcome::Recorded { .. } => &mut row.recorded,
            Outcome::Duplicate { .. } => &mut row.duplicate,
            Outcome::Refused { kept: true, .. } => &mut row.refused,
            Outcome::Refused { kept: false, .. } => &mut row.junk,
        };
        *column += 1;
    }
    /// A recorded control entry; `cursor` is the one it left behind.
    pub(super) fn control(&mut self, cursor: &Cursor) {
        self.rows.extend(self.open.take());
        self.rows.push(Consumed {
            recorded: 1,
            ..empty(cursor)
        });
    }
    pub(super) fn into_rows(mut self) -> Vec<Consumed> {
        self.rows.extend(self.open);
        self.rows
    }
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
