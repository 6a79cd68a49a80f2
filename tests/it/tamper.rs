//! Whatever is changed in the database, `verify` fails with exit 6 and names the place.

use crate::ledger::Ledger;

/// More than two tiles of entries, so that complete tiles are stored.
const EVENTS: u64 = 600;

/// Statement, then the place that must be named. `as_text`, `as_bytes`, `zeros` and `line_feed` are spelt by each database in its
/// own way.
pub(crate) const CHANGES: &[(&str, &str)] = &[
    // Payloads, texts and leaves.
    (
        "update payload set body = as_bytes(replace(as_text(body), 'staging', 'stagjng')) where idx = (select min(idx) from entry where environment = 'staging')",
        "entry",
    ),
    (
        "update payload set body = as_bytes(as_text(body) || ' ') where idx = 300",
        "entry 300",
    ),
    (
        "update payload set body = null where idx = 301",
        "entry 301",
    ),
    ("delete from payload where idx = 302", "entry 302"),
    (
        "update text set body = 'Somebody Else' where idx = (select min(idx) from text)",
        "entry",
    ),
    (
        "update text set salt = zeros(16) where idx = (select min(idx) from text)",
        "entry",
    ),
    (
        "insert into text (idx, name, salt, body) values (303, 'reason', zeros(16), 'because')",
        "entry 303",
    ),
    (
        "update entry set leaf = as_bytes(replace(as_text(leaf), 'ed25519', 'ed25518')) where idx = 310",
        "entry 310",
    ),
    (
        "update entry set leaf = as_bytes(replace(as_text(leaf), 'T', 't')) where idx = 311",
        "entry 311",
    ),
    (
        "update entry set leaf_hash = zeros(32) where idx = 312",
        "entry 312",
    ),
    (
        "update entry set payload_hash = zeros(32) where idx = 313",
        "entry 313",
    ),
    (
        "update entry set recorded_at = recorded_at + 1 where idx = 314",
        "entry 314",
    ),
    // What an entry is found by must be what the event says.
    (
        "update entry set service = 'other' where idx = 320",
        "entry 320",
    ),
    (
        "update entry set environment = null where idx = 321",
        "entry 321",
    ),
    (
        "update entry set kind = 'alert.fired' where idx = 322",
        "entry 322",
    ),
    (
        "update entry set source = 'urn:piperoll:pipeline:other' where idx = 323",
        "entry 323",
    ),
    (
        "update entry set event_id = 'other' where idx = 324",
        "entry 324",
    ),
    (
        "update entry set time = '2020-01-01T00:00:00.000000000Z' where idx = 325",
        "entry 325",
    ),
    (
        "update entry set subject = 'other' where idx = 326",
        "entry 326",
    ),
    (
        "update entry set keyid = 'SHA256:other' where idx = 327",
        "entry 327",
    ),
    (
        "update entry set \"change\" = 'github:a/b#1' where idx = 328",
        "entry 328",
    ),
    (
        "update entry set type_name = 'dev.cdevents.x.y.0.1.0' where idx = 329",
        "entry 329",
    ),
    // Rows that go or change places.
    ("delete from entry where idx = 330", "entry 330"),
    (
        "delete from entry where idx = (select max(idx) from entry)",
        "entry",
    ),
    (
        "update entry set idx = -1 where idx = 331; update entry set idx = 331 where idx = 332; update entry set idx = 332 where idx = -1",
        "entry 331",
    ),
    // The tree.
    (
        "update tile set hashes = zeros(8192) where level = 0 and idx = 1",
        "tile 0/1",
    ),
    (
        "update tile set root = zeros(32) where level = 0 and idx = 0",
        "tile 0/0",
    ),
    ("delete from tile where level = 0 and idx = 1", "tile 0/1"),
    ("update head set root = zeros(32)", "head"),
    ("update head set size = size + 1", "entry"),
    // Checkpoints.
    (
        "update checkpoint set note = replace(note, 'piperoll.example', 'piperoll.exampel') where size = (select max(size) from checkpoint)",
        "checkpoint",
    ),
    (
        "update checkpoint set size = size - 1 where size = (select max(size) from checkpoint)",
        "checkpoint",
    ),
    (
        "update checkpoint set note = substr(note, 1, length(note) - 6) || 'AAAA=' || line_feed() where size = (select min(size) from checkpoint)",
        "checkpoint",
    ),
    // What became of the stream's messages.
    (
        "update consumed set recorded = recorded + 1, to_sequence = to_sequence + 1 where number = 1",
        "consumed",
    ),
    ("delete from consumed where number = 1", "consumed"),
    (
        "update consumed set junk = recorded, recorded = junk where number = 1",
        "consumed",
    ),
];

/// How SQLite spells a statement of [`CHANGES`].
fn in_sqlite(statement: &str) -> String {
    let mut spelt = statement
        .replace("zeros(", "zeroblob(")
        .replace("line_feed()", "char(10)");
    for (word, kind) in [("as_text(", "text"), ("as_bytes(", "blob")] {
        while let Some(begin) = spelt.find(word) {
            let inside = begin + word.len();
            let mut open = 1;
            let end = inside
                + spelt[inside..]
                    .find(|c| {
                        open += i32::from(c == '(') - i32::from(c == ')');
                        open == 0
                    })
                    .unwrap();
            let cast = format!("cast({} as {kind})", &spelt[inside..end]);
            spelt.replace_range(begin..=end, &cast);
        }
    }
    spelt
}

/// Takes every trigger and check out of the way, as whoever holds the file can.
fn disarm(ledger: &Ledger) {
    let triggers = ledger.sql("select name from sqlite_master where type = 'trigger'");
    for trigger in triggers.lines() {
        ledger.sql(&format!("drop trigger \"{trigger}\""));
    }
}

/// Fills a ledger with events, words and checkpoints; nobody serves it afterwards.
pub(crate) async fn fill(ledger: &Ledger) {
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    ledger.describe_somebody(&server).await;
    for n in 0..EVENTS {
        let (status, body) = server.post(&pipeline.deployment(n).to_json()).await;
        assert_eq!(status, 201, "{body}");
    }
    server.wait_for_checkpoint(EVENTS + 3).await;
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

/// What was not found of what was tried, with what was said instead.
pub(crate) struct Missed(Vec<String>);
impl Missed {
    pub(crate) fn nothing() -> Self {
        Self(Vec::new())
    }

    /// Verification must fail with exit 6 and name the place.
    pub(crate) fn expect(&mut self, place: &str, what: &str, ledger: &Ledger) {
        let (code, said) = ledger.verify();
        if code != Some(6) || !said.contains(place) {
            self.0.push(format!("{what}\n  exit {code:?}: {said}"));
        }
    }

    pub(crate) fn assert_none(&self) {
        assert!(
            self.0.is_empty(),
            "{} changes were not found:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_in_the_database_is_found_and_its_place_is_named() {
    let ledger = Ledger::found();
    fill(&ledger).await;
    disarm(&ledger);
    ledger.sql("pragma wal_checkpoint(truncate)");
    let file = ledger.path("data/ledger.db");
    let good = std::fs::read(&file).unwrap();
    let mut missed = Missed::nothing();
    for (statement, place) in CHANGES {
        let statement = in_sqlite(statement);
        ledger.sql(&format!(
            "pragma ignore_check_constraints = on; {statement}; pragma wal_checkpoint(truncate)"
        ));
        missed.expect(place, &statement, &ledger);
        for ending in ["db", "db-wal", "db-shm"] {
            let beside = file.with_extension(ending);
            if beside.exists() {
                std::fs::remove_file(beside).unwrap();
            }
        }
        std::fs::write(&file, &good).unwrap();
    }
    missed.assert_none();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "the ledger was put back as it was: {said}");
}
