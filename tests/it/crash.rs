//! Killing the server under load loses no event that somebody was told is recorded, and repeats none. The oracle reads the database.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use crate::{http, ledger::Ledger, server::Server, signer::Signer};

const KILLS: u64 = 50;
const SEED: u64 = 20_261_112;
const EMITTERS: usize = 4;
const EVENTS: u64 = 30_000;
/// How long the ledger may tell nobody anything before the test gives up.
pub(crate) const STANDSTILL_MAX: Duration = Duration::from_mins(1);
/// How long an emitter waits before it sends again what was not taken.
const PAUSE: Duration = Duration::from_millis(5);

/// A small generator of numbers with a printed seed (xorshift).
pub(crate) struct Random(u64);
impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Events that emitters send until the ledger has answered for each of them, as outboxes would.
pub(crate) struct Load {
    events: Vec<String>,
    next: AtomicU64,
    /// Taken, and not answered.
    unsent: Mutex<Vec<u64>>,
    /// What clients were told: payload hash to index.
    told: Mutex<HashMap<String, u64>>,
}
impl Load {
    pub(crate) fn of(pipeline: &Signer, events: u64) -> Arc<Self> {
        Arc::new(Self {
            events: (0..events)
                .map(|n| pipeline.deployment(n).to_json())
                .collect(),
            next: AtomicU64::new(0),
            unsent: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// Lets emitters send to the server at `url`.
    pub(crate) fn start(self: &Arc<Self>, url: &str) -> Emitters {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..EMITTERS)
            .map(|_| {
                let (load, url, stop) = (Arc::clone(self), url.to_owned(), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed)
                        && let Some(n) = load.take(u64::MAX)
                    {
                        load.send(&url, n).await;
                    }
                })
            })
            .collect();
        Emitters { stop, tasks }
    }

    /// How many events were taken up so far.
    pub(crate) fn taken(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How many events clients were told to be recorded.
    pub(crate) fn told(&self) -> u64 {
        self.told.lock().unwrap().len() as u64
    }

    /// Returns when `more` more events are told.
    pub(crate) async fn go_on(&self, more: u64) {
        let until = self.told() + more;
        self.until(|| self.told() >= until).await;
    }

    /// Returns when so many more are taken up.
    async fn take_up(&self, more: u64) {
        let until = self.taken() + more;
        self.until(|| self.taken() >= until).await;
    }

    async fn until(&self, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < STANDSTILL_MAX, "the ledger stands still");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends what was taken up and not answered, until all of it is.
    pub(crate) async fn finish(&self, url: &str) {
        let taken = self.taken();
        let mut last = (self.told(), Instant::now());
        while let Some(n) = self.take(taken) {
            self.send(url, n).await;
            if self.told() > last.0 {
                last = (self.told(), Instant::now());
            }
            assert!(last.1.elapsed() < STANDSTILL_MAX, "the ledger stands still");
        }
        assert_eq!(self.told(), taken, "an event was never answered");
    }

    /// What waits, else the next below `end`.
    fn take(&self, end: u64) -> Option<u64> {
        if let Some(n) = self.unsent.lock().unwrap().pop() {
            return Some(n);
        }
        let end = end.min(self.events.len() as u64);
        let next = |n| (n < end).then_some(n + 1);
        self.next
            .try_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
    }

    /// Every answer of 201 or 200 is written down, whatever follows.
    async fn send(&self, url: &str, n: u64) {
        let event = self.events[usize::try_from(n).unwrap()].clone();
        let url = format!("{url}/v1/events?wait=recorded");
        match http::post(&url, "application/json", &[], event.into_bytes()).await {
            Ok((200 | 201, body)) => self.tell(&body),
            // 202: on the stream, and the ledger did not take it in time.
            Ok((202 | 503, _)) | Err(_) => {
                self.unsent.lock().unwrap().push(n);
                tokio::time::sleep(PAUSE).await;
            }
            Ok((status, body)) => panic!("{status}: {}", String::from_utf8_lossy(&body)),
        }
    }

    fn tell(&self, body: &[u8]) {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let hash = body["payload_hash"].as_str().unwrap().to_owned();
        let index = body["index"].as_u64().unwrap();
        let earlier = self.told.lock().unwrap().insert(hash, index);
        assert!(
            earlier.is_none_or(|earlier| earlier == index),
            "one event was told two indexes"
        );
    }

    /// Reads the database itself: every told event stands at its index, indexes have no hole, no payload and no id stands twice.
    pub(crate) fn check(&self, ledger: &Ledger) -> usize {
        let rows = ledger.recorded();
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
        for (hash, index) in self.told.lock().unwrap().iter() {
            assert_eq!(
                at.get(hash),
                Some(index),
                "{hash} was told as recorded at {index}"
            );
        }
        at.len()
    }
}

/// Emitters at work.
pub(crate) struct Emitters {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}
impl Emitters {
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// Kills `piperoll serve` at seeded moments and starts it again; then reads the database and verifies.
pub(crate) async fn kill_under_load(ledger: &Ledger) {
    let mut random = Random::new(SEED);
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    let load = Load::of(&pipeline, EVENTS);
    let mut server: Option<Server> = Some(server);
    for _ in 0..KILLS {
        let running = server.take().unwrap_or_else(|| ledger.serve());
        let emitters = load.start(&running.url);
        load.take_up(1 + random.below(60)).await;
        running.kill();
        emitters.stop().await;
    }
    load.check(ledger);
    assert!(
        load.told() > KILLS,
        "the load was too small to mean anything"
    );
    let last = ledger.serve();
    load.finish(&last.url).await;
    last.kill();
    println!("{} entries, {KILLS} kills", load.check(ledger));
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_server_under_load_loses_nothing_that_was_told_as_recorded() {
    kill_under_load(&Ledger::found()).await;
}
