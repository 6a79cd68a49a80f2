//! Whatever is changed in the database, `verify` fails with exit 6 and names the place.

use piperoll_core::{
    event::{Bind, Digest},
    kind::{Content, DeploymentStarted},
};
use piperoll_tlog::{hash::sha256, key::SecretKey};

use crate::{ledger::Ledger, server::Server, signer::Signer};

/// More than two tiles of entries, so that complete tiles are stored.
const EVENTS: u64 = 600;

/// Statement, then the place that must be named: whole, or without its number where that follows from when the server signed or
/// committed. `as_text`, `as_bytes`, `zeros` and `line_feed` are spelt by each database in its
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
    (
        "update entry set stream_time = '2090-01-01T00:00:00.000000000Z' where idx = 331",
        "entry 331",
    ),
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
    ("update head set recorded_at = recorded_at + 1", "head"),
    ("update head set sequence = sequence + 1", "consumed"),
    ("update head set incarnation = 'other'", "consumed"),
    ("delete from head", "head"),
    // Checkpoints.
    (
        "update checkpoint set note = replace(note, 'piperoll.example', 'piperoll.exampel') where size = (select max(size) from checkpoint)",
        "checkpoint",
    ),
    (
        "update checkpoint set size = size - 1 where size = (select min(size) from checkpoint)",
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
    ("delete from consumed where number = 1", "consumed 1"),
    (
        "update consumed set junk = recorded, recorded = junk where number = 1",
        "consumed",
    ),
    (
        "insert into consumed select (select max(number) + 1 from consumed), incarnation, 9999, 9999, 0, 1, 0, 0 from consumed limit 1",
        "consumed",
    ),
    // What was not recorded is kept as often as the account says.
    ("delete from refused", "refused"),
    ("delete from refused where number = 0", "refused"),
    ("delete from refused_body", "refused"),
    ("delete from refused_count", "refused"),
    (
        "delete from refused; delete from refused_body; delete from refused_count",
        "refused",
    ),
    (
        "delete from refused where number = 1; delete from refused_body where number = 1; delete from refused_count where number = 1",
        "refused",
    ),
    (
        "update refused_count set times = times + 1 where number = 1",
        "refused",
    ),
    (
        "insert into refused select 7, at, source, event_id, zeros(32), reason, detail, first_idx from refused limit 1",
        "refused",
    ),
    (
        "update consumed set duplicate = duplicate + refused, refused = 0",
        "refused",
    ),
    ("delete from junk", "junk"),
    (
        "update consumed set duplicate = duplicate + junk, junk = 0",
        "junk",
    ),
    // Rows that nothing speaks of.
    (
        "insert into tile select 3, 0, hashes, root from tile limit 1",
        "tile 3/0",
    ),
    (
        "insert into tile select 7, 123, hashes, root from tile limit 1",
        "tile 7/123",
    ),
    (
        "insert into tile select 0, 7, hashes, root from tile limit 1",
        "tile 0/7",
    ),
    (
        "insert into payload values (99999, zeros(1))",
        "entry 99999",
    ),
    (
        "insert into text values (99998, 'reason', zeros(16), 'because')",
        "entry 99998",
    ),
    (
        "update text set idx = 99997 where idx = (select max(idx) from text)",
        "entry",
    ),
    (
        "insert into checkpoint select 99999, note from checkpoint limit 1",
        "checkpoint 99999",
    ),
    (
        "update refused set payload_hash = zeros(32) where number = (select min(number) from refused)",
        "refused",
    ),
    (
        "update refused_body set envelope = replace(envelope, 'payload', 'payloud')",
        "refused",
    ),
    (
        "update refused set source = 'urn:piperoll:pipeline:another'",
        "refused",
    ),
    ("update refused set event_id = event_id || 'x'", "refused"),
    (
        "update refused_body set envelope = replace(envelope, '\"sig\":\"', '\"sig\":\"AAAA')",
        "refused",
    ),
    // Without its primary key a table takes a row twice.
    (
        "alter table checkpoint rename to once; create table checkpoint as select * from once; \
         insert into checkpoint select * from once order by size limit 1; update checkpoint set note = 'forged' where size > 1; drop table once; \
         grant select on checkpoint to public",
        "checkpoint",
    ),
    (
        "alter table head rename to once; create table head as select * from once; insert into head select * from once; drop table once; \
         grant select on head to public",
        "head",
    ),
    // Where no program looks.
    (
        "insert into checkpoint select 0, note from checkpoint limit 1",
        "checkpoint 0",
    ),
    (
        "insert into tile select level, -1, hashes, root from tile where level = 0 and idx = 0",
        "tile 0/-1",
    ),
    ("insert into payload values (-1, zeros(1))", "entry -1"),
    (
        "update consumed set number = -1 where number = (select max(number) from consumed)",
        "consumed",
    ),
];

/// How SQLite spells a statement of [`CHANGES`].
fn in_sqlite(statement: &str) -> String {
    let rights_aside = statement
        .split("; ")
        .filter(|part| !part.starts_with("grant "));
    let mut spelt = rights_aside
        .collect::<Vec<_>>()
        .join("; ")
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

/// Two refused events, one of them twice, and a message of a key that nobody registered, which is junk. Adds one entry.
async fn leave_what_is_not_recorded(ledger: &Ledger, server: &Server, pipeline: &Signer) {
    let versions = ["a", "b", "c", "c"].map(|version| {
        let content = Content::DeploymentStarted(DeploymentStarted { trigger: None });
        let mut draft = Signer::draft(Some(version.to_owned()), content, pipeline.profile());
        draft.id = Some("the same".to_owned());
        draft.profile.service = Some("service-1".to_owned());
        draft.profile.environment = Some("production".to_owned());
        let digest = Digest::Sha256(sha256(b"image"));
        let name = "image".to_owned();
        draft.profile.binds = Some(vec![Bind { name, digest }]);
        pipeline.sign(&draft).to_json()
    });
    for (version, expected) in versions.iter().zip([201, 409, 409, 409]) {
        let (status, body) = server.post(version).await;
        assert_eq!(status, expected, "{body}");
    }
    let stranger = Signer {
        principal: pipeline.principal.clone(),
        key: SecretKey::from_seed([7; 32]),
        ledger: ledger.id,
    };
    let (status, body) = server.post(&stranger.deployment(0).to_json()).await;
    assert!((400..500).contains(&status), "{status}: {body}");
}

/// Fills a ledger with events, words, refusals, junk and checkpoints; nobody serves it afterwards.
pub(crate) async fn fill(ledger: &Ledger) {
    let server = ledger.serve();
    let pipeline = ledger.pipeline(&server, "load").await;
    ledger.describe_somebody(&server).await;
    for n in 0..EVENTS {
        let (status, body) = server.post(&pipeline.deployment(n).to_json()).await;
        assert_eq!(status, 201, "{body}");
    }
    leave_what_is_not_recorded(ledger, &server, &pipeline).await;
    server.wait_for_checkpoint(EVENTS + 4).await;
    server.kill();
    let (code, said) = ledger.verify();
    assert_eq!(code, Some(0), "{said}");
}

/// Whether the first line of what was said, `error: PLACE: …`, names the place, or the whole table of that name as missing.
fn names(said: &str, place: &str) -> bool {
    let first = said.lines().find_map(|line| line.strip_prefix("error: "));
    let Some((named, what)) = first.and_then(|line| line.split_once(": ")) else {
        return false;
    };
    let kind = named.split_once(' ').map_or(named, |(kind, _)| kind);
    named == place || kind == place || what == format!("the table {place} is gone")
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
        if code != Some(6) || !names(&said, place) {
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
