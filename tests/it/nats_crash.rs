//! Killing the ledger or nats-server with messages in flight loses no event that somebody was told is recorded, and repeats none, on
//! either database. The oracle reads the database.

use crate::{
    crash::{Load, Random},
    ledger::Ledger,
    nats::NatsServer,
    postgres::Database,
    support,
};

const KILLS: u64 = 10;
const SEED: u64 = 20_261_128;
const EVENTS: u64 = 10_000;

/// Kills one of the two at seeded moments, while emitters go on.
async fn kill_either_under_load(test: &str, ledger: Ledger) {
    let program = support::from_environment(test, "PIPEROLL_TEST_NATS_SERVER", "nats-server");
    let Some(program) = program else {
        return;
    };
    let mut random = Random::new(SEED);
    let mut nats = NatsServer::start(&program);
    let arguments = ["--nats", &nats.url()].map(str::to_owned);
    let serve = || ledger.serve_with(&arguments.each_ref().map(String::as_str));
    let mut server = serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    let load = Load::of(&pipeline, EVENTS);
    for kill in 0..KILLS {
        let emitters = load.start(&server.url);
        load.go_on(1 + random.below(60)).await;
        if kill % 2 == 0 {
            nats.kill();
            nats.restart();
            load.go_on(1).await;
            emitters.stop().await;
        } else {
            server.kill();
            emitters.stop().await;
            server = serve();
        }
    }
    load.finish(&server.url).await;
    server.kill();
    println!("{} entries, {KILLS} kills", load.check(&ledger));
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_or_nats_under_load_loses_nothing() {
    let test = "killing_the_server_or_nats_under_load_loses_nothing";
    kill_either_under_load(test, Ledger::found()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_or_nats_under_load_loses_nothing_on_postgres() {
    let test = "killing_the_server_or_nats_under_load_loses_nothing_on_postgres";
    if let Some(database) = Database::fresh(test) {
        kill_either_under_load(test, Ledger::found_in(database)).await;
    }
}
