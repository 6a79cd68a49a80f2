//! `piperoll`, the command: parse, configure, wire, print, exit. What it does is done by the crates below it.

mod ask;
mod bench;
mod ci;
mod cli;
mod command;
mod compose;
mod content;
mod demo;
mod deployments;
mod dispatch;
mod emitter;
mod exit;
mod keys;
mod ledger;
mod members;
mod output;
mod place;
mod render;
mod rim;
mod settings;
mod terminal;

use std::process::ExitCode;

use clap::FromArgMatches;

use crate::{
    cli::Cli,
    exit::{Problem, Result},
};

/// Checking and folding events is small pieces of memory, taken and given back by several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(problem) => {
            output::complain(&problem);
            problem.exit.into()
        }
    }
}

fn run() -> Result<ExitCode> {
    let working_folder = std::env::current_dir()?;
    let files = settings::read_files(&working_folder, &rim::variable)?;
    let parser = settings::apply(cli::parser(), &files, &rim::variable);
    let matches = match parser.try_get_matches() {
        Ok(matches) => matches,
        Err(answer) => return explain(&answer),
    };
    place::refuse_shown_passwords(&matches)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| Problem::usage(error.to_string()))?;
    let Some(command) = cli.command else {
        output::data(cli::FIVE_LINES)?;
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(command::run(command))
}

/// The parser's own answers: help and version on stdout with 0, usage errors on stderr with 2.
fn explain(answer: &clap::Error) -> Result<ExitCode> {
    let code = u8::try_from(answer.exit_code()).unwrap_or(exit::Exit::Usage.code());
    output::closed_pipe_is_no_error(answer.print())?;
    Ok(ExitCode::from(code))
}
