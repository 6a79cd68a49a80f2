//! The same on PostgreSQL: `piperoll serve` is killed, and PostgreSQL itself with every process it has.

use crate::{
    crash::{self, Load, Random},
    ledger::Ledger,
    postgres::{Cluster, Database},
};

const KILLS: u64 = 20;
const SEED: u64 = 20_261_121;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_on_postgres_loses_nothing_that_was_told_as_recorded() {
    let test = "killing_the_server_on_postgres_loses_nothing_that_was_told_as_recorded";
    if let Some(database) = Database::fresh(test) {
        crash::kill_under_load(&Ledger::found_in(database)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_postgres_under_load_loses_nothing_and_the_server_goes_on_by_itself() {
    let test = "killing_postgres_under_load_loses_nothing_and_the_server_goes_on_by_itself";
    let Some(cluster) = Cluster::make(test) else {
        return;
    };
    cluster.start("");
    let ledger = Ledger::found_in(Database::on(&cluster.programs, &cluster.address()));
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    let load = Load::of(&pipeline, 20_000);
    let mut random = Random::new(SEED);
    let emitters = load.start(&server.url);
    for _ in 0..KILLS {
        load.go_on(1 + random.below(40)).await;
        cluster.kill();
        cluster.start("");
    }
    load.go_on(1).await;
    emitters.stop().await;
    load.finish(&server.url).await;
    println!("{} entries, {KILLS} kills", load.check(&ledger));
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
    drop(ledger);
}
