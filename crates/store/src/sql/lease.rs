//! Who projects: one row, by the database's clock.

use super::{
    Columns, Dialect, Sql,
    dialect::{at, int},
    fetch, values,
};
use crate::{Error, Lease};

const LEASE: &str = "select epoch, holder, address, until_ms from lease where one = 1";
const HEAD_EPOCH: &str = "select epoch from head where one = 1";
const PUT_LEASE: &str = "insert into lease (one, epoch, holder, address, until_ms) values (1, $1, $2, $3, $4) \
     on conflict (one) do update set epoch = excluded.epoch, holder = excluded.holder, address = excluded.address, \
     until_ms = excluded.until_ms";
const RAISE_EPOCH: &str = "update head set epoch = $1 where one = 1 and epoch < $1";
const RENEW: &str = "update lease set until_ms = $1 where one = 1 and holder = $2 and epoch = $3 and until_ms > $4 returning epoch";
const RELEASE: &str = "update lease set until_ms = 0 where one = 1 and holder = $1 and epoch = $2";

/// Raises the epoch of lease and head in one transaction, so that whoever held it before can commit nothing any more.
pub(super) async fn take<DB: Dialect>(
    store: &Sql<DB>,
    holder: &str,
    address: &str,
    for_ms: u32,
) -> Result<Lease, Error> {
    let (holder, address) = (holder.to_owned(), address.to_owned());
    store
        .transaction(move |connection| {
            Box::pin(async move {
                // The lock orders those who take the lease for the first time, when there is no row yet that could.
                fetch::<DB>(connection, DB::STATEMENTS.lock_lease, values![]).await?;
                let now = now_ms::<DB>(connection).await?;
                let rows = fetch::<DB>(connection, LEASE, values![]).await?;
                let known = rows.first().map(|row| read(row, now)).transpose()?;
                if let Some(known) = known
                    .as_ref()
                    .filter(|known| known.live && known.holder != holder)
                {
                    return Ok(known.clone());
                }
                let head = fetch::<DB>(connection, HEAD_EPOCH, values![]).await?;
                let highest = match head.first() {
                    Some(row) => row.count(0)?,
                    None => 0,
                };
                let epoch = highest.max(known.map_or(0, |known| known.epoch)) + 1;
                let until_ms = now + i64::from(for_ms);
                let values = values![epoch, holder.as_str(), address.as_str(), until_ms];
                fetch::<DB>(connection, PUT_LEASE, values).await?;
                fetch::<DB>(connection, RAISE_EPOCH, values![epoch]).await?;
                Ok(Lease {
                    epoch,
                    holder,
                    address,
                    until: millis(until_ms)?,
                    live: true,
                })
            })
        })
        .await
}

pub(super) async fn renew<DB: Dialect>(
    store: &Sql<DB>,
    holder: &str,
    epoch: u64,
    for_ms: u32,
) -> Result<bool, Error> {
    let holder = holder.to_owned();
    store
        .transaction(move |connection| {
            Box::pin(async move {
                let now = now_ms::<DB>(connection).await?;
                let values = values![now + i64::from(for_ms), holder, int(epoch), now];
                Ok(!fetch::<DB>(connection, RENEW, values).await?.is_empty())
            })
        })
        .await
}
pub(super) async fn release<DB: Dialect>(
    store: &Sql<DB>,
    holder: &str,
    epoch: u64,
) -> Result<(), Error> {
    let mut connection = store.write().await?;
    fetch::<DB>(&mut connection, RELEASE, values![holder, epoch])
        .await
        .map(drop)
}
pub(super) async fn lease<DB: Dialect>(store: &Sql<DB>) -> Result<Option<Lease>, Error> {
    store
        .moment(|connection| {
            Box::pin(async move {
                let now = now_ms::<DB>(connection).await?;
                let rows = fetch::<DB>(connection, LEASE, values![]).await?;
                rows.first().map(|row| read(row, now)).transpose()
            })
        })
        .await
}

async fn now_ms<DB: Dialect>(connection: &mut DB::Connection) -> Result<i64, Error> {
    let rows = fetch::<DB>(connection, DB::STATEMENTS.now_ms, values![]).await?;
    let row = rows.first().ok_or_else(|| Error::Corrupt {
        place: "the database's clock".to_owned(),
        what: "no answer".to_owned(),
    })?;
    row.signed(0)
}
fn read(row: &impl Columns, now: i64) -> Result<Lease, Error> {
    let read = || {
        Ok(Lease {
            epoch: row.count(0)?,
            holder: row.text(1)?,
            address: row.text(2)?,
            until: row.millis(3)?,
            live: row.signed(3)? > now,
        })
    };
    read().map_err(at(|| "lease".to_owned()))
}
fn millis(value: i64) -> Result<jiff::Timestamp, Error> {
    jiff::Timestamp::from_millisecond(value).map_err(|_| Error::Corrupt {
        place: "lease".to_owned(),
        what: format!("{value} is no time in milliseconds"),
    })
}
