//! A problem as a page, for whoever reads with a browser.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, Uri, header},
    response::Response,
};

use super::Frame;
use crate::api::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    frame: Frame,
    heading: &'static str,
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
            title: problem.title().to_owned(),
            menu: "",
            as_of: String::new(),
            origin: String::new(),
        },
        heading: problem.title(),
        detail: problem.detail().to_owned(),
        remedy: problem.remedy_text().map(str::to_owned),
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
