//! Bridges: adapters that sign on behalf of systems that cannot (`formats.md` section 10).
//!
//! ```text
//! webhook ──► intake: origin proven, body read ──► mapping (pure) ──► signed ──► the store's outbox ──► 2xx
//!                                                                                    └──► delivery ──► ledger
//! ```
//! A bridge that dies anywhere after its 2xx loses nothing and doubles nothing: the outbox keeps the signed envelope under its
//! dedupe key, and ids follow from what is relayed.

pub mod alertmanager;
pub mod config;
mod delivery;
pub mod github;
mod intake;
mod registry;
pub mod relay;
mod signing;
mod texts;

use axum::{Router, extract::DefaultBodyLimit, routing::post};

use crate::{state::State, stop::Stop};

/// The webhooks' routes. Bodies have a limit of their own.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/bridges/{name}", post(intake::post))
        .layer(DefaultBodyLimit::disable())
}
/// The bridges' background work: sends what is not recorded yet, until `stop`.
pub async fn run(state: State, stop: Stop) {
    delivery::run(state, stop).await;
}
