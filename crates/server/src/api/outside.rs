//! What surrounds every route: a bound on how much is done at a time and for how long, headers, and an answer when code panics.

use std::{any::Any, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    api::{limits, problem::Problem},
    pages,
};

/// Pages bring no script and are not to be framed; the style sheet is the only thing they load.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Room for requests.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);
impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(limits::REQUESTS_AT_ONCE)))
    }
}

/// Serves a request if there is room, and for a bounded time. A webhook's body has a wait of its own within this one.
pub(super) async fn bounded(State(room): State<Room>, request: Request, next: Next) -> Response {
    if request.uri().to_string().len() > limits::URI_BYTES_MAX {
        return Problem::too_large(
            "an address",
            limits::URI_BYTES_MAX,
            "ask for less at a time",
        )
        .into_response();
    }
    let Ok(_place) = room.0.try_acquire() else {
        return Problem::busy("too many requests at a time").into_response();
    };
    tokio::time::timeout(limits::REQUEST_WAIT, next.run(request))
        .await
        .unwrap_or_else(|_| {
            // Whoever sent an event keeps it and sends it again: what was taken is then a duplicate.
            Problem::busy("the request was not done within its time").into_response()
        })
}

/// Headers of every answer. What is recorded must not linger in shared caches.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Answers for a request whose code panicked. The panic's own message is on standard error already.
pub(super) fn panics() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(answer_panic as fn(Box<dyn Any + Send>) -> Response)
}
fn answer_panic(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("the code for a request panicked");
    Problem::internal().into_response()
}

/// Problems as pages for people with a browser. Programs keep their documents.
pub(super) async fn dressed(request: Request, next: Next) -> Response {
    let for_people = pages::is_for_people(request.uri(), request.headers());
    let response = next.run(request).await;
    if for_people {
        pages::dress(response)
    } else {
        response
    }
}
