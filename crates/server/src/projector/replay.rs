//! Messages with their times, taken in without queues and without a clock: for founding, for tests, for recorded lists.

use std::sync::Arc;

use jiff::Timestamp;
use piperoll_store::Store;

use super::{Error, Outcome, Position, Prepared, State, make};

/// A message as a stream gave it.
#[derive(Clone, Debug)]
pub struct Message {
    pub bytes: Vec<u8>,
    pub stream_time: Timestamp,
    pub position: Position,
}

/// Takes messages in after what `store` holds, in batches of `batch_messages`; gives what became of each, in order.
///
/// The same list gives the same entries, root and read models for every size of batch. An error leaves the batches before it
/// committed.
pub async fn replay(
    store: &dyn Store,
    messages: &[Message],
    batch_messages: usize,
) -> Result<Vec<Outcome>, Error> {
    let subject: Arc<str> = "replay".into();
    let mut state = State::load(store).await?;
    let mut outcomes = Vec::with_capacity(messages.len());
    for batch in messages.chunks(batch_messages.max(1)) {
        let prepared = batch
            .iter()
            .map(|message| {
                Prepared::check(
                    &message.bytes,
                    message.stream_time,
                    message.position,
                    Arc::clone(&subject),
                    state.authority(),
                )
            })
            .collect();
        let made = make(store, state, prepared).await?;
        store.commit(made.batch).await?;
        state = made.next;
        outcomes.extend(made.outcomes);
    }
    Ok(outcomes)
}
