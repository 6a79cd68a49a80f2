//! A whole table, page by page in the order of its key: for digests, copies and comparisons.

use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{
    Columns, Dialect, Table, Value,
    dialect::{Kind, at},
    failed,
};
use crate::Error;

/// Rows of a page: few enough that a page of the largest rows (payloads of 64 KiB) stays below 32 MiB.
const ROWS_MAX: u32 = 500;

pub(crate) struct Pages {
    table: &'static Table,
    /// Only rows of this fold.
    fold: Option<u32>,
    /// The key of the last row given.
    after: Option<Vec<Value>>,
    done: bool,
}
impl Pages {
    pub(crate) fn of(table: &'static Table) -> Self {
        Self {
            table,
            fold: None,
            after: None,
            done: false,
        }
    }
    pub(crate) fn of_fold(table: &'static Table, fold: u32) -> Self {
        Self {
            fold: Some(fold),
            ..Self::of(table)
        }
    }
    /// The next rows, or `None` at the end.
    pub(crate) async fn next<DB: Dialect>(
        &mut self,
        connection: &mut DB::Connection,
    ) -> Result<Option<Vec<Vec<Value>>>, Error> {
        if self.done {
            return Ok(None);
        }
        let (sql, values) = self.statement();
        // Names of tables and columns come from constants; everything else is a parameter.
        let rows = DB::fetch(connection, AssertSqlSafe(sql).into_sql_str(), values)
            .await
            .map_err(failed::<DB>)?;
        let rows: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| self.read(row).map_err(at(|| self.table.name.to_owned())))
            .collect::<Result<_, _>>()?;
        self.done = rows.len() < ROWS_MAX as usize;
        if let Some(last) = rows.last() {
            self.after = Some(last[..self.table.key].to_vec());
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
    fn statement(&self) -> (String, Vec<Value>) {
        let Table { name, columns, key } = self.table;
        let (columns, key) = (self.table.list(columns.len()), self.table.list(*key));
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        if let Some(fold) = self.fold {
            values.push(Value::from(fold));
            conditions.push("fold = $1".to_owned());
        }
        if let Some(after) = &self.after {
            let places: Vec<String> = (values.len() + 1..)
                .take(after.len())
                .map(|n| format!("${n}"))
                .collect();
            conditions.push(format!("({key}) > ({})", places.join(", ")));
            values.extend(after.iter().cloned());
        }
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" where {}", conditions.join(" and "))
        };
        (
            format!("select {columns} from {name}{filter} order by {key} limit {ROWS_MAX}"),
            values,
        )
    }
    fn read(&self, row: &impl Columns) -> Result<Vec<Value>, Error> {
        self.table
            .columns
            .iter()
            .enumerate()
            .map(|(place, (_, kind))| match kind {
                Kind::Int => row.optional_int(place).map(Value::Int),
                Kind::Text => row.optional_text(place).map(Value::Text),
                Kind::Bytes => row.optional_bytes(place).map(Value::Bytes),
            })
            .collect()
    }
}
