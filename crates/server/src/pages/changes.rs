//! `/changes`: every change, the latest first.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use piperoll_core::answer::{self, ChangeLine, part::AsOf};
use serde::Deserialize;

use super::{
    Frame, page,
    words::{self, Chip, Sentence},
};
use crate::{
    api::{limits, lists, problem::Problem},
    state,
};

#[derive(Template)]
#[template(path = "changes.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    /// Cursor of the next page.
    next: Option<String>,
}
struct Row {
    href: String,
    text: String,
    service: String,
    proposer: Option<Sentence>,
    state: &'static str,
    running_in: String,
    chips: Vec<Chip>,
    last_index: u64,
}

#[derive(Deserialize)]
pub(super) struct Parameters {
    cursor: Option<String>,
}
pub(super) async fn get(
    State(state): State<state::State>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let cursor = parameters?.0.cursor;
    let list = lists::changes_page(&state, cursor.as_deref(), limits::PAGE_ROWS_DEFAULT).await?;
    let as_of = AsOf {
        size: list.as_of,
        recorded_at: None,
    };
    page(&Page {
        frame: Frame::new(&state, "Changes".to_owned(), "changes", &as_of),
        rows: list.rows.iter().map(Row::of).collect(),
        next: list.next,
    })
}
impl Row {
    fn of(line: &ChangeLine) -> Self {
        Self {
            href: words::change_href(&line.change.id),
            text: words::change_text(&line.change),
            service: line
                .change
                .service
                .as_deref()
                .map(words::clean)
                .unwrap_or_default(),
            proposer: line.proposer.as_ref().map(words::who),
            state: state_word(line.state),
            running_in: words::clean(&line.running_in.join(", ")),
            chips: line.chips.iter().map(words::chip).collect(),
            last_index: line.last_index,
        }
    }
}
/// What the merge request's own system says.
pub(super) fn state_word(state: answer::State) -> &'static str {
    match state {
        answer::State::Open => "open",
        answer::State::Merged => "merged",
        answer::State::Abandoned => "closed without merging",
        answer::State::Unknown => "",
    }
}
