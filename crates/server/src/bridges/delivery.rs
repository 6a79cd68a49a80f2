//! The bridges' outbox, emptied into the ledger: at once after a webhook, and again and again for what is left.

use std::{collections::HashSet, time::Duration};

use futures_util::{StreamExt, stream};
use piperoll_store::BridgeRow;

use crate::{
    api::problem,
    intake::{Answer, Unavailable, Wait},
    serve::{State, Stop},
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
    let mut waiting = HashSet::new();
    let mut rows_max = ROWS_AT_ONCE;
    loop {
        let rows = match state.store.bridge_unsent(rows_max).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(error = %problem::chain(&error), "the bridges' outbox cannot be read");
                return true;
            }
        };
        let whole = rows.len() < rows_max as usize;
        let rows: Vec<BridgeRow> = rows
            .into_iter()
            .filter(|row| !waiting.contains(&place(row)))
            .collect();
        let places: Vec<Place> = rows.iter().map(place).collect();
        let fates = deliver_all(state, rows).await;
        waiting.extend(
            places
                .into_iter()
                .zip(fates)
                .filter_map(|(place, fate)| (fate == Fate::Waits).then_some(place)),
        );
        let room = rows_max as usize - waiting.len();
        if whole || (room < ROWS_AT_ONCE as usize && rows_max >= ROWS_MAX) {
            return !waiting.is_empty();
        }
        if room < ROWS_AT_ONCE as usize {
            rows_max += ROWS_AT_ONCE;
        }
    }
}
/// Bridge, dedupe key, ordinal.
type Place = (String, String, u32);
fn place(row: &BridgeRow) -> Place {
    (row.bridge.clone(), row.dedupe_key.clone(), row.ordinal)
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
    let answer = state
        .intake
        .submit(row.envelope.into_bytes(), Wait::Recorded)
        .await;
    let fate = fate(&row.bridge, &answer);
    if fate == Fate::Done {
        let marked = state
            .store
            .bridge_done(&row.bridge, &row.dedupe_key, row.ordinal)
            .await;
        if let Err(error) = marked {
            // It will be handed in again and be a duplicate.
            tracing::warn!(error = %problem::chain(&error), "the bridges' outbox cannot be written");
        }
    }
    fate
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
