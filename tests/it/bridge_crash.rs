//! A bridge killed at any moment, while its senders repeat until they are told 2xx, as code hosts do: each body becomes its entries once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use piperoll_tlog::hash::sha256;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    crash::{Random, STANDSTILL_MAX},
    ledger::Ledger,
    server::Bridge,
    webhook::deliver,
};

const KILLS: u64 = 20;
const SEED: u64 = 20_261_121;
/// Senders, each of which delivers its bodies one after the other.
const SENDERS: u64 = 4;
/// Deliveries that are begun between two kills, at most.
const DELIVERIES_MAX: u64 = 24;

/// The `n`th body: a release with two assets, so that one body becomes two entries, or a deployment's status.
fn body(n: u64) -> (&'static str, String) {
    let repository = json!({"name": "checkout", "full_name": "acme/checkout", "html_url": "https://github.com/acme/checkout"});
    let sender = json!({"login": "tomas", "id": 4711});
    if n.is_multiple_of(4) {
        let asset = |name: &str| {
            let digest = sha256(format!("{n} {name}").as_bytes());
            json!({"name": name, "digest": format!("sha256:{digest}")})
        };
        let release = json!({"tag_name": format!("v{n}"), "published_at": "2026-11-11T09:05:00Z", "assets": [asset("a"), asset("b")]});
        let body = json!({"action": "published", "release": release, "repository": repository, "sender": sender});
        return ("release", body.to_string());
    }
    let commit = &sha256(&n.to_le_bytes()).to_hex()[..40];
    let body = json!({
        "action": "created",
        "deployment_status": {"state": "success", "environment": "production", "created_at": "2026-11-13T10:00:00Z"},
        "deployment": {"id": n, "sha": commit, "environment": "production"},
        "repository": repository,
        "sender": sender,
    });
    ("deployment_status", body.to_string())
}
fn entries_of(n: u64) -> u64 {
    if n.is_multiple_of(4) { 2 } else { 1 }
}

/// Events that a bridge has kept and not marked as sent.
const UNSENT: &str = "select count(*) from bridge_seen where envelope is not null";

/// How many entries each relayed body became, by the body's digest.
const ENTRIES_BY_BODY: &str = "select json_extract(cast(body as text), '$.customData.piperoll.relayed.digest.sha256') as digest, count(*) \
                               from payload where digest is not null group by digest";

/// What senders share: the number of the next body, and those that they were told are kept.
#[derive(Default)]
struct Sent {
    begun: u64,
    deliveries: u64,
    told: BTreeSet<u64>,
}

/// Delivers bodies for ever; each is repeated until it is answered with 2xx. `bridge` is where the server listens at the moment.
async fn send(mut bridge: watch::Receiver<Option<Bridge>>, sent: Arc<Mutex<Sent>>) {
    loop {
        let n = {
            let mut sent = sent.lock().unwrap();
            sent.begun += 1;
            sent.begun - 1
        };
        let (event, body) = body(n);
        loop {
            let Ok(here) = bridge
                .wait_for(Option::is_some)
                .await
                .map(|here| here.clone().unwrap())
            else {
                // The test is over; whoever was not told 2xx would go on.
                return;
            };
            sent.lock().unwrap().deliveries += 1;
            match deliver(&here, event, body.as_bytes()).await {
                Ok((200..300, _)) => break,
                Ok((500.., _)) | Err(_) => tokio::task::yield_now().await,
                Ok((status, answer)) => {
                    panic!("{n}: {status} {}", String::from_utf8_lossy(&answer))
                }
            }
        }
        sent.lock().unwrap().told.insert(n);
    }
}

/// Those that nobody was told of are delivered again, with everything else that ever was.
async fn deliver_all_again(ledger: &Ledger, bridge: &Bridge, sent: &Sent) {
    let server = ledger.serve();
    let here = Bridge {
        url: format!("{}/bridges/github", server.url),
        secret: bridge.secret.clone(),
    };
    for n in 0..sent.begun {
        let (event, body) = body(n);
        let (status, answer) = deliver(&here, event, body.as_bytes()).await.unwrap();
        assert_eq!(status, 200);
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        if sent.told.contains(&n) {
            assert_eq!(
                answer["events"], 0,
                "{n} was told as kept, and was not: {answer}"
            );
        }
    }
    let expected = 2 + (0..sent.begun).map(entries_of).sum::<u64>();
    server
        .wait("/readyz", |ready| {
            (ready["size"].as_u64()? >= expected).then_some(())
        })
        .await;
    // A row is marked just after its entry stands.
    server
        .wait("/healthz", |_| (ledger.sql(UNSENT) == "0").then_some(()))
        .await;
    server.kill();
    assert_eq!(
        ledger.sql("select count(*) from entry"),
        expected.to_string()
    );
}
/// Reads the database itself: every body became its entries, each once.
fn check(ledger: &Ledger, bodies: u64) {
    let entries: BTreeMap<String, u64> = ledger
        .sql(ENTRIES_BY_BODY)
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(digest, entries)| (digest.to_owned(), entries.parse().unwrap()))
        .collect();
    let expected = (0..bodies).map(|n| (sha256(body(n).1.as_bytes()).to_hex(), entries_of(n)));
    assert_eq!(entries, expected.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_killed_at_any_moment_loses_no_body_and_doubles_none() {
    println!("seed {SEED}");
    let ledger = Ledger::found();
    let server = ledger.serve();
    let bridge = ledger.add_bridge(&server, "github");
    let mut server = Some(server);
    let (places, place) = watch::channel(None);
    let sent = Arc::new(Mutex::new(Sent::default()));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| tokio::spawn(send(place.clone(), Arc::clone(&sent))))
        .collect();
    drop(place);
    let mut kept_unsent = 0;
    let mut random = Random::new(SEED);
    for _ in 0..KILLS {
        let running = server.take().unwrap_or_else(|| ledger.serve());
        let here = Bridge {
            url: format!("{}/bridges/github", running.url),
            secret: bridge.secret.clone(),
        };
        places.send_replace(Some(here));
        let until = sent.lock().unwrap().deliveries + 1 + random.below(DELIVERIES_MAX);
        // Between two deliveries there are many moments.
        let moments = random.below(2_000);
        let began = Instant::now();
        while sent.lock().unwrap().deliveries < until {
            assert!(began.elapsed() < STANDSTILL_MAX, "nothing is delivered");
            tokio::task::yield_now().await;
        }
        for _ in 0..moments {
            tokio::task::yield_now().await;
        }
        running.kill();
        places.send_replace(None);
        kept_unsent += ledger.sql(UNSENT).parse::<u64>().unwrap();
    }
    drop(places);
    for sender in senders {
        sender.await.unwrap();
    }
    let sent = Arc::try_unwrap(sent).ok().unwrap().into_inner().unwrap();

    deliver_all_again(&ledger, &bridge, &sent).await;
    check(&ledger, sent.begun);
    println!(
        "{} bodies, {} told, {} deliveries, {KILLS} kills, {kept_unsent} kept and unsent at a kill",
        sent.begun,
        sent.told.len(),
        sent.deliveries
    );
    assert!(kept_unsent > 0, "no kill fell between keeping and sending");
    assert!(
        sent.told.len() as u64 > KILLS && sent.deliveries > sent.begun + KILLS / 2,
        "the load was too small to mean anything"
    );
    let verify = ledger.run(&["verify", "--data", "data"], &[]);
    assert!(verify.status.success(), "{verify:?}");
}
