//! `piperoll change ID`: a change's whole story.

use piperoll_core::answer::Story;

use crate::{
    ask::{AskArgs, segment},
    exit::Result,
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
    change: String,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let source = args.ask.source().await?;
    let story: Story = source
        .ask(&format!("/v1/changes/{}", segment(&args.change)), &[])
        .await?;
    match args.format.format() {
        Format::Json => output::json(&story),
        Format::Table => output::data(&render::story(&story)),
    }
}
