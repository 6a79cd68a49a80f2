//! The commands, one file each. A command reads its arguments, calls one thing and prints what came of it.

pub mod add;
pub mod approve;
pub mod change;
pub mod completions;
pub mod deploy;
pub mod emit;
pub mod flush;
pub mod init;
pub mod key;
pub mod kinds;
pub mod log;
pub mod request;
pub mod serve;
pub mod timeline;
pub mod verify;
pub mod where_is;

use std::process::ExitCode;

use crate::{cli::Command, exit::Result};

/// Runs a command to its end.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Init(args) => init::run(args).await?,
        Command::Serve(args) => return serve::run(args).await,
        Command::Add(args) => add::run(args).await?,
        Command::Emit(args) => emit::run(args).await?,
        Command::Deploy(args) => return deploy::run(args).await,
        Command::Request(args) => request::run(args).await?,
        Command::Approve(args) => approve::approve(args).await?,
        Command::Reject(args) => approve::reject(args).await?,
        Command::Log(args) => log::run(args).await?,
        Command::Change(args) => change::run(args).await?,
        Command::Where(args) => where_is::run(args).await?,
        Command::Timeline(args) => timeline::run(args).await?,
        Command::Verify(args) => verify::run(args).await?,
        Command::Flush(args) => flush::run(args).await?,
        Command::Kinds(args) => kinds::run(&args)?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Key(args) => key::run(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}
