//! The commands, one file each. A command reads its arguments, calls one thing and prints what came of it.

pub(crate) mod add;
pub(crate) mod admin;
pub(crate) mod approve;
pub(crate) mod bench;
pub(crate) mod change;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod emit;
pub(crate) mod flush;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod kinds;
pub(crate) mod log;
pub(crate) mod receipt;
pub(crate) mod request;
pub(crate) mod serve;
pub(crate) mod timeline;
pub(crate) mod verify;
pub(crate) mod where_is;

use std::process::ExitCode;

use crate::{cli::Command, exit::Result};

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => return demo::run(args).await,
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
        Command::Receipt(args) => receipt::run(args).await?,
        Command::Flush(args) => flush::run(args).await?,
        Command::Kinds(args) => kinds::run(&args)?,
        Command::Admin(args) => admin::run(args).await?,
        Command::Bench(args) => bench::run(args).await?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Key(args) => key::run(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}
