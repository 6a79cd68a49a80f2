//! A ledger's double: the genesis of the example ledger, entries of whatever is posted, and answers out of a script.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    thread::JoinHandle,
};

use piperoll_core::{
    Hash,
    authority::{KeyPlace, Scheme},
    envelope::Envelope,
    leaf::Leaf,
};
use piperoll_tlog::{
    checkpoint::Checkpoint, encoding, hash, key::SecretKey, proof, receipt::Receipt, tile::TileId,
    tree,
};
use serde_json::{Value, json};

/// What becomes of the next POST, instead of the ordinary.
pub(crate) enum Scripted {
    /// Answered so; nothing is recorded.
    Answer(Reply),
    /// Recorded, and the answer breaks off in its middle.
    RecordAndBreakOff,
    /// The connection ends before anything is done.
    BreakOff,
    /// Recorded, and answered with the place of entry 0.
    RecordAndShowAnother,
}
/// An answer.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}
impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }
    pub(crate) fn problem(status: u16, reason: &str) -> Self {
        let body = json!({"type": "about:blank", "title": reason, "status": status, "detail": reason, "reason": reason});
        let headers = vec![("content-type", "application/problem+json".to_owned())];
        Self {
            status,
            headers,
            body: body.to_string(),
        }
    }
    /// As a proxy in between would answer.
    pub(crate) fn html(status: u16) -> Self {
        let headers = vec![("content-type", "text/html".to_owned())];
        Self {
            status,
            headers,
            body: "<h1>no</h1>".to_owned(),
        }
    }
    pub(crate) fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }
}

/// What the double was asked: method and target, such as `POST /v1/events?wait=recorded`; and the content type and body.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Inner {
    pub(crate) script: VecDeque<Scripted>,
    /// Answers for a path instead of the ordinary.
    pub(crate) pages: HashMap<String, Reply>,
    /// Whether checkpoints cover all entries; else there is none.
    pub(crate) published: bool,
    pub(crate) leaves: Vec<String>,
    asked: Vec<Asked>,
    genesis: String,
    origin: String,
    key: SecretKey,
    stop: bool,
}
pub(crate) struct Double {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    thread: Option<JoinHandle<()>>,
}

impl Double {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Mutex::new(Inner::of_the_example()));
        let shared = Arc::clone(&inner);
        let thread = std::thread::spawn(move || {
            let mut connections = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if shared.lock().unwrap().stop {
                    break;
                }
                let shared = Arc::clone(&shared);
                connections.push(std::thread::spawn(move || serve(&stream, &shared)));
            }
            for connection in connections {
                connection.join().unwrap();
            }
        });
        Self {
            address,
            inner,
            thread: Some(thread),
        }
    }
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
    pub(crate) fn script(&self, next: impl IntoIterator<Item = Scripted>) {
        self.lock().script.extend(next);
    }
    pub(crate) fn page(&self, path: &str, reply: Reply) {
        self.lock().pages.insert(path.to_owned(), reply);
    }
    /// How many entries there are beside genesis.
    pub(crate) fn recorded(&self) -> usize {
        self.lock().leaves.len() - 1
    }
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }
    pub(crate) fn posts(&self) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.line.starts_with("POST "))
            .count()
    }
    pub(crate) fn forget_requests(&self) {
        self.lock().asked.clear();
    }
}
impl Drop for Double {
    fn drop(&mut self) {
        if let Ok(mut inner) = self.inner.lock() {
            inner.stop = true;
        }
        // Wakes the listener, which then sees that it should stop.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the double panicked"
            );
        }
    }
}

impl Inner {
    fn of_the_example() -> Self {
        let folder = std::env::var_os("PIPEROLL_TEST_DATA").expect(
            "PIPEROLL_TEST_DATA is not set; it names the folder of test data made by others",
        );
        let read = |file: &str| {
            std::fs::read_to_string(Path::new(&folder).join("example").join(file)).unwrap()
        };
        let first =
            |file: &str| serde_json::from_str::<Value>(read(file).lines().next().unwrap()).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let keys: Value = serde_json::from_str(&read("keys.json")).unwrap();
        let key = keys
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["name"] == "checkpoint")
            .unwrap();
        let tree: Value = serde_json::from_str(&read("tree.json")).unwrap();
        Self {
            script: VecDeque::new(),
            pages: HashMap::new(),
            published: true,
            leaves: vec![text(&first("entries.jsonl")["leaf"])],
            asked: Vec::new(),
            genesis: text(&first("messages.jsonl")["envelope"]),
            origin: text(&tree["origin"]),
            key: SecretKey::from_seed(encoding::from_hex(&text(&key["seed"])).unwrap()),
            stop: false,
        }
    }
    /// The reply, and whether it breaks off in its middle; `None` ends the connection.
    fn answer(&mut self, asked: Asked) -> Option<(Reply, bool)> {
        let path = asked.line.split([' ', '?']).nth(1).unwrap().to_owned();
        let is_post = asked.line.starts_with("POST ");
        let body = asked.body.clone();
        self.asked.push(asked);
        if let Some(reply) = self.pages.get(&path) {
            return Some((reply.clone(), false));
        }
        if is_post {
            return self.answer_post(&body);
        }
        let reply = if path == "/v1/genesis" {
            self.genesis()
        } else if let Some(hash) = path.strip_prefix("/v1/receipts/") {
            self.receipt(Hash::from_hex(hash).unwrap())
        } else {
            Reply::problem(404, "there is no such page")
        };
        Some((reply, false))
    }
    fn answer_post(&mut self, body: &[u8]) -> Option<(Reply, bool)> {
        match self.script.pop_front() {
            None => Some((self.record(body), false)),
            Some(Scripted::Answer(reply)) => Some((reply, false)),
            Some(Scripted::RecordAndBreakOff) => Some((self.record(body), true)),
            Some(Scripted::BreakOff) => None,
            Some(Scripted::RecordAndShowAnother) => {
                let mut reply = self.record(body);
                let mut body: Value = serde_json::from_str(&reply.body).unwrap();
                body["leaf"] = json!(self.leaves[0]);
                reply.body = body.to_string();
                Some((reply, false))
            }
        }
    }
    pub(crate) fn genesis(&self) -> Reply {
        let envelope: Value = serde_json::from_str(&self.genesis).unwrap();
        let ledger = hash::sha256(self.leaves[0].as_bytes()).to_hex();
        Reply::json(
            200,
            &json!({"ledger": ledger, "leaf": self.leaves[0], "envelope": envelope}),
        )
    }
    fn record(&mut self, body: &[u8]) -> Reply {
        let envelope = Envelope::parse(body).unwrap();
        let payload_hash = envelope.payload_hash();
        let (status, state, index) = if let Some(index) = self.index_of(payload_hash) {
            (200, "duplicate", index)
        } else {
            let leaf = Leaf {
                recorded_at: crate::now(),
                payload_hash,
                key: KeyPlace {
                    index: 0,
                    ordinal: 0,
                },
                scheme: Scheme::Ed25519,
                signature: envelope.signature,
            };
            self.leaves
                .push(String::from_utf8(leaf.to_bytes()).unwrap());
            (201, "recorded", self.leaves.len() - 1)
        };
        let leaf = &self.leaves[index];
        Reply::json(
            status,
            &json!({"state": state, "index": index, "leaf": leaf, "payload_hash": payload_hash.to_hex()}),
        )
    }
    fn index_of(&self, payload_hash: Hash) -> Option<usize> {
        self.leaves
            .iter()
            .position(|leaf| leaf.contains(&payload_hash.to_hex()))
    }
    fn receipt(&self, payload_hash: Hash) -> Reply {
        let Some(index) = self.index_of(payload_hash) else {
            return Reply::json(200, &json!({"state": "not seen"}));
        };
        let leaf = &self.leaves[index];
        if !self.published {
            return Reply::json(
                200,
                &json!({"state": "recorded", "index": index, "leaf": leaf}),
            );
        }
        let receipt = Receipt {
            leaf: leaf.clone().into_bytes(),
            index: index as u64,
            proof: proof::inclusion(index as u64, self.leaves.len() as u64, &self.tiles()).unwrap(),
            checkpoint: self.checkpoint(),
        };
        Reply::json(
            200,
            &json!({"state": "published", "index": index, "leaf": leaf, "proof": receipt.encode()}),
        )
    }
    /// All leaf hashes; the double's tree stays within one tile.
    fn tiles(&self) -> HashMap<TileId, Vec<Hash>> {
        let hashes = self
            .leaves
            .iter()
            .map(|leaf| hash::leaf_hash(leaf.as_bytes()))
            .collect();
        HashMap::from([(TileId { level: 0, index: 0 }, hashes)])
    }
    pub(crate) fn checkpoint(&self) -> String {
        let root = tree::root_of(&self.tiles()[&TileId { level: 0, index: 0 }]);
        let size = self.leaves.len() as u64;
        Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        }
        .sign(&self.key)
        .unwrap()
    }
}

/// One request and its answer; then the connection ends.
fn serve(stream: &TcpStream, inner: &Mutex<Inner>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![
        0;
        headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap())
    ];
    reader.read_exact(&mut body).unwrap();
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let Some((reply, broken_off)) = inner.lock().unwrap().answer(Asked {
        line,
        headers,
        body,
    }) else {
        return;
    };
    let Reply {
        status,
        headers,
        body,
    } = reply;
    let headers: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let (headers, body_length) = (headers.concat(), body.len());
    let text = format!(
        "HTTP/1.1 {status} Answer\r\nconnection: close\r\n{headers}content-length: {body_length}\r\n\r\n{body}"
    );
    let length = if broken_off {
        text.len() - body_length / 2
    } else {
        text.len()
    };
    let mut stream = stream;
    // A client that went away is its own affair.
    let _gone = stream.write_all(&text.as_bytes()[..length]);
}
