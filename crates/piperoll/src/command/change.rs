//! `piperoll change ID`: a change's whole story.

use clap::builder::NonEmptyStringValueParser;
use piperoll_core::{
    answer::{Found, Story},
    words::url_segment,
};

use crate::{
    ask::{AskArgs, Source},
    exit::{Exit, Problem, Result},
    output::{self, Format, FormatArgs},
    render,
};

/// A change's whole story: who proposed and approved it, where it went, what followed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll change checkout#418\nA change goes by many names: #418, its full id, a commit, an image's digest, a ticket, the address of a run."
)]
pub(crate) struct Args {
    /// The change, by any of its names
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    change: String,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let source = args.ask.source().await?;
    let path = format!("/v1/changes/{}", url_segment(&args.change));
    let story: Story = match source.ask(&path, &[]).await {
        Ok(story) => story,
        Err(problem) => return Err(choice(&source, &args.change, problem).await),
    };
    match args.format.format() {
        Format::Json => output::json(&story),
        Format::Table => output::data(&render::story(&story)),
    }
}
/// Where several changes could be meant, they are listed one below the other.
pub(super) async fn choice(source: &Source, typed: &str, problem: Problem) -> Problem {
    if problem.exit != Exit::Failed {
        return problem;
    }
    match source.ask("/v1/find", &[("q", typed)]).await {
        Ok(Found::Several { changes }) => changes.into_iter().fold(
            Problem::failed(format!(
                "{typed:?} could be one of these; ask again with its id"
            )),
            Problem::hint,
        ),
        Ok(Found::One { .. } | Found::None { .. }) | Err(_) => problem,
    }
}
