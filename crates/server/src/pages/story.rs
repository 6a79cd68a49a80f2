//! `/changes/<id>`: the whole story of a change.

mod sight;

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse, Redirect, Response},
};
use piperoll_core::answer::{
    Agreement, Found, Story, Words,
    part::{self, Line},
};

use super::{
    Frame,
    changes::state_word,
    page,
    picture::Drawing,
    signing::{self, Key},
    words::{self, Chip, Digest, Fact, Sentence},
};
use crate::{
    answers,
    api::{
        problem::Problem,
        questions::{self, AsOf},
    },
    state,
};

#[derive(Template)]
#[template(path = "story.html")]
pub(super) struct Page {
    frame: Frame,
    label: String,
    service: Option<String>,
    state: &'static str,
    proposer: Option<Sentence>,
    via: Option<String>,
    also_known_as: Vec<String>,
    deployed_as: Vec<Digest>,
    title: String,
    lead: Vec<Sentence>,
    chips: Vec<Chip>,
    disputed: Vec<String>,
    drawing: Option<Drawing>,
    agreements: Vec<Decision>,
    lines: Vec<RecordLine>,
    completeness: Vec<Sentence>,
}
/// What an approver was shown stands open in the table up to this length.
const SHOWN_BYTES_MAX: usize = 200;

/// A row of "who agreed, and to what".
struct Decision {
    who: Sentence,
    role: String,
    verdict: String,
    place: String,
    /// Until when it holds, if it has an end.
    until: Option<String>,
    doubt: Option<String>,
    /// What they were shown, folded away where it is long.
    shown: Option<Fact>,
    shown_is_long: bool,
    comment: Option<Fact>,
    time: String,
    datetime: String,
    record: u64,
    covers: Chip,
}
/// A line of the record.
struct RecordLine {
    index: u64,
    time: String,
    datetime: String,
    recorded: Option<String>,
    sign: String,
    class: &'static str,
    sentence: Sentence,
    via: Option<String>,
    facts: Vec<Fact>,
    also: Vec<u64>,
    payload_hash: String,
    key: Option<Key>,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choice {
    frame: Frame,
    typed: String,
    changes: Vec<(String, String)>,
}

pub(super) async fn get(
    State(state): State<state::State>,
    id: Result<Path<String>, PathRejection>,
    parameters: Result<Query<AsOf>, QueryRejection>,
) -> Result<Response, Problem> {
    let typed = id?.0;
    let as_of = parameters?.0.as_of;
    match answers::find(&*state.store, &typed).await? {
        Found::One { change } if change == typed => show(&state, &change, as_of).await,
        Found::One { change } => {
            let href = words::change_href(&change);
            let href = match as_of {
                Some(as_of) => format!("{href}?as_of={as_of}"),
                None => href,
            };
            Ok(Redirect::to(&href).into_response())
        }
        Found::Several { changes } => choose(&state, &typed, &changes),
        Found::None { hint } => Err(questions::unknown_change(&typed, &hint)),
    }
}
async fn show(state: &state::State, change: &str, as_of: Option<u64>) -> Result<Response, Problem> {
    let story = questions::story_of(state, change, as_of).await?;
    let indexes: Vec<u64> = story.lines.iter().map(|line| line.at.index).collect();
    let keys = signing::keys(state, &indexes).await?;
    let hashes = state
        .store
        .entries_at(&indexes)
        .await?
        .into_iter()
        .map(|entry| (entry.index, entry.payload_hash.to_hex()))
        .collect();
    let title = format!(
        "{} · {}",
        heading(&story),
        words::clean(&story.change.label)
    );
    let frame = Frame::new(state, title, "changes", &story.as_of);
    page(&Page::of(frame, &story, keys, &hashes))
}
fn choose(state: &state::State, typed: &str, changes: &[String]) -> Result<Response, Problem> {
    page(&Choice {
        frame: Frame {
            title: "Which change?".to_owned(),
            menu: "changes",
            as_of: String::new(),
            origin: state.ledger.origin.as_str().to_owned(),
        },
        typed: words::clean(typed),
        changes: changes
            .iter()
            .map(|id| (words::change_href(id), words::clean(id)))
            .collect(),
    })
}

fn heading(story: &Story) -> String {
    match &story.title {
        Words::Said(title) => words::clean(title),
        Words::NotSupplied => words::clean(&story.change.label),
        Words::Erased => format!("{} (title erased)", words::clean(&story.change.label)),
    }
}
impl Page {
    pub(super) fn of(
        frame: Frame,
        story: &Story,
        mut keys: BTreeMap<u64, Key>,
        hashes: &BTreeMap<u64, String>,
    ) -> Self {
        Self {
            frame,
            label: words::clean(&story.change.label),
            service: story.change.service.as_deref().map(words::clean),
            state: state_word(story.state),
            proposer: story.proposer.as_ref().map(words::who),
            via: story.via.as_deref().map(words::clean),
            also_known_as: story
                .also_known_as
                .iter()
                .map(|name| words::clean(name))
                .collect(),
            deployed_as: story.deployed_as.iter().map(words::digest).collect(),
            title: heading(story),
            lead: story.lead.iter().map(words::sentence).collect(),
            chips: story.chips.iter().map(words::chip).collect(),
            disputed: story
                .disputed
                .iter()
                .map(|name| words::clean(name))
                .collect(),
            drawing: sight::picture(story).draw(),
            agreements: story
                .agreements
                .iter()
                .map(|agreement| Decision::of(agreement, &story.as_of))
                .collect(),
            lines: story
                .lines
                .iter()
                .map(|line| {
                    let hash = hashes.get(&line.at.index).cloned().unwrap_or_default();
                    RecordLine::of(line, &story.as_of, hash, keys.remove(&line.at.index))
                })
                .collect(),
            completeness: story.completeness.iter().map(words::sentence).collect(),
        }
    }
}
impl Decision {
    fn of(agreement: &Agreement, as_of: &part::AsOf) -> Self {
        let fact = |label: &str, words: &Words| {
            let (sentence, quote) = words::said(words);
            Fact {
                label: label.to_owned(),
                sentence,
                quote,
            }
        };
        let place: Vec<String> = [&agreement.service, &agreement.environment]
            .into_iter()
            .flatten()
            .map(|name| words::clean(name))
            .collect();
        Self {
            who: words::who(&agreement.who),
            role: agreement
                .role
                .as_deref()
                .map_or_else(|| "no role named".to_owned(), words::clean),
            verdict: words::clean(&agreement.decision),
            place: place.join(", "),
            until: agreement.until.map(|until| as_of.date(until)),
            doubt: agreement.doubt.clone(),
            shown_is_long: matches!(&agreement.shown, Some(Words::Said(text)) if text.len() > SHOWN_BYTES_MAX),
            shown: agreement
                .shown
                .as_ref()
                .map(|words| fact("was shown", words)),
            comment: agreement.comment.as_ref().map(|words| fact("said", words)),
            time: as_of.date(agreement.at.time),
            datetime: agreement.at.time.to_string(),
            record: agreement.at.index,
            covers: words::chip(&agreement.mark),
        }
    }
}
impl RecordLine {
    fn of(line: &Line, as_of: &part::AsOf, payload_hash: String, key: Option<Key>) -> Self {
        Self {
            index: line.at.index,
            time: as_of.date(line.at.time),
            datetime: line.at.time.to_string(),
            recorded: line.at.recorded_at.map(|at| as_of.date(at)),
            sign: line.sign.map(String::from).unwrap_or_default(),
            class: words::tone(line.tone),
            sentence: words::sentence(&line.sentence),
            via: line.via.as_deref().map(words::clean),
            facts: line.details.iter().map(words::fact).collect(),
            also: line.also.clone(),
            payload_hash,
            key,
        }
    }
}
