//! The rows of `log --output json`, which programs read: always these members, whatever kind the entry is of.

use piperoll_core::time;
use serde_json::Value;

use crate::{cli::run, ledger::Ledger, server::Server, support, webhook::deliver};

const MEMBERS: [&str; 11] = [
    "change",
    "environment",
    "id",
    "index",
    "kind",
    "principal",
    "recorded_at",
    "service",
    "summary",
    "time",
    "type",
];

/// A ledger with entries of many kinds.
async fn told() -> (Ledger, Server) {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
    ledger.describe_somebody(&server).await;
    for n in 0..20 {
        let (status, answer) = server.post(&pipeline.deployment(n).to_json()).await;
        assert_eq!(status, 201, "{answer}");
    }
    let bridge = ledger.add_bridge(&server, "github");
    for (file, event) in [
        ("pull_request.opened.json", "pull_request"),
        ("pull_request_review.submitted.json", "pull_request_review"),
        ("deployment_status.json", "deployment_status"),
    ] {
        let body = support::test_data(&format!("github/{file}"));
        assert_eq!(deliver(&bridge, event, &body).await.unwrap().0, 200);
    }
    (ledger, server)
}
/// Holds a row against what programs are promised.
fn check(row: &Value) {
    let mut members: Vec<&str> = row
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(members, MEMBERS, "{row}");
    for words in ["id", "kind", "principal", "summary", "type"] {
        assert!(
            row[words].as_str().is_some_and(|words| !words.is_empty()),
            "{words}: {row}"
        );
    }
    for name in ["change", "environment", "service"] {
        assert!(
            row[name].is_string() || row[name].is_null(),
            "{name}: {row}"
        );
    }
    let recorded_at = row["recorded_at"].as_str().unwrap();
    assert_eq!(recorded_at.len(), "2026-11-21T12:33:38.421Z".len(), "{row}");
    assert!(
        time::parse(recorded_at).is_some() && time::parse(row["time"].as_str().unwrap()).is_some(),
        "{row}"
    );
    let is_ours = format!(
        "dev.cdeventsx.piperoll-{}.0.1.0",
        row["kind"].as_str().unwrap()
    );
    let kind = row["type"].as_str().unwrap();
    assert!(
        kind == is_ours
            || kind.starts_with(&format!("dev.cdevents.{}.", row["kind"].as_str().unwrap())),
        "{row}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_has_exactly_the_members_that_are_promised_asked_of_a_server_or_a_folder() {
    let (ledger, server) = told().await;
    let words = ["log", "--output", "json", "-n", "0"];
    let of_server = run(
        &ledger,
        &[&words[..], &["--server", &server.url]].concat(),
        &[],
    );
    let of_folder = run(&ledger, &[&words[..], &["--data", "data"]].concat(), &[]);
    assert_eq!(of_server.succeeds().out, of_folder.succeeds().out);

    let rows: Vec<Value> = serde_json::from_str(&of_server.out).unwrap();
    let entries: u64 = ledger.sql("select count(*) from entry").parse().unwrap();
    let indexes: Vec<u64> = rows
        .iter()
        .map(|row| row["index"].as_u64().unwrap())
        .collect();
    assert_eq!(
        indexes,
        (0..entries).rev().collect::<Vec<_>>(),
        "newest first, each once"
    );
    rows.iter().for_each(check);

    // Some of them, in the same form.
    let some = [
        "log",
        "--json",
        "-s",
        "service-1",
        "--kind",
        "deployment.*",
        "--server",
        &server.url,
    ];
    let some: Vec<Value> = serde_json::from_str(&run(&ledger, &some, &[]).succeeds().out).unwrap();
    let expected: Vec<&Value> = rows
        .iter()
        .filter(|row| row["service"] == "service-1")
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(some.iter().collect::<Vec<_>>(), expected);
    // None: still a list.
    let none = [
        "log",
        "--json",
        "--kind",
        "incident.detected",
        "--server",
        &server.url,
    ];
    assert_eq!(run(&ledger, &none, &[]).succeeds().out, "[]\n");
}
