//! `piperoll verify`: computes everything a ledger claims again, from what is stored, and says what it checked.

use piperoll_core::name::LedgerId;
use piperoll_server::audit::{self, Place, Report};
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
    after_help = "It only reads, also beside a running server. Exit 6 and a place (ledger, head, entry, tile, checkpoint, consumed, refused, junk) if anything is not as it was signed."
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
    let format = args.format.format();
    let address = args.read.required()?;
    let (place, what) = match check(&address, pinned).await? {
        Ok(report) => {
            return match format {
                Format::Table => output::data(&in_words(&report)),
                Format::Json => output::json(&as_json(&report)),
            };
        }
        Err(wrong) => wrong,
    };
    if format == Format::Json {
        output::json(&json!({"ok": false, "place": place.to_string(), "what": what}))?;
    }
    Err(wrong(&place, &what))
}

/// What an audit comes to: that all is as it was signed, or what is wrong where.
type Verdict = std::result::Result<Report, (Place, String)>;

/// Opens the ledger for reading and audits it.
async fn check(address: &Address, pinned: Option<LedgerId>) -> Result<Verdict> {
    let trouble = |error: &(dyn std::error::Error + 'static)| place::trouble(error, Some(address));
    let store = match store::open(address, OpenMode::ReadOnly).await {
        Ok(store) => store,
        Err(store::Error::Corrupt { place, what }) => {
            return Ok(Err((Place::Stored(place), what)));
        }
        Err(error) => return Err(trouble(&error)),
    };
    let report = audit::audit(store.as_ref(), pinned).await;
    store.close().await;
    match report {
        Ok(report) => Ok(Ok(report)),
        Err(audit::Error::Wrong { place, what }) => Ok(Err((place, what))),
        Err(
            error @ (audit::Error::NoLedger | audit::Error::Admission(_) | audit::Error::Store(_)),
        ) => Err(trouble(&error)),
    }
}
fn wrong(place: &Place, what: &str) -> Problem {
    let problem = Problem::new(Exit::Unverified, format!("{place}: {what}"));
    // The ledger may be sound: it is only not the one that was meant.
    if *place == Place::Ledger {
        return problem
            .hint("this is another ledger than the one you pinned, or the pin is wrong; the rest of it was not checked")
            .hint("compare the pin (--ledger, PIPEROLL_LEDGER) with the id that piperoll init printed");
    }
    problem
        .hint("nothing after this can be trusted to be complete")
        .hint("keep the ledger as it is, and compare it with receipts and checkpoints that others hold")
}

/// One line a check, and what was not checked.
fn in_words(report: &Report) -> String {
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
    if report.refused_compared > 0 {
        lines.push(format!(
            "✓ {} as signed",
            count(report.refused_compared, "refused event")
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
        "ok": true,
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
        "refused_compared": report.refused_compared,
        "refused_erased": report.refused_erased,
        "not_checked": report.not_checked(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_ledger_than_the_pinned_one_is_not_called_a_forged_one() {
        let other = wrong(&Place::Ledger, "its id is another").lines();
        assert!(other.contains("the pin is wrong"), "{other}");
        assert!(!other.contains("keep the ledger as it is"), "{other}");
        let forged = wrong(&Place::Entry(38), "it is missing").lines();
        assert!(forged.contains("entry 38: it is missing"), "{forged}");
        assert!(forged.contains("keep the ledger as it is"), "{forged}");
    }
}
