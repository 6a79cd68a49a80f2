//! Lists in pages: `/v1/log` and `/v1/changes`, newest first.
//!
//! A page is `{"as_of": <entries>, "rows": […], "next": <cursor>}`; `next` is absent on the last one. All pages of the log that a
//! cursor leads to speak of the same `as_of`.

use std::collections::BTreeSet;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use piperoll_core::{
    answer::{self, ChangeLine, Found, LogRow},
    envelope::Envelope,
    event::{Event, Payload},
    fold::FOLD,
    kind::Kind,
    name::Principal,
};
use piperoll_store::{LogFilter, RefusedRow};
use serde::{Deserialize, Serialize};

use crate::{
    answers,
    api::{cursor::Cursor, limits, problem::Problem, questions},
    state,
};

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// Number of entries the list speaks of.
    pub as_of: u64,
    pub rows: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
/// An event that the ledger could not take, though its signature is good.
#[derive(Debug, Serialize)]
pub struct RefusedEvent {
    /// Counts refused events, not entries.
    pub number: u64,
    pub at: Timestamp,
    /// Short name of the kind, or the type as it was written; absent when the event cannot be read any more.
    pub kind: Option<String>,
    pub principal: String,
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub id: String,
    pub payload_hash: String,
    pub reason: String,
    pub detail: String,
    /// The entry that has the id, for an equivocation.
    pub first: Option<u64>,
    /// How often it came.
    pub times: u64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogParameters {
    service: Option<String>,
    environment: Option<String>,
    change: Option<String>,
    kind: Option<String>,
    principal: Option<String>,
    since: Option<String>,
    until: Option<String>,
    refused: Option<bool>,
    cursor: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn log(
    State(state): State<state::State>,
    parameters: Result<Query<LogParameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let parameters = parameters?.0;
    if parameters.refused == Some(true) {
        Ok(axum::Json(refused(&state, &parameters).await?).into_response())
    } else {
        Ok(axum::Json(entries(&state, &parameters).await?).into_response())
    }
}

async fn entries(
    state: &state::State,
    parameters: &LogParameters,
) -> Result<Page<LogRow>, Problem> {
    let (as_of, before) = place(state, parameters.cursor.as_deref()).await?;
    let (since, until) = questions::span(parameters.since.as_deref(), parameters.until.as_deref())?;
    let kind = parameters.kind.as_deref().map(kind).transpose()?;
    let indexes = match &parameters.change {
        Some(typed) => {
            let change = questions::named(state, typed).await?;
            let entries = answers::entries_of_change(&*state.store, as_of, &change).await?;
            Some(entries.unwrap_or_default().into_iter().collect())
        }
        None => None,
    };
    let limit = limit(parameters.limit)?;
    let filter = LogFilter {
        as_of,
        before,
        service: parameters.service.clone(),
        environment: parameters.environment.clone(),
        kind,
        principal: parameters.principal.as_deref().map(principal).transpose()?,
        indexes,
        since,
        until,
        limit,
    };
    let found = state.store.log(&filter).await?;
    let next = full(&found, limit).map(|last| {
        Cursor {
            as_of,
            before: *last,
        }
        .encode()
    });
    let rows = answers::ask(&*state.store, Some(as_of), |reading| {
        answers::all(found.iter().copied(), |index| {
            answer::log_row(index, reading)
        })
    })
    .await?;
    Ok(Page { as_of, rows, next })
}

/// A principal by its URN, by `pipeline:checkout-deploy`, or a pipeline by its name.
fn principal(typed: &str) -> Result<String, Problem> {
    let urn = if typed.starts_with("urn:") {
        typed.to_owned()
    } else if typed.contains(':') {
        format!("urn:piperoll:{typed}")
    } else {
        format!("urn:piperoll:pipeline:{typed}")
    };
    match Principal::parse(&urn) {
        Ok(_) => Ok(urn),
        Err(error) => Err(Problem::bad_question(
            "principal",
            format!("{typed:?} names nobody: {error}"),
            "write a URN, or such as pipeline:checkout-deploy",
        )),
    }
}
/// A kind that there is, or the beginning of some.
fn kind(typed: &str) -> Result<String, Problem> {
    let is_there = match typed.strip_suffix('*') {
        Some(prefix) => Kind::ALL.iter().any(|kind| kind.name().starts_with(prefix)),
        None => Kind::from_name(typed).is_some(),
    };
    if is_there {
        return Ok(typed.to_owned());
    }
    Err(Problem::bad_question(
        "kind",
        format!("there is no kind {typed:?}"),
        "write one of those that `piperoll kinds` lists, or the beginning of some such as deployment.*",
    ))
}

async fn refused(
    state: &state::State,
    parameters: &LogParameters,
) -> Result<Page<RefusedEvent>, Problem> {
    let (as_of, before) = place(state, parameters.cursor.as_deref()).await?;
    let limit = limit(parameters.limit)?;
    let found = state.store.refused(before, limit).await?;
    let next = full(&found, limit).map(|last| {
        Cursor {
            as_of,
            before: last.number,
        }
        .encode()
    });
    let wanted = Wanted::read(state, parameters).await?;
    let rows = found
        .into_iter()
        .map(refused_event)
        .filter(|row| wanted.holds(row))
        .collect();
    Ok(Page { as_of, rows, next })
}
/// The filters of the log, applied to refused events, of which there are few.
struct Wanted<'a> {
    parameters: &'a LogParameters,
    /// The id of the change that was meant; as it was typed where no such change is known.
    change: Option<String>,
    principal: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}
impl<'a> Wanted<'a> {
    async fn read(state: &state::State, parameters: &'a LogParameters) -> Result<Self, Problem> {
        let (since, until) =
            questions::span(parameters.since.as_deref(), parameters.until.as_deref())?;
        let change = match &parameters.change {
            None => None,
            Some(typed) => Some(match answers::find(&*state.store, typed).await? {
                Found::One { change } => change,
                Found::Several { changes } => return Err(Problem::ambiguous(typed, &changes)),
                Found::None { .. } => typed.clone(),
            }),
        };
        Ok(Self {
            parameters,
            change,
            principal: parameters.principal.as_deref().map(principal).transpose()?,
            since,
            until,
        })
    }
    fn holds(&self, row: &RefusedEvent) -> bool {
        let same = |wanted: &Option<String>, has: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| has == Some(wanted))
        };
        let kind = self.parameters.kind.as_deref().is_none_or(|wanted| {
            let has = row.kind.as_deref().unwrap_or_default();
            wanted
                .strip_suffix('*')
                .map_or(has == wanted, |prefix| has.starts_with(prefix))
        });
        kind && same(&self.parameters.service, row.service.as_ref())
            && same(&self.parameters.environment, row.environment.as_ref())
            && same(&self.change, row.change.as_ref())
            && same(&self.principal, Some(&row.principal))
            && self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at < until)
    }
}
fn refused_event(row: RefusedRow) -> RefusedEvent {
    let payload = row
        .envelope
        .as_deref()
        .and_then(|envelope| Envelope::parse(envelope.as_bytes()).ok())
        .and_then(|envelope| Payload::parse(&envelope.payload).ok());
    // The content may be what was refused; then only the type is known.
    let event = payload
        .as_ref()
        .and_then(|payload| Event::read(payload).ok());
    let kind = match &event {
        Some(event) => Some(event.kind().name().to_owned()),
        None => payload.map(|payload| payload.type_name),
    };
    let profile = event.map(|event| event.profile).unwrap_or_default();
    RefusedEvent {
        number: row.number,
        at: row.at,
        kind,
        principal: row.source,
        change: profile.change,
        service: profile.service,
        environment: profile.environment,
        id: row.event_id,
        payload_hash: row.payload_hash.to_hex(),
        reason: row.reason,
        detail: row.detail,
        first: row.first,
        times: row.times,
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChangesParameters {
    cursor: Option<String>,
    limit: Option<u32>,
}
pub(super) async fn changes(
    State(state): State<state::State>,
    parameters: Result<Query<ChangesParameters>, QueryRejection>,
) -> Result<axum::Json<Page<ChangeLine>>, Problem> {
    let parameters = parameters?.0;
    let limit = limit(parameters.limit)?;
    Ok(axum::Json(
        changes_page(&state, parameters.cursor.as_deref(), limit).await?,
    ))
}
/// Changes by their latest entry. Each page speaks of the ledger as it is then: what moves up meanwhile is on the first page again.
pub async fn changes_page(
    state: &state::State,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<ChangeLine>, Problem> {
    let (_, before) = place(state, cursor).await?;
    let as_of = state.store.head().await?.map_or(0, |head| head.size);
    let found = state.store.changes(FOLD, before, limit).await?;
    let next = full(&found, limit).map(|last| {
        Cursor {
            as_of,
            before: last.last_index,
        }
        .encode()
    });
    let mut seen = BTreeSet::new();
    let rows: Vec<(String, u64)> = found
        .into_iter()
        .filter(|row| seen.insert(row.change.clone()))
        .map(|row| (row.change, row.last_index))
        .collect();
    let rows = answers::ask(&*state.store, Some(as_of), |reading| {
        answer::changes(&rows, reading)
    })
    .await?;
    Ok(Page { as_of, rows, next })
}

/// The size a list speaks of, and the number below which it goes on.
async fn place(state: &state::State, cursor: Option<&str>) -> Result<(u64, Option<u64>), Problem> {
    match cursor {
        Some(text) => {
            let cursor = Cursor::parse(text)?;
            Ok((cursor.as_of, Some(cursor.before)))
        }
        None => Ok((state.store.head().await?.map_or(0, |head| head.size), None)),
    }
}
fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(limits::PAGE_ROWS_DEFAULT),
        Some(rows @ 1..=limits::PAGE_ROWS_MAX) => Ok(rows),
        Some(_) => Err(Problem::bad_question(
            "limit",
            "a page has 1 to 500 rows",
            "ask for fewer rows and follow `next`",
        )),
    }
}
/// The last row of a page that may have a successor.
fn full<T>(rows: &[T], limit: u32) -> Option<&T> {
    rows.last().filter(|_| rows.len() >= limit as usize)
}
