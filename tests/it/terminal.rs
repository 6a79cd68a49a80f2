//! The command's output where it goes somewhere special: to nobody, to a terminal, to a file beside a terminal.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use crate::{
    cli::{Pipeline, Said, kinds},
    ledger::{Ledger, PIPEROLL},
    support,
};

/// What begins every sequence that a terminal obeys.
const ESCAPE: char = '\u{1b}';

/// Runs a command whose standard output nobody reads any more.
fn unread(mut command: Command) -> Said {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer).output().unwrap().into()
}

#[test]
fn a_reader_that_went_away_changes_nothing_about_how_a_command_ends() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    pipeline
        .run(
            &ledger,
            &["deploy", "start", "-s", "checkout", "-e", "staging"],
        )
        .succeeds();
    for words in [
        &["log"][..],
        &["log", "--json"],
        &["log", "--refused"],
        &["where"],
        &["timeline", "--json"],
        &["verify", "--data", "data"],
        &["kinds"],
        &["help"],
        &[],
        &["flush"],
    ] {
        let said = unread(pipeline.command(&ledger, words));
        assert_eq!(said.code, 0, "{words:?}: {}", said.err);
        assert!(
            !said.err.contains("error") && !said.err.contains("panic"),
            "{words:?}: {}",
            said.err
        );
    }
    // It failed before it had something to print, and after.
    let mut elsewhere = ledger.command();
    elsewhere.args(["where", "--server", "http://127.0.0.1:1"]);
    assert_eq!(unread(elsewhere).code, 5);
    let no_grant = [
        "deploy", "start", "-s", "payments", "-e", "staging", "--json", "--strict",
    ];
    unread(pipeline.command(&ledger, &no_grant)).complains(4, &["no grant"]);
    unread(pipeline.command(&ledger, &["flush", "--json"])).complains(4, &["no grant"]);
}

#[test]
fn a_deploying_command_meets_a_closed_pipe_as_in_any_shell() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = Pipeline::enrolled(&ledger, &server);
    let words = [
        "deploy", "run", "-s", "checkout", "-e", "staging", "--", "yes",
    ];
    let said = unread(pipeline.command(&ledger, &words));
    assert_eq!(said.code, 128 + 13, "SIGPIPE: {}", said.err);
    assert_eq!(
        kinds(&ledger),
        ["deployment.started", "deployment.finished"]
    );
}

#[test]
fn data_that_could_not_be_written_is_a_failure() {
    let ledger = Ledger::found();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = ledger.command();
    command.args(["log", "--data", "data"]).stdout(full);
    let said: Said = command.output().unwrap().into();
    said.complains(1, &["writing to stdout"]);
}

/// Whether there is the program that makes terminals; noted as skipped where not.
fn has_script(test: &str, ledger: &Ledger) -> bool {
    let there = ledger
        .command_of("script")
        .arg("--version")
        .output()
        .is_ok();
    if !there {
        support::skip(test, "the program script (util-linux) is not there");
    }
    there
}

#[test]
fn on_a_terminal_init_asks_and_takes_an_origin_only_when_it_is_typed_twice() {
    let test = "on_a_terminal_init_asks_and_takes_an_origin_only_when_it_is_typed_twice";
    let ledger = Ledger::empty();
    if !has_script(test, &ledger) {
        return;
    }
    let mut asked = terminal(&ledger, "\"$PROGRAM\" init --data data")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = "no origin\n\
                 piperoll.acme.example/log/main\npiperoll.acme.example/log/mian\n\
                 piperoll.acme.example/log/main\npiperoll.acme.example/log/main\n\
                 \nrecovery.key\n";
    asked
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = asked.wait_with_output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    for words in [
        "this ledger's name for ever",
        "such as piperoll.acme.example/log/main",
        "The two are not the same.",
        "another medium",
        "Founded the ledger piperoll.acme.example/log/main",
    ] {
        assert!(shown.contains(words), "{words:?} is not shown: {shown}");
    }
    for key in ["recovery.key", "data/keys/admin"] {
        let mode = ledger.path(key).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

/// A shell's words on a terminal of their own.
fn terminal(ledger: &Ledger, words: &str) -> Command {
    let mut command = ledger.command_of("script");
    command.args(["--quiet", "--return", "--command", words, "/dev/null"]);
    command
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm-256color")
        .env("PROGRAM", PIPEROLL);
    command
}
/// Runs them; gives all that the terminal was shown.
fn on_a_terminal(ledger: &Ledger, words: &str, no_color: bool) -> String {
    let mut command = terminal(ledger, words);
    if !no_color {
        command.env_remove("NO_COLOR");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_color_is_honoured_on_a_terminal_and_a_log_file_beside_one_has_none_either() {
    let test = "no_color_is_honoured_on_a_terminal_and_a_log_file_beside_one_has_none_either";
    let ledger = Ledger::found();
    if !has_script(test, &ledger) {
        return;
    }
    let help = "\"$PROGRAM\" help log; \"$PROGRAM\" log --data data";
    assert!(
        on_a_terminal(&ledger, help, false).contains(ESCAPE),
        "nothing is coloured at all"
    );
    let plain = on_a_terminal(&ledger, help, true);
    assert!(
        plain.contains("ledger created") && !plain.contains(ESCAPE),
        "{plain:?}"
    );

    // The first server leaves a guard; without it the next one complains in its log.
    let server = ledger.serve();
    server.wait_for_checkpoint(1).await;
    server.kill();
    std::fs::remove_dir_all(ledger.path("state")).unwrap();
    let serve = "\"$PROGRAM\" serve --data data --listen 127.0.0.1:0 2>log & server=$!; \
                 for poll in $(seq 1000); do grep -q 'no checkpoint' log && break; sleep 0.02; done; kill $server; wait $server";
    on_a_terminal(&ledger, serve, false);
    let log = std::fs::read_to_string(ledger.path("log")).unwrap();
    assert!(
        log.contains("no checkpoint is signed") && !log.contains(ESCAPE),
        "{log:?}"
    );
}
