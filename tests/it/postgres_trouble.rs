//! What can go wrong with a PostgreSQL, as whoever runs `piperoll` sees it.
//!
//! | trouble | what must happen |
//! |---|---|
//! | unreachable at start | exit 1, the database and the remedy named |
//! | a role that is not let in, a password in the wrong place | exit 1; the password never shows |
//! | a right is missing | exit 1 at start, by its name; while running 503, and it goes on once the right is given |
//! | too many connections | exit 1 at start; while running 503 at most, and it goes on |
//! | lost while running, and back | 503 with `Retry-After`, nothing half-written, it goes on by itself |
//! | a table dropped under a running server | 503, a halt that names it, and `verify` names it |
//!
//! What a server is not fit for is in `postgres_fitness.rs`.

use std::{
    process::{Command, Output},
    time::{Duration, Instant},
};

use crate::{
    http,
    ledger::{Ledger, PIPEROLL},
    postgres::{self, Cluster, Database, SERVICE_ROLE},
};

/// How long a database is away: longer than the lease lasts and than a connection is waited for.
const AWAY: Duration = Duration::from_secs(15);
/// No answer to an event may take longer than this, whatever the database does.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// Runs a command of an empty environment with this database's address in it.
pub(crate) fn piperoll(
    arguments: &[&str],
    address: &str,
    environment: &[(&str, &str)],
) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(PIPEROLL);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("PIPEROLL_DATABASE", address)
        .envs(environment.iter().copied());
    said(&command.output().unwrap())
}
pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}
/// What `serve` says when it does not start, and that it says no password.
pub(crate) fn refused_serve(ledger: &Ledger, address: &str) -> String {
    let mut serve = ledger.command();
    serve
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
        .env("PIPEROLL_DATABASE", address)
        .env("RUST_LOG", "trace");
    let (code, said) = said(&serve.output().unwrap());
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    said
}

#[test]
fn a_database_that_does_not_answer_is_named_with_what_to_do() {
    let address = "postgres://me:hunter2@127.0.0.1:1/ledger";
    for arguments in [
        &["verify"][..],
        &["where"],
        &["admin", "rebuild"],
        &["admin", "migrate"],
    ] {
        let (code, said) = piperoll(arguments, address, &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("does not answer") && said.contains("\"ledger\" at 127.0.0.1:1"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
    let ledger = Ledger::found();
    let said = refused_serve(&ledger, address);
    assert!(
        said.contains("is it running, and reachable from here?"),
        "{said}"
    );
}

#[test]
fn a_server_that_is_typed_is_asked_whatever_database_the_environment_names() {
    let server = ["where", "--server", "http://127.0.0.1:1"];
    let (code, said) = piperoll(&server, "postgres://127.0.0.1:1/ledger", &[]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("http://127.0.0.1:1"), "{said}");
}

#[test]
fn a_password_on_the_command_line_is_refused_and_never_shown_in_the_help() {
    let address = "postgres://me:hunter2@127.0.0.1:1/ledger";
    for arguments in [
        &["verify", "--database", address][..],
        &["admin", "copy", "--from", address, "--to", "x.db"],
        &["admin", "copy", "--from", "x.db", "--to", address],
    ] {
        let (code, said) = piperoll(arguments, "", &[]);
        assert_eq!(code, Some(2), "{said}");
        assert!(
            said.contains("list of processes") && said.contains("~/.pgpass"),
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
    for command in ["serve", "init", "verify", "where", "demo"] {
        let (code, said) = piperoll(&[command, "--help"], address, &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains("--database") && !said.contains("hunter2"),
            "{said}"
        );
    }
    let variables = [("PIPEROLL_FROM", address), ("PIPEROLL_TO", address)];
    let (_, said) = piperoll(&["admin", "copy", "--help"], "", &variables);
    assert!(!said.contains("hunter2"), "{said}");
}

/// A server that wants a password, and a ledger on it.
fn with_password(test: &str) -> Option<(Cluster, Ledger)> {
    let cluster = Cluster::make(test)?;
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let database = ledger.database.as_ref().unwrap();
    database.sql(&format!("alter role {SERVICE_ROLE} password 'hunter2'"));
    let rules = format!("local all {SERVICE_ROLE} scram-sha-256\nlocal all all trust\n");
    cluster.write("data/pg_hba.conf", rules.as_bytes());
    database.sql("select pg_reload_conf()");
    // Connections made from now on are judged by the new file.
    while database.sql("select count(*) from pg_hba_file_rules where auth_method = 'scram-sha-256'")
        != "1"
    {}
    Some((cluster, ledger))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_taken_from_the_address_pgpass_or_pgpassword_and_never_shows() {
    let test = "a_password_is_taken_from_the_address_pgpass_or_pgpassword_and_never_shows";
    let Some((_cluster, ledger)) = with_password(test) else {
        return;
    };
    let service = ledger.database.as_ref().unwrap().service();
    let said = refused_serve(&ledger, &format!("{service}&password=hunter2x"));
    assert!(
        said.contains("does not let us in") && said.contains("check user and password"),
        "{said}"
    );
    let said = refused_serve(&ledger, &service);
    assert!(said.contains("check user and password"), "{said}");

    let verify =
        |address: &str, environment: &[(&str, &str)]| piperoll(&["verify"], address, environment);
    let (code, said) = verify(&format!("{service}&password=hunter2"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = verify(&service, &[("PGPASSWORD", "hunter2")]);
    assert_eq!(code, Some(0), "{said}");
    // A line that cannot be read must not reach the log, whatever is asked for.
    let pgpass = ledger.path("pgpass");
    std::fs::write(&pgpass, "hunter2\n*:*:*:*:hunter2\n").unwrap();
    let file = [
        ("PGPASSFILE", pgpass.to_str().unwrap()),
        ("RUST_LOG", "trace"),
    ];
    allow(&pgpass, 0o644);
    let (code, said) = verify(&service, &file);
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    allow(&pgpass, 0o600);
    let (code, said) = verify(&service, &file);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("hunter2"), "{said}");

    let mut serve = ledger.command();
    serve
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
        .env("PGPASSFILE", &pgpass)
        .env("RUST_LOG", "trace");
    let server = crate::server::Server::start(serve);
    let shown = std::fs::read_to_string(format!("/proc/{}/cmdline", server.process_id())).unwrap();
    assert!(
        !shown.contains("hunter2") && shown.contains("serve"),
        "{shown}"
    );
    let log = server.terminate();
    assert!(!log.contains("hunter2"), "{log}");
}
fn allow(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_named_and_what_waited_for_it_is_recorded_once_it_is_given() {
    let test = "a_missing_right_is_named_and_what_waited_for_it_is_recorded_once_it_is_given";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let database = ledger.database.as_ref().unwrap();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    database.sql(&format!("revoke insert on payload from {SERVICE_ROLE}"));
    let event = pipeline.deployment(0).to_json();
    let (status, body) = server.post(&event).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(
        ledger.recorded().lines().count(),
        2,
        "nothing is half-written"
    );
    server.kill();
    let said = refused_serve(&ledger, &database.service());
    assert!(
        said.contains("insert on payload") && said.contains("admin migrate"),
        "{said}"
    );

    let mut migrate = ledger.as_owner();
    migrate.args(["admin", "migrate", "--service-role", SERVICE_ROLE]);
    assert!(migrate.output().unwrap().status.success());
    let server = ledger.serve();
    database.sql(&format!("revoke insert on payload from {SERVICE_ROLE}"));
    assert_eq!(server.post(&event).await.0, 503);
    database.sql(&format!("grant insert on payload to {SERVICE_ROLE}"));
    until_recorded(&server, &event, 2).await;
}

/// Sends an event again and again, as an outbox would, until the ledger has it.
pub(crate) async fn until_recorded(server: &crate::server::Server, event: &str, index: u64) {
    let began = Instant::now();
    loop {
        let (status, body) = server.post(event).await;
        if status != 503 {
            assert!(status == 200 || status == 201, "{body}");
            assert_eq!(body["index"], index, "{body}");
            return;
        }
        assert!(began.elapsed() < ANSWER_MAX, "it does not go on: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_said_at_start_and_survived_while_running() {
    let test = "too_many_connections_are_said_at_start_and_survived_while_running";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("-c max_connections=16 -c superuser_reserved_connections=2");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let database = ledger.database.as_ref().unwrap();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    // Somebody else takes all that a role without privileges may have.
    let service = ledger.database.as_ref().unwrap().service();
    let mut others = Vec::new();
    while let Some(session) = database.try_session(&service) {
        others.push(session);
    }
    assert!(others.len() > 4, "{}", others.len());
    let (code, said) = piperoll(&["verify"], &service, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("does not answer") && said.contains("connection"),
        "{said}"
    );
    // The server's own connections are cut off, and it gets no new ones.
    let cut = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{SERVICE_ROLE}' and application_name = 'piperoll'"
    );
    database.sql(&cut);
    while let Some(session) = database.try_session(&service) {
        others.push(session);
    }
    let event = pipeline.deployment(0).to_json();
    let began = Instant::now();
    let (status, body) = server.post(&event).await;
    assert_eq!(status, 503, "{body}");
    assert!(body["retry_after_s"].as_u64().is_some(), "{body}");
    assert!(began.elapsed() < ANSWER_MAX);
    drop(others);
    until_recorded(&server, &event, 2).await;
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_and_comes_back_is_used_again_without_a_restart() {
    let test = "a_database_that_goes_away_and_comes_back_is_used_again_without_a_restart";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    assert_eq!(server.post(&pipeline.deployment(0).to_json()).await.0, 201);
    server.wait_for_checkpoint(3).await;
    cluster.stop();
    let away = Instant::now();
    let mut n = 1;
    while away.elapsed() < AWAY {
        let asked = Instant::now();
        let (status, body) = server.post(&pipeline.deployment(n).to_json()).await;
        assert_eq!(status, 503, "{body}");
        assert!(body["retry_after_s"].as_u64().is_some(), "{body}");
        assert!(asked.elapsed() < ANSWER_MAX);
        n += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Questions are answered with an error, not with nothing.
    let (status, body) = http::get(&format!("{}/v1/log", server.url)).await.unwrap();
    assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
    cluster.start("");
    assert_eq!(
        ledger.recorded().lines().count(),
        3,
        "nothing was written meanwhile"
    );
    until_recorded(&server, &pipeline.deployment(n).to_json(), 3).await;
    server.wait_for_checkpoint(4).await;
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_holds_no_sender_up_and_is_used_again() {
    let test = "a_database_that_falls_silent_holds_no_sender_up_and_is_used_again";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    let frozen = cluster.freeze();
    let event = pipeline.deployment(0).to_json();
    let asked = Instant::now();
    let (status, body) = server.post(&event).await;
    postgres::signal("-CONT", &frozen);
    assert_eq!(status, 503, "{body}");
    assert!(asked.elapsed() < ANSWER_MAX, "{body}");
    // It may have been recorded when the database woke up; then this is its receipt.
    until_recorded(&server, &event, 2).await;
    assert_eq!(ledger.recorded().lines().count(), 3);
    server.wait_for_checkpoint(3).await;
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_is_named_where_operators_look() {
    let test = "a_right_that_is_taken_away_is_named_where_operators_look";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let database = ledger.database.as_ref().unwrap();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    database.sql(&format!("revoke insert on entry from {SERVICE_ROLE}"));
    let event = pipeline.deployment(0).to_json();
    assert_eq!(server.post(&event).await.0, 503);
    let (status, body) = server.get("/readyz").await;
    let projector = &body["projector"];
    let said = format!("{}; {}", projector["why"], projector["remedy"]);
    assert_eq!(status, 503, "{body}");
    assert!(
        said.contains("permission denied for table entry") && said.contains("admin migrate"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_dropped_under_a_running_server_halts_it_and_is_named() {
    let test = "a_table_dropped_under_a_running_server_halts_it_and_is_named";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found_in(database);
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    ledger.sql("drop table payload");
    let (status, body) = server.post(&pipeline.deployment(0).to_json()).await;
    assert_eq!(status, 503, "{body}");
    let why = server
        .wait("/readyz", |body| {
            let projector = &body["projector"];
            (projector["state"] == "halted").then(|| projector.to_string())
        })
        .await;
    assert!(
        why.contains("payload") && why.contains("piperoll verify"),
        "{why}"
    );
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("payload"), "{said}");
}
