//! Hands in one event: `POST /v1/events`, and what each answer means (`formats.md` section 8).

use std::time::Duration;

use piperoll_core::{Hash, envelope::Envelope};
use serde::Deserialize;

use crate::{
    outbox::Place,
    problem::Problem,
    server::{Answer, Server, Unreachable},
};

const CONTENT_TYPE: &str = "application/vnd.dsse.envelope.v1+json";

/// `?wait=`: how far the server goes before it answers. Without NATS behind it every answer waits until it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wait {
    #[default]
    Stored,
    Recorded,
    Published,
}
impl Wait {
    fn query(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Stored => &[],
            Self::Recorded => &[("wait", "recorded")],
            Self::Published => &[("wait", "published")],
        }
    }
}

/// What became of one attempt, by what the sender does next.
#[derive(Debug)]
pub enum Delivered {
    /// 201: it is an entry, and the leaf holds our payload hash and our signature.
    Recorded(Place),
    /// 200: it was an entry already; checked in the same way.
    Duplicate(Place),
    /// 202: it is on the stream. Ask for its receipt later.
    Accepted,
    /// 425: keep it and send it again when somebody has granted or registered what is missing.
    Retry(Problem),
    /// 503, 429 and the like: keep it; the whole ledger takes nothing for now.
    Unavailable {
        problem: Problem,
        retry_after: Option<Duration>,
    },
    /// The ledger will never take it.
    Refused(Problem),
    /// Keep it; nobody knows whether it arrived.
    Unreachable(Unreachable),
    /// It says "recorded" and shows something else than what we sent. Keep the event and tell somebody.
    Contradiction(String),
}

#[derive(Deserialize)]
struct Body {
    state: String,
    payload_hash: String,
    index: Option<u64>,
    leaf: Option<String>,
}

/// One attempt. `message` are the bytes of `envelope`, as they were kept.
pub async fn deliver(
    server: &Server,
    envelope: &Envelope,
    message: &[u8],
    wait: Wait,
) -> Delivered {
    match server
        .post("/v1/events", wait.query(), CONTENT_TYPE, message.to_vec())
        .await
    {
        Ok(answer) => read(server, envelope, &answer),
        Err(unreachable) => Delivered::Unreachable(unreachable),
    }
}
fn read(server: &Server, envelope: &Envelope, answer: &Answer) -> Delivered {
    if (200..300).contains(&answer.status) {
        return read_success(server, envelope, answer);
    }
    let not_a_ledger = |why| Delivered::Unreachable(server.not_a_ledger(why));
    // A verdict comes with a problem document; a proxy's 403 or 413 is nothing to put an event aside for.
    let Some(mut problem) = Problem::parse(&answer.content_type, &answer.body) else {
        if answer.status >= 500 || answer.status == 429 {
            let title = format!("it answers with status {}", answer.status);
            let problem = Problem {
                title,
                status: answer.status,
                ..Problem::default()
            };
            return Delivered::Unavailable {
                problem,
                retry_after: answer.retry_after,
            };
        }
        return not_a_ledger(format!(
            "it answers with status {} and no problem document",
            answer.status
        ));
    };
    problem.status = answer.status;
    match answer.status {
        425 => Delivered::Retry(problem),
        400 | 403 | 409 | 413 | 422 => Delivered::Refused(problem),
        429 | 500.. => Delivered::Unavailable {
            problem,
            retry_after: answer.retry_after,
        },
        status => not_a_ledger(format!("it answers with status {status}: {problem}")),
    }
}
fn read_success(server: &Server, envelope: &Envelope, answer: &Answer) -> Delivered {
    let Ok(body) = serde_json::from_slice::<Body>(&answer.body) else {
        let why = format!(
            "it answers with status {} and something else than it should",
            answer.status
        );
        return Delivered::Unreachable(server.not_a_ledger(why));
    };
    if Hash::from_hex(&body.payload_hash) != Some(envelope.payload_hash()) {
        return Delivered::Contradiction(
            "the ledger answers about another event than the one sent".to_owned(),
        );
    }
    let place = match (body.index, body.leaf) {
        (Some(index), Some(leaf)) => {
            Some(Place { index, leaf }).filter(|place| place.is_of(envelope))
        }
        _ => None,
    };
    match (answer.status, body.state.as_str(), place) {
        (202, "waiting", _) => Delivered::Accepted,
        (201, "recorded", Some(place)) => Delivered::Recorded(place),
        (200, "duplicate", Some(place)) => Delivered::Duplicate(place),
        (200, "duplicate", None) | (201, "recorded", None) => Delivered::Contradiction(
            "the ledger says that the event is recorded, and its leaf holds another payload or signature".to_owned(),
        ),
        (status, state, _) => {
            Delivered::Contradiction(format!("the ledger answers with status {status} and state {state:?}"))
        }
    }
}
