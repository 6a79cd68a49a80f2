//! The one write of the projector: a batch, in one transaction, head first.

use std::collections::{BTreeMap, BTreeSet};

use piperoll_core::{envelope::Text, limits::TEXTS_BYTES_MAX};

use super::{
    Column, Columns, Dialect, Sql, Value,
    dialect::{at, instant_text, int},
    fetch, insert, read_models, refused, tables, values,
};
use crate::{Batch, Consumed, Cursor, Error, Expected, Head, NewEntry};
use piperoll_tlog::tile::CompleteTile;

const HEAD: &str = "select size, root, epoch, recorded_at, incarnation, sequence, message_hash, message_time from head where one = 1";

pub(super) async fn head<DB: Dialect>(store: &Sql<DB>) -> Result<Option<Head>, Error> {
    let row = store.row(HEAD, values![]).await?;
    row.map(|row| read_head(&row).map_err(at(|| "head".to_owned())))
        .transpose()
}
fn read_head(row: &impl Columns) -> Result<Head, Error> {
    let message = match row.optional_bytes(6)? {
        None => None,
        Some(_) => Some((row.hash(6)?, row.instant(7)?)),
    };
    Ok(Head {
        size: row.count(0)?,
        root: row.hash(1)?,
        epoch: row.count(2)?,
        recorded_at: row.millis(3)?,
        cursor: Cursor {
            incarnation: row.text(4)?,
            sequence: row.count(5)?,
            message,
        },
    })
}

/// What must hold of a batch before the database sees it: its entries continue the ledger, and the head counts them.
pub(super) fn check(batch: &Batch) -> Result<(), Error> {
    let wrong = |what: String| {
        Err(Error::Corrupt {
            place: "the batch".to_owned(),
            what,
        })
    };
    let mut next = batch.expected.as_ref().map_or(0, |head| head.size);
    for entry in &batch.entries {
        if entry.index != next {
            return wrong(format!("entry {} where {next} is the next", entry.index));
        }
        next += 1;
    }
    if batch.head.size != next {
        return wrong(format!(
            "a head of size {} where its entries make {next}",
            batch.head.size
        ));
    }
    Ok(())
}

/// The head moves first: whoever loses the race has written nothing yet, and learns it here.
pub(super) async fn commit<DB: Dialect>(
    connection: &mut DB::Connection,
    batch: Batch,
) -> Result<(), Error> {
    move_head::<DB>(connection, batch.expected, &batch.head).await?;
    insert_entries::<DB>(connection, batch.entries).await?;
    insert_late_texts::<DB>(connection, batch.late_texts).await?;
    insert_tiles::<DB>(connection, batch.tiles).await?;
    refused::insert_refused::<DB>(connection, batch.refused).await?;
    refused::insert_junk::<DB>(connection, batch.junk).await?;
    insert_consumed::<DB>(connection, batch.consumed).await?;
    read_models::write::<DB>(connection, batch.fold, batch.read_models).await
}

const FIRST_HEAD: &str = "insert into head (one, size, root, epoch, recorded_at, incarnation, sequence, message_hash, message_time) \
     values (1, $1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning size";
const MOVE_HEAD: &str = "update head set size = $1, root = $2, epoch = $3, recorded_at = $4, incarnation = $5, sequence = $6, \
     message_hash = $7, message_time = $8 \
     where one = 1 and size = $9 and epoch = $10 and incarnation = $11 and sequence = $12 returning size";

async fn move_head<DB: Dialect>(
    connection: &mut DB::Connection,
    expected: Option<Expected>,
    head: &Head,
) -> Result<(), Error> {
    let (message_hash, message_time) = head
        .cursor
        .message
        .map(|(hash, time)| (hash, instant_text(time)))
        .unzip();
    let mut values = values![
        head.size,
        head.root,
        head.epoch,
        head.recorded_at.as_millisecond(),
        head.cursor.incarnation.as_str(),
        head.cursor.sequence,
        message_hash,
        message_time,
    ];
    let sql = match expected {
        None => FIRST_HEAD,
        Some(expected) => {
            values.extend(values![
                expected.size,
                expected.epoch,
                expected.incarnation.as_str(),
                expected.sequence,
            ]);
            MOVE_HEAD
        }
    };
    let moved = fetch::<DB>(connection, sql, values).await?;
    if moved.is_empty() {
        Err(Error::Conflict)
    } else {
        Ok(())
    }
}

async fn insert_entries<DB: Dialect>(
    connection: &mut DB::Connection,
    entries: Vec<NewEntry>,
) -> Result<(), Error> {
    let count = entries.len();
    let mut texts = TextColumns::default();
    let mut indexes = Vec::with_capacity(count);
    let mut recorded_at = Vec::with_capacity(count);
    let mut bytes: [Vec<Option<Vec<u8>>>; 4] = std::array::from_fn(|_| Vec::with_capacity(count));
    let mut words: [Vec<Option<String>>; 11] = std::array::from_fn(|_| Vec::with_capacity(count));
    for entry in entries {
        for (name, text) in entry.texts {
            texts.push(entry.index, name, text);
        }
        indexes.push(Some(int(entry.index)));
        recorded_at.push(Some(entry.recorded_at.as_millisecond()));
        let row = [
            entry.payload_hash.0.to_vec(),
            entry.leaf,
            entry.leaf_hash.0.to_vec(),
            entry.payload,
        ];
        for (column, value) in bytes.iter_mut().zip(row) {
            column.push(Some(value));
        }
        let row = [
            Some(entry.event_id),
            Some(entry.source),
            Some(entry.kind),
            Some(entry.type_name),
            Some(instant_text(entry.time)),
            Some(entry.subject),
            entry.change,
            entry.service,
            entry.environment,
            Some(entry.keyid),
            Some(instant_text(entry.stream_time)),
        ];
        for (column, value) in words.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let [payload_hash, leaf, leaf_hash, payload] = bytes.map(Column::Bytes);
    let mut columns = vec![
        Column::Int(indexes.clone()),
        Column::Int(recorded_at),
        payload_hash,
        leaf,
        leaf_hash,
    ];
    columns.extend(words.map(Column::Text));
    insert::<DB>(connection, &tables::ENTRY, "", columns).await?;
    insert::<DB>(
        connection,
        &tables::PAYLOAD,
        "",
        vec![Column::Int(indexes), payload],
    )
    .await?;
    insert::<DB>(connection, &tables::TEXT, "", texts.into_columns()).await
}

/// Rows of the text table, column by column.
#[derive(Default)]
struct TextColumns {
    indexes: Vec<Option<i64>>,
    names: Vec<Option<String>>,
    salts: Vec<Option<Vec<u8>>>,
    bodies: Vec<Option<String>>,
}
impl TextColumns {
    fn push(&mut self, index: u64, name: String, text: Text) {
        self.indexes.push(Some(int(index)));
        self.names.push(Some(name));
        self.salts.push(Some(text.salt.to_vec()));
        self.bodies.push(Some(text.body));
    }
    fn into_columns(self) -> Vec<Column> {
        vec![
            Column::Int(self.indexes),
            Column::Text(self.names),
            Column::Bytes(self.salts),
            Column::Text(self.bodies),
        ]
    }
}

/// Keeps texts only where no row is there, be it a text or one that was erased: the first that matched its hash stays. All texts of
/// an entry are at most 48 KiB, however many messages they came with.
async fn insert_late_texts<DB: Dialect>(
    connection: &mut DB::Connection,
    late: Vec<(u64, String, Text)>,
) -> Result<(), Error> {
    if late.is_empty() {
        return Ok(());
    }
    let indexes: BTreeSet<u64> = late.iter().map(|(index, ..)| *index).collect();
    let list = Value::List(vec![Column::ints(indexes)]);
    let mut there = BTreeSet::new();
    let mut bytes: BTreeMap<u64, usize> = BTreeMap::new();
    for row in fetch::<DB>(connection, DB::STATEMENTS.texts_at, vec![list]).await? {
        let index = row.count(0)?;
        there.insert((index, row.text(1)?));
        *bytes.entry(index).or_default() += row.optional_text(3)?.map_or(0, |body| body.len());
    }
    let mut texts = TextColumns::default();
    for (index, name, text) in late {
        let held = bytes.entry(index).or_default();
        let fits = *held + text.body.len() <= TEXTS_BYTES_MAX;
        if fits && there.insert((index, name.clone())) {
            *held += text.body.len();
            texts.push(index, name, text);
        }
    }
    insert::<DB>(connection, &tables::TEXT, "", texts.into_columns()).await
}

async fn insert_tiles<DB: Dialect>(
    connection: &mut DB::Connection,
    mut tiles: Vec<CompleteTile>,
) -> Result<(), Error> {
    tiles.sort_by_key(|tile| tile.id);
    let columns = vec![
        Column::ints(tiles.iter().map(|tile| u64::from(tile.id.level))),
        Column::ints(tiles.iter().map(|tile| tile.id.index)),
        Column::Bytes(
            tiles
                .iter()
                .map(|tile| Some(tile.hashes.iter().flat_map(|hash| hash.0).collect()))
                .collect(),
        ),
        Column::hashes(tiles.iter().map(|tile| tile.root)),
    ];
    insert::<DB>(connection, &tables::TILE, "", columns).await
}

/// Safe, because the head's row is locked by now.
const NEXT_CONSUMED: &str = "select coalesce(max(number), -1) + 1 from consumed";

async fn insert_consumed<DB: Dialect>(
    connection: &mut DB::Connection,
    rows: Vec<Consumed>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let next = next_number::<DB>(connection, NEXT_CONSUMED).await?;
    let counts: Vec<[u64; 4]> = rows
        .iter()
        .map(|row| [row.recorded, row.duplicate, row.refused, row.junk])
        .collect();
    let mut columns = vec![
        Column::ints((next..).take(rows.len())),
        Column::texts(rows.iter().map(|row| row.incarnation.as_str())),
        Column::Int(
            rows.iter()
                .map(|row| row.range.map(|(from, _)| int(from)))
                .collect(),
        ),
        Column::Int(
            rows.iter()
                .map(|row| row.range.map(|(_, to)| int(to)))
                .collect(),
        ),
    ];
    columns.extend((0..4).map(|which| Column::ints(counts.iter().map(|row| row[which]))));
    insert::<DB>(connection, &tables::CONSUMED, "", columns).await
}

pub(super) async fn next_number<DB: Dialect>(
    connection: &mut DB::Connection,
    sql: &'static str,
) -> Result<u64, Error> {
    match fetch::<DB>(connection, sql, values![]).await?.first() {
        Some(row) => row.count(0),
        None => Ok(0),
    }
}
