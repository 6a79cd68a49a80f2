//! Enrolment goes wrong: files that ask for more than a person's key, names nobody can bear, a ledger that does not record at once.
//! Whatever it is, nothing is half-written, and a key that may be registered is held by somebody.

use std::{
    io::Write,
    process::{Child, Stdio},
};

use piperoll_core::{
    authority::{self, Purpose, Scheme},
    key_file,
    name::Principal,
};
use piperoll_tlog::encoding;
use serde_json::{Value, json};

use crate::{
    cli::{Said, kinds, run},
    ledger::Ledger,
    server::Server,
};

struct House {
    ledger: Ledger,
    server: Server,
}
impl House {
    fn open() -> Self {
        let ledger = Ledger::found();
        let server = ledger.serve();
        Self { ledger, server }
    }
    fn run(&self, words: &[&str]) -> Said {
        let variables = [("PIPEROLL_SERVER", self.server.url.as_str())];
        run(&self.ledger, words, &variables)
    }
    fn key(&self, name: &str) {
        self.run(&["key", "new", name, "--dir", "keys"]).succeeds();
    }
    fn add(&self, name: &str, more: &[&str]) -> Said {
        let words = ["add", "person", name, "--data", "data"];
        self.run(&[&words[..], more].concat())
    }
    fn enrolment(&self, name: &str) -> Value {
        let text = std::fs::read(self.ledger.path(&format!("{name}.enrol"))).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
    /// What Eve makes of her own file: whatever she wants to be, proven with the key that she holds.
    fn forge(&self, principal: &str, purpose: Purpose) -> &'static str {
        let text = std::fs::read_to_string(self.ledger.path("keys/eve")).unwrap();
        let (key, _) = key_file::read(&text).unwrap();
        let message = authority::possession_message(
            &self.ledger.id,
            &Principal::parse(principal).unwrap(),
            purpose,
            Scheme::Ed25519,
            key.public().as_bytes(),
        );
        let mut forged = self.enrolment("eve");
        forged["principal"] = json!(principal);
        forged["purpose"] = json!(purpose.as_str());
        forged["possession"] = json!(encoding::base64(&key.sign(&message)));
        std::fs::write(self.ledger.path("forged.enrol"), forged.to_string()).unwrap();
        "forged.enrol"
    }
    fn size(&self) -> String {
        self.ledger.sql("select count(*) from entry")
    }
}

#[test]
fn a_file_that_asks_for_more_than_a_persons_key_is_not_signed() {
    let house = House::open();
    house.key("eve");
    let eve = house.enrolment("eve")["principal"]
        .as_str()
        .unwrap()
        .to_owned();
    let admin = house.forge(&eve, Purpose::Admin);
    house
        .add("Eve Adams", &["--enrol", admin])
        .complains(2, &["purpose is admin", "nothing was signed"]);
    let bridge = house.forge("urn:piperoll:bridge:github", Purpose::EventPerson);
    house.add("Eve Adams", &["--enrol", bridge]).complains(
        2,
        &[
            "principal is urn:piperoll:bridge:github",
            "nothing was signed",
        ],
    );
    assert_eq!(house.size(), "1");
}

#[test]
fn a_key_in_somebody_elses_name_needs_the_administrators_word() {
    let house = House::open();
    house.key("ines");
    house.key("eve");
    house
        .add("Ines Okafor", &["--enrol", "ines.enrol"])
        .succeeds();
    let ines = house.enrolment("ines")["principal"]
        .as_str()
        .unwrap()
        .to_owned();
    let size = house.size();
    let forged = house.forge(&ines, Purpose::EventPerson);
    house.add("Eve Adams", &["--enrol", forged]).complains(
        1,
        &[
            "has a key already",
            "ask the person themselves",
            "--another-key",
        ],
    );
    assert_eq!(house.size(), size);
    // The same key again is no second one, and a second one may be wanted.
    house
        .add("Ines Okafor", &["--enrol", "ines.enrol"])
        .succeeds();
    house
        .add("Ines Okafor", &["--enrol", forged, "--another-key"])
        .succeeds();
}

#[test]
fn an_enrolment_that_cannot_be_said_to_its_end_is_not_begun() {
    let house = House::open();
    house.key("zed");
    house
        .add("Zed\u{200e} Arabi", &["--enrol", "zed.enrol"])
        .complains(2, &["the text name holds U+200E"]);
    house
        .add("Zed Arabi", &["--enrol", "zed.enrol", "--role", ""])
        .complains(2, &["role"]);
    let long = "s".repeat(201);
    let words = ["add", "pipeline", "p", "-s", &long, "-e", "staging"];
    let more = ["--data", "data", "--key-out", "p.key"];
    house
        .run(&[&words[..], &more].concat())
        .complains(2, &["grants"]);
    assert!(!house.ledger.path("p.key").exists());
    assert_eq!(house.size(), "1");
}

#[test]
fn a_key_whose_enrolment_cannot_be_written_is_taken_back() {
    let house = House::open();
    std::fs::write(house.ledger.path("ines.enrol"), "another's").unwrap();
    house
        .run(&["key", "new", "ines", "--dir", "keys"])
        .complains(1, &["ines.enrol exists already", "--enrol FILE"]);
    assert!(!house.ledger.path("keys/ines").exists());
    house
        .run(&[
            "key",
            "new",
            "ines",
            "--dir",
            "keys",
            "--enrol",
            "other.enrol",
        ])
        .succeeds();
    // What is no key disturbs nobody.
    std::fs::write(house.ledger.path("keys/notes.txt"), "my keys").unwrap();
    let listed = house.run(&["key", "list", "--dir", "keys"]);
    assert!(listed.succeeds().out.contains("ines"), "{listed:?}");
    assert!(listed.err.contains("notes.txt"), "{listed:?}");
}

/// Holds the database so that nobody else can write.
fn hold(ledger: &Ledger) -> Child {
    let mut command = ledger.command_of("sqlite3");
    let mut holder = command
        .args(["-bail", "-cmd", ".timeout 5000"])
        .arg(ledger.path("data/ledger.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = holder.stdin.as_mut().unwrap();
    stdin
        .write_all(b"begin immediate;\nselect 'held';\n")
        .unwrap();
    let mut said = [0; 4];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(&said, b"held");
    holder
}

#[test]
fn a_pipeline_whose_registration_waits_still_gets_its_key() {
    let house = House::open();
    let mut holder = hold(&house.ledger);
    let words = [
        "add",
        "pipeline",
        "shop-deploy",
        "-s",
        "shop",
        "-e",
        "staging",
    ];
    let said = house.run(&[&words[..], &["--data", "data"]].concat());
    said.complains(5, &["the event is kept", "the key is not registered yet"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    house.run(&["flush"]).succeeds();
    assert_eq!(house.size(), "2");

    let (_, rest) = said.out.split_once("-----BEGIN").unwrap();
    let (key, _) = rest.split_once("-----END").unwrap();
    let key = format!("-----BEGIN{key}-----END OPENSSH PRIVATE KEY-----\n");
    let image = format!("sha256:{}", "9f2c".repeat(16));
    let deploy = [
        "deploy",
        "start",
        "-s",
        "shop",
        "-e",
        "staging",
        "--artifact",
        &image,
    ];
    let variables = [
        ("PIPEROLL_SERVER", house.server.url.as_str()),
        ("PIPEROLL_KEY", key.as_str()),
    ];
    run(
        &house.ledger,
        &[&deploy[..], &["--strict"]].concat(),
        &variables,
    )
    .succeeds();
    assert_eq!(kinds(&house.ledger), ["deployment.started"]);
}
