//! Many events in one body, a line each: good and bad ones side by side, and bodies at the limit.

use piperoll_core::name::Principal;
use serde_json::Value;

use crate::{cli::run, http, ledger::Ledger, server::Server, signer::Signer};

const MIB: usize = 1024 * 1024;

async fn post(server: &Server, body: Vec<u8>) -> (u16, Vec<Value>) {
    let url = format!("{}/v1/events", server.url);
    let (status, body) = http::post(&url, "application/x-ndjson", &[], body)
        .await
        .unwrap();
    let text = String::from_utf8(body).unwrap();
    (
        status,
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}
fn statuses(lines: &[Value]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_judged_by_itself_and_answered_in_its_place() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
    // Registered by a line of the same body, after a line that needed it and before one that does.
    let late = Signer {
        key: piperoll_tlog::key::SecretKey::from_seed([9; 32]),
        principal: Principal::parse("urn:piperoll:pipeline:late").unwrap(),
        ledger: ledger.id,
    };
    let good = pipeline.deployment(0).to_json();
    let lines = [
        good.as_str(),
        "{",
        &late.deployment(0).to_json(),
        &ledger.administrator().sign(&late.registration()).to_json(),
        &late.deployment(1).to_json(),
        "",
        &good,
        "[]",
        &pipeline.deployment(1).to_json(),
    ];
    let expected = [201, 400, 425, 201, 201, 400, 200, 400, 201];
    let (status, answers) = post(&server, lines.join("\n").into_bytes()).await;
    assert_eq!(
        (status, statuses(&answers)),
        (200, expected.to_vec()),
        "{answers:?}"
    );
    let indexes: Vec<u64> = answers
        .iter()
        .filter_map(|line| line["index"].as_u64())
        .collect();
    assert_eq!(
        indexes,
        [2, 3, 4, 2, 5],
        "entries stand in the order of the lines"
    );
    for bad in answers
        .iter()
        .filter(|line| line["status"].as_u64() >= Some(400))
    {
        assert!(bad["remedy"].is_string(), "{bad}");
    }
    let (_, again) = post(&server, (lines.join("\n") + "\n").into_bytes()).await;
    let expected = [200, 400, 201, 200, 200, 400, 200, 400, 200];
    assert_eq!(statuses(&again), expected, "{again:?}");
    run(&ledger, &["verify", "--data", "data"], &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_mebibyte_is_taken_whole_and_one_byte_more_not_at_all() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
    let mut body = Vec::new();
    let mut events = 0;
    for n in 0.. {
        let line = pipeline.deployment(n).to_json();
        if body.len() + line.len() + 1 > MIB {
            break;
        }
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
        events += 1;
    }
    body.pop();
    body.resize(MIB, b' '); // belongs to the last line
    let (status, problems) = post(&server, [&body[..], b" "].concat()).await;
    assert_eq!(
        (status, &problems[0]["status"]),
        (413, &413.into()),
        "{problems:?}"
    );
    assert!(
        problems[0]["remedy"]
            .as_str()
            .is_some_and(|remedy| remedy.contains("several requests")),
        "{problems:?}"
    );
    assert_eq!(ledger.sql("select count(*) from entry"), "2");
    let (status, answers) = post(&server, body).await;
    assert_eq!((status, answers.len()), (200, events));
    assert!(
        answers.iter().all(|line| line["status"] == 201),
        "{answers:?}"
    );
    assert_eq!(
        ledger.sql("select count(*) from entry"),
        (events + 2).to_string()
    );
}
