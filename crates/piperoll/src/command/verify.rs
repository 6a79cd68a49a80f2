//! `piperoll verify`: computes everything a ledger claims again, from what is stored, and says what it checked.

use piperoll_core::name::LedgerId;
use piperoll_server::audit::{self, Report};
use piperoll_store::{self as store, Address, OpenMode};
use serde_json::json;

use crate::{
    exit::{Exit, Problem, Result},
    ledger,
    output::{self, Format, FormatArgs},
    place::{self, ReadArgs},
};

/// Check a ledger offline: every leaf, signature, tile and checkpoint
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It only reads, also beside a running server. Exit 6 and a place (entry, tile, checkpoint, consumed) if anything is not as it was signed."
)]
pub(crate) struct Args {
    #[command(flatten)]
    read: ReadArgs,
    /// The ledger's id, 64 hex digits, as you know it from elsewhere
    #[arg(long, value_name = "ID")]
    ledger: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    let pinned = args.ledger.as_deref().map(ledger::parse_id).transpose()?;
    match check(&args.read.required()?, pinned).await {
        Ok(report) => match args.format.format() {
            Format::Table => output::data(&in_words(&report)),
            Format::Json => output::json(&as_json(&report)),
        },
        Err(problem) => Err(problem),
    }
}

/// Opens the ledger for reading and audits it.
pub(crate) async fn check(address: &Address, pinned: Option<LedgerId>) -> Result<Report> {
    let trouble = |error: &(dyn std::error::Error + 'static)| place::trouble(error, Some(address));
    let store = match store::open(address, OpenMode::ReadOnly).await {
        Ok(store) => store,
        Err(error @ store::Error::Corrupt { .. }) => {
            return Err(wrong(&error));
        }
        Err(error) => return Err(trouble(&error)),
    };
    let report = audit::audit(store.as_ref(), pinned).await;
    store.close().await;
    report.map_err(|error| match &error {
        audit::Error::Wrong { .. } => wrong(&error),
        audit::Error::NoLedger | audit::Error::Admission(_) | audit::Error::Store(_) => {
            trouble(&error)
        }
    })
}
fn wrong(error: &dyn std::error::Error) -> Problem {
    Problem::new(Exit::Unverified, error.to_string())
        .hint("nothing after this can be trusted to be complete")
        .hint("keep the ledger as it is, and compare it with receipts and checkpoints that others hold")
}

/// One line a check, and what was not checked.
pub(crate) fn in_words(report: &Report) -> String {
    let [recorded, duplicate, refused, junk] = report.messages;
    let root = report.root.to_hex();
    let short = format!("{}…{}", &root[..4], &root[root.len() - 2..]);
    let mut lines = vec![
        format!(
            "✓ {} leaves hash to the tree, through {} stored",
            report.entries,
            count(report.tiles, "tile")
        ),
        match report.checkpoints {
            0 => format!("✓ root {short}; no checkpoint is signed yet"),
            checkpoints => format!(
                "✓ root {short}; {} signed by the ledger's key, each with the root of its size",
                count(checkpoints, "checkpoint")
            ),
        },
        format!(
            "✓ {} signatures, each by a key that was allowed to sign this at its position",
            report.signatures
        ),
        format!(
            "✓ {} payloads and {} match their hashes; {} erased",
            report.entries,
            count(report.texts, "text"),
            report.texts_erased
        ),
        format!(
            "✓ {} messages of the stream accounted for: {recorded} recorded, {duplicate} duplicate, {refused} refused, {junk} junk",
            recorded + duplicate + refused + junk
        ),
    ];
    if report.refused_bodies > 0 {
        lines.push(format!(
            "✓ {} kept as sent",
            count(report.refused_bodies, "refused event")
        ));
    }
    if report.pinned {
        lines.push(format!(
            "✓ the ledger is the one that was pinned, {}",
            report.ledger.0
        ));
    }
    lines.extend(
        report
            .not_checked()
            .iter()
            .map(|what| format!("not checked: {what}")),
    );
    lines.push(String::new());
    lines.join("\n")
}
fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn as_json(report: &Report) -> serde_json::Value {
    let [recorded, duplicate, refused, junk] = report.messages;
    json!({
        "ledger": report.ledger.0.to_hex(),
        "origin": report.origin.as_str(),
        "pinned": report.pinned,
        "root": report.root.to_hex(),
        "entries": report.entries,
        "signatures": report.signatures,
        "texts": report.texts,
        "texts_erased": report.texts_erased,
        "texts_not_supplied": report.texts_not_supplied,
        "tiles": report.tiles,
        "checkpoints": report.checkpoints,
        "consumed": report.consumed,
        "messages": {"recorded": recorded, "duplicate": duplicate, "refused": refused, "junk": junk},
        "refused_bodies": report.refused_bodies,
        "not_checked": report.not_checked(),
    })
}
