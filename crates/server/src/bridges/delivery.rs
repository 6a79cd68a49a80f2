//! The bridges' outbox, emptied into the ledger: at once after a webhook, and again and again for what is left.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use piperoll_core::envelope::Envelope;
use piperoll_store::{BridgePlace, BridgeRow};

use crate::{
    causes,
    intake::{Answer, Unavailable, Wait},
    state::State,
    status::Projecting,
    stop::Stop,
};

/// How long a webhook waits for its events to become entries. GitHub gives up after 10 s.
const AT_ONCE_WAIT: Duration = Duration::from_secs(4);
/// Rows read from the outbox at a time.
const ROWS_AT_ONCE: u32 = 200;
/// Envelopes that wait for the projector at a time, so that a body of many alerts leaves room in its queue for others.
const IN_FLIGHT_MAX: usize = 64;
/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Where events wait that the ledger does not take yet (a missing grant), it is asked less often: the more wait, the less.
const LOOK_SELDOM: Duration = Duration::from_secs(30);
const LOOK_SELDOM_MAX: Duration = Duration::from_mins(10);
/// So many that wait count as one more [`LOOK_SELDOM`].
const WAITING_STEP: usize = 500;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The ledger answered for good.
    Done,
    /// It may take it later.
    Waits,
}

/// Hands in what was just kept. What does not become an entry soon is left to [`run`].
pub(super) async fn at_once(state: &State, rows: Vec<BridgeRow>) {
    if tokio::time::timeout(AT_ONCE_WAIT, deliver_all(state, rows))
        .await
        .is_err()
    {
        tracing::info!("a webhook's events are kept and wait for the ledger");
    }
}

/// Sends what is not recorded yet, at start and after outages, until `stop`.
pub(super) async fn run(state: State, mut stop: Stop) {
    let mut pause = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = tokio::select! {
            // An envelope that is handed in twice is recorded once, so that a delivery may be cut off anywhere.
            () = stop.stopped() => return,
            waiting = empty(&state) => pause_of(waiting),
        };
    }
}
fn pause_of(waiting: usize) -> Duration {
    if waiting == 0 {
        return LOOK_EVERY;
    }
    let steps = u32::try_from(waiting.div_ceil(WAITING_STEP)).unwrap_or(u32::MAX);
    LOOK_SELDOM.saturating_mul(steps).min(LOOK_SELDOM_MAX)
}
/// Goes through the outbox once, from the oldest row to the newest, whatever waits before it; gives how many the ledger does not
/// take yet.
async fn empty(state: &State) -> usize {
    if let Projecting::Elsewhere { .. } = state.status.now().projecting {
        return 0; // the server that projects has the same outbox before it
    }
    let mut waiting = 0;
    let mut after: Option<BridgePlace> = None;
    loop {
        let rows = match state
            .store
            .bridge_unsent(after.as_ref(), ROWS_AT_ONCE)
            .await
        {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(
                    error = causes::chain(&error),
                    "the bridges' outbox cannot be read"
                );
                return waiting.max(1);
            }
        };
        let is_last = rows.len() < ROWS_AT_ONCE as usize;
        after = rows.last().map(BridgeRow::place);
        waiting += deliver_left(state, rows).await;
        if is_last {
            return waiting;
        }
    }
}
/// Delivers what no webhook is delivering right now; gives how many of them wait.
async fn deliver_left(state: &State, rows: Vec<BridgeRow>) -> usize {
    let mut left = Vec::with_capacity(rows.len());
    for row in rows {
        // In this order: a row that was in flight when it was read and is not any more has been recorded.
        if !state.in_flight.holds(&row) && !is_recorded(state, &row).await {
            left.push(row);
        }
    }
    let fates = deliver_all(state, left).await;
    fates.iter().filter(|fate| **fate == Fate::Waits).count()
}
/// Whether a row that was read as unsent is an entry by now; then it is marked. A second delivery would do no harm but be counted.
async fn is_recorded(state: &State, row: &BridgeRow) -> bool {
    let Ok(envelope) = Envelope::parse(row.envelope.as_bytes()) else {
        return false;
    };
    match state.store.index_of_payload(envelope.payload_hash()).await {
        Ok(Some(_)) => {
            mark_done(state, row).await;
            true
        }
        // After an error the delivery will meet the same trouble and say so.
        Ok(None) | Err(_) => false,
    }
}

/// Hands in rows in their order, some at a time.
async fn deliver_all(state: &State, rows: Vec<BridgeRow>) -> Vec<Fate> {
    stream::iter(rows)
        .map(|row| deliver(state, row))
        .buffered(IN_FLIGHT_MAX)
        .collect()
        .await
}
async fn deliver(state: &State, row: BridgeRow) -> Fate {
    let message = row.envelope.clone().into_bytes();
    let answer = state.intake.submit(message, Wait::Recorded).await;
    let fate = fate(&row.bridge, &answer);
    if fate == Fate::Done {
        mark_done(state, &row).await;
    }
    fate
}
async fn mark_done(state: &State, row: &BridgeRow) {
    let marked = state
        .store
        .bridge_done(&row.bridge, &row.dedupe_key, row.ordinal)
        .await;
    if let Err(error) = marked {
        // It will be handed in again and be a duplicate.
        tracing::warn!(
            error = causes::chain(&error),
            "the bridges' outbox cannot be written"
        );
    }
}
fn fate(bridge: &str, answer: &Result<Answer, Unavailable>) -> Fate {
    match answer {
        Ok(Answer::Recorded { .. } | Answer::Duplicate { .. }) => Fate::Done,
        // On the stream, but not judged within the wait.
        Ok(Answer::Accepted { .. }) => Fate::Waits,
        Ok(Answer::Refused { refusal, .. }) => {
            let retry = refusal.reason.retry();
            tracing::warn!(
                bridge,
                reason = refusal.reason.as_str(),
                field = refusal.field,
                retry,
                "the ledger does not take what a bridge relays"
            );
            if retry { Fate::Waits } else { Fate::Done }
        }
        Err(unavailable) => {
            tracing::info!(
                bridge,
                why = unavailable.why,
                "a bridge waits for the ledger"
            );
            Fate::Waits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK_EVERY, LOOK_SELDOM, LOOK_SELDOM_MAX, pause_of};

    #[test]
    fn the_more_waits_the_less_often_it_is_asked_for() {
        assert_eq!(pause_of(0), LOOK_EVERY);
        assert_eq!(pause_of(1), LOOK_SELDOM);
        assert_eq!(pause_of(501), LOOK_SELDOM * 2);
        assert_eq!(pause_of(1_000_000), LOOK_SELDOM_MAX);
    }
}
