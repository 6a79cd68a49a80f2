//! The small ledger that another implementation of `formats.md` wrote: the same verdicts, the same leaves, the same refusals.

use piperoll_core::{
    judge::{Reason, Verdict},
    time,
};
use piperoll_tlog::hash;
use serde_json::Value;

use crate::support::{Ledger, read_json, read_lines, test_data};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}
/// What the table of `formats.md` section 8 says of a verdict: outcome, HTTP status, and the first index where there is one.
fn outcome(verdict: &Verdict, index: u64) -> (&'static str, u16, Option<u64>) {
    match verdict {
        Verdict::Recorded(_) => ("recorded", 201, Some(index)),
        Verdict::Duplicate { first, .. } => ("duplicate", 200, Some(*first)),
        Verdict::Refused { refusal, first, .. } => {
            (refusal.reason.as_str(), refusal.reason.status(), *first)
        }
    }
}
fn replay() -> (Ledger, Vec<Value>) {
    let folder = test_data("example");
    let lines = read_lines(&folder.join("messages.jsonl"));
    let mut ledger = Ledger::default();
    for line in &lines {
        let position = line["sequence"]
            .as_u64()
            .map(|sequence| (text(line, "incarnation"), sequence));
        let at = time::parse(text(line, "stream_time")).unwrap();
        let index = ledger.index();
        let verdict = ledger.give(text(line, "envelope").as_bytes(), position, at);
        let (outcome, http, first) = outcome(&verdict, index);
        let seq = &line["seq"];
        let shown = match &verdict {
            Verdict::Refused { refusal, .. } => format!("{refusal:?}"),
            Verdict::Recorded(_) | Verdict::Duplicate { .. } => String::new(),
        };
        assert_eq!(outcome, text(line, "outcome"), "line {seq}: {shown}");
        assert_eq!(
            u64::from(http),
            line["http"].as_u64().unwrap(),
            "line {seq}"
        );
        assert_eq!(
            first,
            line.get("index").and_then(Value::as_u64),
            "line {seq}"
        );
        let word = match &verdict {
            Verdict::Recorded(_) => "recorded",
            Verdict::Duplicate { .. } => "duplicate",
            Verdict::Refused { refusal, .. } if refusal.reason == Reason::Equivocation => {
                "equivocation"
            }
            Verdict::Refused { kept: true, .. } => "refused",
            Verdict::Refused { kept: false, .. } => "junk",
        };
        assert_eq!(word, text(line, "verdict"), "line {seq}");
    }
    (ledger, lines)
}

#[test]
fn every_message_of_the_example_gets_the_same_verdict_and_the_same_leaf() {
    let (ledger, _) = replay();
    let entries = read_lines(&test_data("example").join("entries.jsonl"));
    assert_eq!(entries.len(), ledger.leaves.len());
    for (leaf, entry) in ledger.leaves.iter().zip(&entries) {
        let index = &entry["index"];
        assert_eq!(
            std::str::from_utf8(leaf).unwrap(),
            text(entry, "leaf"),
            "entry {index}"
        );
        assert_eq!(
            hash::leaf_hash(leaf).to_hex(),
            text(entry, "leaf_hash"),
            "entry {index}"
        );
    }
    let tree = read_json(&test_data("example").join("tree.json"));
    let genesis = ledger.authority.genesis().unwrap();
    assert_eq!(genesis.ledger.to_string(), text(&tree, "ledger"));
    assert_eq!(genesis.origin.as_str(), text(&tree, "origin"));
}

#[test]
fn every_bad_message_is_refused_for_the_reason_given() {
    let (ledger, _) = replay();
    let mut files: Vec<_> = std::fs::read_dir(test_data("example").join("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 50, "the folder of bad messages is not whole");
    let mut wrong = Vec::new();
    for file in files {
        let bad = read_json(&file);
        let at = time::parse(text(&bad, "stream_time")).unwrap();
        let mut ledger = ledger.clone();
        let index = ledger.index();
        let verdict = ledger.give(text(&bad, "message").as_bytes(), None, at);
        let (outcome, http, _) = outcome(&verdict, index);
        let refusal = match &verdict {
            Verdict::Refused { refusal, .. } => Some(refusal),
            Verdict::Recorded(_) | Verdict::Duplicate { .. } => None,
        };
        let name = file.file_name().unwrap().display().to_string();
        println!("{name}: {refusal:?}");
        if outcome != text(&bad, "expect") || u64::from(http) != bad["http"].as_u64().unwrap() {
            wrong.push(format!("{name}: {outcome} {http}, {refusal:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
