//! What differs between the two databases, and the values that go in and come out.

use piperoll_core::Hash;
use sqlx::Database;

use crate::Error;

/// What only one of the two databases understands. Everything else is shared: statements run on both, with `$1` placeholders.
pub(crate) trait Dialect: Database<Row: Columns> {
    /// Begins a transaction that will write.
    const BEGIN_WRITE: &'static str;
    /// Begins a transaction whose reads all see one moment.
    const BEGIN_READ: &'static str;
    const STATEMENTS: Statements;

    /// Runs one statement and gives all its rows.
    fn fetch(
        connection: &mut Self::Connection,
        sql: sqlx::SqlStr,
        values: Vec<Value>,
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;

    /// Inserts rows, given column by column, in few statements. `tail` is what follows the rows, such as `on conflict …`.
    fn insert(
        connection: &mut Self::Connection,
        table: &'static Table,
        tail: &'static str,
        columns: Vec<Column>,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// What an error of this database means for the caller, where its code says so.
    fn judge(error: &dyn sqlx::error::DatabaseError) -> Meaning;
}

/// Statements that take lists, which the two databases spell differently. A [`Value::List`] is one JSON parameter on SQLite
/// and one array for each of its columns on PostgreSQL, so it comes last.
pub(crate) struct Statements {
    /// List of (source, event id): position in the list, index, payload hash.
    pub(crate) find: &'static str,
    /// Fold, list of (kind, key): position in the list, body.
    pub(crate) aggregates: &'static str,
    /// List of indexes: the columns of an entry.
    pub(crate) entries_at: &'static str,
    /// List of indexes: index, name, salt, body.
    pub(crate) texts_at: &'static str,
    /// From, limit, list of kinds: index.
    pub(crate) indexes_of_kinds: &'static str,
    /// List of payload hashes: number, payload hash, reason.
    pub(crate) refused_with: &'static str,
    /// Fold, list of (service, environment, index): closes the open row of each slot.
    pub(crate) close_slots: &'static str,
    /// Fold, list of (alias, change).
    pub(crate) delete_aliases: &'static str,
    /// Fold, list of changes.
    pub(crate) delete_changes: &'static str,
    /// As `crate::sql::log`, with a list of indexes at the end.
    pub(crate) log_of_indexes: &'static str,
    /// Keeps others from taking the lease until the transaction ends.
    pub(crate) lock_lease: &'static str,
    /// The database's clock, in milliseconds of Unix time.
    pub(crate) now_ms: &'static str,
}

/// What the database's own error code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    Conflict,
    Unavailable,
    Corrupt,
    Unfit {
        what: &'static str,
        remedy: &'static str,
    },
    Other,
}

/// A table as bulk inserts, copies and digests need it: the key's columns come first.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// How many of the first columns are the primary key.
    pub(crate) key: usize,
}
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
}
impl Table {
    /// `a, b, c`: the first `count` columns. Made of constants only.
    pub(crate) fn list(&self, count: usize) -> String {
        let names: Vec<&str> = self.columns[..count]
            .iter()
            .map(|(name, _)| *name)
            .collect();
        names.join(", ")
    }
}

/// One parameter of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    List(Vec<Column>),
}
/// The values of one column, for many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}
impl Column {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }
    pub(crate) fn ints(values: impl IntoIterator<Item = u64>) -> Self {
        Self::Int(values.into_iter().map(|value| Some(int(value))).collect())
    }
    pub(crate) fn texts<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Text(values.into_iter().map(|value| Some(value.into())).collect())
    }
    pub(crate) fn hashes(values: impl IntoIterator<Item = Hash>) -> Self {
        Self::Bytes(
            values
                .into_iter()
                .map(|value| Some(value.0.to_vec()))
                .collect(),
        )
    }
}

/// Both databases count to 2^63 − 1. No ledger gets there; a question about more asks for the end.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(Some(int(value)))
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}
impl From<Option<u64>> for Value {
    fn from(value: Option<u64>) -> Self {
        Self::Int(value.map(int))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
impl From<Hash> for Value {
    fn from(value: Hash) -> Self {
        Self::Bytes(Some(value.0.to_vec()))
    }
}
impl From<Option<Hash>> for Value {
    fn from(value: Option<Hash>) -> Self {
        Self::Bytes(value.map(|hash| hash.0.to_vec()))
    }
}

/// Parameters of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::dialect::Value::from($value)),*] };
}
pub(crate) use values;

/// The columns of a row, by position. An error means that the row is not what the schema says.
pub(crate) trait Columns: Send + Sync + Unpin {
    fn maybe_int(&self, at: usize) -> sqlx::Result<Option<i64>>;
    fn maybe_text(&self, at: usize) -> sqlx::Result<Option<String>>;
    fn maybe_bytes(&self, at: usize) -> sqlx::Result<Option<Vec<u8>>>;

    /// An index, a size or a count.
    fn count(&self, at: usize) -> Result<u64, Error> {
        let value = self.signed(at)?;
        u64::try_from(value)
            .map_err(|_| corrupt_column(at, &format!("{value} where no number below 0 can be")))
    }
    fn signed(&self, at: usize) -> Result<i64, Error> {
        self.optional_int(at)?
            .ok_or_else(|| corrupt_column(at, "nothing where a number must be"))
    }
    fn maybe_count(&self, at: usize) -> Result<Option<u64>, Error> {
        match self.optional_int(at)? {
            None => Ok(None),
            Some(_) => self.count(at).map(Some),
        }
    }
    fn optional_int(&self, at: usize) -> Result<Option<i64>, Error> {
        self.maybe_int(at)
            .map_err(|error| corrupt_column(at, &error.to_string()))
    }
    fn text(&self, at: usize) -> Result<String, Error> {
        self.optional_text(at)?
            .ok_or_else(|| corrupt_column(at, "nothing where a text must be"))
    }
    fn optional_text(&self, at: usize) -> Result<Option<String>, Error> {
        self.maybe_text(at)
            .map_err(|error| corrupt_column(at, &error.to_string()))
    }
    fn bytes(&self, at: usize) -> Result<Vec<u8>, Error> {
        self.optional_bytes(at)?
            .ok_or_else(|| corrupt_column(at, "nothing where bytes must be"))
    }
    fn optional_bytes(&self, at: usize) -> Result<Option<Vec<u8>>, Error> {
        self.maybe_bytes(at)
            .map_err(|error| corrupt_column(at, &error.to_string()))
    }
    fn hash(&self, at: usize) -> Result<Hash, Error> {
        let bytes = self.bytes(at)?;
        Hash::from_slice(&bytes).ok_or_else(|| {
            corrupt_column(at, &format!("{} bytes where a hash has 32", bytes.len()))
        })
    }
    /// A time kept in milliseconds.
    fn millis(&self, at: usize) -> Result<jiff::Timestamp, Error> {
        let value = self.signed(at)?;
        jiff::Timestamp::from_millisecond(value)
            .map_err(|_| corrupt_column(at, &format!("{value} is no time in milliseconds")))
    }
    /// A time kept as text.
    fn instant(&self, at: usize) -> Result<jiff::Timestamp, Error> {
        let text = self.text(at)?;
        text.parse()
            .map_err(|_| corrupt_column(at, &format!("{text:?} is no time")))
    }
}

/// A column that cannot be read. Whoever reads the row puts the place in (see [`at`]).
fn corrupt_column(at: usize, what: &str) -> Error {
    Error::Corrupt {
        place: String::new(),
        what: format!("column {} holds {what}", at + 1),
    }
}

/// Names the place of a row that cannot be read.
pub(crate) fn at(place: impl FnOnce() -> String) -> impl FnOnce(Error) -> Error {
    move |error| match error {
        Error::Corrupt { place: known, what } if known.is_empty() => Error::Corrupt {
            place: place(),
            what,
        },
        other => other,
    }
}

/// RFC 3339 in UTC with nine fraction digits: it sorts as time does, and nothing is lost.
pub(crate) fn instant_text(at: jiff::Timestamp) -> String {
    format!("{at:.9}")
}

/// PostgreSQL keeps no U+0000 in a text. Where words of others are kept or asked for, it becomes U+FFFD on both databases.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
