//! Entries, found by what they say.

use std::collections::BTreeMap;

use piperoll_core::{Hash, envelope::Text, judge::Known};

use super::{Column, Columns, Dialect, Sql, Value, dialect::at, values};
use crate::{Error, StoredEntry};

/// The columns of an entry, in the order that [`read_entry`] takes them.
macro_rules! entry_columns {
    () => {
        "e.idx, e.recorded_at, e.payload_hash, e.leaf, e.leaf_hash, e.event_id, e.source, e.kind, e.type_name, e.time, \
         e.subject, e.change, e.service, e.environment, e.keyid, e.stream_time, p.body from entry e left join payload p on p.idx = e.idx"
    };
}
pub(crate) use entry_columns;

const ENTRIES: &str = concat!(
    "select ",
    entry_columns!(),
    " where e.idx >= $1 order by e.idx limit $2"
);
const TEXTS: &str =
    "select idx, name, salt, body from text where idx >= $1 and idx <= $2 order by idx, name";

pub(super) async fn find<DB: Dialect>(
    store: &Sql<DB>,
    ids: &[(String, String)],
) -> Result<Vec<Option<Known>>, Error> {
    let mut found = vec![None; ids.len()];
    if ids.is_empty() {
        return Ok(found);
    }
    let list = Value::List(vec![
        Column::texts(ids.iter().map(|(source, _)| source.as_str())),
        Column::texts(ids.iter().map(|(_, id)| id.as_str())),
    ]);
    for row in store.rows(DB::STATEMENTS.find, vec![list]).await? {
        let index = row.count(1)?;
        let payload_hash = row.hash(2).map_err(at(|| format!("entry {index}")))?;
        if let Some(place) = found.get_mut(position(&row)?) {
            *place = Some(Known {
                index,
                payload_hash,
            });
        }
    }
    Ok(found)
}
/// Column 0 of a statement that answers a list: the position in it.
pub(super) fn position(row: &impl Columns) -> Result<usize, Error> {
    Ok(usize::try_from(row.count(0)?).unwrap_or(usize::MAX))
}

pub(super) async fn entries<DB: Dialect>(
    store: &Sql<DB>,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredEntry>, Error> {
    let mut entries = read_entries(&store.rows(ENTRIES, values![from, limit]).await?)?;
    if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
        let texts = store.rows(TEXTS, values![first.index, last.index]).await?;
        add_texts(&mut entries, &texts)?;
    }
    Ok(entries)
}
pub(super) async fn entries_at<DB: Dialect>(
    store: &Sql<DB>,
    indexes: &[u64],
) -> Result<Vec<StoredEntry>, Error> {
    let list = || vec![Value::List(vec![Column::ints(indexes.iter().copied())])];
    let mut entries = read_entries(&store.rows(DB::STATEMENTS.entries_at, list()).await?)?;
    if !entries.is_empty() {
        let texts = store.rows(DB::STATEMENTS.texts_at, list()).await?;
        add_texts(&mut entries, &texts)?;
    }
    Ok(entries)
}

fn read_entries(rows: &[impl Columns]) -> Result<Vec<StoredEntry>, Error> {
    rows.iter()
        .map(|row| {
            let index = row.count(0).map_err(at(|| "entry".to_owned()))?;
            read_entry(index, row).map_err(at(|| format!("entry {index}")))
        })
        .collect()
}
fn read_entry(index: u64, row: &impl Columns) -> Result<StoredEntry, Error> {
    Ok(StoredEntry {
        index,
        recorded_at: row.millis(1)?,
        payload_hash: row.hash(2)?,
        leaf: row.bytes(3)?,
        leaf_hash: row.hash(4)?,
        event_id: row.text(5)?,
        source: row.text(6)?,
        kind: row.text(7)?,
        type_name: row.text(8)?,
        time: row.instant(9)?,
        subject: row.text(10)?,
        change: row.optional_text(11)?,
        service: row.optional_text(12)?,
        environment: row.optional_text(13)?,
        keyid: row.text(14)?,
        stream_time: row.instant(15)?,
        payload: row.optional_bytes(16)?,
        texts: Vec::new(),
    })
}
fn add_texts(entries: &mut [StoredEntry], rows: &[impl Columns]) -> Result<(), Error> {
    let places: BTreeMap<u64, usize> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| (entry.index, place))
        .collect();
    for row in rows {
        let index = row.count(0)?;
        let named = |error| at(|| format!("the texts of entry {index}"))(error);
        let name = row.text(1).map_err(named)?;
        let text = read_text(row).map_err(named)?;
        if let Some(entry) = places.get(&index).and_then(|place| entries.get_mut(*place)) {
            entry.texts.push((name, text));
        }
    }
    Ok(())
}
/// A text whose words are gone was erased.
fn read_text(row: &impl Columns) -> Result<Option<Text>, Error> {
    let (Some(salt), Some(body)) = (row.optional_bytes(2)?, row.optional_text(3)?) else {
        return Ok(None);
    };
    let salt = <[u8; 16]>::try_from(salt).map_err(|salt| Error::Corrupt {
        place: String::new(),
        what: format!("a salt of {} bytes where 16 must be", salt.len()),
    })?;
    Ok(Some(Text { salt, body }))
}

pub(super) async fn indexes_of_kinds<DB: Dialect>(
    store: &Sql<DB>,
    kinds: &[&str],
    from: u64,
    limit: u32,
) -> Result<Vec<u64>, Error> {
    let mut values = values![from, limit];
    values.push(Value::List(vec![Column::texts(kinds.iter().copied())]));
    let rows = store.rows(DB::STATEMENTS.indexes_of_kinds, values).await?;
    rows.iter().map(|row| row.count(0)).collect()
}

const INDEX_OF_PAYLOAD: &str = "select idx from entry where payload_hash = $1";

pub(super) async fn index_of_payload<DB: Dialect>(
    store: &Sql<DB>,
    payload_hash: Hash,
) -> Result<Option<u64>, Error> {
    let row = store.row(INDEX_OF_PAYLOAD, values![payload_hash]).await?;
    row.map(|row| row.count(0)).transpose()
}
