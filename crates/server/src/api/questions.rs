//! Questions with one answer: `/v1/where`, `/v1/changes/<id>`, `/v1/timeline`, `/v1/find`, `/v1/entries/<index>`.
//!
//! The answers are the structs of `core::answer`, as JSON.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use jiff::Timestamp;
use piperoll_core::{
    answer::{self, EntryView, Found, Narrowed, SlotRead, Story, Timeline, Where, Window},
    fold::FOLD,
    leaf::Leaf,
    time,
};
use piperoll_store::{self as store, LogFilter, SlotRow, StoredEntry};
use piperoll_tlog::encoding;
use serde::{Deserialize, Serialize};

use crate::{
    answers,
    api::{limits, problem::Problem},
    causes, state,
};

impl From<answers::Error> for Problem {
    fn from(error: answers::Error) -> Self {
        match error {
            answers::Error::Store(error) => error.into(),
            answers::Error::Ahead { size } => Self::bad_question(
                "as_of",
                format!("the ledger has only {size} entries"),
                "ask as of a number of entries that it has, or leave it out",
            ),
            answers::Error::Endless(_) => {
                tracing::error!(
                    error = causes::chain(&error),
                    "a question cannot be answered"
                );
                Self::internal()
            }
        }
    }
}

/// `?as_of=`, a number of entries: the answer as it would have been then.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct AsOf {
    pub as_of: Option<u64>,
}

/// `/v1/where` and the matrix.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub as_of: Option<u64>,
}

pub(super) async fn where_is(
    State(state): State<state::State>,
    parameters: Result<Query<Part>, QueryRejection>,
) -> Result<Json<Where>, Problem> {
    Ok(Json(matrix(&state, &parameters?.0).await?))
}
/// What is in the slots that are asked for.
pub async fn matrix(state: &state::State, part: &Part) -> Result<Where, Problem> {
    let as_of = part.as_of;
    let size = match as_of {
        Some(size) => size,
        None => state.store.head().await?.map_or(0, |head| head.size),
    };
    let rows = state.store.slots(FOLD, size).await?.into_iter();
    let slots: Vec<SlotRead> = rows.map(slot).collect::<Result<_, store::Error>>()?;
    let narrowed = Narrowed {
        service: part.service.as_deref(),
        environment: part.environment.as_deref(),
    };
    let matrix = answers::ask(&*state.store, Some(size), |reading| {
        answer::where_is(&slots, narrowed, reading)
    });
    Ok(matrix.await?)
}
fn slot(row: SlotRow) -> Result<SlotRead, store::Error> {
    let place = format!("the slot of {} in {}", row.service, row.environment);
    SlotRead::read(row.service, row.environment, &row.body).map_err(|error| store::Error::Corrupt {
        place,
        what: error.to_string(),
    })
}

pub(super) async fn story(
    State(state): State<state::State>,
    id: Result<Path<String>, PathRejection>,
    parameters: Result<Query<AsOf>, QueryRejection>,
) -> Result<Json<Story>, Problem> {
    let as_of = parameters?.0.as_of;
    let change = named(&state, &id?.0).await?;
    Ok(Json(story_of(&state, &change, as_of).await?))
}
/// The story of the change with this exact id.
pub async fn story_of(
    state: &state::State,
    change: &str,
    as_of: Option<u64>,
) -> Result<Story, Problem> {
    answers::ask(&*state.store, as_of, |reading| {
        answer::story(change, reading)
    })
    .await?
    .ok_or_else(|| unknown_change(change, "look at /v1/changes for those it knows"))
}
/// The id of the change somebody means.
pub async fn named(state: &state::State, typed: &str) -> Result<String, Problem> {
    match answers::find(&*state.store, typed).await? {
        Found::One { change } => Ok(change),
        Found::Several { changes } => Err(Problem::ambiguous(typed, &changes)),
        Found::None { hint } => Err(unknown_change(typed, &hint)),
    }
}
/// 404, with what could be typed instead.
pub fn unknown_change(typed: &str, hint: &str) -> Problem {
    Problem::not_found(format!("no change is known as {typed:?}"), hint)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindParameters {
    q: String,
}
pub(super) async fn find(
    State(state): State<state::State>,
    parameters: Result<Query<FindParameters>, QueryRejection>,
) -> Result<Json<Found>, Problem> {
    Ok(Json(answers::find(&*state.store, &parameters?.q).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimelineParameters {
    since: Option<String>,
    until: Option<String>,
    service: Option<String>,
    environment: Option<String>,
}
pub(super) async fn timeline(
    State(state): State<state::State>,
    parameters: Result<Query<TimelineParameters>, QueryRejection>,
) -> Result<Json<Timeline>, Problem> {
    let parameters = parameters?.0;
    let (since, until) = span(parameters.since.as_deref(), parameters.until.as_deref())?;
    let window = Window {
        since,
        until,
        service: parameters.service,
        environment: parameters.environment,
    };
    Ok(Json(timeline_of(&state, &window).await?))
}
async fn timeline_of(state: &state::State, window: &Window) -> Result<Timeline, Problem> {
    let as_of = state.store.head().await?.map_or(0, |head| head.size);
    let filter = LogFilter {
        as_of,
        service: window.service.clone(),
        environment: window.environment.clone(),
        since: window.since,
        until: window.until,
        limit: limits::TIMELINE_ROWS_MAX,
        ..LogFilter::default()
    };
    let indexes = state.store.log(&filter).await?;
    let more = match indexes.last() {
        Some(last) if indexes.len() >= limits::TIMELINE_ROWS_MAX as usize => {
            let next = LogFilter {
                before: Some(*last),
                limit: 1,
                ..filter
            };
            !state.store.log(&next).await?.is_empty()
        }
        _ => false,
    };
    Ok(answers::ask(&*state.store, Some(as_of), |reading| {
        answer::timeline(window, &indexes, more, reading)
    })
    .await?)
}
/// A span of time: from `since` on, before `until`.
pub(super) fn span(
    since: Option<&str>,
    until: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    let (since, until) = (instant("since", since)?, instant("until", until)?);
    match (since, until) {
        (Some(from), Some(to)) if to <= from => Err(Problem::bad_question(
            "until",
            format!("nothing happened between {from} and {to}: the second is not after the first"),
            "exchange the two, or leave one out",
        )),
        span => Ok((span.0, span.1)),
    }
}
/// An instant of a question: RFC 3339 in UTC.
fn instant(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| {
        time::parse(text).ok_or_else(|| {
            Problem::bad_question(
                field,
                format!("{text:?} is not an instant in UTC"),
                "write it like 2026-11-12T20:00:00Z",
            )
        })
    })
    .transpose()
}

/// An entry, opened, with what the ledger holds of it.
#[derive(Serialize)]
pub struct OpenEntry {
    #[serde(flatten)]
    pub view: EntryView,
    /// Number of entries of the ledger.
    pub as_of: u64,
    /// The six lines.
    pub leaf: String,
    /// RFC 6962 leaf hash, lower-case hexadecimal.
    pub leaf_hash: String,
    pub keyid: String,
    /// The signed bytes as they were signed.
    pub payload: String,
    /// Standard base64.
    pub signature: String,
}
pub(super) async fn entry(
    State(state): State<state::State>,
    index: Result<Path<String>, PathRejection>,
) -> Result<Json<OpenEntry>, Problem> {
    Ok(Json(open_entry(&state, &index?.0).await?))
}
/// The entry at an index as it was typed.
pub async fn open_entry(state: &state::State, typed: &str) -> Result<OpenEntry, Problem> {
    let size = state.store.head().await?.map_or(0, |head| head.size);
    let index = typed
        .parse()
        .ok()
        .filter(|index| *index < size)
        .ok_or_else(|| {
            let range = size.checked_sub(1).map_or_else(
                || "the ledger has no records yet".to_owned(),
                |last| format!("records are numbered 0 to {last}"),
            );
            Problem::not_found(format!("there is no record {typed:?}"), range)
        })?;
    let view = answers::ask(&*state.store, None, |reading| answer::entry(index, reading)).await?;
    let stored = state.store.entries_at(&[index]).await?.pop();
    stored
        .and_then(|stored| opened(view, size, stored))
        .ok_or_else(|| {
            tracing::error!(
                entry.index = index,
                "an entry below the head cannot be read; run piperoll verify"
            );
            Problem::internal()
        })
}
fn opened(view: EntryView, as_of: u64, stored: StoredEntry) -> Option<OpenEntry> {
    let leaf = Leaf::parse(&stored.leaf)?;
    Some(OpenEntry {
        view,
        as_of,
        leaf: String::from_utf8(stored.leaf).ok()?,
        leaf_hash: stored.leaf_hash.to_hex(),
        keyid: stored.keyid,
        payload: String::from_utf8(stored.payload?).ok()?,
        signature: encoding::base64(&leaf.signature),
    })
}
