//! Messages that are each good but for one thing, sent over HTTP to a real server: what is answered, and what is kept.

mod cases;

use std::collections::BTreeMap;

use piperoll_core::{
    authority::Grants,
    draft::{Draft, sign_payload},
    envelope::Envelope,
    kind::Content,
};
use piperoll_tlog::hash::sha256;
use serde_json::{Value, json};

use crate::{
    cli::run,
    http,
    ledger::Ledger,
    server::Server,
    signer::{Signer, draw},
};

/// What the ledger keeps of a message that it does not record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    /// Not even a count: it was cut off before it was a message.
    Nothing,
    Count,
    /// The event, its reason and its sender, in `log --refused`.
    Event,
}
use Kept::{Count, Event, Nothing};

/// A message and what must come of it.
struct Case {
    what: &'static str,
    message: Vec<u8>,
    status: u16,
    reason: &'static str,
    field: Option<&'static str>,
    /// Words of the remedy.
    remedy: &'static str,
    kept: Kept,
}

/// A ledger with a pipeline that may say everything, and one that may only start checkout's deployments in staging.
struct Scene {
    ledger: Ledger,
    server: Server,
    pipeline: Signer,
    narrow: Signer,
}
impl Scene {
    async fn new() -> Self {
        let ledger = Ledger::found();
        let server = ledger.serve();
        let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
        let narrow = Signer::named(&ledger, "narrow");
        let mut registration = narrow.registration();
        if let Content::KeyRegistered(content) = &mut registration.content {
            content.grants = Some(Grants {
                kinds: vec!["deployment.started".to_owned()],
                services: vec!["checkout".to_owned()],
                environments: vec!["staging".to_owned()],
            });
        }
        let registration = ledger.administrator().sign(&registration);
        assert_eq!(server.post(&registration.to_json()).await.0, 201);
        Self {
            ledger,
            server,
            pipeline,
            narrow,
        }
    }
    /// The payload of a good event, to be made bad.
    fn payload(&self) -> Value {
        payload(&self.pipeline, &self.finished())
    }
    fn finished(&self) -> Draft {
        let envelope = self.pipeline.deployment(1); // odd ones finish
        let event = piperoll_core::judge::read(envelope.to_json().as_bytes()).unwrap();
        let event = event.event().unwrap();
        Signer::draft(
            Some(event.subject.clone()),
            event.content.clone(),
            event.profile.clone(),
        )
    }
    /// A good event but for one change, signed as it is.
    fn with(&self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut payload = self.payload();
        change(&mut payload);
        signed(&self.pipeline, payload.to_string())
            .to_json()
            .into_bytes()
    }
    /// The envelope of a good event, with one change to its JSON.
    fn around(&self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut envelope = json(&signed(&self.pipeline, self.payload().to_string()));
        change(&mut envelope);
        envelope.to_string().into_bytes()
    }
    /// A registration of `key`, which is nobody's yet.
    fn registration(&self, key: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let administrator = self.ledger.administrator();
        let mut payload = payload(
            &administrator,
            &Signer::named(&self.ledger, key).registration(),
        );
        change(&mut payload);
        signed(&administrator, payload.to_string())
            .to_json()
            .into_bytes()
    }
    async fn numbers(&self) -> (u64, u64, u64) {
        let (_, ready) = self.server.get("/readyz").await;
        let (_, text) = http::get(&format!("{}/metrics", self.server.url))
            .await
            .unwrap();
        let text = String::from_utf8(text).unwrap();
        let number = |outcome: &str| {
            let line = format!("piperoll_messages_total{{outcome=\"{outcome}\"}} ");
            let number = text.lines().find_map(|found| found.strip_prefix(&line));
            number.unwrap().parse::<u64>().unwrap()
        };
        (
            ready["size"].as_u64().unwrap(),
            number("refused"),
            number("junk"),
        )
    }
    /// Sends one, and holds answer and counts against what must come of it.
    async fn refuses(&self, case: Case) {
        let Case { what, .. } = case;
        let before = self.numbers().await;
        let url = format!("{}/v1/events", self.server.url);
        let answer = http::post(&url, "application/json", &[], case.message).await;
        let (status, body) = answer.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (status, problem["reason"].as_str()),
            (case.status, Some(case.reason)),
            "{what}: {problem}"
        );
        assert_eq!(problem["status"], case.status, "{what}: {problem}");
        assert_eq!(problem["field"].as_str(), case.field, "{what}: {problem}");
        let said = |member: &str| problem[member].as_str().unwrap_or_default();
        assert!(
            said("remedy").contains(case.remedy) && !said("remedy").is_empty(),
            "{what}: {problem}"
        );
        assert!(
            !said("detail").is_empty() && !said("title").is_empty(),
            "{what}: {problem}"
        );
        assert!(
            said("type").starts_with("urn:piperoll:problem:"),
            "{what}: {problem}"
        );
        let (size, mut refused, mut junk) = before;
        match case.kept {
            Nothing => {}
            Count => junk += 1,
            Event => refused += 1,
        }
        assert_eq!(
            self.numbers().await,
            (size, refused, junk),
            "{what}: {problem}"
        );
    }
}

fn payload(signer: &Signer, draft: &Draft) -> Value {
    let (payload, _) = draft.payload(&signer.principal, &mut draw);
    serde_json::from_slice(&payload).unwrap()
}
fn signed(signer: &Signer, payload: String) -> Envelope {
    sign_payload(payload.into_bytes(), BTreeMap::new(), &signer.key)
}
fn json(envelope: &Envelope) -> Value {
    serde_json::from_str(&envelope.to_json()).unwrap()
}
/// White space behind a document is part of its bytes and none of its meaning.
fn padded(mut bytes: Vec<u8>, size: usize) -> Vec<u8> {
    assert!(bytes.len() <= size);
    bytes.resize(size, b' ');
    bytes
}
#[tokio::test(flavor = "multi_thread")]
async fn every_bad_message_is_told_its_field_and_remedy_and_none_leaves_half_an_entry() {
    let scene = Scene::new().await;
    let before = scene.numbers().await;
    let groups = [
        cases::shapes(&scene),
        cases::base64(&scene),
        cases::payloads(&scene),
        cases::sizes(&scene),
        cases::signatures(&scene),
        cases::contents(&scene),
        cases::registrations(&scene),
        cases::grants(&scene),
    ];
    let mut kept: Vec<&str> = Vec::new();
    for case in groups.into_iter().flatten() {
        if case.kept == Event {
            kept.push(case.reason);
        }
        scene.refuses(case).await;
    }
    assert_eq!(
        scene.numbers().await.0,
        before.0,
        "something became an entry"
    );

    // Newest first, each with its reason and its sender.
    let words = [
        "log",
        "--refused",
        "--json",
        "-n",
        "0",
        "--server",
        &scene.server.url,
    ];
    let refused = run(&scene.ledger, &words, &[]);
    let refused: Vec<Value> = serde_json::from_str(&refused.succeeds().out).unwrap();
    let listed: Vec<&str> = refused
        .iter()
        .rev()
        .map(|row| row["reason"].as_str().unwrap())
        .collect();
    assert_eq!(listed, kept);
    for row in &refused {
        assert!(
            row["principal"]
                .as_str()
                .unwrap()
                .starts_with("urn:piperoll:"),
            "{row}"
        );
        assert!(
            !row["detail"].as_str().unwrap().is_empty() && row["id"].is_string(),
            "{row}"
        );
    }
    run(&scene.ledger, &["verify", "--data", "data"], &[]).succeeds();
    assert_eq!(
        scene
            .server
            .post(&scene.pipeline.deployment(0).to_json())
            .await
            .0,
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_exactly_at_a_limit_is_recorded() {
    let scene = Scene::new().await;
    let payload = padded(scene.payload().to_string().into_bytes(), 64 * 1024);
    let payload = signed(&scene.pipeline, String::from_utf8(payload).unwrap());
    let (status, answer) = scene.server.post(&payload.to_json()).await;
    assert_eq!(status, 201, "{answer}");
    let envelope = padded(scene.around(|_| ()), 160 * 1024);
    let (status, answer) = scene
        .server
        .post(&String::from_utf8(envelope).unwrap())
        .await;
    assert_eq!(status, 201, "{answer}");
    run(&scene.ledger, &["verify", "--data", "data"], &[]).succeeds();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_does_not_match_says_nothing_of_its_event_and_the_right_one_still_comes() {
    let scene = Scene::new().await;
    let mut draft = scene.finished();
    draft
        .texts
        .insert("reason".to_owned(), "the cache was cold".to_owned());
    let envelope = scene.pipeline.sign(&draft);
    let mut other = json(&envelope);
    other["texts"]["reason"]["body"] = json!("the cache was warm");
    scene
        .refuses(Case {
            what: "other words",
            message: other.to_string().into_bytes(),
            status: 422,
            reason: "text does not match",
            field: Some("texts.reason"),
            remedy: "the event itself may still be good",
            kept: Count,
        })
        .await;
    assert_eq!(scene.server.post(&envelope.to_json()).await.0, 201);
    assert_eq!(
        scene
            .ledger
            .sql("select body from text where name = 'reason'"),
        "the cache was cold"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_with_other_content_is_refused_and_both_are_kept() {
    let scene = Scene::new().await;
    let first = scene.payload();
    let (status, recorded) = scene
        .server
        .post(&signed(&scene.pipeline, first.to_string()).to_json())
        .await;
    assert_eq!(status, 201);
    let mut second = first;
    second["subject"]["content"]["outcome"] = json!("success");
    let message = signed(&scene.pipeline, second.to_string()).to_json();
    for _ in 0..2 {
        let (status, problem) = scene.server.post(&message).await;
        assert_eq!(
            (status, problem["reason"].as_str()),
            (409, Some("equivocation")),
            "{problem}"
        );
        assert_eq!(problem["field"], "context.id");
        assert_eq!(problem["first"], recorded["index"]);
    }
    let (_, refused) = scene.server.get("/v1/log?refused=true").await;
    let rows = refused["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "kept once: {refused}");
    assert_eq!(
        (&rows[0]["first"], &rows[0]["times"]),
        (&recorded["index"], &json!(2))
    );
    assert_eq!(
        rows[0]["payload_hash"],
        sha256(second.to_string().as_bytes()).to_hex()
    );
    let body = format!(
        "select count(*) from payload where idx = {} and instr(body, '\"failure\"') > 0",
        recorded["index"]
    );
    assert_eq!(scene.ledger.sql(&body), "1", "the first one stays as it is");
    run(&scene.ledger, &["verify", "--data", "data"], &[]).succeeds();
}
