//! What the tests share: the example ledger made by others, clocks that stand still, a store on a file that goes away.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use piperoll_core::{
    draft::{Draft, sign_payload},
    envelope::{Envelope, Text},
    event::Profile,
    kind::{Content, Empty, StreamGapAccepted, TimeCorrected},
    name::{Origin, Principal},
};
use piperoll_server::{
    clock::Clock,
    engine,
    folder::Folder,
    found::{Founded, Founding, found},
    projector::{Message, Position},
    serve,
    status::{self, Snapshot},
};
use piperoll_store::{self as store, OpenMode};
use piperoll_tlog::key::SecretKey;
use serde_json::Value;

/// A file of the example ledger, as text.
pub(crate) fn example(name: &str) -> String {
    let root = std::env::var_os("PIPEROLL_TEST_DATA").expect(
        "PIPEROLL_TEST_DATA is not set: point it at the folder with cdevents, example, github and merkle",
    );
    let path = PathBuf::from(root).join("example").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
/// The lines of one of its files of JSON lines.
pub(crate) fn example_lines(name: &str) -> Vec<Value> {
    example(name)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
/// What the projector was given.
pub(crate) fn example_messages() -> Vec<Message> {
    example_lines("messages.jsonl")
        .iter()
        .map(message)
        .collect()
}
fn message(line: &Value) -> Message {
    Message {
        bytes: line["envelope"].as_str().unwrap().as_bytes().to_vec(),
        stream_time: line["stream_time"].as_str().unwrap().parse().unwrap(),
        position: line["sequence"]
            .as_u64()
            .map_or(Position::Control, Position::Sequence),
    }
}

/// A new, empty store in `folder`.
pub(crate) async fn empty_store(folder: &Path) -> store::Shared {
    store::sqlite::open(&folder.join("ledger.db"), OpenMode::Create)
        .await
        .unwrap()
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct Standing(Mutex<Timestamp>);
impl Standing {
    pub(crate) fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }
    pub(crate) fn set(&self, text: &str) {
        *self.0.lock().unwrap() = text.parse().unwrap();
    }
}
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Bytes that look random and are the same in every run of a test on its own thread.
pub(crate) fn entropy(buffer: &mut [u8]) {
    static STATE: Mutex<u64> = Mutex::new(0x9e37_79b9_7f4a_7c15);
    let mut state = STATE.lock().unwrap();
    for byte in buffer {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *byte = state.to_le_bytes()[3];
    }
}

/// A founded ledger in a folder that goes away.
pub(crate) struct Home {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<Standing>,
    pub(crate) founded: Founded,
}
impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Standing::at("2026-11-16T08:00:00.123Z");
        let founded = found(founding(folder.path(), &clock)).await.unwrap();
        Self {
            folder,
            clock,
            founded,
        }
    }
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("ledger")
    }
    pub(crate) fn engine(&self) -> engine::Config {
        engine::Config {
            data: self.data(),
            database: None,
            state: self.path().join("state"),
            nats: None,
            clock: self.clock.clone(),
            entropy,
        }
    }
    pub(crate) fn serving(&self) -> serve::Config {
        serve::Config {
            engine: self.engine(),
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: None,
        }
    }
    /// The administrator, who may register keys.
    pub(crate) fn admin(&self) -> (Principal, SecretKey) {
        let (key, urn) = Folder::new(self.data()).read_key("admin").unwrap();
        (Principal::parse(&urn).unwrap(), key)
    }
    /// Its store, opened apart from any server.
    pub(crate) async fn store(&self) -> store::Shared {
        let path = self.data().join("ledger.db");
        store::sqlite::open(&path, OpenMode::ReadWrite)
            .await
            .unwrap()
    }
    /// [`Home::person`] as a recorded message of the embedded stream.
    pub(crate) fn message(&self, number: u8) -> Message {
        Message {
            bytes: self.person(number),
            stream_time: self.clock.now(),
            position: Position::Next,
        }
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
    /// The administrator accepts that messages of a stream are lost.
    pub(crate) fn gap(&self, incarnation: &str, first: u64, last: u64) -> Vec<u8> {
        let content = Content::StreamGapAccepted(StreamGapAccepted {
            incarnation: incarnation.to_owned(),
            first,
            last,
        });
        self.control(&format!("gap-{first}-{last}"), content)
    }
    /// The administrator lets a message count as stamped now.
    pub(crate) fn correction(
        &self,
        incarnation: &str,
        sequence: u64,
        stamped: Timestamp,
    ) -> Vec<u8> {
        let content = Content::TimeCorrected(TimeCorrected {
            incarnation: incarnation.to_owned(),
            sequence,
            stream_time: stamped.to_string(),
            used_time: self.now().to_string(),
        });
        self.control(&format!("correction-{sequence}"), content)
    }
    /// The same by whoever holds a key that nobody registered.
    pub(crate) fn gap_by_a_stranger(&self) -> Vec<u8> {
        let content = Content::StreamGapAccepted(StreamGapAccepted {
            incarnation: "embedded".to_owned(),
            first: 1,
            last: 2,
        });
        let (admin, _) = self.admin();
        self.signed_control("stranger", content, &admin, &SecretKey::from_seed([9; 32]))
    }
    fn control(&self, id: &str, content: Content) -> Vec<u8> {
        let (admin, key) = self.admin();
        self.signed_control(id, content, &admin, &key)
    }
    fn signed_control(
        &self,
        id: &str,
        content: Content,
        source: &Principal,
        key: &SecretKey,
    ) -> Vec<u8> {
        let draft = Draft {
            id: Some(id.to_owned()),
            timestamp: self.clock.now(),
            subject: Some("piperoll-main".to_owned()),
            content,
            profile: Profile {
                ledger: Some(self.founded.ledger),
                ..Profile::default()
            },
            texts: BTreeMap::from([("reason".to_owned(), "it is gone".to_owned())]),
        };
        let signed = draft.sign(source, key, &mut entropy).unwrap();
        signed.to_json().into_bytes()
    }
    /// A `person.described` by the administrator; every number is another person, and always the same bytes.
    pub(crate) fn person(&self, number: u8) -> Vec<u8> {
        let name = [("name", format!("Person {number}"))];
        self.person_with(number, &name).to_json().into_bytes()
    }
    /// The same with these texts.
    pub(crate) fn person_with(&self, number: u8, texts: &[(&str, String)]) -> Envelope {
        let (admin, key) = self.admin();
        let draft = Draft {
            id: Some(format!("person-{number}")),
            timestamp: self.clock.now(),
            subject: Some(Principal::person([number; 16]).into()),
            content: Content::PersonDescribed(Empty {}),
            profile: Profile {
                ledger: Some(self.founded.ledger),
                ..Profile::default()
            },
            texts: BTreeMap::new(),
        };
        let salt = [number; 16];
        let texts: BTreeMap<String, Text> = texts
            .iter()
            .map(|(name, body)| {
                let body = body.clone();
                ((*name).to_owned(), Text { salt, body })
            })
            .collect();
        let hashes = texts
            .iter()
            .map(|(name, text)| (name.clone(), text.hash().to_hex()))
            .collect::<BTreeMap<_, _>>();
        let mut same = |buffer: &mut [u8]| buffer.fill(number);
        let (payload, _) = draft.payload(&admin, &mut same);
        let mut payload: Value = serde_json::from_slice(&payload).unwrap();
        payload["customData"]["piperoll"]["texts"] = serde_json::json!(hashes);
        sign_payload(serde_json::to_vec(&payload).unwrap(), texts, &key)
    }
}
pub(crate) fn founding(folder: &Path, clock: &Arc<Standing>) -> Founding {
    Founding {
        data: folder.join("ledger"),
        database: None,
        origin: Origin::parse("piperoll.test.example/log/main").unwrap(),
        recovery_key: folder.join("recovery"),
        clock: clock.clone(),
        entropy,
    }
}
/// Waits, with a deadline, until the server's status is as wanted.
pub(crate) async fn until(status: &status::Handle, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let mut watch = status.watch();
    let found = tokio::time::timeout(Duration::from_secs(20), watch.wait_for(|now| wanted(now)))
        .await
        .unwrap_or_else(|_| panic!("the status stays {:?}", status.now()))
        .unwrap();
    found.clone()
}
