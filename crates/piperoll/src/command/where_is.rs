//! `piperoll where`: what is in each environment, since when, by which change.

use piperoll_core::answer::Where;

use crate::{
    ask::AskArgs,
    exit::Result,
    output::{self, Format, FormatArgs},
    render, rim,
};

/// What is where, since when, by which change, approved by whom
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
    /// Only this environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let narrowed = [
        ("service", args.service.as_deref()),
        ("environment", args.environment.as_deref()),
    ];
    let query: Vec<(&str, &str)> = narrowed
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let answer: Where = args.ask.source().await?.ask("/v1/where", &query).await?;
    match args.format.format() {
        Format::Json => output::json(&answer),
        Format::Table => output::data(&render::matrix(&answer, rim::now())),
    }
}
