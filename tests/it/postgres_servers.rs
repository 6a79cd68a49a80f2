//! Several servers on one database: one takes events and signs, the others read, and whoever slept commits nothing any more.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    http,
    ledger::Ledger,
    postgres::{self, Database},
    server::Server,
    signer::Signer,
};

/// How long a projector is stopped: longer than its lease lasts.
const STOPPED: Duration = Duration::from_secs(10);

/// The server on the folder that was founded, one on a copy of it, and a pipeline that may say everything.
struct Pair {
    ledger: Ledger,
    first: Server,
    second: Server,
    pipeline: Signer,
}
impl Pair {
    async fn serve(test: &str) -> Option<Self> {
        let ledger = Ledger::found_in(Database::fresh(test)?);
        let first = ledger.serve();
        let pipeline = ledger.pipeline(&first, "load").await;
        let second = serve_copy(&ledger, "copy", &[]);
        Some(Self {
            ledger,
            first,
            second,
            pipeline,
        })
    }

    async fn post(&self, server: &Server, n: u64) -> (u16, Value) {
        server.post(&self.pipeline.deployment(n).to_json()).await
    }
}

/// A server on a copy of the folder, with the same keys.
fn serve_copy(ledger: &Ledger, name: &str, more: &[&str]) -> Server {
    let folder = ledger.path(name);
    for part in ["keys", "bridges"] {
        copy(&ledger.path("data").join(part), &folder.join(part));
    }
    let mut command = ledger.command();
    command
        .args(["serve", "--data", name, "--listen", "127.0.0.1:0"])
        .args(more);
    Server::start(command)
}
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

async fn until_ready(server: &Server) {
    server
        .wait("/readyz", |body| (body["ready"] == true).then_some(()))
        .await;
}
/// Until the server says that another one takes events; gives why.
async fn until_it_reads(server: &Server) -> String {
    server
        .wait("/readyz", |body| {
            let projector = &body["projector"];
            let why = format!("{}; {}", projector["why"], projector["remedy"]);
            (projector["state"] == "elsewhere").then_some(why)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_server_reads_says_where_to_send_events_and_takes_over_when_the_first_dies() {
    let test =
        "the_second_server_reads_says_where_to_send_events_and_takes_over_when_the_first_dies";
    let Some(pair) = Pair::serve(test).await else {
        return;
    };
    assert_eq!(pair.post(&pair.first, 0).await.0, 201);
    let (status, body) = pair.post(&pair.second, 1).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(body["elsewhere"], pair.first.url, "{body}");
    assert!(body["retry_after_s"].as_u64().is_some(), "{body}");
    assert_eq!(pair.second.get("/readyz").await.0, 503);
    // It answers everything else.
    let (status, log) = pair.second.get("/v1/log").await;
    assert_eq!((status, log["rows"].as_array().unwrap().len()), (200, 3));
    for path in ["/", "/v1/where", "/healthz"] {
        let page = http::get(&format!("{}{path}", pair.second.url)).await;
        assert_eq!(page.unwrap().0, 200, "{path}");
    }
    let Pair {
        ledger,
        first,
        second,
        pipeline,
    } = pair;
    first.kill();
    until_ready(&second).await;
    let (status, body) = second.post(&pipeline.deployment(1).to_json()).await;
    assert_eq!((status, &body["index"]), (201, &3.into()), "{body}");
    second.wait_for_checkpoint(4).await;
    // The first one comes back and reads.
    let first = ledger.serve();
    assert!(until_it_reads(&first).await.contains(&second.url));
    // A server that ends in order gives the lease back: nobody waits for it to run out.
    let began = Instant::now();
    second.terminate();
    until_ready(&first).await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "it was not given back"
    );
    let (status, body) = first.post(&pipeline.deployment(2).to_json()).await;
    assert_eq!((status, &body["index"]), (201, &4.into()), "{body}");
    first.wait_for_checkpoint(5).await;
    first.terminate();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_see_the_guard_does_not_take_over_and_says_why() {
    let test = "a_server_that_does_not_see_the_guard_does_not_take_over_and_says_why";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let first = ledger.serve();
    let pipeline = ledger.pipeline(&first, "load").await;
    first.wait_for_checkpoint(2).await;
    let stranger = serve_copy(&ledger, "copy", &["--state", "elsewhere"]);
    let why = until_it_reads(&stranger).await;
    assert!(
        why.contains(&first.url) && why.contains("will not take over") && why.contains("--state"),
        "{why}"
    );
    first.kill();
    let is_gone = |body: &Value| {
        let why = body["projector"]["why"].as_str()?;
        why.contains("is gone").then_some(())
    };
    stranger.wait("/readyz", is_gone).await;
    let (status, body) = stranger.post(&pipeline.deployment(0).to_json()).await;
    assert_eq!(status, 503, "{body}");
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .contains("is missing although a checkpoint"),
        "{body}"
    );
    // The first one, started again on its folder, need not wait for its own lease to run out.
    let began = Instant::now();
    let first = ledger.serve();
    until_ready(&first).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    let (status, body) = first.post(&pipeline.deployment(0).to_json()).await;
    assert_eq!(status, 201, "{body}");
}

/// The first server is stopped at a statement that waits for `lock`; the second takes over and goes on; then the first wakes up.
async fn stop_at(test: &str, lock: &str) {
    let Some(pair) = Pair::serve(test).await else {
        return;
    };
    let database = pair.ledger.database.as_ref().unwrap();
    pair.first.wait_for_checkpoint(2).await;
    let mut session = database.session();
    session.run("begin");
    session.run(lock);
    let late = pair.pipeline.deployment(0).to_json();
    let url = format!("{}/v1/events", pair.first.url);
    let sent = tokio::spawn({
        let late = late.clone();
        async move { http::post(&url, "application/json", &[], late.into_bytes()).await }
    });
    let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    while database.sql(waits) == "0" {
        assert!(!sent.is_finished(), "the event did not wait for the lock");
    }
    let process = [pair.first.process_id().to_string()];
    let stopped = Instant::now();
    postgres::signal("-STOP", &process);
    session.run("rollback");
    until_ready(&pair.second).await;
    for n in 1..4 {
        let (status, body) = pair.post(&pair.second, n).await;
        assert_eq!(status, 201, "{body}");
    }
    pair.second.wait_for_checkpoint(5).await;
    tokio::time::sleep(STOPPED.saturating_sub(stopped.elapsed())).await;
    postgres::signal("-CONT", &process);
    let (status, body) = sent.await.unwrap().unwrap();
    assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
    assert!(until_it_reads(&pair.first).await.contains(&pair.second.url));
    let recorded = pair.ledger.recorded();
    assert_eq!(
        recorded.lines().count(),
        5,
        "it committed after all: {recorded}"
    );
    // Its sender sends it again, to where it was told.
    let (status, body) = pair.second.post(&late).await;
    assert_eq!((status, &body["index"]), (201, &5.into()), "{body}");
    let log = pair.first.kill();
    assert!(
        log.contains("this one only reads"),
        "the first server did not say what became of it: {log}"
    );
    pair.second.wait_for_checkpoint(6).await;
    pair.second.kill();
    let (code, said) = pair.ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_sleeps_between_its_checks_and_its_commit_commits_nothing() {
    let test = "a_projector_that_sleeps_between_its_checks_and_its_commit_commits_nothing";
    stop_at(test, "lock table entry in access exclusive mode").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_sleeps_inside_its_transaction_holds_nobody_up_and_commits_nothing() {
    let test = "a_projector_that_sleeps_inside_its_transaction_holds_nobody_up_and_commits_nothing";
    stop_at(test, "select size from head for update").await;
}
