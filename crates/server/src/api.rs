//! The JSON API: `/v1/…`, `/healthz`, `/readyz`. A handler extracts, calls one thing, answers.

use axum::Router;

use crate::serve::State;

/// Every route of the server: API, bridges, pages.
pub fn router(_state: State) -> Router {
    Router::new()
}
