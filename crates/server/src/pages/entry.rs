//! `/entries/<index>`: one record. What was said comes first, what the ledger keeps of it after.

use askama::Template;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use piperoll_core::answer::part::AsOf;

use super::{
    Frame, page,
    signing::{self, Key},
    words::{self, Fact, Sentence},
};
use crate::{
    api::{
        problem::Problem,
        questions::{self, OpenEntry},
    },
    state,
};

#[derive(Template)]
#[template(path = "entry.html")]
struct Page {
    frame: Frame,
    index: u64,
    previous: Option<u64>,
    next: Option<u64>,
    sentence: Sentence,
    class: &'static str,
    time: String,
    datetime: String,
    recorded_at: String,
    via: Option<String>,
    change: Option<(String, String)>,
    texts: Vec<Fact>,
    facts: Vec<Fact>,
    key: Option<Key>,
    entry: OpenEntry,
}

pub(super) async fn get(
    State(state): State<state::State>,
    index: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let entry = questions::open_entry(&state, &index?.0).await?;
    let size = entry.as_of;
    let keys = signing::keys(&state, &[entry.view.row.index]).await?;
    let key = keys.into_values().next();
    let as_of = AsOf {
        size,
        recorded_at: None,
    };
    let said = words::clean(&entry.view.line.sentence.plain());
    let title = format!("Record {}: {said}", entry.view.row.index);
    let frame = Frame::new(&state, title, "", &as_of);
    page(&Page::of(frame, entry, key))
}
impl Page {
    fn of(frame: Frame, entry: OpenEntry, key: Option<Key>) -> Self {
        let row = &entry.view.row;
        let line = &entry.view.line;
        Self {
            frame,
            index: row.index,
            previous: row.index.checked_sub(1),
            next: Some(row.index + 1).filter(|next| *next < entry.as_of),
            sentence: words::sentence(&line.sentence),
            class: words::tone(line.tone),
            time: words::long_moment(row.time),
            datetime: row.time.to_string(),
            recorded_at: row.recorded_at.clone(),
            via: line.via.as_deref().map(words::clean),
            change: row
                .change
                .as_deref()
                .map(|id| (words::change_href(id), words::clean(id))),
            texts: entry
                .view
                .texts
                .iter()
                .map(|text| {
                    let (sentence, quote) = words::said(&text.words);
                    Fact {
                        label: words::clean(&text.name),
                        sentence,
                        quote,
                    }
                })
                .collect(),
            facts: entry.view.facts.iter().map(words::fact).collect(),
            key,
            entry,
        }
    }
}
