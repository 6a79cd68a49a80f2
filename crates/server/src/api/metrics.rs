//! `/metrics` in Prometheus' text format. The few numbers that matter, read from where they are kept.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Extension,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use piperoll_store::Store;

use crate::{
    api::problem::Problem,
    state,
    status::{Projecting, Publishing, Snapshot, Streaming},
};

/// Rows of `consumed` read at a time.
const ROWS_AT_ONCE: u32 = 1000;

/// Sums over `consumed`, kept from one scrape to the next, so that each row is read once. The rows are insert-only.
#[derive(Clone, Default)]
pub(super) struct Sums(Arc<Mutex<Counted>>);
impl Sums {
    /// Two scrapes at a time may read the same rows; both come to the same sums.
    async fn caught_up(&self, store: &dyn Store) -> Result<Counted, Problem> {
        let mut counted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.catch_up(store).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        Ok(counted)
    }
}
#[derive(Clone, Copy, Default)]
struct Counted {
    next_row: u64,
    messages: u64,
    recorded: u64,
    duplicate: u64,
    refused: u64,
    junk: u64,
}
impl Counted {
    async fn catch_up(&mut self, store: &dyn Store) -> Result<(), Problem> {
        loop {
            let rows = store.consumed(self.next_row, ROWS_AT_ONCE).await?;
            let done = rows.len() < ROWS_AT_ONCE as usize;
            for row in rows {
                self.next_row = row.number + 1;
                self.messages += row
                    .consumed
                    .range
                    .map_or(0, |(from, to)| (to + 1).saturating_sub(from));
                self.recorded += row.consumed.recorded;
                self.duplicate += row.consumed.duplicate;
                self.refused += row.consumed.refused;
                self.junk += row.consumed.junk;
            }
            if done {
                return Ok(());
            }
        }
    }
}

pub(super) async fn get(
    State(state): State<state::State>,
    Extension(sums): Extension<Sums>,
) -> Result<Response, Problem> {
    let counted = sums.caught_up(&*state.store).await?;
    let mut text = Text::default();
    text.status(&state.status.now());
    text.consumed(&counted);
    text.family(
        "piperoll_bridge_other_total",
        "counter",
        "Webhook bodies of a type that becomes no event.",
    );
    for row in state.store.bridge_counts().await? {
        text.sample(
            "piperoll_bridge_other_total",
            &[("bridge", &row.bridge), ("event", &row.event)],
            row.count,
        );
    }
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    Ok((kind, text.0).into_response())
}

#[derive(Default)]
struct Text(String);
impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _infallible = writeln!(self.0, "{name}{labels} {value}");
    }
    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
    fn status(&mut self, snapshot: &Snapshot) {
        self.one(
            "piperoll_entries",
            "gauge",
            "Entries that are committed.",
            snapshot.size,
        );
        self.one(
            "piperoll_published_entries",
            "gauge",
            "Entries that the latest checkpoint covers.",
            snapshot.published,
        );
        self.one(
            "piperoll_stream_sequence",
            "gauge",
            "Last message of the stream that was taken in.",
            snapshot.sequence,
        );
        self.one(
            "piperoll_steps_back_total",
            "counter",
            "Steps back of the stream's time by more than a second.",
            snapshot.steps_back,
        );
        let projecting = matches!(snapshot.projecting, Projecting::Running);
        self.one(
            "piperoll_projecting",
            "gauge",
            "1 while messages become entries.",
            projecting.into(),
        );
        let publishing = matches!(snapshot.publishing, Publishing::Running);
        self.one(
            "piperoll_publishing",
            "gauge",
            "1 while checkpoints are signed.",
            publishing.into(),
        );
        if let Streaming::JetStream {
            connected,
            last_sequence,
            unread,
        } = &snapshot.streaming
        {
            self.one(
                "piperoll_stream_connected",
                "gauge",
                "1 while JetStream answers.",
                (*connected).into(),
            );
            self.one(
                "piperoll_stream_read",
                "gauge",
                "1 while the stream is read.",
                unread.is_none().into(),
            );
            let waiting = last_sequence.saturating_sub(snapshot.sequence);
            self.one(
                "piperoll_stream_waiting",
                "gauge",
                "Messages of the stream not taken in yet.",
                waiting,
            );
        }
    }
    fn consumed(&mut self, counted: &Counted) {
        let name = "piperoll_messages_total";
        self.family(
            name,
            "counter",
            "Messages of the stream by what became of them.",
        );
        for (outcome, value) in [
            ("recorded", counted.recorded),
            ("duplicate", counted.duplicate),
            ("refused", counted.refused),
            ("junk", counted.junk),
        ] {
            self.sample(name, &[("outcome", outcome)], value);
        }
        let help = "Messages in the ranges that were consumed; the outcomes but control entries sum to it.";
        self.one("piperoll_consumed_total", "counter", help, counted.messages);
    }
}
/// A label's value as the text format wants it; other control characters are no part of it.
fn escape(value: &str) -> String {
    value
        .chars()
        .filter(|letter| !letter.is_control() || *letter == '\n')
        .flat_map(|letter| match letter {
            '\\' => vec!['\\', '\\'],
            '"' => vec!['\\', '"'],
            '\n' => vec!['\\', 'n'],
            other => vec![other],
        })
        .collect()
}
