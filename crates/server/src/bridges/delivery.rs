//! The bridges' outbox, emptied into the ledger: at once after a webhook, and again and again for what is left.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, stream};
use piperoll_core::envelope::Envelope;
use piperoll_store::BridgeRow;

use super::in_flight::place;
use crate::{
    causes,
    intake::{Answer, Unavailable, Wait},
    serve::{State, Stop},
    status::Projecting,
};

/// How long a webhook waits for its events to become entries. GitHub gives up after 10 s.
const AT_ONCE_WAIT: Duration = Duration::from_secs(4);
/// Rows read from the outbox at a time.
const ROWS_AT_ONCE: u32 = 200;
/// Rows that are looked at in all, when most of them wait. An envelope has a few kilobytes.
const ROWS_MAX: u32 = 4000;
/// Envelopes that wait for the projector at a time, so that a body of many alerts leaves room in its queue for others.
const IN_FLIGHT_MAX: usize = 64;
/// How often the outbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Where events wait that the ledger does not take yet (a missing grant), it is asked less often.
const LOOK_SELDOM: Duration = Duration::from_secs(30);

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
            waits = empty(&state) => if waits { LOOK_SELDOM } else { LOOK_EVERY },
        };
    }
}
/// Goes through the outbox once; gives whether something is left that the ledger does not take yet. What waits holds up nothing behind
/// it: the oldest rows are asked for, more of them the more wait.
async fn empty(state: &State) -> bool {
    if let Projecting::Elsewhere { .. } = state.status.now().projecting {
        return false; // the server that projects has the same outbox before it
    }
    let mut seen = HashSet::new();
    let mut waits = false;
    let mut rows_max = ROWS_AT_ONCE;
    loop {
        let rows = match state.store.bridge_unsent(rows_max).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(
                    error = causes::chain(&error),
                    "the bridges' outbox cannot be read"
                );
                return true;
            }
        };
        let whole = rows.len() < rows_max as usize;
        let rows: Vec<BridgeRow> = rows
            .into_iter()
            .filter(|row| seen.insert(place(row)))
            .collect();
        let stuck = rows.is_empty();
        waits |= deliver_left(state, rows).await;
        if whole || (stuck && rows_max >= ROWS_MAX) {
            return waits;
        }
        if stuck {
            rows_max += ROWS_AT_ONCE;
        }
    }
}
/// Delivers what no webhook is delivering right now; gives whether some of it waits.
async fn deliver_left(state: &State, rows: Vec<BridgeRow>) -> bool {
    let mut left = Vec::with_capacity(rows.len());
    for row in rows {
        // In this order: a row that was in flight when it was read and is not any more has been recorded.
        if !state.in_flight.holds(&row) && !is_recorded(state, &row).await {
            left.push(row);
        }
    }
    deliver_all(state, left).await.contains(&Fate::Waits)
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
