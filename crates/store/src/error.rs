//! What can go wrong with a store, by what the caller does about it.

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another writer moved the head, or a unique row is there already with other content. Read again.
    #[error("another writer was here first")]
    Conflict,
    /// The connection failed at commit: it may or may not have happened.
    #[error("it is unknown whether the batch was committed")]
    Unknown(#[source] sqlx::Error),
    /// The database does not answer; try again later.
    #[error("the database does not answer")]
    Unavailable(#[source] sqlx::Error),
    /// What is stored cannot be read: stop and say where.
    #[error("{place} is corrupt: {what}")]
    Corrupt { place: String, what: String },
    /// The database is not fit for use: not ours, newer, older, a replica, a missing grant. `remedy` says what to do.
    #[error("{what}; {remedy}")]
    Unfit { what: String, remedy: String },
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
}
