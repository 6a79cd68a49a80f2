//! A PostgreSQL that a ledger must not be kept on, or that holds something else, is refused by what is wrong with it: at start with
//! exit 1, while running with 503.
//!
//! A server older than 15 cannot be had here: the store's own tests judge what such a server would say.

use std::process::Command;

use crate::{
    ledger::Ledger,
    postgres::{Cluster, Database},
    postgres_trouble::{refused_serve, said, until_recorded},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_could_lose_a_receipt_or_is_a_replica_is_refused_by_name() {
    let test = "a_server_that_could_lose_a_receipt_or_is_a_replica_is_refused_by_name";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let database = ledger.database.as_ref().unwrap();
    let replica = Cluster::empty(cluster.programs.clone());
    let socket = cluster.path("");
    let backup = [
        "-h",
        socket.to_str().unwrap(),
        "-U",
        "postgres",
        "-R",
        "-c",
        "fast",
        "-D",
        "data",
    ];
    replica.run("pg_basebackup", &backup);
    replica.start("");
    let standby = database.service().replace(
        socket.to_str().unwrap().trim_end_matches('/'),
        replica.path("").to_str().unwrap().trim_end_matches('/'),
    );
    let said = refused_serve(&ledger, &standby);
    assert!(
        said.contains("is a replica") && said.contains("name the primary"),
        "{said}"
    );
    drop(replica);
    cluster.stop();
    for (setting, words) in [
        ("-c fsync=off", "has fsync=off"),
        ("-c synchronous_commit=off", "has synchronous_commit=off"),
        (
            "-c synchronous_commit=local",
            "has synchronous_commit=local",
        ),
    ] {
        cluster.start(setting);
        let said = refused_serve(&ledger, &database.service());
        assert!(
            said.contains(words) && said.contains("could be lost"),
            "{said}"
        );
        cluster.stop();
    }
    cluster.start("");
    let server = ledger.serve();
    server.wait_for_checkpoint(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_unfit_is_not_written_to_until_it_is_fit_again() {
    let test = "a_server_that_comes_back_unfit_is_not_written_to_until_it_is_fit_again";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    cluster.stop();
    cluster.start("-c fsync=off");
    let event = pipeline.deployment(0).to_json();
    server
        .wait("/readyz", |body| {
            let why = body["projector"]["why"].as_str().unwrap_or_default();
            why.contains("has fsync=off").then_some(())
        })
        .await;
    let (status, body) = server.post(&event).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(ledger.recorded().lines().count(), 2, "it was written");
    cluster.stop();
    // Its sessions say for themselves that a commit waits for the disk, and that they write.
    cluster.start("-c synchronous_commit=off -c default_transaction_read_only=on");
    until_recorded(&server, &event, 2).await;
}

#[test]
fn databases_in_another_encoding_and_of_others_are_refused_by_name() {
    let test = "databases_in_another_encoding_and_of_others_are_refused_by_name";
    let Some(database) = Database::fresh(test) else {
        return;
    };
    let ledger = Ledger::found();
    let said = refused_serve(&ledger, &database.owner());
    assert!(
        said.contains("holds nothing yet") && said.contains("piperoll init"),
        "{said}"
    );
    database.sql("create table invoice (number bigint)");
    let said = refused_serve(&ledger, &database.owner());
    assert!(said.contains("not Piperoll's"), "{said}");
    let init = [
        "init",
        "--data",
        "x",
        "--origin",
        "a.example/log/b",
        "--recovery-key",
        "r",
    ];
    let mut founding = ledger.command();
    founding
        .args(init)
        .env("PIPEROLL_DATABASE", database.owner());
    let (code, said) = said_of(&mut founding);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("not Piperoll's") && said.contains("nothing was changed"),
        "{said}"
    );
    assert!(!ledger.path("x").exists() && !ledger.path("r").exists());

    let latin = database.other("encoding 'LATIN1' locale 'C' template template0");
    let said = refused_serve(&ledger, &latin.owner());
    assert!(said.contains("is encoded in LATIN1"), "{said}");
}
fn said_of(command: &mut Command) -> (Option<i32>, String) {
    said(&command.output().unwrap())
}
