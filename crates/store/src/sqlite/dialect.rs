//! How SQLite takes lists and rows in bulk.
//!
//! Each statement costs a hop to the connection's own thread, so rows go in many at a time, and a list is one parameter: JSON
//! that SQLite itself takes apart.

use serde_json::json;
use sqlx::{
    Arguments, AssertSqlSafe, Row, SqlSafeStr, SqlStr, Sqlite, SqliteConnection,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::sql::{
    Column, Columns, Dialect, Meaning, Statements, Table, Value, entries::entry_columns,
    questions::log_sql,
};

/// Rows in one statement, largest first: a few sizes only, so that the statements stay prepared. The largest has 64 × 15
/// parameters; SQLite allows 32,766.
const ROWS: [usize; 4] = [64, 16, 4, 1];

impl Dialect for Sqlite {
    const BEGIN_WRITE: &'static str = "begin immediate";
    const BEGIN_READ: &'static str = "begin deferred";
    // `cross join` keeps the order: for each one asked, look into the index.
    const STATEMENTS: Statements = Statements {
        find: "select asked.key, e.idx, e.payload_hash from json_each($1) as asked cross join entry as e \
               on e.source = asked.value ->> 0 and e.event_id = asked.value ->> 1",
        aggregates: "select asked.key, a.body from json_each($2) as asked cross join aggregate as a \
               on a.fold = $1 and a.kind = asked.value ->> 0 and a.key = asked.value ->> 1",
        entries_at: concat!(
            "select ",
            entry_columns!(),
            " where e.idx in (select value from json_each($1)) order by e.idx"
        ),
        texts_at: "select idx, name, salt, body from text where idx in (select value from json_each($1)) order by idx, name",
        indexes_of_kinds: "select idx from entry where idx >= $1 and kind in (select value from json_each($3)) \
               order by idx limit $2",
        refused_with: "select number, payload_hash, reason from refused \
               where payload_hash in (select unhex(value) from json_each($1))",
        close_slots: "update slot set to_index = closed.value ->> 2 from json_each($2) as closed \
               where slot.fold = $1 and slot.service = closed.value ->> 0 and slot.environment = closed.value ->> 1 \
               and slot.to_index is null",
        delete_aliases: "delete from alias where fold = $1 \
               and (alias, change) in (select value ->> 0, value ->> 1 from json_each($2))",
        delete_changes: "delete from change where fold = $1 and change in (select value from json_each($2))",
        log_of_indexes: log_sql!("idx", "idx in (select value from json_each($11))"),
        // `begin immediate` has the lock already.
        lock_lease: "select 1 where false",
        now_ms: "select cast(unixepoch('subsec') * 1000 as integer)",
    };

    async fn fetch(
        connection: &mut SqliteConnection,
        sql: SqlStr,
        values: Vec<Value>,
    ) -> sqlx::Result<Vec<SqliteRow>> {
        let mut arguments = SqliteArguments::default();
        for value in values {
            match value {
                Value::Int(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
                Value::Bytes(value) => arguments.add(value),
                Value::List(columns) => arguments.add(list(&columns)),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        sqlx::query_with(sql, arguments).fetch_all(connection).await
    }

    async fn insert(
        connection: &mut SqliteConnection,
        table: &'static Table,
        tail: &'static str,
        columns: Vec<Column>,
    ) -> sqlx::Result<()> {
        let mut left = columns.first().map_or(0, Column::len);
        let mut columns: Vec<Cells> = columns.into_iter().map(Cells::from).collect();
        while left > 0 {
            let rows = ROWS.into_iter().find(|rows| *rows <= left).unwrap_or(1);
            let mut arguments = SqliteArguments::default();
            for _ in 0..rows {
                for column in &mut columns {
                    column.put(&mut arguments).map_err(sqlx::Error::Encode)?;
                }
            }
            // Names of tables and columns come from constants; everything else is a parameter.
            let sql = AssertSqlSafe(insert_sql(table, tail, rows)).into_sql_str();
            sqlx::query_with(sql, arguments)
                .execute(&mut *connection)
                .await?;
            left -= rows;
        }
        Ok(())
    }

    /// The codes of <https://sqlite.org/rescode.html>; the low byte is the primary one.
    fn judge(error: &dyn sqlx::error::DatabaseError) -> Meaning {
        if error.is_unique_violation() {
            return Meaning::Conflict;
        }
        match primary_code(error) {
            Some(5 | 6 | 10 | 13) => Meaning::Unavailable, // busy, locked, I/O error, disk full
            Some(11 | 26) => Meaning::Corrupt,             // corrupt, not a database
            Some(8) => Meaning::Unfit {
                what: "the ledger's file may not be written",
                remedy: "use an account that may write the file and its folder",
            },
            Some(14) => Meaning::Unfit {
                what: "the ledger's file, or one beside it, cannot be opened or made",
                remedy: "name a folder that exists and may be written",
            },
            Some(_) | None => Meaning::Other,
        }
    }
}
fn primary_code(error: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    let code: u32 = error.code()?.parse().ok()?;
    Some(code & 0xff)
}
fn code_of(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error().and_then(primary_code)
}
/// Whether SQLite could not open the file, or a file that it needs beside it (`SQLITE_CANTOPEN`, `SQLITE_READONLY`).
pub(super) fn cannot_open(error: &sqlx::Error) -> bool {
    matches!(code_of(error), Some(14 | 8))
}
/// Whether the file is no SQLite database at all (`SQLITE_NOTADB`).
pub(super) fn no_database(error: &sqlx::Error) -> bool {
    code_of(error) == Some(26)
}

fn insert_sql(table: &Table, tail: &str, rows: usize) -> String {
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let columns = table.list(table.columns.len());
    format!(
        "insert into {} ({columns}) values {} {tail}",
        table.name,
        vec![row; rows].join(", ")
    )
}

/// A list as JSON: `[a, b]` for one column, `[[a, x], [b, y]]` for more; bytes in hexadecimal.
fn list(columns: &[Column]) -> String {
    let cell = |column: &Column, row: usize| match column {
        Column::Int(values) => json!(values[row]),
        Column::Text(values) => json!(values[row]),
        Column::Bytes(values) => json!(values[row].as_ref().map(|bytes| hex(bytes))),
    };
    let rows = columns.first().map_or(0, Column::len);
    let rows = (0..rows).map(|row| match columns {
        [one] => cell(one, row),
        many => many.iter().map(|column| cell(column, row)).collect(),
    });
    serde_json::Value::Array(rows.collect()).to_string()
}
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// A column that is given away row by row.
enum Cells {
    Int(std::vec::IntoIter<Option<i64>>),
    Text(std::vec::IntoIter<Option<String>>),
    Bytes(std::vec::IntoIter<Option<Vec<u8>>>),
}
impl From<Column> for Cells {
    fn from(column: Column) -> Self {
        match column {
            Column::Int(values) => Self::Int(values.into_iter()),
            Column::Text(values) => Self::Text(values.into_iter()),
            Column::Bytes(values) => Self::Bytes(values.into_iter()),
        }
    }
}
impl Cells {
    fn put(&mut self, arguments: &mut SqliteArguments) -> Result<(), sqlx::error::BoxDynError> {
        match self {
            Self::Int(values) => arguments.add(values.next().flatten()),
            Self::Text(values) => arguments.add(values.next().flatten()),
            Self::Bytes(values) => arguments.add(values.next().flatten()),
        }
    }
}

impl Columns for SqliteRow {
    fn maybe_int(&self, at: usize) -> sqlx::Result<Option<i64>> {
        self.try_get(at)
    }
    fn maybe_text(&self, at: usize) -> sqlx::Result<Option<String>> {
        self.try_get(at)
    }
    fn maybe_bytes(&self, at: usize) -> sqlx::Result<Option<Vec<u8>>> {
        self.try_get(at)
    }
}
