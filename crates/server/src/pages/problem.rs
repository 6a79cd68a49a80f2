//! A problem as a page, for whoever reads with a browser.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};

use super::{Frame, words::clean};
use crate::api::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    frame: Frame,
    heading: String,
    detail: String,
    remedy: Option<String>,
    status: u16,
}

/// Whether somebody with a browser asked for a page. Programs ask at `/v1/` and `/bridges/`.
pub(crate) fn is_for_people(uri: &Uri, headers: &HeaderMap) -> bool {
    let path = uri.path();
    let program = path.starts_with("/v1/") || path.starts_with("/bridges/");
    let html = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"));
    !program && html
}
/// The same answer, its body as a page.
pub(crate) fn dress(response: Response) -> Response {
    let Some(problem) = response.extensions().get::<Problem>() else {
        return response;
    };
    let page = Page {
        frame: Frame {
            title: capital(problem.title()),
            menu: "",
            as_of: String::new(),
            origin: String::new(),
        },
        heading: capital(problem.title()),
        detail: full(problem.detail()),
        remedy: problem.remedy_text().map(full),
        status: problem.status(),
    };
    let Ok(html) = page.render() else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Response::from_parts(parts, html.into())
}
/// With a capital, as a heading begins.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
/// With a capital and a full stop, as a sentence has them.
fn full(text: &str) -> String {
    let text = clean(&capital(text));
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}
