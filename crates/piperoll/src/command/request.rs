//! `piperoll request`: asks people to approve exact content.

use piperoll_core::draft;

use crate::{
    ci,
    compose::Request,
    content::{self, ContentArgs},
    emitter::SenderArgs,
    exit::{Problem, Result},
    output::{self, FormatArgs},
    rim,
};

/// Ask for approval of exactly this content
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll request -s checkout -e production --artifact sha256:… --summary \"Ask for the postcode first\""
)]
pub(crate) struct Args {
    /// The service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
    /// Where it is to go
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: String,
    #[command(flatten)]
    content: ContentArgs,
    /// The change, if it is to be filed under one
    #[arg(long, value_name = "ID")]
    change: Option<String>,
    /// What it is, in one sentence for people who know no code
    #[arg(long, value_name = "WORDS")]
    summary: String,
    /// What users will notice
    #[arg(long, value_name = "WORDS")]
    users: Option<String>,
    /// What may go wrong
    #[arg(long, value_name = "WORDS")]
    risk: Option<String>,
    /// How to undo it
    #[arg(long, value_name = "WORDS")]
    undo: Option<String>,
    #[command(flatten)]
    sender: SenderArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let binds = args.content.binds(&ci::detect(&rim::variable))?;
    if binds.is_empty() {
        return Err(Problem::usage("it is not said what is to be approved")
            .hint("an approval covers exact content: give --artifact sha256:…, --commit HASH or --bundle NAME@VERSION=…")
            .hint("try: piperoll request -e production --commit \"$(git rev-parse HEAD)\" --summary \"…\""));
    }
    let request = Request {
        service: args.service,
        environment: Some(args.environment),
        change: args.change,
        binds,
        summary: args.summary,
        users: args.users,
        risk: args.risk,
        undo: args.undo,
    };
    let mut emitter = args.sender.connect().await?;
    let now = emitter.now();
    let id = draft::uuid_v7(now, rim::random());
    let sent = emitter
        .emit(request.draft(now, id, &emitter.signer().principal), true)
        .await?;
    for bind in &request.binds {
        output::say(&format!(
            "piperoll: approval is asked for {} {}",
            bind.name,
            content::show(&bind.digest)
        ));
    }
    super::emit::finish(
        &emitter,
        &sent,
        "request",
        args.sender.strict,
        args.format.format(),
    )?;
    if let Some(index) = sent.index() {
        output::say(&format!(
            "  approvers decide with: piperoll approve {index}, or piperoll reject {index}"
        ));
    }
    Ok(())
}
