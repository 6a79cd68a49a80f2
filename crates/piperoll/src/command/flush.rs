//! `piperoll flush`: delivers what waits in the outbox and brings receipts home.

use std::{fmt::Write, time::Duration};

use piperoll_client::courier::{Fate, Why};
use serde::Serialize;

use crate::{
    dispatch::{Dispatch, Flushed, OutboxArgs},
    exit::{Exit, Problem, Result},
    ledger::LedgerArgs,
    output::{self, Format, FormatArgs},
    terminal,
};

/// How long a flush may take in all.
const WITHIN: Duration = Duration::from_mins(5);

/// Deliver the events that wait in the outbox, and fetch their receipts
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    outbox: OutboxArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// What is left, for programs.
#[derive(Serialize)]
struct Told {
    recorded: usize,
    receipts: usize,
    waiting: usize,
    awaiting_receipt: usize,
    refused: usize,
    /// The refused events: where each lies and why.
    put_aside: Vec<PutAside>,
}
#[derive(Serialize)]
struct PutAside {
    file: String,
    why: String,
}

pub(crate) async fn run(args: Args) -> Result {
    let dispatch = Dispatch::connect(&args.ledger, &args.outbox).await?;
    let flushed = dispatch.flush(WITHIN).await?;
    let recorded = flushed
        .delivered
        .fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Recorded { .. }))
        .count();
    let told = Told {
        recorded,
        receipts: flushed.receipts.receipts.len(),
        waiting: flushed.counts.waiting,
        awaiting_receipt: flushed.counts.recorded,
        refused: flushed.counts.refused,
        put_aside: put_aside(&dispatch)?,
    };
    match args.format.format() {
        Format::Json => output::json(&told)?,
        Format::Table => output::data(&text(&told))?,
    }
    conclude(&flushed)
}
fn put_aside(dispatch: &Dispatch) -> Result<Vec<PutAside>> {
    let refused = dispatch.outbox.refused().map_err(anyhow::Error::from)?;
    Ok(refused
        .into_iter()
        .map(|refused| PutAside {
            file: refused.path.display().to_string(),
            why: refused.problem.map_or_else(
                || "the reason beside it is gone".to_owned(),
                |problem| problem.to_string(),
            ),
        })
        .collect())
}
fn text(told: &Told) -> String {
    let mut text = format!(
        "{} delivered, {} receipts verified and kept; {} waiting, {} recorded and awaiting their receipt, {} refused\n",
        told.recorded, told.receipts, told.waiting, told.awaiting_receipt, told.refused
    );
    for PutAside { file, why } in &told.put_aside {
        let _ = writeln!(
            text,
            "  refused: {}\n    {}",
            terminal::escape_line(why),
            terminal::escape_line(file)
        );
    }
    text
}
/// The worst of what happened decides.
fn conclude(flushed: &Flushed) -> Result {
    let alarm = flushed
        .delivered
        .alarms
        .iter()
        .chain(&flushed.receipts.alarms)
        .next();
    if let Some(alarm) = alarm {
        return Err(Problem::new(Exit::Unverified, alarm.to_string())
            .hint("keep the outbox as it is and show it to whoever runs the ledger"));
    }
    for (_, fate) in &flushed.delivered.fates {
        match fate {
            Fate::Refused(problem) => {
                return Err(Problem::failed(format!(
                    "an event was refused and put aside: {problem}"
                )));
            }
            Fate::Waiting(Why::Retry(problem)) => {
                let waits = Problem::new(
                    Exit::NotAuthorised,
                    format!("an event still waits: {problem}"),
                );
                return Err(problem.remedy.iter().cloned().fold(waits, Problem::hint));
            }
            Fate::Waiting(_) | Fate::Recorded { .. } => {}
        }
    }
    let unusable = flushed.delivered.unusable.len() + flushed.receipts.unusable.len();
    if unusable > 0 {
        return Err(Problem::failed(format!(
            "{unusable} in the outbox cannot be used; the rest was gone through"
        )));
    }
    if flushed.counts.waiting > 0 {
        let stuck = flushed
            .delivered
            .fates
            .iter()
            .find_map(|(_, fate)| match fate {
                Fate::Waiting(Why::Unavailable(problem)) => Some(problem.to_string()),
                Fate::Waiting(Why::Unreachable(error)) => Some(error.to_string()),
                Fate::Waiting(Why::Contradiction(why)) => Some(why.clone()),
                _ => None,
            });
        let why = flushed
            .delivered
            .stopped
            .clone()
            .or(stuck)
            .unwrap_or_else(|| "the ledger has not come to them yet".to_owned());
        return Err(Problem::new(
            Exit::NoAnswer,
            format!("{} still waiting: {why}", flushed.counts.waiting),
        ));
    }
    Ok(())
}
