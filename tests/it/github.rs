//! The ten bodies of GitHub's own examples, sent as GitHub sends them to a real server's bridge, and what they become.

use serde_json::{Value, json};

use crate::{
    http,
    ledger::Ledger,
    server::{Bridge, Server},
    support,
    webhook::{SIGNATURE, deliver, deliver_with, signature},
};

const CHANGE: Option<&str> = Some("github:codertocat/hello-world#2");
const HEAD: Option<&str> = Some("head ec26c3e57ca3a959ca5aad62de7213c562f8c821");

/// The entry that a body becomes; `None` is what the body does not say.
struct Entry {
    kind: &'static str,
    time: &'static str,
    change: Option<&'static str>,
    /// The repository's own name, where nothing maps it.
    service: Option<&'static str>,
    environment: Option<&'static str>,
    /// What it says of the commit, and the commit.
    commit: Option<&'static str>,
    /// Whether the body says who did it.
    actor: bool,
    /// Words that the body supplies.
    texts: &'static [&'static str],
    /// What the body leaves unsaid, in words; the test holds it against the signed bytes.
    unsaid: &'static [&'static str],
}
enum Becomes {
    Entry(Entry),
    /// No entry; counted under these words.
    Counted(&'static str),
}
use Becomes::Counted;

/// File, event, what it becomes. In the order in which GitHub's example happened.
const BODIES: [(&str, &str, Becomes); 10] = [
    (
        "pull_request.opened.json",
        "pull_request",
        Becomes::Entry(Entry {
            kind: "change.created",
            time: "2019-05-15T15:20:33Z",
            change: CHANGE,
            service: Some("Hello-World"),
            environment: None,
            commit: HEAD,
            actor: true,
            texts: &["actor", "description", "summary"],
            unsaid: &["environment"],
        }),
    ),
    (
        "pull_request_review.submitted.json",
        "pull_request_review",
        Becomes::Entry(Entry {
            kind: "change.reviewed",
            time: "2019-05-15T15:20:38Z",
            change: CHANGE,
            service: Some("Hello-World"),
            environment: None,
            commit: HEAD,
            actor: true,
            texts: &["actor"],
            unsaid: &["environment"],
        }),
    ),
    (
        "pull_request_review.dismissed.json",
        "pull_request_review",
        Becomes::Entry(Entry {
            kind: "change.reviewed",
            time: "2019-05-15T15:20:38Z",
            change: CHANGE,
            service: Some("Hello-World"),
            environment: None,
            commit: HEAD,
            actor: true,
            texts: &["actor"],
            unsaid: &["environment"],
        }),
    ),
    (
        "deployment.json",
        "deployment",
        Counted("deployment created"),
    ),
    (
        "deployment_status.json",
        "deployment_status",
        // Neither the change nor the artifact is named: it is filed under the commit until an event claims that.
        Becomes::Entry(Entry {
            kind: "deployment.finished",
            time: "2019-05-15T15:20:55Z",
            change: Some("commit:f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
            service: Some("Hello-World"),
            environment: Some("production"),
            commit: Some("commit f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
            actor: true,
            texts: &["actor"],
            unsaid: &["change"],
        }),
    ),
    (
        "deployment_review.requested.json",
        "deployment_review",
        Counted("deployment_review requested"),
    ),
    // It publishes no asset, so there is no artifact.
    (
        "release.published.json",
        "release",
        Counted("release published"),
    ),
    // It deletes a tag.
    ("push.json", "push", Counted("push deleted")),
    (
        "pull_request.closed.json",
        "pull_request",
        // Closed and not merged: the merge_commit_sha in it is a trial that reached no branch.
        Becomes::Entry(Entry {
            kind: "change.abandoned",
            time: "2019-05-15T15:21:18Z",
            change: CHANGE,
            service: Some("Hello-World"),
            environment: None,
            commit: HEAD,
            actor: true,
            texts: &["actor", "description", "summary"],
            unsaid: &["environment"],
        }),
    ),
    (
        "workflow_run.completed.json",
        "workflow_run",
        Counted("workflow_run completed"),
    ),
];

fn body(file: &str) -> Vec<u8> {
    support::test_data(&format!("github/{file}"))
}
async fn metrics(server: &Server) -> String {
    let (status, text) = http::get(&format!("{}/metrics", server.url)).await.unwrap();
    assert_eq!(status, 200);
    String::from_utf8(text).unwrap()
}
async fn counted(server: &Server, word: &str) -> u64 {
    let line = format!("piperoll_bridge_other_total{{bridge=\"github\",event=\"{word}\"}} ");
    let metrics = metrics(server).await;
    let count = metrics.lines().find_map(|found| found.strip_prefix(&line));
    count.map_or(0, |count| count.parse().unwrap())
}
async fn size(server: &Server) -> u64 {
    server.get("/readyz").await.1["size"].as_u64().unwrap()
}
/// Status, and `state`, `events`, `known` of the answer.
async fn delivered(bridge: &Bridge, event: &str, body: &[u8]) -> Value {
    let (status, answer) = deliver(bridge, event, body).await.unwrap();
    assert_eq!(status, 200, "{event}: {}", String::from_utf8_lossy(&answer));
    serde_json::from_slice(&answer).unwrap()
}

/// Holds an entry, as the server tells it, against its row of the table.
async fn is_as_the_table_says(server: &Server, index: u64, file: &str, expected: &Entry) -> Value {
    let (_, opened) = server.get(&format!("/v1/entries/{index}")).await;
    let row = &opened["row"];
    let (_, log) = server
        .get(&format!("/v1/log?kind={}&limit=500", expected.kind))
        .await;
    let rows = log["rows"].as_array().unwrap();
    assert!(rows.contains(row), "{file}: the log has another row: {log}");

    let shown = |name: &str| row[name].as_str();
    assert_eq!(shown("kind"), Some(expected.kind), "{file}");
    assert_eq!(shown("time"), Some(expected.time), "{file}");
    assert_eq!(
        shown("principal"),
        Some("urn:piperoll:bridge:github"),
        "{file}"
    );
    assert_eq!(shown("change"), expected.change, "{file}");
    assert_eq!(shown("service"), expected.service, "{file}");
    assert_eq!(shown("environment"), expected.environment, "{file}");

    let payload: Value = serde_json::from_str(opened["payload"].as_str().unwrap()).unwrap();
    let profile = &payload["customData"]["piperoll"];
    let binds: Vec<String> = profile["binds"].as_array().map_or_else(Vec::new, |binds| {
        let bind = |bind: &Value| {
            let commit = bind["digest"]["gitCommit"].as_str().unwrap();
            format!("{} {commit}", bind["name"].as_str().unwrap())
        };
        binds.iter().map(bind).collect()
    });
    let expected_binds: Vec<&str> = expected.commit.into_iter().collect();
    assert_eq!(binds, expected_binds, "{file}");
    let actor = profile["actor"].as_str();
    assert_eq!(
        actor.is_some_and(|actor| actor.starts_with("urn:piperoll:account:")),
        expected.actor,
        "{file}: {actor:?}"
    );
    assert_eq!(profile["relayed"]["system"], "github", "{file}");
    assert_eq!(profile["relayed"]["auth"], "hmac", "{file}");
    let texts: Vec<&str> = profile["texts"]
        .as_object()
        .map_or_else(Vec::new, |texts| texts.keys().map(String::as_str).collect());
    assert_eq!(texts, expected.texts, "{file}");
    let unsaid: Vec<&str> = ["change", "service", "environment", "binds", "actor"]
        .into_iter()
        .filter(|member| profile[member].is_null())
        .collect();
    assert_eq!(unsaid, expected.unsaid, "{file}: {profile}");
    profile["actor"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_githubs_ten_bodies_becomes_its_row_of_the_table_however_often_it_is_delivered() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let bridge = ledger.add_bridge(&server, "github");
    let before = size(&server).await;
    let mut actors = Vec::new();
    let mut next = before;
    for (file, event, becomes) in &BODIES {
        let body = body(file);
        // GitHub gave up waiting and delivers again while the first delivery is still at work.
        let (first, second) = tokio::join!(
            delivered(&bridge, event, &body),
            delivered(&bridge, event, &body)
        );
        match becomes {
            Counted(word) => {
                assert_eq!(
                    (first["state"].as_str(), second["state"].as_str()),
                    (Some("counted"), Some("counted")),
                    "{file}"
                );
                assert_eq!(counted(&server, word).await, 2, "{file}");
            }
            Becomes::Entry(expected) => {
                let new = first["events"].as_u64().unwrap() + second["events"].as_u64().unwrap();
                assert_eq!(new, 1, "{file}: {first} {second}");
                actors.push(is_as_the_table_says(&server, next, file, expected).await);
                next += 1;
            }
        }
        assert_eq!(size(&server).await, next, "{file}");
    }
    assert!(
        actors.windows(2).all(|pair| pair[0] == pair[1]),
        "one person, one account: {actors:?}"
    );

    // Days later, to a server that was started again.
    drop(server);
    let server = ledger.serve();
    let bridge = Bridge {
        url: format!("{}/bridges/github", server.url),
        ..bridge
    };
    for (file, event, becomes) in &BODIES {
        let again = delivered(&bridge, event, &body(file)).await;
        let known = match becomes {
            Counted(_) => json!({"state": "counted", "events": 0, "known": 0, "unusable": 0}),
            Becomes::Entry(_) => json!({"state": "kept", "events": 0, "known": 1, "unusable": 0}),
        };
        assert_eq!(again, known, "{file}");
    }
    assert_eq!(size(&server).await, next);
    drop(server);
    let verify = ledger.run(&["verify", "--data", "data"], &[]);
    assert!(verify.status.success(), "{verify:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_origin_is_not_shown_leaves_no_trace() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let bridge = ledger.add_bridge(&server, "github");
    let before = size(&server).await;
    let body = body("pull_request.opened.json");
    let good = signature(&bridge.secret, &body);
    let hex = good.strip_prefix("sha256=").unwrap();
    let wrong = signature("It's a Secret to Everybody", &body);
    let of_another_body = signature(&bridge.secret, &body[1..]);
    let upper = format!("sha256={}", hex.to_uppercase());
    let truncated = &good[..good.len() - 2];
    for (what, tag) in [
        ("wrong secret", wrong.as_str()),
        ("another body's", &of_another_body),
        ("upper case", &upper),
        ("truncated", truncated),
        ("no scheme", hex),
        ("another scheme", &good.replace("sha256=", "sha1=")),
        ("empty", ""),
    ] {
        let answer = deliver_with(&bridge, "pull_request", &body, &[(SIGNATURE, tag)]).await;
        refused_as(answer, 403, what);
    }
    let missing = deliver_with(&bridge, "pull_request", &body, &[]).await;
    refused_as(missing, 401, "missing");
    // Of two signatures nobody can say which one was meant.
    let two = [(SIGNATURE, wrong.as_str()), (SIGNATURE, good.as_str())];
    refused_as(
        deliver_with(&bridge, "pull_request", &body, &two).await,
        403,
        "two",
    );

    assert_eq!(size(&server).await, before);
    assert_eq!(ledger.sql("select count(*) from bridge_seen"), "0");
    assert_eq!(ledger.sql("select count(*) from bridge_count"), "0");
    assert_eq!(ledger.sql("select count(*) from refused"), "0");
    assert_eq!(delivered(&bridge, "pull_request", &body).await["events"], 1);
}
/// A problem that names the header and says what to do.
fn refused_as(answer: http::Answer, status: u16, what: &str) {
    let (got, body) = answer.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(got, status, "{what}: {problem}");
    assert_eq!(problem["field"], "X-Hub-Signature-256", "{what}: {problem}");
    let remedy = problem["remedy"].as_str().unwrap_or_default();
    assert!(remedy.contains("secret"), "{what}: {problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_githubs_limit_is_refused_and_one_at_the_limit_is_read() {
    const MIB: usize = 1024 * 1024;
    let ledger = Ledger::found();
    let server = ledger.serve();
    let bridge = ledger.add_bridge(&server, "github");
    // White space after the document is part of the bytes and none of the event.
    let mut body = body("pull_request.opened.json");
    body.resize(26 * MIB, b' ');
    let (status, answer) = deliver(&bridge, "pull_request", &body).await.unwrap();
    let problem: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, 413, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("26214400"),
        "{problem}"
    );
    assert_eq!(ledger.sql("select count(*) from bridge_seen"), "0");
    body.truncate(25 * MIB);
    assert_eq!(delivered(&bridge, "pull_request", &body).await["events"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_nobody_heard_of_is_welcome_and_counted() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let bridge = ledger.add_bridge(&server, "github");
    for (event, body, word) in [
        (
            "ping",
            json!({"zen": "Keep it logically awesome.", "hook_id": 7}),
            "ping",
        ),
        ("star", json!({"action": "created"}), "star created"),
        (
            "sun_spot",
            json!({"action": "seen \"twice\"\u{1b}!"}),
            "sun_spot seen \\\"twice\\\"\u{fffd}!",
        ),
    ] {
        let answer = delivered(&bridge, event, body.to_string().as_bytes()).await;
        assert_eq!(answer["state"], "counted", "{event}");
        assert_eq!(
            counted(&server, word).await,
            1,
            "{event}: {}",
            metrics(&server).await
        );
    }
    // Known by name, and not what it says it is: the sender's trouble, and it says so.
    let (status, answer) = deliver(&bridge, "push", b"{}").await.unwrap();
    assert_eq!(status, 400, "{}", String::from_utf8_lossy(&answer));
    assert_eq!(size(&server).await, 2);
}
