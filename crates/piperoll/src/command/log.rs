//! `piperoll log`: the entries, newest first, filtered.

use jiff::Timestamp;
use piperoll_core::answer::LogRow;
use serde::{Deserialize, Serialize};

use super::change::choice;
use crate::{
    ask::{AskArgs, Source},
    exit::{Problem, Result},
    members,
    output::{self, Format, FormatArgs},
    render, rim,
};

/// Rows in one answer of the server; more are fetched page by page.
const PAGE_ROWS: usize = 500;

/// List entries, newest first
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll log -s checkout -e production --kind 'deployment.*' --since -7d"
)]
pub(crate) struct Args {
    /// The service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
    /// The environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// A change, by any of its names
    #[arg(long, value_name = "CHANGE")]
    change: Option<String>,
    /// Such as deployment.finished, or deployment.*
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Who signed: a URN, or such as pipeline:checkout-deploy
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// From then on: RFC 3339, or -2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before then
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Instead, the events the ledger could not take, with the reasons
    #[arg(long)]
    refused: bool,
    /// At most so many; 0 for all
    #[arg(long, short = 'n', value_name = "NUMBER", default_value = "100")]
    limit: usize,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Deserialize)]
struct Page<T> {
    rows: Vec<T>,
    next: Option<String>,
}
/// An event the ledger could not take, though its signature is good.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    number: u64,
    at: Timestamp,
    kind: Option<String>,
    principal: String,
    change: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    id: String,
    payload_hash: String,
    reason: String,
    detail: String,
    first: Option<u64>,
    times: u64,
}

pub(crate) async fn run(args: Args) -> Result {
    let query = args.query(rim::now())?;
    let source = args.ask.source().await?;
    if args.refused {
        let rows: Vec<Refused> = pages(&source, &query, args.limit).await?;
        return match args.format.format() {
            Format::Json => output::json(&rows),
            Format::Table => output::data(&refused_table(&rows)),
        };
    }
    let rows: Vec<LogRow> = match (pages(&source, &query, args.limit).await, &args.change) {
        (Ok(rows), _) => rows,
        (Err(problem), Some(change)) => return Err(choice(&source, change, problem).await),
        (Err(problem), None) => return Err(problem),
    };
    match args.format.format() {
        Format::Json => output::json(&rows),
        Format::Table => {
            output::data(&render::log(&rows))?;
            if args.limit > 0 && rows.len() == args.limit {
                output::say(&format!(
                    "the newest {} that match; more with --limit",
                    args.limit
                ));
            }
            Ok(())
        }
    }
}

impl Args {
    fn query(&self, now: Timestamp) -> Result<Vec<(&'static str, String)>> {
        let mut query = Vec::new();
        for (name, value) in [
            ("service", &self.service),
            ("environment", &self.environment),
            ("change", &self.change),
            ("kind", &self.kind),
            ("principal", &self.principal),
            ("since", &instant_flag("since", self.since.as_deref(), now)?),
            ("until", &instant_flag("until", self.until.as_deref(), now)?),
        ] {
            query.extend(value.clone().map(|value| (name, value)));
        }
        if self.refused {
            query.push(("refused", "true".to_owned()));
        }
        Ok(query)
    }
}
/// `--since` and `--until` in UTC.
pub(crate) fn instant_flag(
    flag: &str,
    typed: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>> {
    let instant = typed.map(|typed| members::instant(typed, now)).transpose();
    let instant = instant.map_err(|what| Problem::usage(format!("--{flag}: {what}")))?;
    Ok(instant.map(|at| at.to_string()))
}
/// Follows the pages until there are enough rows; all of them speak of one size of the ledger.
async fn pages<T: serde::de::DeserializeOwned>(
    source: &Source,
    query: &[(&'static str, String)],
    limit: usize,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let wanted = if limit == 0 {
            PAGE_ROWS
        } else {
            (limit - rows.len()).min(PAGE_ROWS)
        };
        let wanted = wanted.to_string();
        let mut query: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        query.push(("limit", &wanted));
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let page: Page<T> = source.ask("/v1/log", &query).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() || (limit > 0 && rows.len() >= limit) {
            return Ok(rows);
        }
    }
}
fn refused_table(rows: &[Refused]) -> String {
    if rows.is_empty() {
        return "no event was refused\n".to_owned();
    }
    let cells = rows.iter().map(|row| {
        let signer = row
            .principal
            .strip_prefix("urn:piperoll:")
            .unwrap_or(&row.principal);
        let kind = row.kind.as_deref().unwrap_or("an event");
        let times = match row.times {
            0 | 1 => String::new(),
            times => format!(", {times} times"),
        };
        vec![
            vec![row.number.to_string()],
            vec![render::instant(row.at)],
            vec![
                format!("{kind} by {signer}{times}"),
                format!("{}: {}", row.reason, row.detail),
            ],
        ]
    });
    output::stacked(&["refused", "when (utc)", "what"], cells)
}
