//! What was not recorded: kept as often as the account of the stream says, and each refused event as it was sent.

use piperoll_core::envelope::Envelope;
use piperoll_store::{RefusedRow, Store, Tally};

use super::{Error, Place};

/// Envelopes in memory at once; each is at most a few hundred kilobytes.
const PAGE_ROWS: u32 = 256;

/// Compares counts, then bodies; gives how many bodies were compared.
pub(super) async fn check(store: &dyn Store) -> Result<u64, Error> {
    all_kept(&store.tally().await?)?;
    let mut compared = 0;
    let mut before = None;
    loop {
        let page = store.refused(before, PAGE_ROWS).await?;
        let Some(last) = page.last() else {
            return Ok(compared);
        };
        before = Some(last.number);
        for row in &page {
            compared += u64::from(is_as_sent(row)?);
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

/// Whether there is a body, which then has the hash that is kept beside it.
fn is_as_sent(row: &RefusedRow) -> Result<bool, Error> {
    let Some(envelope) = &row.envelope else {
        return Ok(false);
    };
    let wrong = |what: String| {
        let place = Place::Stored(format!("refused {}", row.number));
        Error::wrong(place, what)
    };
    let envelope = Envelope::parse(envelope.as_bytes())
        .map_err(|refusal| wrong(format!("what is kept of it is no envelope: {refusal}")))?;
    if envelope.payload_hash() != row.payload_hash {
        return Err(wrong(
            "its payload is not the one that was refused".to_owned(),
        ));
    }
    Ok(true)
}
