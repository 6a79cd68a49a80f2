//! The command line itself: what it says to somebody who does not know it, and its exit codes. No server runs here.

use crate::{cli::run, ledger::Ledger};

/// An address where nothing answers.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn bare_piperoll_prints_five_lines() {
    let said = run(&Ledger::empty(), &[], &[]);
    assert_eq!((said.code, said.out.lines().count()), (0, 5), "{said:?}");
    assert!(said.err.is_empty(), "{}", said.err);
}

#[test]
fn help_lists_the_commands_in_groups_with_the_exit_codes() {
    let said = run(&Ledger::empty(), &["help"], &[]);
    said.succeeds();
    for group in [
        "start",
        "pipeline",
        "people",
        "questions",
        "proof",
        "operating",
        "exit codes",
    ] {
        assert!(
            said.out.lines().any(|line| line.starts_with(group)),
            "{group} is missing: {}",
            said.out
        );
    }
}

#[test]
fn what_is_not_understood_exits_2() {
    let ledger = Ledger::empty();
    run(&ledger, &["emti"], &[]).complains(2, &["error:", "emit"]);
    run(&ledger, &["log", "--no-such-flag"], &[]).complains(2, &["--no-such-flag"]);
    run(&ledger, &["emit", "deployment.finishd"], &[]).complains(2, &["deployment.finished"]);
    run(&ledger, &["where", "--server", "ftp://example"], &[]).complains(2, &["http://"]);
    run(&ledger, &["log", "--since", "yesterday"], &[]).complains(2, &["--since", "-7d"]);
    run(&ledger, &["change", ""], &[]).complains(2, &["<CHANGE>"]);
}

#[test]
fn a_filter_that_nothing_can_match_is_a_mistake_and_not_an_empty_answer() {
    let ledger = Ledger::found();
    let of_kind = |kind| ["log", "--data", "data", "--kind", kind];
    for kind in ["deployment.finishd", "deplyment.*"] {
        run(&ledger, &of_kind(kind), &[])
            .complains(2, &["there is no kind", kind, "piperoll kinds"]);
    }
    for kind in ["ledger.created", "ledger.*", "*"] {
        run(&ledger, &of_kind(kind), &[]).succeeds();
    }
    for who in ["person:nobody", "machine:x", "urn:other:x", "Two Words"] {
        let words = ["log", "--data", "data", "--principal", who];
        run(&ledger, &words, &[]).complains(2, &["names nobody", who, "pipeline:"]);
    }
    let backwards = [
        "--since",
        "2026-11-12T21:00:00Z",
        "--until",
        "2026-11-12T20:00:00Z",
    ];
    for question in ["timeline", "log"] {
        let words = [&[question, "--data", "data"][..], &backwards].concat();
        run(&ledger, &words, &[]).complains(2, &["not after the first", "exchange"]);
    }
}

#[test]
fn an_incomplete_event_says_what_is_missing_and_what_to_type() {
    let said = run(
        &Ledger::empty(),
        &[
            "emit",
            "deployment.finished",
            "-s",
            "checkout",
            "--outcome",
            "success",
        ],
        &[],
    );
    assert_eq!(said.code, 2);
    assert_eq!(
        said.err,
        "error: environment is missing\n  \
         a deployment.finished needs: service, environment, outcome\n  \
         try: piperoll emit deployment.finished -s checkout -e production --outcome success\n  \
         all fields: piperoll kinds deployment.finished\n"
    );
}

#[test]
fn a_wrong_value_names_its_flag() {
    let words = [
        "emit",
        "deployment.finished",
        "-s",
        "checkout",
        "-e",
        "production",
    ];
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let with = |more: &[&str]| {
        let all = [&words[..], more].concat();
        run(&Ledger::empty(), &all, &[("PIPEROLL_KEY", key)])
    };
    with(&["--outcome", "fine"]).complains(2, &["PIPEROLL_KEY", "not an OpenSSH private key"]);
    with(&["--outcome", "success", "--artifact", "checkout:latest"])
        .complains(2, &["PIPEROLL_KEY"]);
}

#[test]
fn what_may_be_a_secret_is_never_shown() {
    let ledger = Ledger::empty();
    let server = "http://tok:hunter2@127.0.0.1:1";
    let said = run(&ledger, &["where"], &[("PIPEROLL_SERVER", server)]);
    said.complains(2, &["…@127.0.0.1:1", "PIPEROLL_TOKEN"]);
    assert!(!said.err.contains("hunter2"), "{}", said.err);
    let token = [
        ("PIPEROLL_TOKEN", "a\nb"),
        ("PIPEROLL_SERVER", "http://127.0.0.1:1"),
    ];
    run(&ledger, &["where"], &token).complains(2, &["PIPEROLL_TOKEN", "line break"]);
}

#[test]
fn every_kind_has_its_help() {
    let ledger = Ledger::empty();
    let kinds = run(&ledger, &["kinds", "--json"], &[]);
    let kinds: serde_json::Value = serde_json::from_str(&kinds.succeeds().out).unwrap();
    for kind in kinds.as_array().unwrap() {
        let name = kind["kind"].as_str().unwrap();
        run(&ledger, &["kinds", name], &[]).succeeds();
        run(&ledger, &["emit", name, "--help"], &[]);
    }
    run(&ledger, &["kinds", "deployment.finishd"], &[])
        .complains(2, &["deployment.started, deployment.finished"]);
}

#[test]
fn completions_know_the_kinds() {
    let said = run(&Ledger::empty(), &["completions", "bash"], &[]);
    assert!(said.succeeds().out.contains("deployment.finished"));
}

#[test]
fn neither_ledger_nor_server_known_exits_5_and_keeps_nothing() {
    let ledger = Ledger::empty();
    run(
        &ledger,
        &["key", "new", "ines", "--ledger", &"ab".repeat(32)],
        &[],
    )
    .succeeds();
    let variables = [("PIPEROLL_SERVER", NOBODY)];
    let words = ["deploy", "start", "-s", "checkout", "-e", "production"];
    run(&ledger, &words, &variables).complains(5, &["nothing was kept", "PIPEROLL_LEDGER"]);
    let kept = walk(&ledger.path("state"));
    assert!(kept.is_empty(), "{kept:?}");
}
/// The files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn a_question_without_a_server_exits_5_and_names_the_other_way() {
    for words in [&["where"][..], &["log"], &["change", "#418"], &["timeline"]] {
        run(&Ledger::empty(), words, &[("PIPEROLL_SERVER", NOBODY)])
            .complains(5, &["does not answer", "--data FOLDER"]);
    }
    run(&Ledger::empty(), &["where", "--data", "nowhere"], &[]).complains(1, &["piperoll init"]);
}

#[test]
fn empty_variables_count_as_unset_and_files_come_after_variables() {
    let ledger = Ledger::empty();
    let project = ledger.path(".piperoll.toml");
    std::fs::write(&project, "server = \"http://127.0.0.1:2\"\n").unwrap();
    run(&ledger, &["where"], &[("PIPEROLL_SERVER", "")]).complains(5, &["http://127.0.0.1:2"]);
    run(&ledger, &["where"], &[("PIPEROLL_SERVER", NOBODY)]).complains(5, &[NOBODY]);
    std::fs::write(&project, "key = \"k\"\n").unwrap();
    run(&ledger, &["where"], &[]).complains(2, &[".piperoll.toml", "key cannot be set here"]);
}

#[test]
fn what_was_typed_reaches_the_terminal_escaped() {
    let said = run(
        &Ledger::empty(),
        &["kinds", "\u{1b}]0;owned\u{7}\u{202e}x"],
        &[],
    );
    assert_eq!(said.code, 2);
    assert!(
        !said.err.contains(['\u{1b}', '\u{7}', '\u{202e}']),
        "{:?}",
        said.err
    );
}

#[test]
fn a_key_is_made_once_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let ledger = Ledger::empty();
    let id = "cd".repeat(32);
    run(&ledger, &["key", "new", "ines", "--ledger", &id], &[]).succeeds();
    let path = ledger.path("config/piperoll/keys/ines");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    run(&ledger, &["key", "new", "ines", "--ledger", &id], &[]).complains(1, &["exists already"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let enrolment = std::fs::read_to_string(ledger.path("ines.enrol")).unwrap();
    assert!(
        enrolment.contains(&id) && !enrolment.contains("PRIVATE KEY"),
        "{enrolment}"
    );
    let listed = run(&ledger, &["key", "list"], &[]);
    assert!(
        listed.succeeds().out.contains("urn:piperoll:person:"),
        "{}",
        listed.out
    );
}

#[test]
fn the_demo_leaves_other_ledgers_and_its_own_ruins_alone() {
    let ledger = Ledger::found();
    let demo = [
        "demo",
        "--data",
        "data",
        "--exit",
        "--listen",
        "127.0.0.1:0",
    ];
    run(&ledger, &demo, &[]).complains(1, &["not the demo's", "piperoll demo --data FOLDER"]);
    std::fs::create_dir(ledger.path("data/elsewhere")).unwrap();
    std::fs::write(ledger.path("data/elsewhere/recovery-key"), "").unwrap();
    run(&ledger, &demo, &[]).complains(1, &["did not get to its end", "remove that folder"]);
    std::fs::create_dir_all(ledger.path("full/of/things")).unwrap();
    run(&ledger, &["demo", "--data", "full", "--exit"], &[])
        .complains(1, &["no demo that got to its end"]);
    assert_eq!(ledger.sql("select count(*) from entry"), "1");
}
