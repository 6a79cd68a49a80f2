//! What only an audit asks: whether anything is stored that the head and the account of the stream do not speak of.

use super::{Columns, Dialect, Sql, dialect::at, values};
use crate::{Beyond, Error, Numbered, Tally};

/// One statement, so that rows and head are of the same moment, also beside a running server.
const BEYOND_HEAD: &str = "\
    select name, idx from ( \
    select 'entry' as name, idx from entry where idx < 0 or idx >= (select coalesce(max(size), 0) from head) \
    union all select 'payload', idx from payload where idx < 0 or idx >= (select coalesce(max(size), 0) from head) \
    union all select 'text', idx from text where idx < 0 or idx >= (select coalesce(max(size), 0) from head) \
    union all select 'checkpoint', size from checkpoint where size <= 0 \
    union all select 'tile', case when idx < 0 then idx else level end from tile where level < 0 or idx < 0 \
    union all select 'consumed', number from consumed where number < 0 \
    union all select 'checkpoint', size from checkpoint group by size having count(*) > 1 \
    union all select 'head', one from head where one <> 1 \
    union all select 'head', one from head group by one having count(*) > 1 \
    ) as beyond order by idx, name limit 1";

pub(super) async fn beyond_head<DB: Dialect>(store: &Sql<DB>) -> Result<Option<Beyond>, Error> {
    let Some(row) = store.row(BEYOND_HEAD, values![]).await? else {
        return Ok(None);
    };
    let table = row.text(0)?;
    let number = row.signed(1).map_err(at(|| table.clone()))?;
    Ok(Some(Beyond { table, number }))
}

/// One statement for the same reason.
const TALLY: &str = "select \
    (select cast(coalesce(sum(refused), 0) as bigint) from consumed), \
    (select cast(coalesce(sum(times), 0) as bigint) from refused_count), \
    (select cast(coalesce(sum(junk), 0) as bigint) from consumed), \
    (select cast(coalesce(sum(count), 0) as bigint) from junk), \
    (select count(*) from refused), (select coalesce(max(number), -1) + 1 from refused), \
    (select count(*) from refused_body), (select coalesce(max(number), -1) + 1 from refused_body), \
    (select count(*) from refused_count), (select coalesce(max(number), -1) + 1 from refused_count)";

pub(super) async fn tally<DB: Dialect>(store: &Sql<DB>) -> Result<Tally, Error> {
    let Some(row) = store.row(TALLY, values![]).await? else {
        return Err(Error::Corrupt {
            place: "refused".to_owned(),
            what: "counting gave no row".to_owned(),
        });
    };
    let numbered = |first: usize| {
        Ok::<_, Error>(Numbered {
            rows: row.count(first)?,
            next: row.count(first + 1)?,
        })
    };
    let read = || {
        Ok(Tally {
            refused_consumed: row.count(0)?,
            refused_times: row.count(1)?,
            junk_consumed: row.count(2)?,
            junk_counted: row.count(3)?,
            refused: numbered(4)?,
            bodies: numbered(6)?,
            counts: numbered(8)?,
        })
    };
    read().map_err(at(|| "refused".to_owned()))
}
