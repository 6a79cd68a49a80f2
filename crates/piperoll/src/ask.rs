//! Where answers come from: a server, or a ledger that is read where it is stored, served or not. Both give the same JSON of `/v1`.

use std::sync::Arc;

use clap::{ArgMatches, FromArgMatches, parser::ValueSource};
use piperoll_client::{problem, query, server::Server};
use piperoll_core::words::url_segment;
use piperoll_server::{clock, entropy, offline::Reader};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    emitter,
    exit::{Exit, Problem, Result},
    ledger,
    place::{self, ReadArgs},
};

#[derive(Clone, Debug, clap::Args)]
struct Places {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = ledger::DEFAULT_SERVER)]
    server: String,
    #[command(flatten)]
    read: ReadArgs,
}
/// `--server`, or `--data` or `--database` for a ledger that nobody serves.
#[derive(Clone, Debug)]
pub(crate) struct AskArgs {
    places: Places,
    /// A server was typed, and what the environment says of folders and databases was meant for other commands.
    only_server: bool,
}
impl FromArgMatches for AskArgs {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let typed = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
        Ok(Self {
            places: Places::from_arg_matches(matches)?,
            only_server: typed("server") && !typed("data") && !typed("database"),
        })
    }
    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
impl clap::Args for AskArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Places::augment_args(command)
    }
    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Places::augment_args_for_update(command)
    }
}
impl AskArgs {
    pub(crate) async fn source(&self) -> Result<Source> {
        let Places { server, read } = &self.places;
        let address = if self.only_server {
            None
        } else {
            read.address()?
        };
        let Some(address) = address else {
            return Ok(Source::Server(ledger::connect(server)?));
        };
        let clock = Arc::new(clock::System);
        let reader = Reader::open(&address, clock, entropy::system).await;
        let reader = reader.map_err(|error| place::trouble(&error, Some(&address)))?;
        Ok(Source::Stored(Box::new(reader)))
    }
}

/// Who answers.
pub(crate) enum Source {
    Server(Server),
    Stored(Box<Reader>),
}
impl Source {
    /// Asks `path`, whose parts are already escaped (see [`url_segment`]), with these parameters.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        match self {
            Self::Server(server) => query::get_json(server, path, query)
                .await
                .map_err(|error| emitter::no_answer(&error)),
            Self::Stored(reader) => {
                let (status, content_type, body) = reader
                    .get(&with_query(path, query))
                    .await
                    .map_err(Problem::failed)?;
                read_local(status, &content_type, &body)
            }
        }
    }
    /// The same, as a type.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let value = self.get(path, query).await?;
        serde_json::from_value(value).map_err(|error| {
            Problem::failed(format!(
                "the answer to {path} is not one this version understands: {error}"
            ))
            .hint("the server may be newer or older than this command: compare piperoll --version")
        })
    }
}
fn read_local(status: u16, content_type: &str, body: &[u8]) -> Result<Value> {
    if status == 200 {
        return serde_json::from_slice(body).map_err(|error| Problem::failed(error.to_string()));
    }
    let problem = problem::Problem::parse(content_type, body)
        .ok_or_else(|| Problem::failed(format!("the ledger answers with status {status}")))?;
    let exit = match status {
        500.. => Exit::NoAnswer,
        400 => Exit::Usage,
        _ => Exit::Failed,
    };
    let told = Problem::new(exit, problem.to_string());
    Err(problem.remedy.into_iter().fold(told, Problem::hint))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", url_segment(name), url_segment(value)))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_times_survive_the_way_through_a_url() {
        assert_eq!(
            url_segment("github:acme/checkout#418"),
            "github%3Aacme%2Fcheckout%23418"
        );
        assert_eq!(url_segment("é&="), "%C3%A9%26%3D");
        assert_eq!(
            with_query("/v1/log", &[("kind", "change.*"), ("limit", "5")]),
            "/v1/log?kind=change.%2A&limit=5"
        );
        assert_eq!(with_query("/v1/where", &[]), "/v1/where");
    }
}
