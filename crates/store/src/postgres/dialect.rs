//! How PostgreSQL takes lists and rows in bulk: as one array for each column.

use sqlx::{
    Arguments, AssertSqlSafe, PgConnection, Postgres, Row, SqlSafeStr, SqlStr,
    postgres::{PgArguments, PgRow},
};

use crate::sql::{
    Column, Columns, Dialect, Meaning, Statements, Table, Value, dialect::Kind,
    entries::entry_columns, questions::log_sql,
};

impl Dialect for Postgres {
    const BEGIN_WRITE: &'static str = "begin isolation level read committed read write";
    const BEGIN_READ: &'static str = "begin isolation level repeatable read read only";
    const STATEMENTS: Statements = Statements {
        find: "select asked.place - 1, e.idx, e.payload_hash \
               from unnest($1::text[], $2::text[]) with ordinality as asked (source, event_id, place) \
               join entry as e on e.source = asked.source and e.event_id = asked.event_id",
        aggregates: "select asked.place - 1, a.body \
               from unnest($2::text[], $3::text[]) with ordinality as asked (kind, key, place) \
               join aggregate as a on a.fold = $1 and a.kind = asked.kind and a.key = asked.key",
        entries_at: concat!(
            "select ",
            entry_columns!(),
            " where e.idx = any($1) order by e.idx"
        ),
        texts_at: "select idx, name, salt, body from text where idx = any($1) order by idx, name",
        indexes_of_kinds: "select idx from entry where idx >= $1 and kind = any($3) order by idx limit $2",
        refused_with: "select number, payload_hash, reason from refused where payload_hash = any($1)",
        close_slots: "update slot set to_index = closed.idx \
               from unnest($2::text[], $3::text[], $4::bigint[]) as closed (service, environment, idx) \
               where slot.fold = $1 and slot.service = closed.service and slot.environment = closed.environment \
               and slot.to_index is null",
        delete_aliases: "delete from alias where fold = $1 \
               and (alias, change) in (select gone.alias, gone.change from unnest($2::text[], $3::text[]) as gone (alias, change))",
        delete_changes: "delete from change where fold = $1 and change = any($2)",
        log_of_indexes: log_sql!("idx", "idx = any($11)"),
        lock_lease: "lock table lease in exclusive mode",
        now_ms: "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)",
    };

    async fn fetch(
        connection: &mut PgConnection,
        sql: SqlStr,
        values: Vec<Value>,
    ) -> sqlx::Result<Vec<PgRow>> {
        let mut arguments = PgArguments::default();
        for value in values {
            match value {
                Value::Int(value) => add(&mut arguments, value)?,
                Value::Text(value) => add(&mut arguments, value)?,
                Value::Bytes(value) => add(&mut arguments, value)?,
                Value::List(columns) => add_columns(&mut arguments, columns)?,
            }
        }
        sqlx::query_with(sql, arguments).fetch_all(connection).await
    }

    async fn insert(
        connection: &mut PgConnection,
        table: &'static Table,
        tail: &'static str,
        columns: Vec<Column>,
    ) -> sqlx::Result<()> {
        let mut arguments = PgArguments::default();
        add_columns(&mut arguments, columns)?;
        // Names of tables and columns come from constants; everything else is a parameter.
        let sql = AssertSqlSafe(insert_sql(table, tail)).into_sql_str();
        sqlx::query_with(sql, arguments)
            .execute(connection)
            .await
            .map(drop)
    }

    /// The codes of the manual's appendix A.
    fn judge(error: &dyn sqlx::error::DatabaseError) -> Meaning {
        let code = error.code().unwrap_or_default();
        match code.as_ref() {
            // A unique row, a lost race.
            "23505" | "40001" | "40P01" => Meaning::Conflict,
            // Ended by an administrator, a crash, a time limit; starting up.
            "57P01" | "57P02" | "57P03" | "57P05" | "57014" | "25P03" | "25P04" => {
                Meaning::Unavailable
            }
            "25006" => Meaning::Unfit {
                what: "the database is a replica or read only",
                remedy: "name the primary",
            },
            "42501" => Meaning::Unfit {
                what: "the role lacks a right",
                remedy: "let the owner of the tables grant it with `piperoll admin migrate`",
            },
            "3D000" => Meaning::Unfit {
                what: "there is no such database",
                remedy: "make it with `createdb`, encoded in UTF8",
            },
            // A table or a column is gone; a page is damaged.
            "42P01" | "42703" | "XX001" | "XX002" => Meaning::Corrupt,
            code if code.starts_with("28") => Meaning::Unfit {
                what: "the database does not let us in",
                remedy: "check user and password",
            },
            // Connection trouble; too many connections, no memory, disk full.
            code if code.starts_with("08") || code.starts_with("53") => Meaning::Unavailable,
            _ => Meaning::Other,
        }
    }
}

fn add<'t, T>(arguments: &mut PgArguments, value: T) -> sqlx::Result<()>
where
    T: sqlx::Encode<'t, Postgres> + sqlx::Type<Postgres>,
{
    arguments.add(value).map_err(sqlx::Error::Encode)
}
fn add_columns(arguments: &mut PgArguments, columns: Vec<Column>) -> sqlx::Result<()> {
    for column in columns {
        match column {
            Column::Int(values) => add(arguments, values)?,
            Column::Text(values) => add(arguments, values)?,
            Column::Bytes(values) => add(arguments, values)?,
        }
    }
    Ok(())
}

fn insert_sql(table: &Table, tail: &str) -> String {
    let arrays: Vec<String> = (1..)
        .zip(table.columns)
        .map(|(place, (_, kind))| match kind {
            Kind::Int => format!("${place}::bigint[]"),
            Kind::Text => format!("${place}::text[]"),
            Kind::Bytes => format!("${place}::bytea[]"),
        })
        .collect();
    let columns = table.list(table.columns.len());
    format!(
        "insert into {} ({columns}) select * from unnest({}) {tail}",
        table.name,
        arrays.join(", ")
    )
}

impl Columns for PgRow {
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
