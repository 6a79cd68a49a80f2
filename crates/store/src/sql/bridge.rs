//! The bridges' own outbox, their counts, and the accounts they gave.

use super::{
    Columns, Dialect, Sql,
    dialect::{at, instant_text, without_nul},
    fetch, values,
};
use crate::{BridgeCount, BridgePlace, BridgeRow, Error};

const KEEP: &str = "insert into bridge_seen (bridge, dedupe_key, ordinal, at, envelope) values ($1, $2, $3, $4, $5) \
     on conflict do nothing returning ordinal";

/// They go in one by one, all in one transaction: whoever has many gives them in several calls.
pub(super) async fn keep<DB: Dialect>(
    connection: &mut DB::Connection,
    rows: Vec<BridgeRow>,
) -> Result<Vec<bool>, Error> {
    let mut stored = Vec::with_capacity(rows.len());
    for row in rows {
        let values = values![
            row.bridge,
            without_nul(&row.dedupe_key),
            row.ordinal,
            instant_text(row.at),
            row.envelope
        ];
        stored.push(!fetch::<DB>(connection, KEEP, values).await?.is_empty());
    }
    Ok(stored)
}

const UNSENT: &str = "select bridge, dedupe_key, ordinal, at, envelope from bridge_seen \
     where envelope is not null and (at, bridge, dedupe_key, ordinal) > ($1, $2, $3, $4) \
     order by at, bridge, dedupe_key, ordinal limit $5";

pub(super) async fn unsent<DB: Dialect>(
    store: &Sql<DB>,
    after: Option<&BridgePlace>,
    limit: u32,
) -> Result<Vec<BridgeRow>, Error> {
    let values = match after {
        Some(place) => values![
            instant_text(place.at),
            place.bridge.as_str(),
            without_nul(&place.dedupe_key),
            place.ordinal,
            limit
        ],
        None => values!["", "", "", 0_u32, limit],
    };
    let rows = store.rows(UNSENT, values).await?;
    let read = |row: &DB::Row| {
        Ok(BridgeRow {
            bridge: row.text(0)?,
            dedupe_key: row.text(1)?,
            ordinal: ordinal(row.count(2)?)?,
            at: row.instant(3)?,
            envelope: row.text(4)?,
        })
    };
    rows.iter()
        .map(|row| read(row).map_err(at(|| "bridge_seen".to_owned())))
        .collect()
}

fn ordinal(stored: u64) -> Result<u32, Error> {
    u32::try_from(stored).map_err(|_| Error::Corrupt {
        place: String::new(),
        what: format!("an ordinal of {stored}"),
    })
}

/// The envelope goes with its words; the dedupe key stays, so that the same body makes nothing again.
const DONE: &str =
    "update bridge_seen set envelope = null where bridge = $1 and dedupe_key = $2 and ordinal = $3";

pub(super) async fn done<DB: Dialect>(
    store: &Sql<DB>,
    bridge: &str,
    dedupe_key: &str,
    ordinal: u32,
) -> Result<(), Error> {
    let mut connection = store.write().await?;
    let values = values![bridge, without_nul(dedupe_key), ordinal];
    fetch::<DB>(&mut connection, DONE, values).await.map(drop)
}

const COUNT: &str = "insert into bridge_count (bridge, event, count) values ($1, $2, 1) \
     on conflict (bridge, event) do update set count = bridge_count.count + 1";
const COUNTS: &str = "select bridge, event, count from bridge_count order by bridge, event";

pub(super) async fn count<DB: Dialect>(
    store: &Sql<DB>,
    bridge: &str,
    event: &str,
) -> Result<(), Error> {
    let mut connection = store.write().await?;
    fetch::<DB>(&mut connection, COUNT, values![bridge, without_nul(event)])
        .await
        .map(drop)
}
pub(super) async fn counts<DB: Dialect>(store: &Sql<DB>) -> Result<Vec<BridgeCount>, Error> {
    let rows = store.rows(COUNTS, values![]).await?;
    let read = |row: &DB::Row| {
        Ok(BridgeCount {
            bridge: row.text(0)?,
            event: row.text(1)?,
            count: row.count(2)?,
        })
    };
    rows.iter()
        .map(|row| read(row).map_err(at(|| "bridge_count".to_owned())))
        .collect()
}

const GIVE_ACCOUNT: &str = "insert into login_id (host, user_id, account) values ($1, $2, $3) on conflict (host, user_id) do nothing returning account";
const ACCOUNT: &str = "select account from login_id where host = $1 and user_id = $2";

pub(super) async fn account<DB: Dialect>(
    store: &Sql<DB>,
    host: &str,
    user_id: &str,
    fresh: &str,
) -> Result<String, Error> {
    let key = (without_nul(host), without_nul(user_id));
    let known = store
        .row(ACCOUNT, values![key.0.as_str(), key.1.as_str()])
        .await?;
    if let Some(row) = known {
        return row.text(0);
    }
    let mut connection = store.write().await?;
    let given = fetch::<DB>(
        &mut connection,
        GIVE_ACCOUNT,
        values![key.0.as_str(), key.1.as_str(), fresh],
    )
    .await?;
    if let Some(row) = given.first() {
        return row.text(0);
    }
    // Another task gave one in between.
    let known = fetch::<DB>(&mut connection, ACCOUNT, values![key.0, key.1]).await?;
    known
        .first()
        .map_or(Err(Error::Conflict), |row| row.text(0))
}
