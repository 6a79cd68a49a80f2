//! The small ledger that another implementation of `formats.md` wrote: the same verdicts, the same leaves, the same refusals.

use std::collections::HashMap;

use piperoll_core::{
    authority, draft,
    envelope::Envelope,
    judge::{Reason, Verdict},
    name::Principal,
    time,
};
use piperoll_tlog::{encoding, hash, key::SecretKey};
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
        if let Some(refusal) = refusal {
            assert!(
                refusal.remedy.is_some(),
                "{name} names no remedy: {refusal:?}"
            );
        }
        if outcome != text(&bad, "expect") || u64::from(http) != bad["http"].as_u64().unwrap() {
            wrong.push(format!("{name}: {outcome} {http}, {refusal:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn recorded_events_are_found_by_what_they_say() {
    let (_, lines) = replay();
    let entries = read_lines(&test_data("example").join("entries.jsonl"));
    let mut ledger = Ledger::default();
    let mut entries = entries.iter();
    for line in &lines {
        let at = time::parse(text(line, "stream_time")).unwrap();
        let verdict = ledger.give(text(line, "envelope").as_bytes(), None, at);
        let Verdict::Recorded(recorded) = verdict else {
            continue;
        };
        let entry = entries.next().unwrap();
        let event = &recorded.event;
        let index = &entry["index"];
        assert_eq!(event.kind().name(), text(entry, "kind"), "entry {index}");
        assert_eq!(event.kind().type_name(), text(entry, "type"));
        assert_eq!(event.source.as_str(), text(entry, "principal"));
        assert_eq!(recorded.payload_hash.to_hex(), text(entry, "payload_hash"));
        assert_eq!(recorded.envelope.payload, text(entry, "payload").as_bytes());
        assert_eq!(
            time::to_millis_text(recorded.recorded_at),
            text(entry, "recorded_at")
        );
        let profile = &event.profile;
        for (name, said) in [
            ("change", &profile.change),
            ("service", &profile.service),
            ("environment", &profile.environment),
        ] {
            assert_eq!(
                said.as_deref(),
                entry[name].as_str(),
                "entry {index}: {name}"
            );
        }
    }
    assert!(entries.next().is_none());
}

#[test]
fn signing_again_with_the_same_seeds_gives_the_same_signatures() {
    let folder = test_data("example");
    let keys: HashMap<String, SecretKey> = read_json(&folder.join("keys.json"))
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            let seed = encoding::from_hex(text(key, "seed")).unwrap();
            let secret = SecretKey::from_seed(seed);
            let public = *secret.public().as_bytes();
            assert_eq!(encoding::base64(&public), text(key, "public"));
            assert_eq!(authority::keyid(&public), text(key, "keyid"));
            (text(key, "keyid").to_owned(), secret)
        })
        .collect();
    let mut signed = 0;
    for line in read_lines(&folder.join("messages.jsonl")) {
        if text(&line, "verdict") != "recorded" {
            continue;
        }
        let envelope = Envelope::parse(text(&line, "envelope").as_bytes()).unwrap();
        let again = draft::sign_payload(
            envelope.payload.clone(),
            envelope.texts.clone(),
            &keys[&envelope.keyid],
        );
        assert_eq!(again, envelope, "line {}", line["seq"]);
        assert_eq!(
            Envelope::parse(again.to_json().as_bytes()).unwrap(),
            envelope
        );
        signed += 1;
    }
    assert_eq!(signed, 75);
}

#[test]
fn ids_of_relayed_events_come_from_source_time_dedupe_key_and_ordinal() {
    for line in read_lines(&test_data("example").join("bodies.jsonl")) {
        let source = Principal::parse(text(&line, "source")).unwrap();
        let id = draft::relayed_id(
            &source,
            time::parse(text(&line, "time")).unwrap(),
            text(&line, "dedupe_key"),
            u32::try_from(line["ordinal"].as_u64().unwrap()).unwrap(),
        );
        assert_eq!(id, text(&line, "context_id"), "line {}", line["seq"]);
    }
}

#[test]
fn an_approval_by_an_ssh_key_is_recorded_after_its_registration() {
    let ssh = read_json(&test_data("example").join("sshsig.json"));
    let (mut ledger, _) = replay();
    let give = |ledger: &mut Ledger, name: &str, at: &str| {
        ledger.give(text(&ssh, name).as_bytes(), None, time::parse(at).unwrap())
    };
    let early = give(&mut ledger.clone(), "approval", "2026-11-14T09:10:00.148Z");
    let Verdict::Refused { refusal, kept, .. } = early else {
        panic!("an approval by a key that is not registered: {early:?}");
    };
    assert_eq!((refusal.reason, kept), (Reason::UnknownKey, false));

    let registered = give(&mut ledger, "registration", "2026-11-14T09:00:00Z");
    assert!(matches!(registered, Verdict::Recorded(_)), "{registered:?}");
    let approved = give(&mut ledger, "approval", "2026-11-14T09:10:00.148Z");
    assert!(matches!(approved, Verdict::Recorded(_)), "{approved:?}");
    assert_eq!(
        std::str::from_utf8(ledger.leaves.last().unwrap()).unwrap(),
        text(&ssh, "leaf")
    );

    let envelope = Envelope::parse(text(&ssh, "approval").as_bytes()).unwrap();
    assert_eq!(encoding::base64(&envelope.pae()), text(&ssh, "pae"));
    let registration = ledger.authority.registration(&envelope.keyid).unwrap();
    assert!(registration.verifies(&envelope.pae(), &envelope.signature));
    for bit in 0..envelope.signature.len() * 8 {
        let mut signature = envelope.signature.clone();
        signature[bit / 8] ^= 1 << (bit % 8);
        assert!(
            !registration.verifies(&envelope.pae(), &signature),
            "bit {bit}"
        );
    }
    let longer = [envelope.signature.as_slice(), &[0]].concat();
    assert!(!registration.verifies(&envelope.pae(), &longer));
}
