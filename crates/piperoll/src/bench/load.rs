//! Hands messages in, so many at a time, and notes how long each answer takes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use futures_util::{StreamExt, stream::FuturesUnordered};
use piperoll_server::intake::{Answer, Intake, Wait};

use super::messages::Reader;

/// What came of it.
pub(super) struct Recorded {
    /// From the first message handed in to the last answer.
    pub(super) elapsed: Duration,
    /// From handing in to the answer, shortest first.
    pub(super) waits: Vec<Duration>,
}

/// Hands all messages in, in order, at most `in_flight` of them unanswered. Each must become an entry: a run in which one was
/// refused measured something else.
pub(super) async fn run(
    intake: Arc<dyn Intake>,
    mut messages: Reader,
    in_flight: usize,
) -> anyhow::Result<Recorded> {
    let begun = Instant::now();
    let mut waits = Vec::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < in_flight
            && let Some(message) = messages.next_message()?
        {
            let intake = Arc::clone(&intake);
            under_way.push(async move { submit(&*intake, message).await });
        }
        match under_way.next().await {
            Some(wait) => waits.push(wait?),
            None => break,
        }
    }
    let elapsed = begun.elapsed();
    waits.sort_unstable();
    Ok(Recorded { elapsed, waits })
}
async fn submit(intake: &dyn Intake, message: Vec<u8>) -> anyhow::Result<Duration> {
    let handed_in = Instant::now();
    match intake.submit(message, Wait::Recorded).await? {
        Answer::Recorded { .. } => Ok(handed_in.elapsed()),
        Answer::Refused { refusal, .. } => bail!("an event was refused: {refusal}"),
        Answer::Duplicate { index, .. } => bail!("an event was taken for entry {index}"),
        Answer::Accepted { .. } => bail!("an event was sent on, not recorded"),
    }
}
