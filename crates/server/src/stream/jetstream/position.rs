//! Whether a stream still is the one the ledger has read, up to where it has read it.

use async_nats::jetstream::stream::{Info, RawMessageErrorKind, Stream};
use piperoll_store::Cursor;
use piperoll_tlog::hash;

use super::{Connection, Error, incarnation, settings, timestamp};
use crate::causes::chain;

/// Something about the stream does not fit: nothing more is taken in until somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub why: String,
    pub remedy: String,
}
/// Why the stream is not read on.
pub(super) enum Trouble {
    /// Ask again later.
    Lost(String),
    Incident(Incident),
}
impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Incident(incident) => Self::Incident(incident),
            other => Self::Lost(other.to_string()),
        }
    }
}
fn incident(why: String, remedy: &str) -> Trouble {
    Trouble::Incident(Incident {
        why,
        remedy: remedy.to_owned(),
    })
}
const ADOPT: &str = "if this is the stream to follow from now on, start the server with --adopt-stream: that is recorded, and senders send again what has no receipt";

/// Looks at the stream on every connect: same life, same settings, nothing taken back, nothing missing right after the cursor, and
/// the message at the cursor unchanged.
pub(super) async fn check(connection: &Connection, cursor: &Cursor) -> Result<Stream, Trouble> {
    let Some(stream) = connection.stream().await? else {
        let why = format!("the stream {} is gone", connection.name);
        return Err(incident(why, ADOPT));
    };
    let info = stream.cached_info();
    settings::compare(&connection.slug, &connection.ledger, &info.config)
        .map_err(Trouble::Incident)?;
    check_range(info, cursor)?;
    check_message(&stream, cursor).await?;
    Ok(stream)
}
fn check_range(info: &Info, cursor: &Cursor) -> Result<(), Trouble> {
    let found = incarnation(info);
    if found != cursor.incarnation {
        let why = format!(
            "the stream is {found}, but the ledger follows {} and has read it up to {}",
            cursor.incarnation, cursor.sequence
        );
        return Err(incident(why, ADOPT));
    }
    if info.state.last_sequence < cursor.sequence {
        let why = format!(
            "the stream ends at message {}, but the ledger has read up to {}: the stream has lost what it had",
            info.state.last_sequence, cursor.sequence
        );
        return Err(incident(
            why,
            "restore the stream, or delete it and start the server with --adopt-stream; senders send again what has no receipt",
        ));
    }
    let next = cursor.sequence + 1;
    if info.state.first_sequence > next {
        return Err(gap(cursor, next, info.state.first_sequence - 1));
    }
    Ok(())
}
/// The message at the cursor, read from the leader, must be the one that was taken in; one that has aged out cannot be compared.
async fn check_message(stream: &Stream, cursor: &Cursor) -> Result<(), Trouble> {
    let Some((message_hash, stream_time)) = &cursor.message else {
        return Ok(());
    };
    if stream.cached_info().state.first_sequence > cursor.sequence {
        return Ok(());
    }
    let sequence = cursor.sequence;
    let stored = match stream.get_raw_message(sequence).await {
        Ok(stored) => stored,
        Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => {
            let why =
                format!("message {sequence} of the stream, the last one taken in, was deleted");
            return Err(incident(why, REWRITTEN));
        }
        Err(error) => return Err(Trouble::Lost(chain(&error))),
    };
    if hash::sha256(&stored.payload) != *message_hash || timestamp(stored.time) != *stream_time {
        let why = format!("message {sequence} of the stream is not the one the ledger has read");
        return Err(incident(why, REWRITTEN));
    }
    Ok(())
}
const REWRITTEN: &str = "the stream was changed behind the ledger's back: find out by whom; restore it, or delete it and start the server with --adopt-stream";

/// Messages are not there although later ones are.
pub(super) fn gap(cursor: &Cursor, first: u64, last: u64) -> Trouble {
    let why = format!(
        "messages {first} to {last} of the stream {} are missing",
        cursor.incarnation
    );
    incident(
        why,
        "restore them; if they are lost for good, an administrator accepts the gap with a stream.gapaccepted entry, and their senders send them again",
    )
}
/// A message is missing in the middle: asks the leader whether it has it after all.
pub(super) async fn is_there(stream: &Stream, sequence: u64) -> Result<bool, Trouble> {
    match stream.get_raw_message(sequence).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(false),
        Err(error) => Err(Trouble::Lost(chain(&error))),
    }
}
