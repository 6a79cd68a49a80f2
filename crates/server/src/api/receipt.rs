//! Receipts and genesis: open to anybody, content of nobody.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use piperoll_core::Hash;

use crate::{
    api::problem::Problem,
    receipts::{Answer, Genesis},
    state,
};

pub(super) async fn of_payload(
    State(state): State<state::State>,
    payload_hash: Result<Path<String>, PathRejection>,
) -> Result<Json<Answer>, Problem> {
    let payload_hash = Hash::from_hex(&payload_hash?.0).ok_or_else(|| {
        Problem::bad_question(
            "payload hash",
            "a receipt is asked for by the SHA-256 of the payload",
            "64 lower-case hexadecimal digits",
        )
    })?;
    Ok(Json(state.receipts.of_payload(payload_hash).await?))
}
pub(super) async fn genesis(State(state): State<state::State>) -> Result<Json<Genesis>, Problem> {
    Ok(Json(state.receipts.genesis().await?))
}
