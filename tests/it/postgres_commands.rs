//! Every command that takes `--data` takes a database on PostgreSQL; and what `admin` does with one.

use std::process::Command;

use serde_json::Value;

use crate::{
    ledger::{Ledger, PIPEROLL},
    postgres::{Database, SERVICE_ROLE},
};

/// Runs `piperoll` in the ledger's folder; gives its exit code and all it said.
fn run(ledger: &Ledger, arguments: &[&str]) -> (Option<i32>, String) {
    let output = ledger.run(arguments, &[]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}
/// The same for the owner of the tables.
fn run_as_owner(ledger: &Ledger, arguments: &[&str]) -> (Option<i32>, String) {
    let output = ledger.as_owner().args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_demo_runs_on_postgres_verifies_and_its_attack_is_found() {
    let test = "the_demo_runs_on_postgres_verifies_and_its_attack_is_found";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let address = database.owner();
    let piperoll = |arguments: &[&str]| {
        let output = Command::new(PIPEROLL)
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, printed) = piperoll(&["demo", "--exit", "--database", &address]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(!folder.path().join("piperoll-demo/ledger.db").exists());
    for question in [
        &["verify"][..],
        &["where"],
        &["log"],
        &["change", "#418"],
        &["timeline", "--help"],
    ] {
        let (code, said) = piperoll(&[question, &["--database", &address]].concat());
        assert_eq!(code, Some(0), "{question:?}: {said}");
    }
    let attack = printed
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("psql "))
        .expect("the demo shows an attack");
    let path = format!(
        "{}:{}",
        database.programs().display(),
        std::env::var("PATH").unwrap()
    );
    let attacked = Command::new("sh")
        .args(["-c", attack])
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(
        attacked.status.success(),
        "{attack}: {}",
        String::from_utf8_lossy(&attacked.stderr)
    );
    is_copied_as_it_is(&piperoll, folder.path(), &address);
    let (_, said) = piperoll(&["verify", "--database", &address]);
    let place = printed
        .split_once("→ entry ")
        .unwrap()
        .1
        .split(':')
        .next()
        .unwrap();
    assert!(said.contains(&format!("entry {place}")), "{said}");
    // A second time there is something in it.
    let (code, said) = piperoll(&["demo", "--exit", "--data", "other", "--database", &address]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("already holds a ledger"), "{said}");
}

/// The story moves to a file: the same answers, and what was found is found there too.
fn is_copied_as_it_is(
    piperoll: &impl Fn(&[&str]) -> (Option<i32>, String),
    folder: &std::path::Path,
    address: &str,
) {
    let copied = piperoll(&["admin", "copy", "--from", address, "--to", "copy.db"]);
    assert_eq!(copied.0, Some(0), "{}", copied.1);
    std::fs::create_dir(folder.join("copy")).unwrap();
    std::fs::rename(folder.join("copy.db"), folder.join("copy/ledger.db")).unwrap();
    for question in [
        &["log", "--json"][..],
        &["where", "--json"],
        &["log", "--refused"],
    ] {
        let here = piperoll(&[question, &["--database", address]].concat());
        let there = piperoll(&[question, &["--data", "copy"]].concat());
        assert_eq!(here.0, Some(0), "{question:?}: {}", here.1);
        assert_eq!(here, there, "{question:?}");
    }
    for place in [&["--database", address][..], &["--data", "copy"]] {
        let (code, said) = piperoll(&[&["verify"][..], place].concat());
        assert_eq!(code, Some(6), "{said}");
    }
}

#[test]
fn a_demo_that_cannot_begin_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = port.local_addr().unwrap().to_string();
    let nowhere = "postgres://127.0.0.1:1/ledger";
    for (place, words) in [
        (&["--database", nowhere][..], "does not answer"),
        (&["--listen", &taken], "in use"),
        (&["--database", "postgres:me@db"], "postgres://user@host"),
    ] {
        let output = Command::new(PIPEROLL)
            .args([&["demo", "--exit"][..], place].concat())
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{place:?}");
        assert!(said.contains(words), "{place:?}: {said}");
        let left = folder.path().read_dir().unwrap().count();
        assert_eq!(left, 0, "{place:?} left something");
    }
}

#[test]
fn a_ledger_lives_in_a_schema_of_its_own() {
    let test = "a_ledger_lives_in_a_schema_of_its_own";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    database.sql("create schema ledger");
    let ledger = Ledger::found_in(database.within("ledger"));
    let there = |table: &str| {
        ledger.sql(&format!(
            "select schemaname from pg_tables where tablename = '{table}'"
        ))
    };
    assert_eq!(
        (there("entry"), there("head")),
        ("ledger".to_owned(), "ledger".to_owned())
    );
    drop(ledger.serve());
    for arguments in [&["verify"][..], &["log"]] {
        let (code, said) = run(&ledger, arguments);
        assert_eq!(code, Some(0), "{said}");
    }
    ledger.sql(&format!(
        "revoke usage on schema ledger from {SERVICE_ROLE}"
    ));
    let (code, said) = run(&ledger, &["verify"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("no schema in its search_path") && said.contains("admin migrate"),
        "{said}"
    );
}

#[test]
fn the_bench_reports_the_same_figures_on_postgres() {
    let test = "the_bench_reports_the_same_figures_on_postgres";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let names = |address: Option<&str>| {
        let mut command = Command::new(PIPEROLL);
        command.args(["bench", "ingest", "--events", "200", "--json"]);
        if let Some(address) = address {
            command.env("PIPEROLL_DATABASE", address);
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
        let figures = figures.as_object().unwrap().clone();
        assert!(
            figures.values().all(|figure| !figure.is_null()),
            "{figures:?}"
        );
        figures.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(Some(&database.owner())), names(None));
    assert_ne!(database.sql("select size from head"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_and_verify_work_beside_a_running_server_with_either_place_alone() {
    let test = "questions_and_verify_work_beside_a_running_server_with_either_place_alone";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    for n in 0..4 {
        assert_eq!(server.post(&pipeline.deployment(n).to_json()).await.0, 201);
    }
    // The address is in the environment; a folder beside it changes nothing.
    for arguments in [
        &["verify"][..],
        &["verify", "--data", "data"],
        &["where"],
        &["log"],
    ] {
        let (code, said) = run(&ledger, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    let (_, rows) = run(&ledger, &["log", "--json"]);
    let rows: Value = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 6);
    let (_, there) = server.get("/v1/log").await;
    assert_eq!(rows, there["rows"]);
    // Nothing of it took the ledger away from the server.
    assert_eq!(server.post(&pipeline.deployment(4).to_json()).await.0, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_puts_right_what_differs_and_no_server_may_run_meanwhile() {
    let test = "a_rebuild_puts_right_what_differs_and_no_server_may_run_meanwhile";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    for n in 0..40 {
        assert_eq!(server.post(&pipeline.deployment(n).to_json()).await.0, 201);
    }
    let (code, said) = run(&ledger, &["admin", "rebuild"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&server.url) && said.contains("stop it first"),
        "{said}"
    );
    server.terminate();
    let rebuilt = || -> Value {
        let (code, said) = run(&ledger, &["admin", "rebuild", "--json"]);
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_str(&said).unwrap()
    };
    let good = rebuilt();
    assert_eq!(
        (&good["same"], &good["entries"]),
        (&true.into(), &42.into())
    );
    ledger.sql("update slot set body = '{}' where from_index = (select min(from_index) from slot); delete from aggregate");
    let mended = rebuilt();
    assert_eq!(mended["same"], false);
    assert_eq!(mended["after"], good["after"]);
    assert_eq!(rebuilt()["same"], true);
    // The server goes on from there, under a new epoch.
    let server = ledger.serve();
    let (status, body) = server.post(&pipeline.deployment(40).to_json()).await;
    assert_eq!((status, &body["index"]), (201, &42.into()), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_refuses_a_target_that_is_not_empty_and_a_source_that_is_served() {
    let test = "a_copy_refuses_a_target_that_is_not_empty_and_a_source_that_is_served";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let address = ledger.database.as_ref().unwrap().owner();
    let (code, said) = run_as_owner(
        &ledger,
        &["admin", "copy", "--from", &address, "--to", "copy.db"],
    );
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(
        &ledger,
        &["admin", "copy", "--from", "copy.db", "--to", &address],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("copy into a database that is empty"),
        "{said}"
    );
    let server = ledger.serve();
    let (code, said) = run(
        &ledger,
        &["admin", "copy", "--from", &address, "--to", "other.db"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&server.url) && said.contains("stop it first"),
        "{said}"
    );
    assert!(!ledger.path("other.db").exists());
    server.terminate();

    let embedded = Ledger::found();
    let server = embedded.serve();
    let (code, said) = run(
        &embedded,
        &["admin", "copy", "--from", "data", "--to", "other.db"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("in use by a running server"), "{said}");
    server.terminate();
}

#[test]
fn a_second_ledger_is_never_founded_in_a_database() {
    let test = "a_second_ledger_is_never_founded_in_a_database";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let before = ledger.recorded();
    let again = [
        "init",
        "--data",
        "again",
        "--origin",
        "a.example/log/b",
        "--recovery-key",
        "r",
    ];
    for (code, said) in [run(&ledger, &again), run_as_owner(&ledger, &again)] {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("already holds a ledger"), "{said}");
    }
    assert!(!ledger.path("again").exists() && !ledger.path("r").exists());
    assert_eq!(ledger.recorded(), before);
    // In a database of its own; what to do next names it.
    let other = ledger.database.as_ref().unwrap().other("");
    let there = ["--database", &other.owner()];
    let (code, said) = run_as_owner(&ledger, &[&again[..], &there].concat());
    assert_eq!(code, Some(0), "{said}");
    let next = format!(
        "next: piperoll serve --data again --database '{}'",
        other.owner()
    );
    assert!(said.contains(&next), "{said}");
}

#[test]
fn roles_are_given_rights_on_postgres_and_nowhere_else() {
    let ledger = Ledger::found();
    let (code, said) = run(
        &ledger,
        &["admin", "migrate", "--data", "data", "--service-role", "x"],
    );
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("has no roles"), "{said}");
    let (code, said) = run(&ledger, &["admin", "migrate", "--data", "data"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&ledger, &["admin", "migrate", "--data", "nowhere"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("piperoll init"), "{said}");
}
