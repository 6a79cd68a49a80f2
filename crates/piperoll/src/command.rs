//! The commands, one file each. A command reads its arguments, calls one thing and prints what came of it.

pub mod completions;
pub mod emit;
pub mod flush;
pub mod key;
pub mod kinds;

use std::process::ExitCode;

use crate::{cli::Command, exit::Result};

/// Runs a command to its end.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Emit(args) => emit::run(args).await?,
        Command::Flush(args) => flush::run(args).await?,
        Command::Kinds(args) => kinds::run(&args)?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Key(args) => key::run(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}
