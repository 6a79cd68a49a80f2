//! Read models: what the fold made of the entries. All of it can be dropped and made again.

use std::collections::BTreeMap;

use piperoll_core::fold::{Changes, Key, Row};

use super::{
    Column, Columns, Dialect, Sql, Value, dialect::int, entries::position, fetch, fetch_patiently,
    insert, tables, values,
};
use crate::Error;

pub(super) async fn aggregates<DB: Dialect>(
    store: &Sql<DB>,
    fold: u32,
    keys: &[Key],
) -> Result<Vec<Option<String>>, Error> {
    let mut found = vec![None; keys.len()];
    if keys.is_empty() {
        return Ok(found);
    }
    let mut values = values![fold];
    values.push(Value::List(vec![
        Column::texts(keys.iter().map(|key| key.kind)),
        Column::texts(keys.iter().map(|key| key.id.as_str())),
    ]));
    for row in store.rows(DB::STATEMENTS.aggregates, values).await? {
        if let Some(place) = found.get_mut(position(&row)?) {
            *place = Some(row.text(1)?);
        }
    }
    Ok(found)
}

/// Writes what a batch changes: each aggregate once, and of each row what is left of it at the end.
pub(super) async fn write<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
    changes: Changes,
) -> Result<(), Error> {
    let (keys, bodies): (Vec<Key>, Vec<String>) = changes.aggregates.into_iter().unzip();
    let (kinds, ids): (Vec<&str>, Vec<String>) =
        keys.into_iter().map(|key| (key.kind, key.id)).unzip();
    let columns = vec![
        folds(fold, kinds.len()),
        Column::texts(kinds),
        Column::texts(ids),
        Column::texts(bodies),
    ];
    let tail = "on conflict (fold, kind, key) do update set body = excluded.body";
    insert::<DB>(connection, &tables::AGGREGATE, tail, columns).await?;

    let rows = Net::of(changes.rows);
    write_aliases::<DB>(connection, fold, rows.aliases).await?;
    write_changes::<DB>(connection, fold, rows.changes).await?;
    write_slots::<DB>(connection, fold, rows.slots).await
}
fn folds(fold: u32, count: usize) -> Column {
    Column::Int(vec![Some(i64::from(fold)); count])
}

/// What is left of the rows of a batch when each is done in order.
#[derive(Default, Debug, PartialEq, Eq)]
struct Net {
    /// (alias, change), and whether it is there at the end.
    aliases: BTreeMap<(String, String), bool>,
    /// Change to (service, last index), or `None` when it goes.
    changes: BTreeMap<String, Option<(Option<String>, u64)>>,
    /// (service, environment) to the rows that begin in this batch: from index to body.
    slots: BTreeMap<(String, String), BTreeMap<u64, String>>,
}
impl Net {
    fn of(rows: Vec<Row>) -> Self {
        let mut net = Self::default();
        for row in rows {
            match row {
                Row::Alias { alias, change } => {
                    net.aliases.insert((alias, change), true);
                }
                Row::AliasGone { alias, change } => {
                    net.aliases.insert((alias, change), false);
                }
                Row::Change {
                    change,
                    service,
                    last_index,
                } => {
                    net.changes.insert(change, Some((service, last_index)));
                }
                Row::ChangeGone { change } => {
                    net.changes.insert(change, None);
                }
                Row::Slot {
                    service,
                    environment,
                    from_index,
                    body,
                } => {
                    net.slots
                        .entry((service, environment))
                        .or_default()
                        .insert(from_index, body);
                }
            }
        }
        net
    }
}

async fn write_aliases<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
    aliases: BTreeMap<(String, String), bool>,
) -> Result<(), Error> {
    let (there, gone): (Vec<_>, Vec<_>) = aliases.into_iter().partition(|(_, there)| *there);
    let columns = |rows: Vec<((String, String), bool)>| {
        let (aliases, changes): (Vec<String>, Vec<String>) =
            rows.into_iter().map(|(key, _)| key).unzip();
        [Column::texts(aliases), Column::texts(changes)]
    };
    if !gone.is_empty() {
        let mut values = values![fold];
        values.push(Value::List(columns(gone).into()));
        fetch::<DB>(connection, DB::STATEMENTS.delete_aliases, values).await?;
    }
    let count = there.len();
    let [alias, change] = columns(there);
    let columns = vec![folds(fold, count), alias, change];
    insert::<DB>(
        connection,
        &tables::ALIAS,
        "on conflict do nothing",
        columns,
    )
    .await
}

async fn write_changes<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
    changes: BTreeMap<String, Option<(Option<String>, u64)>>,
) -> Result<(), Error> {
    let mut gone = Vec::new();
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (change, row) in changes {
        match row {
            None => gone.push(change),
            Some((service, last_index)) => {
                columns.0.push(Some(change));
                columns.1.push(service);
                columns.2.push(Some(int(last_index)));
            }
        }
    }
    if !gone.is_empty() {
        let mut values = values![fold];
        values.push(Value::List(vec![Column::texts(gone)]));
        fetch::<DB>(connection, DB::STATEMENTS.delete_changes, values).await?;
    }
    let columns = vec![
        folds(fold, columns.0.len()),
        Column::Text(columns.0),
        Column::Text(columns.1),
        Column::Int(columns.2),
    ];
    let tail = "on conflict (fold, change) do update set service = excluded.service, last_index = excluded.last_index";
    insert::<DB>(connection, &tables::CHANGE, tail, columns).await
}

/// Closes the row that was open where the first new one begins; those in between end where the next begins.
async fn write_slots<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
    slots: BTreeMap<(String, String), BTreeMap<u64, String>>,
) -> Result<(), Error> {
    if slots.is_empty() {
        return Ok(());
    }
    let mut close = (Vec::new(), Vec::new(), Vec::new());
    let mut names = (Vec::new(), Vec::new());
    let mut range = (Vec::new(), Vec::new());
    let mut bodies = Vec::new();
    for ((service, environment), rows) in slots {
        let ends: Vec<i64> = rows.keys().copied().map(int).collect();
        close.0.push(service.clone());
        close.1.push(environment.clone());
        close.2.push(ends.first().copied());
        for (place, body) in rows.into_values().enumerate() {
            names.0.push(service.clone());
            names.1.push(environment.clone());
            range.0.push(ends.get(place).copied());
            range.1.push(ends.get(place + 1).copied());
            bodies.push(body);
        }
    }
    let mut values = values![fold];
    values.push(Value::List(vec![
        Column::texts(close.0),
        Column::texts(close.1),
        Column::Int(close.2),
    ]));
    fetch::<DB>(connection, DB::STATEMENTS.close_slots, values).await?;
    let columns = vec![
        folds(fold, bodies.len()),
        Column::texts(names.0),
        Column::texts(names.1),
        Column::Int(range.0),
        Column::Int(range.1),
        Column::texts(bodies),
    ];
    insert::<DB>(connection, &tables::SLOT, "", columns).await
}

const DROP: [&str; 4] = [
    "delete from aggregate where fold = $1",
    "delete from alias where fold = $1",
    "delete from change where fold = $1",
    "delete from slot where fold = $1",
];
const ADOPT: [&str; 4] = [
    "update aggregate set fold = $1 where fold = $2",
    "update alias set fold = $1 where fold = $2",
    "update change set fold = $1 where fold = $2",
    "update slot set fold = $1 where fold = $2",
];
/// Writes the head's row without a change, so that no batch goes in while the read models are exchanged.
const HOLD_HEAD: &str =
    "update head set size = size where one = 1 and size = $1 and epoch = $2 returning size";

pub(super) async fn drop_fold<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
) -> Result<(), Error> {
    for sql in DROP {
        fetch_patiently::<DB>(connection, sql, values![fold]).await?;
    }
    Ok(())
}
pub(super) async fn adopt<DB: Dialect>(
    connection: &mut DB::Connection,
    from: u32,
    to: u32,
    (size, epoch): (u64, u64),
) -> Result<(), Error> {
    if fetch::<DB>(connection, HOLD_HEAD, values![size, epoch])
        .await?
        .is_empty()
    {
        return Err(Error::Conflict);
    }
    drop_fold::<DB>(connection, to).await?;
    for sql in ADOPT {
        fetch_patiently::<DB>(connection, sql, values![to, from]).await?;
    }
    Ok(())
}
