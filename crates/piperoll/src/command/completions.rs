//! `piperoll completions`: what a shell needs to complete the command line.

use clap_complete::Shell;

use crate::{cli, exit::Result, output};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll completions bash > ~/.local/share/bash-completion/completions/piperoll"
)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::parser(), "piperoll", &mut script);
    output::data(&String::from_utf8_lossy(&script))
}
