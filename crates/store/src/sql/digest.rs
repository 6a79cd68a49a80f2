//! One hash over all read models of a fold, the same on both databases.
//!
//! For each table of [`tables::READ_MODELS`]: its name, then each row by primary key, then each column but the fold, so that two
//! folds can be compared. A column begins with a tag: 0 is nothing, 1 an integer of 8 bytes, 2 a text, whose length in bytes
//! stands in front as 8 bytes. Numbers are big-endian. The name of a table is written as a text is.

use piperoll_core::Hash;
use piperoll_tlog::hash::Sha256Stream;

use super::{Dialect, Value, pages::Pages, tables};
use crate::Error;

pub(super) async fn read_models<DB: Dialect>(
    connection: &mut DB::Connection,
    fold: u32,
) -> Result<Hash, Error> {
    let mut hash = Sha256Stream::default();
    for table in tables::READ_MODELS {
        put(&mut hash, &Value::from(table.name))?;
        let mut pages = Pages::of_fold(table, fold);
        while let Some(rows) = pages.next::<DB>(connection).await? {
            for value in rows.iter().flat_map(|row| row.iter().skip(1)) {
                put(&mut hash, value)?;
            }
        }
    }
    Ok(hash.finish())
}

fn put(hash: &mut Sha256Stream, value: &Value) -> Result<(), Error> {
    match value {
        Value::Int(None) | Value::Text(None) => hash.update(&[0]),
        Value::Int(Some(number)) => {
            hash.update(&[1]);
            hash.update(&number.to_be_bytes());
        }
        Value::Text(Some(text)) => {
            hash.update(&[2]);
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        Value::Bytes(_) | Value::List(_) => {
            return Err(Error::Corrupt {
                place: "the read models".to_owned(),
                what: "a column that is neither integer nor text".to_owned(),
            });
        }
    }
    Ok(())
}
