//! The account of the stream: its rows follow each other without a hole and sum to the ledger.

use piperoll_core::kind::Content;
use piperoll_store::{Consumed, Cursor, Head, Store};

use super::{Error, Place};
use crate::projector::{EMBEDDED, steer};

const PAGE_ROWS: u32 = 500;

/// A control entry, and what it does to the cursor.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) index: u64,
    pub(super) content: Content,
}
/// What the account sums to.
pub(super) struct Account {
    pub(super) rows: u64,
    pub(super) messages: [u64; 4],
}

/// Follows the rows up to the head.
pub(super) async fn check(
    store: &dyn Store,
    head: &Head,
    controls: &[Control],
) -> Result<Account, Error> {
    let mut walk = Walk {
        at: Cursor {
            incarnation: EMBEDDED.to_owned(),
            sequence: 0,
            message: None,
        },
        number: 0,
        messages: [0; 4],
        controls,
    };
    loop {
        let page = store.consumed(walk.number, PAGE_ROWS).await?;
        let mut is_last = page.len() < PAGE_ROWS as usize;
        for row in &page {
            // What follows was added by a running server since the head was read.
            if walk.is_at(head) && !is_aside(&row.consumed) {
                is_last = true;
                break;
            }
            if row.number != walk.number {
                return Err(walk.wrong("it is missing"));
            }
            walk.take(&row.consumed)?;
            walk.number += 1;
        }
        if walk.is_at(head) && is_last {
            walk.none_beyond(store, head).await?;
            return Ok(Account {
                rows: walk.number,
                messages: walk.messages,
            });
        }
        if page.is_empty() {
            let Cursor {
                incarnation,
                sequence,
                ..
            } = &head.cursor;
            return Err(walk.wrong(format!(
                "it is missing, or a row before it is wrong: all rows account for {} entries up to message {} of {}, the head says {} up to {sequence} of {incarnation}",
                walk.messages[0], walk.at.sequence, walk.at.incarnation, head.size,
            )));
        }
    }
}

/// The row of control entries that were not recorded: at least one, and no message of the stream.
fn is_aside(row: &Consumed) -> bool {
    row.range.is_none() && row.recorded == 0 && row.duplicate + row.refused + row.junk > 0
}

struct Walk<'a> {
    at: Cursor,
    number: u64,
    messages: [u64; 4],
    controls: &'a [Control],
}
impl Walk<'_> {
    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::wrong(Place::Consumed(self.number), what)
    }
    fn is_at(&self, head: &Head) -> bool {
        self.messages[0] == head.size
            && self.at.sequence == head.cursor.sequence
            && self.at.incarnation == head.cursor.incarnation
    }
    /// A row beyond the head must be one that a running server has added since, and then the head has moved too.
    async fn none_beyond(&self, store: &dyn Store, head: &Head) -> Result<(), Error> {
        let Some(row) = store.consumed(self.number, 1).await?.pop() else {
            return Ok(());
        };
        let now = store.head().await?;
        if now.is_some_and(|now| now.size == head.size && now.cursor == head.cursor) {
            let what = "it is beyond the last message that the head speaks of";
            return Err(Error::wrong(Place::Consumed(row.number), what));
        }
        Ok(())
    }
    fn take(&mut self, row: &Consumed) -> Result<(), Error> {
        let counts = [row.recorded, row.duplicate, row.refused, row.junk];
        match row.range {
            Some((from, to)) => self.range(row, from, to, counts.iter().sum())?,
            None => self.control(row, counts)?,
        }
        for (sum, count) in self.messages.iter_mut().zip(counts) {
            *sum += count;
        }
        Ok(())
    }
    fn range(&mut self, row: &Consumed, from: u64, to: u64, sum: u64) -> Result<(), Error> {
        let next = self.at.sequence + 1;
        if row.incarnation != self.at.incarnation || from != next {
            return Err(self.wrong(format!(
                "it begins at message {from} of {}, where message {next} of {} is the next",
                row.incarnation, self.at.incarnation
            )));
        }
        if to < from || sum != to - from + 1 {
            return Err(self.wrong(format!(
                "its counts sum to {sum}, but its range is {from} to {to}"
            )));
        }
        self.at.sequence = to;
        Ok(())
    }
    /// The row of a control entry stands exactly where that entry does. Those that were not recorded move nothing.
    fn control(&mut self, row: &Consumed, counts: [u64; 4]) -> Result<(), Error> {
        if is_aside(row) {
            return self.speaks_of_this_stream(row);
        }
        let Some((control, later)) = self.controls.split_first() else {
            return Err(self.wrong("it is of a control entry, and there is none left"));
        };
        if counts != [1, 0, 0, 0] || control.index != self.messages[0] {
            return Err(self.wrong(format!(
                "it is not the row of the control entry {}",
                control.index
            )));
        }
        steer(&control.content, &mut self.at);
        self.controls = later;
        self.speaks_of_this_stream(row)
    }
    fn speaks_of_this_stream(&self, row: &Consumed) -> Result<(), Error> {
        if row.incarnation == self.at.incarnation {
            return Ok(());
        }
        Err(self.wrong(format!(
            "it speaks of {}, where the stream is {}",
            row.incarnation, self.at.incarnation
        )))
    }
}
