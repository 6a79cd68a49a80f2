//! A pipeline's commands against a real server: there, gone, and gone in the middle. Never in its way, and nothing lost.

use crate::{
    cli::{Pipeline, kinds, run},
    ledger::Ledger,
};

const IMAGE: &str = "sha256:9f2c000000000000000000000000000000000000000000000000000000000000";
const NOBODY: &str = "http://127.0.0.1:1";
const WHERE: [&str; 4] = ["-s", "checkout", "-e", "production"];

fn deploy<'a>(what: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["deploy", what][..], &WHERE, &["--artifact", IMAGE], more].concat()
}

#[test]
fn deploy_run_passes_output_and_exit_code_through() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let said = pipeline.run(
        &ledger,
        &deploy("run", &["--", "sh", "-c", "echo out; echo err >&2; exit 7"]),
    );
    assert_eq!((said.code, said.out.as_str()), (7, "out\n"), "{}", said.err);
    for words in ["err\n", "recorded as 2", "exit code 7", "recorded as 3"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    let said = pipeline.run(
        &ledger,
        &deploy("run", &["--", "sh", "-c", "kill -TERM $$"]),
    );
    assert_eq!(said.code, 128 + 15, "{}", said.err);
    let said = pipeline.run(&ledger, &deploy("run", &["--", "/no/such/program"]));
    assert_eq!(said.code, 127, "{}", said.err);
    assert_eq!(
        kinds(&ledger),
        ["deployment.started", "deployment.finished"].repeat(3)
    );
    let ended = "select group_concat(body, ' ') from (select cast(body as text) as body from payload where idx in (3, 5, 7))";
    let ended = ledger.sql(ended);
    for outcome in [
        "\"failureType\":\"exit-7\"",
        "\"failureType\":\"signal-15\"",
        "\"failureType\":\"not-started\"",
    ] {
        assert!(ended.contains(outcome), "{outcome}: {ended}");
    }
}

#[test]
fn a_finish_belongs_to_the_start_that_came_before_it() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let started = pipeline.run(&ledger, &deploy("start", &["--json"]));
    let started: serde_json::Value = serde_json::from_str(&started.succeeds().out).unwrap();
    assert_eq!(
        (started["state"].as_str(), started["index"].as_u64()),
        (Some("recorded"), Some(2))
    );
    pipeline
        .run(
            &ledger,
            &[&["deploy", "finish", "--outcome", "success"][..], &WHERE].concat(),
        )
        .succeeds();
    assert_eq!(
        ledger.sql("select count(distinct subject) from entry where idx in (2, 3)"),
        "1"
    );
    assert_eq!(
        ledger
            .sql("select count(*) from payload where idx in (2, 3) and instr(body, '9f2c00') > 0"),
        "2"
    );
    pipeline
        .run(
            &ledger,
            &[&["deploy", "finish", "--outcome", "success"][..], &WHERE].concat(),
        )
        .complains(2, &["was started here", "--deployment ID"]);
}

#[test]
fn a_run_that_was_killed_is_finished_by_whoever_comes_after_it() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let words = deploy("run", &["--", "sh", "-c", "echo on its way; exec sleep 5"]);
    let mut command = pipeline.command(&ledger, &words);
    command.stdout(std::process::Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut out = std::io::BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "on its way\n");
    process.kill().unwrap();
    process.wait().unwrap();
    let finish = ["deploy", "finish", "--outcome", "failure"];
    let finish = [&finish[..], &WHERE].concat();
    pipeline.run(&ledger, &finish).succeeds();
    assert_eq!(
        ledger.sql(
            "select count(distinct subject) || ' of ' || count(*) from entry where idx in (2, 3)"
        ),
        "1 of 2"
    );
    pipeline
        .run(&ledger, &deploy("run", &["--", "true"]))
        .succeeds();
    pipeline
        .run(&ledger, &finish)
        .complains(2, &["was started here"]);
}

#[test]
fn going_back_to_what_ran_before_is_a_rollback_from_its_start_to_its_end() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let start = deploy("start", &["--rollback"]);
    pipeline.run(&ledger, &start).succeeds();
    let finish = ["deploy", "finish", "--outcome", "success"];
    let finish = [&finish[..], &WHERE].concat();
    pipeline.run(&ledger, &finish).succeeds();
    assert_eq!(kinds(&ledger), ["rollback.started", "rollback.finished"]);
    let runs = "select count(distinct subject) from entry where idx in (2, 3)";
    assert_eq!(ledger.sql(runs), "1");
    let said = pipeline.run(&ledger, &["where", "-s", "checkout", "-e", "production"]);
    assert!(said.succeeds().out.contains("9f2c"), "{}", said.out);
    let said = pipeline.run(&ledger, &["where", "-s", "checkout", "-e", "staging"]);
    assert!(!said.succeeds().out.contains("9f2c"), "{}", said.out);
}

#[test]
fn with_the_ledger_down_events_wait_and_flush_delivers_each_once() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server).at(NOBODY);
    pipeline.run(&ledger, &deploy("start", &[])).complains(
        0,
        &[
            "warning: the ledger at http://127.0.0.1:1 does not answer",
            "is kept in",
            "(1 waiting)",
            "piperoll flush",
        ],
    );
    pipeline
        .run(
            &ledger,
            &deploy("finish", &["--strict", "--outcome", "success"]),
        )
        .complains(5, &["does not answer", "(2 waiting)"]);
    let said = pipeline.run(
        &ledger,
        &deploy("run", &["--strict", "--", "echo", "deployed"]),
    );
    said.complains(5, &["the command was not started"]);
    assert_eq!(said.out, "");
    pipeline
        .run(&ledger, &["flush"])
        .complains(5, &["does not answer", "4 waiting"]);
    assert!(kinds(&ledger).is_empty());

    let pipeline = pipeline.at(&server.url);
    let said = pipeline.run(&ledger, &["flush", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&said.succeeds().out).unwrap();
    assert_eq!(
        (told["recorded"].as_u64(), told["waiting"].as_u64()),
        (Some(4), Some(0)),
        "{told}"
    );
    pipeline.run(&ledger, &["flush"]).succeeds();
    assert_eq!(
        kinds(&ledger),
        ["deployment.started", "deployment.finished"].repeat(2),
        "in their order, none twice"
    );
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_deployment_stands_in_nobodys_way() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let script = format!("kill -KILL {}; echo deployed", server.process_id());
    let said = pipeline.run(&ledger, &deploy("run", &["--", "sh", "-c", &script]));
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "deployed\n"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("recorded as 2") && said.err.contains("(1 waiting)"),
        "{}",
        said.err
    );
    drop(server);
    let server = ledger.serve();
    let pipeline = pipeline.at(&server.url);
    pipeline.run(&ledger, &["flush"]).succeeds();
    assert_eq!(
        kinds(&ledger),
        ["deployment.started", "deployment.finished"]
    );
}

/// The folder of the ledger's outbox, where a command made it before.
fn outbox(ledger: &Ledger) -> std::path::PathBuf {
    let id = ledger.id.0.to_hex();
    ledger.path("state/piperoll/outbox").join(id)
}

#[test]
fn what_cannot_be_read_in_the_outbox_is_named_and_stops_nothing() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let folder = outbox(&ledger).join("waiting/00000000000001-folder.json");
    std::fs::create_dir_all(folder).unwrap();
    pipeline
        .run(&ledger, &deploy("start", &["--strict"]))
        .complains(
            0,
            &["00000000000001-folder.json", "remove it", "recorded as 2"],
        );
    let said = pipeline.run(
        &ledger,
        &deploy("run", &["--", "sh", "-c", "echo ran; exit 7"]),
    );
    assert_eq!((said.code, said.out.as_str()), (7, "ran\n"), "{}", said.err);
    assert!(said.err.contains("recorded as 4"), "{}", said.err);
    pipeline
        .run(&ledger, &["flush"])
        .complains(1, &["00000000000001-folder.json", "cannot be used"]);
}

#[cfg(unix)]
#[test]
fn an_event_that_cannot_be_kept_is_sent_all_the_same() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let waiting = outbox(&ledger).join("waiting");
    pipeline.run(&ledger, &["flush"]).succeeds();
    std::fs::remove_dir(&waiting).unwrap();
    // Nothing can be renamed into another file system, whoever asks.
    std::os::unix::fs::symlink("/proc", &waiting).unwrap();
    pipeline
        .run(&ledger, &deploy("start", &["--strict"]))
        .complains(0, &["without being kept", "recorded as 2"]);
    let pipeline = pipeline.at(NOBODY);
    pipeline
        .run(&ledger, &deploy("start", &[]))
        .complains(1, &["neither kept nor recorded"]);
    let command = ["--", "sh", "-c", "echo ran; exit 7"];
    let said = pipeline.run(&ledger, &deploy("run", &command));
    assert_eq!((said.code, said.out.as_str()), (7, "ran\n"), "{}", said.err);
    let said = pipeline.run(
        &ledger,
        &deploy("run", &[&["--strict"], &command[..]].concat()),
    );
    said.complains(1, &["neither kept nor recorded", "was not started"]);
    assert_eq!(said.out, "");
}

#[test]
fn an_outbox_that_cannot_be_made_keeps_no_deployment_from_running() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    std::fs::write(ledger.path("file"), "").unwrap();
    let run = |more: &[&str]| {
        let words = [
            &["--outbox", "file/outbox"],
            more,
            &["--", "sh", "-c", "echo ran; exit 7"],
        ];
        pipeline.run(&ledger, &deploy("run", &words.concat()))
    };
    let said = run(&[]);
    assert_eq!((said.code, said.out.as_str()), (7, "ran\n"), "{}", said.err);
    assert!(
        said.err.contains("nothing is recorded of it"),
        "{}",
        said.err
    );
    let said = run(&["--strict"]);
    said.complains(1, &["file/outbox", "was not started"]);
    assert_eq!(said.out, "");
    pipeline
        .run(&ledger, &deploy("start", &["--outbox", "file/outbox"]))
        .complains(1, &["file/outbox"]);
}

#[test]
fn a_grant_that_is_missing_keeps_the_event_and_tells() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let elsewhere = ["deploy", "start", "-s", "payments", "-e", "production"];
    pipeline
        .run(&ledger, &elsewhere)
        .complains(0, &["no grant", "(1 waiting)"]);
    pipeline
        .run(&ledger, &[&elsewhere[..], &["--strict"]].concat())
        .complains(4, &["no grant"]);
    pipeline
        .run(&ledger, &["flush"])
        .complains(4, &["no grant"]);
    // An event behind the stuck ones goes out.
    pipeline.run(&ledger, &deploy("start", &[])).succeeds();
    assert_eq!(kinds(&ledger), ["deployment.started"]);
    let refused = run(
        &ledger,
        &["log", "--refused", "--json", "--server", &server.url],
        &[],
    );
    let refused: serde_json::Value = serde_json::from_str(&refused.succeeds().out).unwrap();
    assert_eq!(refused.as_array().unwrap().len(), 2, "{refused}");
    assert_eq!(refused[0]["service"], "payments");
    let again = [
        "add",
        "pipeline",
        "checkout-deploy",
        "--replace-grants",
        "-s",
        "checkout",
        "-s",
        "payments",
        "-e",
        "production",
        "--data",
        "data",
    ];
    let said = run(&ledger, &again, &[("PIPEROLL_SERVER", &server.url)]);
    let out = &said.succeeds().out;
    assert!(out.contains("services checkout, payments"), "{out}");
    assert!(
        out.contains("kinds deployment.*, "),
        "its kinds stay: {out}"
    );
    pipeline.run(&ledger, &["flush"]).succeeds();
    let kinds = kinds(&ledger);
    assert_eq!(kinds[1], "key.registered");
    assert_eq!(kinds[2..], ["deployment.started"; 2], "what waited came in");
    let nobody = again.map(|word| if word == again[2] { "nobody" } else { word });
    run(&ledger, &nobody, &[("PIPEROLL_SERVER", &server.url)])
        .complains(1, &["has no key", "--replace-grants"]);
}

#[test]
fn a_key_nobody_registered_is_kept_and_strict_exits_4() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let id = ledger.id.0.to_hex();
    run(&ledger, &["key", "new", "stranger", "--ledger", &id], &[]).succeeds();
    let words = [
        "emit",
        "incident.detected",
        "--subject",
        "INC-1",
        "-e",
        "production",
        "--server",
        &server.url,
    ];
    run(&ledger, &words, &[]).complains(0, &["warning", "(1 waiting)"]);
    run(&ledger, &[&words[..], &["--strict"]].concat(), &[]).complains(4, &["(2 waiting)"]);
}

#[test]
fn another_ledger_behind_the_same_address_gets_nothing() {
    let (ledger, other) = (Ledger::found(), Ledger::found());
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let stranger = other.serve();
    let pipeline = pipeline.at(&stranger.url);
    pipeline
        .run(&ledger, &deploy("start", &["--strict"]))
        .complains(6, &["keeps ledger", "is kept in"]);
    assert_eq!(other.sql("select count(*) from entry"), "1");
}

#[test]
fn any_kind_can_be_emitted_by_its_flags() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let element = format!("pkg:oci/checkout={}", &IMAGE["sha256:".len()..]);
    let bundle = [
        "emit",
        "bundle.defined",
        "--name",
        "shop",
        "--version",
        "1",
        "--element",
        &element,
    ];
    let said = pipeline.run(&ledger, &bundle);
    said.complains(
        0,
        &[
            "the bundle's content is sha256:",
            "bundle.defined recorded as 2",
        ],
    );
    let service = [
        "emit",
        "service.upgraded",
        "-s",
        "checkout",
        "-e",
        "production",
        "--artifact",
        IMAGE,
    ];
    pipeline
        .run(&ledger, &service)
        .complains(0, &["service.upgraded recorded as 3"]);
    let wrong = [
        "emit",
        "deployment.finished",
        "-s",
        "checkout",
        "-e",
        "production",
        "--outcome",
        "fine",
    ];
    pipeline
        .run(&ledger, &wrong)
        .complains(2, &["--outcome", "success, failure, cancel or error"]);
    pipeline
        .run(&ledger, &["emit", "approval.updated"])
        .complains(2, &["piperoll approve"]);
}
