//! `piperoll bench ingest`: how fast this machine records events.

use std::path::PathBuf;

use crate::{
    bench::{self, Plan},
    exit::Result,
    output::{self, Format, FormatArgs},
    place::DatabaseArgs,
};

/// Fewer say nothing, and more fill disks.
const EVENTS_MAX: u64 = 10_000_000;

/// Measure how fast this machine records events
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}
#[derive(Debug, clap::Subcommand)]
enum What {
    Ingest(IngestArgs),
}
/// Record events as fast as they are taken, and compare with checking their signatures alone
#[derive(Debug, clap::Args)]
#[command(after_help = "example: piperoll bench ingest --events 100000 --json")]
struct IngestArgs {
    /// How many events
    #[arg(long, value_name = "NUMBER", default_value = "50000", value_parser = clap::value_parser!(u64).range(1..=EVENTS_MAX))]
    events: u64,
    /// Events that wait for their answer at a time; beyond 2048 they wait before the ledger's door
    #[arg(long, value_name = "NUMBER", default_value = "1024", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    in_flight: u64,
    /// Make the ledger here and keep it; else it goes into a temporary folder, whose disk is then what is measured
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let What::Ingest(args) = args.what;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let report = bench::ingest(Plan {
        events: count(args.events),
        in_flight: count(args.in_flight),
        data: args.data,
        database: args.database.address_text(),
    })
    .await?;
    match args.format.format() {
        Format::Json => output::json(&report),
        Format::Table => output::data(&report.table()),
    }
}
