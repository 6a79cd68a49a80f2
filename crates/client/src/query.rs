//! Questions to the JSON API: `GET /v1/…`.

use serde_json::Value;

use crate::{
    problem::Problem,
    server::{Answer, Server, Unreachable},
};

/// Why there is no answer, by what the asker can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Try again later, or look at the address.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The ledger is there and cannot answer now.
    #[error("the ledger at {server} cannot answer now: {problem}")]
    Unavailable {
        server: String,
        problem: Box<Problem>,
    },
    /// A reader's token is missing or does not suffice.
    #[error("the ledger at {server} wants to know who asks: {problem}")]
    NotAuthorised {
        server: String,
        problem: Box<Problem>,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(Box<Problem>),
    /// The question is wrong.
    #[error("{0}")]
    Refused(Box<Problem>),
}

/// Asks `path` (which begins with a slash) with the given parameters.
pub async fn get_json(server: &Server, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
    let answer = server.get(path, query).await?;
    read(server, &answer)
}
/// Reads an answer to a GET.
pub(crate) fn read(server: &Server, answer: &Answer) -> Result<Value, Error> {
    if answer.status == 200 {
        let value = serde_json::from_slice(&answer.body);
        return value.map_err(|_| {
            server
                .not_a_ledger("its answer is not JSON".to_owned())
                .into()
        });
    }
    let Some(problem) = Problem::parse(&answer.content_type, &answer.body) else {
        let why = format!(
            "it answers with status {} and no problem document",
            answer.status
        );
        return Err(server.not_a_ledger(why).into());
    };
    let (server, problem) = (server.address().to_owned(), Box::new(problem));
    Err(match answer.status {
        401 | 403 => Error::NotAuthorised { server, problem },
        404 => Error::NotFound(problem),
        429 | 500.. => Error::Unavailable { server, problem },
        _ => Error::Refused(problem),
    })
}
