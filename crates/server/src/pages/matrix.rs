//! `/` and `/where`: what is in each environment.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use jiff::Timestamp;
use piperoll_core::answer::{
    Cell, Contents, Where, WhereRow,
    part::{self, ChangeRef, Moment, Part},
};

use super::{
    Frame, page,
    words::{self, Chip, Digest, Sentence},
};
use crate::{
    api::{problem::Problem, questions},
    state,
};

#[derive(Template)]
#[template(path = "where.html")]
pub(super) struct Page {
    frame: Frame,
    lead: Sentence,
    environments: Vec<String>,
    rows: Vec<Row>,
}
struct Row {
    service: String,
    behind: Sentence,
    cells: Vec<Place>,
}
/// A cell, which names its column: on a narrow page the heading is not seen.
struct Place {
    environment: String,
    slot: Option<Slot>,
}
struct Slot {
    /// Where the change's story is, if a change is known.
    change: Option<(String, String)>,
    /// What else came with it, or that this is unknown.
    contents: Sentence,
    digests: Vec<Digest>,
    since: String,
    since_datetime: String,
    /// How long ago, or when it was recorded where the two times differ much.
    beside: String,
    again: bool,
    record: u64,
    by: Sentence,
    via: Option<String>,
    chips: Vec<Chip>,
    deciders: Sentence,
}

pub(super) async fn get(
    State(state): State<state::State>,
    parameters: Result<Query<questions::Part>, QueryRejection>,
) -> Result<Response, Problem> {
    let answer = questions::matrix(&state, &parameters?.0).await?;
    let frame = Frame::new(
        &state,
        "Where every change is".to_owned(),
        "where",
        &answer.as_of,
    );
    page(&Page::of(frame, &answer, state.clock.now()))
}

impl Page {
    pub(super) fn of(frame: Frame, answer: &Where, now: Timestamp) -> Self {
        Self {
            frame,
            lead: words::sentence(&answer.lead),
            environments: answer
                .environments
                .iter()
                .map(|name| words::clean(name))
                .collect(),
            rows: answer
                .rows
                .iter()
                .map(|row| Row::of(row, answer, now))
                .collect(),
        }
    }
}
impl Row {
    fn of(row: &WhereRow, answer: &Where, now: Timestamp) -> Self {
        Self {
            service: words::clean(&row.service),
            behind: row
                .behind
                .as_ref()
                .map(|behind| words::sentence(&behind.sentence))
                .unwrap_or_default(),
            cells: answer
                .environments
                .iter()
                .zip(&row.cells)
                .map(|(environment, cell)| Place {
                    environment: words::clean(environment),
                    slot: cell.as_ref().map(|cell| Slot::of(cell, &answer.as_of, now)),
                })
                .collect(),
        }
    }
}
impl Slot {
    fn of(cell: &Cell, as_of: &part::AsOf, now: Timestamp) -> Self {
        Self {
            change: cell
                .change
                .as_ref()
                .map(|change| (words::change_href(&change.id), words::change_text(change))),
            contents: words::sentence(&contents(cell)),
            // The first digest says enough; the commit is on the story page.
            digests: cell.digests.iter().take(2).map(words::digest).collect(),
            since: as_of.date(cell.since.time),
            since_datetime: cell.since.time.to_string(),
            beside: beside(&cell.since, as_of, now),
            again: cell.again,
            record: cell.since.index,
            by: words::who(&cell.by),
            via: cell.via.as_deref().map(words::clean),
            chips: cell.marks.iter().map(words::chip).collect(),
            deciders: words::sentence(&cell.deciders),
        }
    }
}
/// `, 3 d`; where the emitter's time cannot be believed, ` (recorded Thu 12 Nov 20:04)`.
fn beside(since: &Moment, as_of: &part::AsOf, now: Timestamp) -> String {
    match since.recorded_at {
        Some(at) => format!(" (recorded {})", as_of.date(at)),
        None => words::age(since.time, now)
            .map(|age| format!(", {age}"))
            .unwrap_or_default(),
    }
}
/// `with #416, #417`, `contents unknown`, or nothing where the change came alone.
fn contents(cell: &Cell) -> part::Sentence {
    let text = |text: &str| Part::Text {
        text: text.to_owned(),
    };
    match &cell.contents {
        Contents::Unknown => part::Sentence(vec![text("contents unknown")]),
        Contents::Rollback => part::Sentence::default(),
        Contents::Known { changes, .. } => {
            let others: Vec<&ChangeRef> = changes
                .iter()
                .filter(|change| cell.change.as_ref().is_none_or(|own| own.id != change.id))
                .collect();
            let mut parts = Vec::new();
            for (place, change) in others.into_iter().enumerate() {
                parts.push(text(if place == 0 { "with " } else { ", " }));
                parts.push(Part::Change {
                    id: change.id.clone(),
                    label: change.label.clone(),
                });
            }
            part::Sentence(parts)
        }
    }
}
