//! Web pages, rendered on the server, usable without script.
//!
//! A handler asks one question, a view makes strings of the answer, a template in `templates/` puts them in order. Templates hold
//! no logic beyond `if` and `for` and escape everything. Times are UTC; each page says so once.

mod changes;
mod entry;
mod matrix;
mod picture;
mod problem;
#[cfg(test)]
mod samples;
mod signing;
mod story;
#[cfg(test)]
mod tests;
mod words;

use askama::Template;
use axum::{
    Router,
    http::header,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use piperoll_core::answer::part::AsOf;

pub(crate) use problem::{dress, is_for_people};

use crate::{
    api::{
        access::{self, Reading},
        problem::Problem,
    },
    state,
};

const STYLE: &str = include_str!("../templates/style.css");
const ICON: &str = include_str!("../templates/icon.svg");

/// The pages' routes.
pub(crate) fn router(reading: Reading) -> Router<state::State> {
    let readers = Router::new()
        .route("/", get(matrix::get))
        .route("/where", get(matrix::get))
        .route("/changes", get(changes::get))
        .route("/changes/{id}", get(story::get))
        .route("/entries/{index}", get(entry::get))
        .route_layer(from_fn_with_state(reading, access::guard));
    Router::new()
        .route(
            "/style.css",
            get(async || asset("text/css; charset=utf-8", STYLE)),
        )
        .route("/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .merge(readers)
}
fn asset(content_type: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, body)
}

/// What every page has around its content.
struct Frame {
    /// Of the window; the page's own heading stands in the page.
    title: String,
    /// The menu's entry the page belongs to: `where`, `changes` or none.
    menu: &'static str,
    /// `as of record 85`, where the page speaks of a size.
    as_of: String,
    origin: String,
}
impl Frame {
    fn new(state: &state::State, title: String, menu: &'static str, as_of: &AsOf) -> Self {
        Self {
            title,
            menu,
            as_of: self::as_of(as_of.size),
            origin: state.ledger.origin.as_str().to_owned(),
        }
    }
}
fn as_of(size: u64) -> String {
    size.checked_sub(1).map_or_else(
        || "nothing recorded yet".to_owned(),
        |last| format!("as of record {last}"),
    )
}

/// A rendered page.
fn page(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| {
        tracing::error!(error = %error, "a page could not be rendered");
        Problem::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}
