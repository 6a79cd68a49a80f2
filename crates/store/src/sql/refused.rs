//! What was not recorded: refused events, which are kept, and junk, which is counted.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use piperoll_core::Hash;

use super::{
    Column, Columns, Dialect, Sql, Value,
    commit::next_number,
    dialect::{at, instant_text, int, without_nul},
    fetch, insert, tables, values,
};
use crate::{Error, JunkRow, NewJunk, NewRefused, RefusedRow};

/// Safe, because the head's row is locked by now.
const NEXT_REFUSED: &str = "select coalesce(max(number), -1) + 1 from refused";

/// One row for each payload hash and reason, the first that came; a repetition is only counted.
pub(super) async fn insert_refused<DB: Dialect>(
    connection: &mut DB::Connection,
    refused: Vec<NewRefused>,
) -> Result<(), Error> {
    if refused.is_empty() {
        return Ok(());
    }
    let hashes = Value::List(vec![Column::hashes(
        refused.iter().map(|row| row.payload_hash),
    )]);
    let mut numbers: HashMap<(Hash, String), u64> = HashMap::new();
    for row in fetch::<DB>(connection, DB::STATEMENTS.refused_with, vec![hashes]).await? {
        numbers.insert((row.hash(1)?, row.text(2)?), row.count(0)?);
    }
    let mut next = next_number::<DB>(connection, NEXT_REFUSED).await?;
    let mut fresh: Vec<(u64, NewRefused)> = Vec::new();
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for row in refused {
        let number = *numbers
            .entry((row.payload_hash, row.reason.as_str().to_owned()))
            .or_insert(next);
        *times.entry(number).or_default() += 1;
        if number == next {
            fresh.push((number, row));
            next += 1;
        }
    }
    let number = || Column::ints(fresh.iter().map(|(number, _)| *number));
    let columns = vec![
        number(),
        Column::texts(fresh.iter().map(|(_, row)| instant_text(row.at))),
        Column::texts(fresh.iter().map(|(_, row)| row.source.as_str())),
        Column::texts(fresh.iter().map(|(_, row)| row.event_id.as_str())),
        Column::hashes(fresh.iter().map(|(_, row)| row.payload_hash)),
        Column::texts(fresh.iter().map(|(_, row)| row.reason.as_str())),
        Column::texts(fresh.iter().map(|(_, row)| without_nul(&row.detail))),
        Column::Int(fresh.iter().map(|(_, row)| row.first.map(int)).collect()),
    ];
    insert::<DB>(connection, &tables::REFUSED, "", columns).await?;
    let bodies = vec![
        number(),
        Column::texts(fresh.iter().map(|(_, row)| row.envelope.as_str())),
    ];
    insert::<DB>(connection, &tables::REFUSED_BODY, "", bodies).await?;
    let counts = vec![
        Column::ints(times.keys().copied()),
        Column::ints(times.values().copied()),
    ];
    let tail = "on conflict (number) do update set times = refused_count.times + excluded.times";
    insert::<DB>(connection, &tables::REFUSED_COUNT, tail, counts).await
}

pub(super) async fn insert_junk<DB: Dialect>(
    connection: &mut DB::Connection,
    junk: Vec<NewJunk>,
) -> Result<(), Error> {
    let mut counts: BTreeMap<(i64, String, &'static str), u64> = BTreeMap::new();
    for one in junk {
        *counts
            .entry((
                hour_of(one.at),
                without_nul(&one.subject),
                one.reason.as_str(),
            ))
            .or_default() += 1;
    }
    let columns = vec![
        Column::Int(counts.keys().map(|(hour, ..)| Some(*hour)).collect()),
        Column::texts(counts.keys().map(|(_, subject, _)| subject.as_str())),
        Column::texts(counts.keys().map(|(_, _, reason)| *reason)),
        Column::ints(counts.values().copied()),
    ];
    let tail =
        "on conflict (hour, subject, reason) do update set count = junk.count + excluded.count";
    insert::<DB>(connection, &tables::JUNK, tail, columns).await
}
/// The hour of a time begins at this millisecond.
fn hour_of(time: Timestamp) -> i64 {
    const HOUR_MS: i64 = 3_600_000;
    time.as_millisecond().div_euclid(HOUR_MS) * HOUR_MS
}

/// The columns of a refused event, in the order that [`read_refused`] takes them.
macro_rules! refused_columns {
    () => {
        "select r.number, r.at, r.source, r.event_id, r.payload_hash, r.reason, r.detail, r.first_idx, c.times, b.envelope \
         from refused r join refused_count c on c.number = r.number left join refused_body b on b.number = r.number "
    };
}
const REFUSED: &str = concat!(
    refused_columns!(),
    "where r.number < $1 order by r.number desc limit $2"
);
const REFUSED_OF_PAYLOAD: &str = concat!(
    refused_columns!(),
    "where r.payload_hash = $1 order by r.number desc limit 1"
);

pub(super) async fn refused<DB: Dialect>(
    store: &Sql<DB>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<RefusedRow>, Error> {
    let rows = store
        .rows(REFUSED, values![before.unwrap_or(u64::MAX), limit])
        .await?;
    rows.iter().map(read_refused).collect()
}
pub(super) async fn of_payload<DB: Dialect>(
    store: &Sql<DB>,
    payload_hash: Hash,
) -> Result<Option<RefusedRow>, Error> {
    let row = store.row(REFUSED_OF_PAYLOAD, values![payload_hash]).await?;
    row.as_ref().map(read_refused).transpose()
}
fn read_refused(row: &impl Columns) -> Result<RefusedRow, Error> {
    let number = row.count(0).map_err(at(|| "refused".to_owned()))?;
    let read = || {
        Ok(RefusedRow {
            number,
            at: row.instant(1)?,
            source: row.text(2)?,
            event_id: row.text(3)?,
            payload_hash: row.hash(4)?,
            reason: row.text(5)?,
            detail: row.text(6)?,
            first: row.maybe_count(7)?,
            times: row.count(8)?,
            envelope: row.optional_text(9)?,
        })
    };
    read().map_err(at(|| format!("refused {number}")))
}

const JUNK: &str =
    "select hour, subject, reason, count from junk order by hour desc, subject, reason limit $1";

pub(super) async fn junk<DB: Dialect>(store: &Sql<DB>, limit: u32) -> Result<Vec<JunkRow>, Error> {
    let rows = store.rows(JUNK, values![limit]).await?;
    let read = |row: &DB::Row| {
        Ok(JunkRow {
            hour: row.millis(0)?,
            subject: row.text(1)?,
            reason: row.text(2)?,
            count: row.count(3)?,
        })
    };
    rows.iter()
        .map(|row| read(row).map_err(at(|| "junk".to_owned())))
        .collect()
}
