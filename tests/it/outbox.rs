//! The outbox under several processes at once, under keys that are not known yet, and when it breaks: nothing lost, nothing twice.

use std::process::{Child, Stdio};

use piperoll_core::key_file;

use crate::{
    cli::{Pipeline, Said, kinds, run},
    ledger::Ledger,
    server::Server,
    signer::Signer,
};

/// Processes that each say one thing, all at the same time.
const EMITTERS: usize = 8;
/// Processes that all deliver what is left.
const FLUSHERS: usize = 4;

fn start(pipeline: &Pipeline, ledger: &Ledger, words: &[&str]) -> Child {
    pipeline
        .command(ledger, words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
fn ended(process: Child) -> Said {
    process.wait_with_output().unwrap().into()
}
fn deployment(pipeline: &Pipeline, ledger: &Ledger, name: &str) -> Child {
    let words = [
        "deploy",
        "start",
        "-s",
        "checkout",
        "-e",
        "production",
        "--deployment",
        name,
    ];
    start(pipeline, ledger, &words)
}
/// What the outboxes hold, as `flush` counts it.
fn left(pipeline: &Pipeline, ledger: &Ledger) -> serde_json::Value {
    let said = pipeline.run(ledger, &["flush", "--json"]);
    serde_json::from_str(&said.succeeds().out).unwrap()
}

#[test]
fn what_many_processes_keep_while_the_server_is_down_is_delivered_once_by_many_others() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    server.kill();
    let emitters: Vec<Child> = (0..EMITTERS)
        .map(|n| deployment(&pipeline, &ledger, &format!("down-{n}")))
        .collect();
    for emitter in emitters {
        let said = ended(emitter);
        said.complains(0, &["does not answer", "is kept in"]);
    }

    let server = ledger.serve();
    let pipeline = pipeline.at(&server.url);
    // While they are delivered, others say something new; each of these delivers what it finds waiting, too.
    let flushers: Vec<Child> = (0..FLUSHERS)
        .map(|_| start(&pipeline, &ledger, &["flush"]))
        .collect();
    let emitters: Vec<Child> = (0..EMITTERS)
        .map(|n| deployment(&pipeline, &ledger, &format!("up-{n}")))
        .collect();
    for process in flushers {
        // One that leaves events to others says that they still wait.
        let said = ended(process);
        assert!([0, 5].contains(&said.code), "{said:?}");
    }
    for process in emitters {
        ended(process).succeeds();
    }
    let left = left(&pipeline, &ledger);
    assert_eq!(
        (&left["waiting"], &left["refused"]),
        (&0.into(), &0.into()),
        "{left}"
    );

    let mut expected: Vec<String> = (0..EMITTERS)
        .flat_map(|n| [format!("down-{n}"), format!("up-{n}")])
        .collect();
    expected.sort();
    let subjects = ledger.sql("select subject from entry where idx > 1 order by subject");
    assert_eq!(subjects.lines().collect::<Vec<_>>(), expected);
    run(&ledger, &["verify", "--data", "data"], &[]).succeeds();
}

/// A pipeline of its own making, which no entry registers.
fn unregistered(ledger: &Ledger, server: &Server) -> (Signer, Vec<(&'static str, String)>) {
    let signer = Signer::named(ledger, "late");
    let key = key_file::write(&signer.key, signer.principal.as_str()).to_string();
    let variables = vec![
        ("PIPEROLL_SERVER", server.url.clone()),
        ("PIPEROLL_LEDGER", ledger.id.0.to_hex()),
        ("PIPEROLL_KEY", key),
    ];
    (signer, variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_unknown_key_waits_until_the_key_is_registered() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let (late, variables) = unregistered(&ledger, &server);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let words = ["deploy", "start", "-s", "checkout", "-e", "production"];
    run(&ledger, &words, &variables).complains(
        0,
        &[
            "warning",
            "no entry registers the key",
            "(1 waiting)",
            "administrator register the key",
        ],
    );
    run(&ledger, &[&words[..], &["--strict"]].concat(), &variables)
        .complains(4, &["no entry registers the key", "(2 waiting)"]);
    run(&ledger, &["flush"], &variables).complains(4, &["no entry registers the key"]);
    assert_eq!(ledger.sql("select count(*) from entry"), "1");
    assert_eq!(ledger.sql("select count(*) from refused"), "0");

    let registration = ledger.administrator().sign(&late.registration());
    assert_eq!(server.post(&registration.to_json()).await.0, 201);
    let said = run(&ledger, &["flush", "--json"], &variables);
    let told: serde_json::Value = serde_json::from_str(&said.succeeds().out).unwrap();
    assert_eq!(
        (&told["recorded"], &told["waiting"]),
        (&2.into(), &0.into()),
        "{told}"
    );
    assert_eq!(kinds(&ledger), ["deployment.started"; 2]);
}

#[test]
fn a_deployment_that_is_over_keeps_its_exit_code_though_the_outbox_breaks_meanwhile() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    // The first breaks where events are kept, the second only where receipts are fetched from.
    for (broken, code) in [("waiting", 3), ("waiting", 0), ("receipts", 0)] {
        let script = format!(
            "cd \"$XDG_STATE_HOME\"/piperoll/outbox/*/ && mv {broken} away && touch {broken}; echo deployed; exit {code}"
        );
        let words = [
            "deploy",
            "run",
            "-s",
            "checkout",
            "-e",
            "production",
            "--",
            "sh",
            "-c",
            &script,
        ];
        let said = pipeline.run(&ledger, &words);
        assert_eq!(
            (said.code, said.out.as_str()),
            (code, "deployed\n"),
            "{broken}: {}",
            said.err
        );
        assert!(
            broken != "waiting" || said.err.contains("warning: cannot list"),
            "{broken}: {}",
            said.err
        );
        let mend =
            format!("cd \"$XDG_STATE_HOME\"/piperoll/outbox/*/ && rm {broken} && mv away {broken}");
        let mended = ledger
            .command_of("sh")
            .args(["-c", &mend])
            .status()
            .unwrap();
        assert!(mended.success());
    }
}

#[test]
fn events_signed_for_one_ledger_are_never_shown_to_another() {
    let (ledger, other) = (Ledger::found(), Ledger::found());
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let stranger = other.serve();
    let pipeline = pipeline.at(&stranger.url);
    let start = ["deploy", "start", "-s", "checkout", "-e", "production"];
    // Not in the way of the pipeline, and yet loud.
    pipeline
        .run(&ledger, &start)
        .complains(0, &["warning", "keeps ledger", "is kept in", "(1 waiting)"]);
    pipeline
        .run(&ledger, &["flush"])
        .complains(6, &["keeps ledger", "1 waiting"]);
    assert_eq!(other.sql("select count(*) from entry"), "1");
    assert_eq!(other.sql("select count(*) from junk"), "0");
    let pipeline = pipeline.at(&server.url);
    assert_eq!(left(&pipeline, &ledger)["recorded"], 1);
}

#[test]
fn a_server_that_keeps_another_ledger_since_today_is_noticed_and_named() {
    let (ledger, other) = (Ledger::found(), Ledger::found());
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let start = ["deploy", "start", "-s", "checkout", "-e", "production"];
    pipeline.run(&ledger, &start).succeeds();
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    server.kill();
    let mut stranger = other.command();
    stranger.args(["serve", "--data", "data", "--listen", &address]);
    let stranger = Server::start(stranger);
    pipeline
        .run(&ledger, &start)
        .complains(0, &["warning", "keeps ledger", "is kept in"]);
    pipeline
        .run(&ledger, &["flush"])
        .complains(6, &["keeps ledger", "waiting in"]);
    assert_eq!(other.sql("select count(*) from entry"), "1");
    stranger.kill();
    let mut server = ledger.command();
    server.args(["serve", "--data", "data", "--listen", &address]);
    let server = Server::start(server);
    assert_eq!(left(&pipeline, &ledger)["waiting"], 0);
    assert_eq!(kinds(&ledger), ["deployment.started"; 2]);
    drop(server);
}
