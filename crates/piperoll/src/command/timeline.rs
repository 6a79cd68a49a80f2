//! `piperoll timeline`: what happened in a window of time.

use piperoll_core::answer::Timeline;

use super::log::instant_flag;
use crate::{
    ask::AskArgs,
    exit::Result,
    output::{self, Format, FormatArgs},
    render, rim,
};

/// What happened in a window of time, in order, and what did not
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll timeline --since 2026-11-12T18:00:00Z --until 2026-11-12T21:00:00Z -s checkout -e production"
)]
pub(crate) struct Args {
    /// From then on: RFC 3339, or -2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before then
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// The service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
    /// The environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let now = rim::now();
    let since = instant_flag("since", args.since.as_deref(), now)?;
    let until = instant_flag("until", args.until.as_deref(), now)?;
    let mut query = Vec::new();
    for (name, value) in [
        ("since", &since),
        ("until", &until),
        ("service", &args.service),
        ("environment", &args.environment),
    ] {
        query.extend(value.as_deref().map(|value| (name, value)));
    }
    let answer: Timeline = args.ask.source().await?.ask("/v1/timeline", &query).await?;
    match args.format.format() {
        Format::Json => output::json(&answer),
        Format::Table => output::data(&render::timeline(&answer)),
    }
}
