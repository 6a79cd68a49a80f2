//! One hash over rows, the same on both databases.
//!
//! For the read models of a fold: for each table of [`tables::READ_MODELS`] its name, then each row by primary key, then each
//! column but the fold, so that two folds can be compared. A column begins with a tag: 0 is nothing, 1 an integer of 8 bytes,
//! 2 a text and 3 bytes, whose length in bytes stands in front as 8 bytes. Numbers are big-endian. The name of a table is
//! written as a text is.

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
        put(&mut hash, &Value::from(table.name));
        let mut pages = Pages::of_fold(table, fold);
        while let Some(rows) = pages.next::<DB>(connection).await? {
            for value in rows.iter().flat_map(|row| row.iter().skip(1)) {
                put(&mut hash, value);
            }
        }
    }
    Ok(hash.finish())
}

pub(crate) fn put(hash: &mut Sha256Stream, value: &Value) {
    match value {
        Value::Int(None) | Value::Text(None) | Value::Bytes(None) => hash.update(&[0]),
        Value::Int(Some(number)) => {
            hash.update(&[1]);
            hash.update(&number.to_be_bytes());
        }
        Value::Text(Some(text)) => put_bytes(hash, 2, text.as_bytes()),
        Value::Bytes(Some(bytes)) => put_bytes(hash, 3, bytes),
        // Parameters of statements only; no row holds one.
        Value::List(_) => {}
    }
}
fn put_bytes(hash: &mut Sha256Stream, tag: u8, bytes: &[u8]) {
    hash.update(&[tag]);
    hash.update(&(bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
