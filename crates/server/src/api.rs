//! The HTTP side: the JSON API `/v1/…`, health, webhooks, pages. A handler extracts, calls one thing, answers.
//!
//! | address | who | answer |
//! |---|---|---|
//! | `POST /v1/events` | anybody; the signature decides | [`events`] |
//! | `GET /v1/receipts/<payload hash>`, `/v1/genesis` | anybody | [`receipts::Answer`], [`receipts::Genesis`] |
//! | `GET /healthz`, `/readyz` | anybody | [`health`] |
//! | `POST /bridges/<name>` | whoever has the bridge's secret | [`bridges`] |
//! | `GET /v1/where`, `/v1/log`, `/v1/changes`, `/v1/timeline`, `/v1/find`, `/v1/entries/<index>` | readers ([`access`]) | [`questions`], [`lists`] |
//! | `GET /metrics` | readers | [`metrics`] |
//! | pages | readers | [`pages`] |
//!
//! What goes wrong is a problem document ([`problem`]). Every limit has its name in [`limits`].
//!
//! [`receipts::Answer`]: crate::receipts::Answer
//! [`receipts::Genesis`]: crate::receipts::Genesis

pub mod access;
pub mod cursor;
pub mod events;
pub mod health;
pub mod limits;
pub mod lists;
pub mod metrics;
mod outside;
pub mod problem;
pub mod questions;
mod receipt;

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::{bridges, pages, state::State};
use access::Reading;
use problem::Problem;

/// Every route of the server: API, bridges, pages.
pub fn router(state: State) -> Router {
    let reading = Reading::of_listener(state.web.address);
    let readers = Router::new()
        .route("/v1/where", get(questions::where_is))
        .route("/v1/changes", get(lists::changes))
        .route("/v1/changes/{id}", get(questions::story))
        .route("/v1/find", get(questions::find))
        .route("/v1/log", get(lists::log))
        .route("/v1/timeline", get(questions::timeline))
        .route("/v1/entries/{index}", get(questions::entry))
        .route("/metrics", get(metrics::get))
        .layer(Extension(metrics::Sums::default()))
        .route_layer(from_fn_with_state(reading, access::guard));
    let anybody = Router::new()
        .route("/v1/events", post(events::post))
        .route("/v1/receipts/{payload_hash}", get(receipt::of_payload))
        .route("/v1/genesis", get(receipt::genesis))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(limits::EVENTS_BODY_BYTES_MAX));
    Router::new()
        .merge(readers)
        .merge(anybody)
        .merge(bridges::router())
        .merge(pages::router(reading))
        .fallback(async || Problem::no_such_address())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(outside::Room::new(), outside::bounded))
        .layer(outside::panics())
        .layer(from_fn(outside::dressed))
        .layer(from_fn(outside::headers))
        .with_state(state)
}
