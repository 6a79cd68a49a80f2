//! What was not recorded: kept as often as the account of the stream says, and each refused event as it was signed.

use piperoll_core::{
    authority::Authority,
    judge::{self, Checked},
};
use piperoll_store::{RefusedRow, Store, Tally};

use super::{Error, Place};
use crate::projector::State;

/// Envelopes in memory at once; each is at most a few hundred kilobytes.
const PAGE_ROWS: u32 = 256;

/// Refused events, as they were found.
#[derive(Default)]
pub(super) struct Refused {
    /// With a signature that holds.
    pub(super) compared: u64,
    pub(super) erased: u64,
}

/// Compares counts, then each event with what its key signed.
pub(super) async fn check(store: &dyn Store, authority: &Authority) -> Result<Refused, Error> {
    all_kept(&store.tally().await?)?;
    let mut refused = Refused::default();
    let mut authority = authority.clone();
    let mut before = None;
    loop {
        let page = store.refused(before, PAGE_ROWS).await?;
        let Some(last) = page.last() else {
            return Ok(refused);
        };
        before = Some(last.number);
        for row in &page {
            let Some(envelope) = &row.envelope else {
                refused.erased += 1;
                continue;
            };
            let mut checked = judge::check(envelope.as_bytes(), &authority);
            if matches!(checked, Checked::KeyNotKnownYet(_)) {
                // A running server may have registered the key since the head was read.
                authority = State::load(store).await?.authority().clone();
                checked = judge::check(envelope.as_bytes(), &authority);
            }
            is_as_signed(row, checked)?;
            refused.compared += 1;
        }
    }
}

/// What the account calls refused or junk is there, each as often.
fn all_kept(tally: &Tally) -> Result<(), Error> {
    let rows = tally.refused.next;
    let tables = [
        ("refused", tally.refused),
        ("refused_body", tally.bodies),
        ("refused_count", tally.counts),
    ];
    for (table, numbered) in tables {
        if numbered.rows != rows || numbered.next != rows {
            let what = format!(
                "{rows} events are numbered, but the table {table} has {} rows up to number {}",
                numbered.rows, numbered.next
            );
            return Err(Error::wrong(Place::Refused, what));
        }
    }
    let sums = [
        (Place::Refused, tally.refused_consumed, tally.refused_times),
        (Place::Junk, tally.junk_consumed, tally.junk_counted),
    ];
    for (place, consumed, kept) in sums {
        if consumed != kept {
            let what =
                format!("{consumed} messages were accounted for as such, but {kept} are kept");
            return Err(Error::wrong(place, what));
        }
    }
    Ok(())
}

/// The envelope is good and of the event that the row names: only such are kept.
fn is_as_signed(row: &RefusedRow, checked: Checked) -> Result<(), Error> {
    let wrong = |what: &str| {
        let place = Place::Stored(format!("refused {}", row.number));
        Err(Error::wrong(place, what))
    };
    let read = match checked {
        Checked::Signed(read) => read,
        Checked::KeyNotKnownYet(_) => return wrong("the ledger knows no key that signed it"),
        Checked::Refused(refusal) => return wrong(&format!("it cannot have been kept: {refusal}")),
    };
    if read.payload_hash != row.payload_hash {
        return wrong("its payload is not the one that was refused");
    }
    if read.payload.source != row.source || read.payload.id != row.event_id {
        return wrong("its signer or its id is not the one beside it");
    }
    Ok(())
}
