//! The questions people ask of entries and read models, and the account of the stream.

use super::{
    Column, Columns, Dialect, Sql, Value,
    dialect::{at, instant_text, without_nul},
    values,
};
use crate::{ChangeRow, Consumed, Error, LogFilter, SlotRow, StoredConsumed};

/// The statement of `log`, with the condition that finds its rows in front and the upper end of the indexes as given. One
/// statement for each index of `entry`, so that neither database has to guess which member of the filter is set.
macro_rules! log_sql {
    ($index:literal, $first:literal) => {
        concat!(
            "select idx from entry where ",
            $index,
            " < $1 and ",
            $first,
            " and ($2 is null or service = $2) and ($3 is null or environment = $3) and ($4 is null or kind = $4) \
             and ($5 is null or (kind >= $5 and kind < $6)) and ($7 is null or source = $7) \
             and ($8 is null or time >= $8) and ($9 is null or time < $9) order by idx desc limit $10"
        )
    };
}
pub(crate) use log_sql;

const LOG: &str = log_sql!("idx", "true");
const LOG_OF_PRINCIPAL: &str = log_sql!("idx", "source = $7");
const LOG_OF_SERVICE: &str = log_sql!("idx", "service = $2");
const LOG_OF_KIND: &str = log_sql!("idx", "kind = $4");
/// `+idx` keeps SQLite from walking the whole ledger by index when only a window of time is wanted.
const LOG_OF_TIME: &str = log_sql!("+idx", "time >= $8 and time < $9");

/// Sorts behind every text that we keep.
const LAST_TEXT: &str = "\u{10FFFF}";

pub(super) async fn log<DB: Dialect>(
    store: &Sql<DB>,
    filter: &LogFilter,
) -> Result<Vec<u64>, Error> {
    let below = filter
        .before
        .map_or(filter.as_of, |before| before.min(filter.as_of));
    let clean = |text: &Option<String>| text.as_deref().map(without_nul);
    let (kind, prefix) = match filter.kind.as_deref().map(without_nul) {
        None => (None, None),
        Some(kind) => match kind.strip_suffix('*') {
            Some(prefix) => (None, Some(prefix.to_owned())),
            None => (Some(kind), None),
        },
    };
    let mut since = filter.since.map(instant_text);
    let mut until = filter.until.map(instant_text);
    let sql = if filter.indexes.is_some() {
        DB::STATEMENTS.log_of_indexes
    } else if filter.principal.is_some() {
        LOG_OF_PRINCIPAL
    } else if filter.service.is_some() {
        LOG_OF_SERVICE
    } else if kind.is_some() {
        LOG_OF_KIND
    } else if since.is_some() || until.is_some() {
        since.get_or_insert_default();
        until.get_or_insert_with(|| LAST_TEXT.to_owned());
        LOG_OF_TIME
    } else {
        LOG
    };
    let prefix_end = prefix.as_ref().map(|prefix| format!("{prefix}{LAST_TEXT}"));
    let mut values = values![
        below,
        clean(&filter.service),
        clean(&filter.environment),
        kind,
        prefix,
        prefix_end,
        clean(&filter.principal),
        since,
        until,
        filter.limit,
    ];
    if let Some(indexes) = &filter.indexes {
        values.push(Value::List(vec![Column::ints(indexes.iter().copied())]));
    }
    let rows = store.rows(sql, values).await?;
    rows.iter().map(|row| row.count(0)).collect()
}

/// What is there now, and what was closed since, each by its own index: there may be many rows of what was there long ago.
const SLOTS: &str = "select service, environment, from_index, to_index, body from ( \
     select service, environment, from_index, to_index, body from slot where fold = $1 and to_index is null and from_index < $2 \
     union all \
     select service, environment, from_index, to_index, body from slot where fold = $1 and to_index >= $2 and from_index < $2 \
     ) as then_there order by service, environment";

pub(super) async fn slots<DB: Dialect>(
    store: &Sql<DB>,
    fold: u32,
    as_of: u64,
) -> Result<Vec<SlotRow>, Error> {
    let rows = store.rows(SLOTS, values![fold, as_of]).await?;
    rows.iter().map(|row| read_slot(row, as_of)).collect()
}
/// A row that an entry at or after `as_of` closed was still in force then.
fn read_slot(row: &impl Columns, as_of: u64) -> Result<SlotRow, Error> {
    let read = || {
        Ok(SlotRow {
            service: row.text(0)?,
            environment: row.text(1)?,
            from_index: row.count(2)?,
            to_index: row.maybe_count(3)?.filter(|to| *to < as_of),
            body: row.text(4)?,
        })
    };
    read().map_err(at(|| "slot".to_owned()))
}

const CHANGES_NAMED: &str = "select change from alias where fold = $1 and alias = $2 \
     union select change from change where fold = $1 and change = $2 order by 1 limit $3";
const CHANGES_STARTING: &str = "select change from alias where fold = $1 and alias >= $2 and alias < $3 \
     union select change from change where fold = $1 and change >= $2 and change < $3 order by 1 limit $4";

pub(super) async fn find_changes<DB: Dialect>(
    store: &Sql<DB>,
    fold: u32,
    text: &str,
    limit: u32,
) -> Result<Vec<String>, Error> {
    let text = without_nul(text);
    let mut rows = store
        .rows(CHANGES_NAMED, values![fold, text.as_str(), limit])
        .await?;
    if rows.is_empty() {
        let end = format!("{text}{LAST_TEXT}");
        rows = store
            .rows(CHANGES_STARTING, values![fold, text, end, limit])
            .await?;
    }
    rows.iter().map(|row| row.text(0)).collect()
}

/// `$3` is the place of the last row in the page; rows that share its entry come along.
const CHANGES: &str = "select change, service, last_index from change where fold = $1 and last_index < $2 \
     and last_index >= coalesce((select last_index from change where fold = $1 and last_index < $2 \
     order by last_index desc limit 1 offset $3), 0) order by last_index desc, change";

pub(super) async fn changes<DB: Dialect>(
    store: &Sql<DB>,
    fold: u32,
    before_index: Option<u64>,
    limit: u32,
) -> Result<Vec<ChangeRow>, Error> {
    let Some(last_place) = limit.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let before = before_index.unwrap_or(u64::MAX);
    let rows = store
        .rows(CHANGES, values![fold, before, last_place])
        .await?;
    let read = |row: &DB::Row| {
        Ok(ChangeRow {
            change: row.text(0)?,
            service: row.optional_text(1)?,
            last_index: row.count(2)?,
        })
    };
    rows.iter()
        .map(|row| read(row).map_err(at(|| "change".to_owned())))
        .collect()
}

const CONSUMED: &str = "select number, incarnation, from_sequence, to_sequence, recorded, duplicate, refused, junk \
     from consumed where number >= $1 order by number limit $2";

pub(super) async fn consumed<DB: Dialect>(
    store: &Sql<DB>,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredConsumed>, Error> {
    let rows = store.rows(CONSUMED, values![from, limit]).await?;
    rows.iter()
        .map(|row| {
            let number = row.count(0)?;
            let consumed = read_consumed(row).map_err(at(|| format!("consumed {number}")))?;
            Ok(StoredConsumed { number, consumed })
        })
        .collect()
}
fn read_consumed(row: &impl Columns) -> Result<Consumed, Error> {
    Ok(Consumed {
        incarnation: row.text(1)?,
        range: row.maybe_count(2)?.zip(row.maybe_count(3)?),
        recorded: row.count(4)?,
        duplicate: row.count(5)?,
        refused: row.count(6)?,
        junk: row.count(7)?,
    })
}
