//! Bridges: adapters that sign on behalf of systems that cannot.

use crate::serve::{State, Stop};

/// The bridges' background work: sends what is not recorded yet, until `stop`.
pub async fn run(_state: State, mut stop: Stop) {
    stop.stopped().await;
}

/// The webhooks' routes.
pub(crate) fn router() -> axum::Router<State> {
    axum::Router::new()
}
