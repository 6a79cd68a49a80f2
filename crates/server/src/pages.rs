//! Web pages, rendered on the server, usable without script.

use axum::{
    Router,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use crate::{
    api::{access::Reading, problem::Problem},
    serve::State,
};

/// The pages' routes.
pub(crate) fn router(_reading: Reading) -> Router<State> {
    Router::new()
}
/// A problem for whoever asked: a page for browsers, a document for programs.
pub(crate) fn explain(problem: Problem, _headers: &HeaderMap) -> Response {
    problem.into_response()
}
