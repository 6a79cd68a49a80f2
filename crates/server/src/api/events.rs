//! `POST /v1/events`: one envelope, or many as NDJSON; a status for each.

use axum::{
    body::Bytes,
    extract::{
        Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    api::{limits, problem::Problem},
    intake::{Answer, Intake, Wait},
    state,
};

const NDJSON: &str = "application/x-ndjson";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    wait: Option<String>,
}

/// What became of an event that was not refused, as JSON.
#[derive(Serialize)]
struct Taken {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// The six lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf: Option<String>,
    payload_hash: String,
}
/// A line of the answer to NDJSON.
#[derive(Serialize)]
struct Line {
    status: u16,
    #[serde(flatten)]
    taken: Taken,
}

pub(super) async fn post(
    State(state): State<state::State>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wait = wait(&parameters?.0)?;
    let body = body?;
    if is_ndjson(&headers) {
        many(&*state.intake, &body, wait).await
    } else {
        let (status, taken) = one(&*state.intake, body.to_vec(), wait).await?;
        Ok((status, axum::Json(taken)).into_response())
    }
}

fn wait(parameters: &Parameters) -> Result<Wait, Problem> {
    match parameters.wait.as_deref() {
        None => Ok(Wait::Stored),
        Some("recorded") => Ok(Wait::Recorded),
        Some("published") => Ok(Wait::Published),
        Some(other) => Err(Problem::bad_question(
            "wait",
            format!("nothing can be waited for by the name {other:?}"),
            "wait=recorded or wait=published",
        )),
    }
}
fn is_ndjson(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(NDJSON))
}

async fn one(
    intake: &dyn Intake,
    message: Vec<u8>,
    wait: Wait,
) -> Result<(StatusCode, Taken), Problem> {
    match intake.submit(message, wait).await? {
        Answer::Recorded {
            index,
            leaf,
            payload_hash,
        } => Ok((
            StatusCode::CREATED,
            entry("recorded", index, &leaf, payload_hash),
        )),
        Answer::Duplicate {
            index,
            leaf,
            payload_hash,
        } => Ok((
            StatusCode::OK,
            entry("duplicate", index, &leaf, payload_hash),
        )),
        Answer::Accepted { payload_hash } => Ok((
            StatusCode::ACCEPTED,
            Taken {
                state: "waiting",
                index: None,
                leaf: None,
                payload_hash: payload_hash.to_hex(),
            },
        )),
        Answer::Refused { refusal, first } => Err(Problem::refused(&refusal, first)),
    }
}
fn entry(state: &'static str, index: u64, leaf: &[u8], payload_hash: piperoll_core::Hash) -> Taken {
    Taken {
        state,
        index: Some(index),
        // A leaf is ASCII by construction (formats.md section 6).
        leaf: Some(String::from_utf8_lossy(leaf).into_owned()),
        payload_hash: payload_hash.to_hex(),
    }
}

/// Lines are independent; they reach the projector in the order in which they stand, so that a key's registration may precede its
/// use. A line feed at the end of the body begins no line.
async fn many(intake: &dyn Intake, body: &[u8], wait: Wait) -> Result<Response, Problem> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let lines: Vec<Vec<u8>> = body
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.len() > limits::EVENTS_LINES_MAX {
        return Err(Problem::too_many(
            "lines",
            limits::EVENTS_LINES_MAX,
            "send the events in several requests",
        ));
    }
    let answers: Vec<String> = stream::iter(lines)
        .map(|line| one_of_many(intake, line, wait))
        .buffered(limits::EVENTS_LINES_AT_ONCE)
        .collect()
        .await;
    Ok(([(header::CONTENT_TYPE, NDJSON)], answers.concat()).into_response())
}
async fn one_of_many(intake: &dyn Intake, message: Vec<u8>, wait: Wait) -> String {
    match one(intake, message, wait).await {
        Ok((status, taken)) => json_line(&Line {
            status: status.as_u16(),
            taken,
        }),
        Err(problem) => json_line(&problem),
    }
}
fn json_line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("an answer holds only strings and integers");
    line.push('\n');
    line
}
