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
    let mut answer: Where = args.ask.source().await?.ask("/v1/where", &[]).await?;
    narrow(
        &mut answer,
        args.service.as_deref(),
        args.environment.as_deref(),
    );
    match args.format.format() {
        Format::Json => output::json(&answer),
        Format::Table => output::data(&render::matrix(&answer, rim::now())),
    }
}
fn narrow(answer: &mut Where, service: Option<&str>, environment: Option<&str>) {
    answer
        .rows
        .retain(|row| service.is_none_or(|service| row.service == service));
    let Some(environment) = environment else {
        return;
    };
    let kept: Vec<bool> = answer
        .environments
        .iter()
        .map(|name| name == environment)
        .collect();
    let keep = |at: usize| kept.get(at).copied().unwrap_or_default();
    for row in &mut answer.rows {
        let mut at = 0..;
        row.cells.retain(|_| at.next().is_some_and(keep));
    }
    answer.environments.retain(|name| name == environment);
}
