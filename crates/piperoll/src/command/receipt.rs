//! `piperoll receipt HASH|RECORD`: the proof that an event is recorded, verified before it is given.

use std::path::PathBuf;

use piperoll_client::{
    ledger::{self, Ledger},
    receipts::{self, Answer, State},
};
use piperoll_core::{Hash, name::LedgerId};
use serde::Deserialize;

use crate::{
    ask::{AskArgs, Source},
    exit::{Exit, Problem, Result},
    ledger::parse_id,
    output::{self, Format, FormatArgs},
};

/// The proof that an event is recorded, to keep or to hand on (a C2SP tlog-proof)
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll receipt 38 --file 38.tlog-proof\nWhoever holds the receipt can show that record 38 stood in the ledger, unchanged, without asking the ledger."
)]
pub(crate) struct Args {
    /// The record's number, or the SHA-256 of the event's payload
    #[arg(value_name = "RECORD|HASH")]
    event: String,
    /// Write the receipt to this file instead
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The ledger's id, 64 hex digits: another ledger's receipt is refused
    #[arg(long, value_name = "ID")]
    ledger: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    #[command(flatten)]
    format: FormatArgs,
}

#[derive(Deserialize)]
struct Entry {
    payload_hash: String,
}

pub(crate) async fn run(args: Args) -> Result {
    let event = Event::parse(&args.event)?;
    let expected = args.ledger.as_deref().map(parse_id).transpose()?;
    let source = args.ask.source().await?;
    let hash = match event {
        Event::Payload(hash) => hash.to_hex(),
        Event::Record(index) => {
            let entry: Entry = source.ask(&format!("/v1/entries/{index}"), &[]).await?;
            entry.payload_hash
        }
    };
    let answer: Answer = source.ask(&format!("/v1/receipts/{hash}"), &[]).await?;
    let verified = verify(&source, &answer, expected).await?;
    match (args.format.format(), verified) {
        (Format::Json, verified) => {
            output::json(&answer)?;
            match verified {
                Some(_) => Ok(()),
                None => Err(unproved(&answer)),
            }
        }
        (Format::Table, None) => Err(unproved(&answer)),
        (Format::Table, Some(verified)) => {
            give(args.file, &verified.proof)?;
            output::say(&verified.said);
            Ok(())
        }
    }
}

/// What the receipt is asked for by.
#[derive(Debug, PartialEq)]
enum Event {
    Record(u64),
    Payload(Hash),
}
impl Event {
    fn parse(typed: &str) -> Result<Self> {
        let hash = typed.strip_prefix("sha256:").unwrap_or(typed);
        if let Some(hash) = Hash::from_hex(hash) {
            return Ok(Self::Payload(hash));
        }
        typed.parse().map(Self::Record).map_err(|_| {
            Problem::usage(format!("{typed:?} is no record and no hash"))
                .hint("a receipt is asked for by the record's number, or by the 64 hex digits of the SHA-256 of the payload")
        })
    }
}
/// A receipt that holds.
struct Verified {
    proof: String,
    /// What was checked, for people.
    said: String,
}
/// Checks the proof against the checkpoint key that the ledger's own genesis names; `None` when there is no proof yet.
async fn verify(
    source: &Source,
    answer: &Answer,
    expected: Option<LedgerId>,
) -> Result<Option<Verified>> {
    let (Some(proof), Some(place)) = (&answer.proof, receipts::place(answer)) else {
        return Ok(None);
    };
    let unverified = |why: String| Problem::new(Exit::Unverified, why);
    let genesis = source.get("/v1/genesis", &[]).await?;
    let Ledger { id, verifier } = ledger::read_genesis(genesis)
        .map_err(|why| unverified(format!("the ledger does not prove which one it is: {why}")))?;
    if expected.is_some_and(|expected| expected != id) {
        return Err(unverified(format!(
            "this is ledger {}, not the one that was named",
            id.0
        )));
    }
    let (_, checkpoint) = receipts::verify(proof, &place, &verifier).map_err(|error| {
        unverified(error.to_string()).hint("keep it, and show it to an auditor")
    })?;
    let unpinned = if expected.is_some() {
        ""
    } else {
        "\nthat this is the right ledger is its own word; --ledger ID makes sure"
    };
    let said = format!(
        "record {} stands in the tree of {} entries signed by ledger {}{unpinned}",
        place.index, checkpoint.size, id.0
    );
    Ok(Some(Verified {
        proof: proof.clone(),
        said,
    }))
}
fn unproved(answer: &Answer) -> Problem {
    let index = answer.index.unwrap_or_default();
    match answer.state {
        State::Recorded | State::Published => Problem::failed(format!(
            "record {index} is not under a checkpoint yet"
        ))
        .hint("a checkpoint is signed about once a second while the ledger is served: ask again"),
        State::Waiting => Problem::failed("the event waits to be recorded").hint("ask again"),
        State::Refused => {
            let reason = answer.reason.as_deref().unwrap_or("no reason given");
            Problem::failed(format!("the event was refused: {reason}"))
                .hint("piperoll log --refused shows what was wrong with it")
        }
        State::NotSeen => Problem::failed("the ledger has not seen this event")
            .hint("if it waits in an outbox: piperoll flush"),
    }
}
fn give(file: Option<PathBuf>, proof: &str) -> Result {
    match file {
        None => output::data(proof),
        Some(file) => std::fs::write(&file, proof)
            .map_err(|error| Problem::failed(format!("writing {}: {error}", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_asked_for_by_number_or_hash() {
        let hash = "ab".repeat(32);
        assert_eq!(Event::parse("38").unwrap(), Event::Record(38));
        for typed in [hash.clone(), format!("sha256:{hash}")] {
            assert_eq!(
                Event::parse(&typed).unwrap(),
                Event::Payload(Hash([0xab; 32]))
            );
        }
        for typed in ["", "-1", "ab", "checkout#418", &hash[1..]] {
            assert_eq!(Event::parse(typed).unwrap_err().exit, Exit::Usage);
        }
    }

    #[test]
    fn an_event_without_a_proof_says_what_to_do() {
        let of = |state, reason: Option<&str>| {
            unproved(&Answer {
                state,
                index: Some(7),
                leaf: None,
                reason: reason.map(str::to_owned),
                proof: None,
            })
            .lines()
        };
        assert!(of(State::Recorded, None).starts_with("error: record 7 is not under a checkpoint"));
        assert!(of(State::Refused, Some("grant")).contains("refused: grant"));
        assert!(of(State::NotSeen, None).contains("piperoll flush"));
    }
}
