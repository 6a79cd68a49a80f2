//! Killing the server under load loses no event that somebody was told is recorded, and repeats none. The oracle reads the database.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{http, ledger::Ledger, server::Server};

const KILLS: u64 = 50;
const SEED: u64 = 20_261_112;
const EMITTERS: usize = 4;

/// What clients were told: payload hash to index.
type Told = Arc<Mutex<HashMap<String, u64>>>;

/// A small generator of numbers with a printed seed (xorshift).
struct Random(u64);
impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Posts events until told to stop; every answer of 201 or 200 is written down, whatever follows.
async fn emit(
    url: String,
    events: Arc<Vec<String>>,
    next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    told: Told,
) {
    while !stop.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let Some(event) = events.get(usize::try_from(n).unwrap()) else {
            return;
        };
        let url = format!("{url}/v1/events");
        let Ok((status, body)) =
            http::post(&url, "application/json", &[], event.clone().into_bytes()).await
        else {
            return;
        };
        if status == 201 || status == 200 {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let hash = body["payload_hash"].as_str().unwrap().to_owned();
            let earlier = told
                .lock()
                .unwrap()
                .insert(hash, body["index"].as_u64().unwrap());
            assert!(
                earlier.is_none_or(|index| body["index"] == index),
                "one event was told two indexes"
            );
        }
    }
}

/// Reads the database itself: every told event stands at its index, indexes have no hole, no payload and no id stands twice.
fn check(ledger: &Ledger, told: &Told) -> usize {
    let rows = ledger.sql("select idx || ' ' || lower(hex(payload_hash)) || ' ' || source || ' ' || event_id from entry order by idx");
    let mut at = HashMap::new();
    let mut ids = HashSet::new();
    for (expected, row) in rows.lines().enumerate() {
        let [index, hash, source, id] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(
            index.parse::<usize>().unwrap(),
            expected,
            "a hole in the indexes"
        );
        assert!(
            at.insert(hash.to_owned(), index.parse::<u64>().unwrap())
                .is_none(),
            "payload {hash} is recorded twice"
        );
        assert!(
            ids.insert((source.to_owned(), id.to_owned())),
            "{source} {id} is recorded twice"
        );
    }
    for (hash, index) in told.lock().unwrap().iter() {
        assert_eq!(
            at.get(hash),
            Some(index),
            "{hash} was told as recorded at {index}"
        );
    }
    at.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_under_load_loses_nothing_that_was_told_as_recorded() {
    println!("seed {SEED}");
    let ledger = Ledger::found();
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    let events: Arc<Vec<String>> = Arc::new(
        (0..30_000)
            .map(|n| pipeline.deployment(n).to_json())
            .collect(),
    );
    let (told, next) = (Told::default(), Arc::new(AtomicU64::new(0)));
    let mut random = Random(SEED);
    let mut server: Option<Server> = Some(server);
    for _ in 0..KILLS {
        let running = server.take().unwrap_or_else(|| ledger.serve());
        let stop = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..EMITTERS)
            .map(|_| {
                tokio::spawn(emit(
                    running.url.clone(),
                    events.clone(),
                    next.clone(),
                    stop.clone(),
                    told.clone(),
                ))
            })
            .collect();
        let until = next.load(Ordering::Relaxed) + 1 + random.below(120);
        while next.load(Ordering::Relaxed) < until {
            tokio::task::yield_now().await;
        }
        running.kill();
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        // Events whose answer was lost are sent again, as an outbox would.
        let behind = random.below(8);
        next.fetch_sub(behind.min(next.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
    let recorded = check(&ledger, &told);
    assert!(
        told.lock().unwrap().len() > usize::try_from(KILLS).unwrap(),
        "the load was too small to mean anything"
    );
    println!(
        "{recorded} entries, {} told, {KILLS} kills",
        told.lock().unwrap().len()
    );
    let verify = ledger.run(&["verify", "--data", "data"], &[]);
    assert!(
        verify.status.success(),
        "{}",
        String::from_utf8_lossy(&verify.stderr)
    );
}
