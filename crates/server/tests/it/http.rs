//! The HTTP side, called without a socket: what each outcome answers, who may read, what surrounds every answer.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use piperoll_core::{
    Hash,
    judge::{Reason, Refusal},
};
use piperoll_server::{
    api,
    intake::{Answer, Intake, Unavailable, Wait},
    serve::{self, Running},
    state::{State, Web},
    status::{Projecting, Snapshot},
};
use serde_json::Value;
use tower::ServiceExt;

use crate::support::{Home, until};

type Answering = Box<dyn Fn(&[u8]) -> Result<Answer, Unavailable> + Send + Sync>;
/// An intake that answers as it was told and remembers what it was asked.
pub(crate) struct Scripted {
    answer: Answering,
    pub(crate) asked: Mutex<Vec<(Vec<u8>, Wait)>>,
}
impl Scripted {
    pub(crate) fn new(
        answer: impl Fn(&[u8]) -> Result<Answer, Unavailable> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            asked: Mutex::default(),
        })
    }
}
#[async_trait::async_trait]
impl Intake for Scripted {
    async fn submit(&self, message: Vec<u8>, wait: Wait) -> Result<Answer, Unavailable> {
        let answer = (self.answer)(&message);
        self.asked.lock().unwrap().push((message, wait));
        answer
    }
}
fn recorded() -> Answer {
    Answer::Recorded {
        index: 31,
        leaf: b"piperoll-entry/v1\n".to_vec(),
        payload_hash: Hash([0xab; 32]),
    }
}
fn refused(reason: Reason) -> Answer {
    Answer::Refused {
        refusal: Refusal::new(reason, "the reason in words")
            .at("customData.piperoll")
            .remedy("do something else"),
        first: (reason == Reason::Equivocation).then_some(7),
    }
}

/// A server on a fresh ledger, and its state to call the router with.
pub(crate) struct Served {
    pub(crate) home: Home,
    running: Running,
}
impl Served {
    pub(crate) async fn new() -> Self {
        let home = Home::new().await;
        let running = serve::start(home.serving()).await.unwrap();
        until(&running.state().status, Snapshot::is_ready).await;
        Self { home, running }
    }
    pub(crate) fn state(&self) -> State {
        self.running.state().clone()
    }
    pub(crate) async fn end(self) {
        self.running.shutdown().await;
    }
    fn scripted(&self, answer: Result<Answer, Unavailable>) -> Router {
        self.with(Scripted::new(move |_| answer.clone()))
    }
    pub(crate) fn with(&self, intake: Arc<dyn Intake>) -> Router {
        api::router(State {
            intake,
            ..self.state()
        })
    }
}
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}
pub(crate) fn get(path: &str) -> Request<Body> {
    let request = Request::get(path).header(header::HOST, "127.0.0.1:7470");
    request.body(Body::empty()).unwrap()
}
pub(crate) async fn call(router: &Router, request: Request<Body>) -> (u16, Response<()>, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let status = parts.status.as_u16();
    (
        status,
        Response::from_parts(parts, ()),
        String::from_utf8(bytes.to_vec()).unwrap(),
    )
}
fn header_of(response: &Response<()>, name: &str) -> String {
    let value = response.headers().get(name);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}
async fn problem(router: &Router, request: Request<Body>) -> (u16, Value) {
    let (status, response, body) = call(router, request).await;
    assert_eq!(
        header_of(&response, "content-type"),
        "application/problem+json",
        "{body}"
    );
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["status"], status, "{body}");
    for member in ["type", "title", "detail", "reason"] {
        assert!(document[member].is_string(), "{member} in {body}");
    }
    (status, document)
}

#[tokio::test]
async fn every_outcome_answers_as_the_table_says() {
    let served = Served::new().await;
    let hash = "ab".repeat(32);
    let leaf = "piperoll-entry/v1\n";
    let duplicate = Answer::Duplicate {
        index: 3,
        leaf: leaf.as_bytes().to_vec(),
        payload_hash: Hash([0xab; 32]),
    };
    let accepted = Answer::Accepted {
        payload_hash: Hash([0xab; 32]),
    };
    for (answer, status, body) in [
        (
            recorded(),
            201,
            serde_json::json!({"state": "recorded", "index": 31, "leaf": leaf, "payload_hash": hash}),
        ),
        (
            duplicate,
            200,
            serde_json::json!({"state": "duplicate", "index": 3, "leaf": leaf, "payload_hash": hash}),
        ),
        (
            accepted,
            202,
            serde_json::json!({"state": "waiting", "payload_hash": hash}),
        ),
    ] {
        let router = served.scripted(Ok(answer));
        let (found, _, text) = call(&router, post("/v1/events", "{}")).await;
        let found_body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((found, found_body), (status, body));
    }
    for (reason, status) in [
        (Reason::Shape, 400),
        (Reason::TooLarge, 413),
        (Reason::BadSignature, 403),
        (Reason::PrincipalNotKeys, 403),
        (Reason::TextMismatch, 422),
        (Reason::UnknownKey, 425),
        (Reason::Equivocation, 409),
        (Reason::Grant, 425),
        (Reason::Content, 422),
    ] {
        let router = served.scripted(Ok(refused(reason)));
        let (found, document) = problem(&router, post("/v1/events", "{}")).await;
        assert_eq!(found, status, "{reason:?}");
        assert_eq!(document["reason"], reason.as_str());
        assert_eq!(document["field"], "customData.piperoll");
        assert_eq!(document["remedy"], "do something else");
        assert_eq!(document["detail"], "the reason in words");
        let first = (reason == Reason::Equivocation).then_some(7);
        assert_eq!(document.get("first").and_then(Value::as_u64), first);
    }
    served.end().await;
}

#[tokio::test]
async fn a_ledger_that_cannot_take_events_says_when_and_where_to_try_again() {
    let served = Served::new().await;
    let router = served.scripted(Err(Unavailable {
        why: "another server projects".to_owned(),
        elsewhere: Some("http://other.example".to_owned()),
        retry_after_s: 5,
    }));
    let (status, response, body) = call(&router, post("/v1/events", "{}")).await;
    assert_eq!(status, 503);
    assert_eq!(header_of(&response, "retry-after"), "5");
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["elsewhere"], "http://other.example");
    served.end().await;
}

#[tokio::test]
async fn lines_of_a_body_are_judged_one_by_one_in_order() {
    let served = Served::new().await;
    let intake = Scripted::new(|message| match message {
        b"bad" => Ok(refused(Reason::Shape)),
        b"later" => Err(Unavailable {
            why: "full".to_owned(),
            elsewhere: None,
            retry_after_s: 1,
        }),
        _ => Ok(recorded()),
    });
    let router = served.with(intake.clone());
    let many = |body: String| {
        let mut request = post("/v1/events?wait=recorded", body);
        let kind = "application/x-ndjson; charset=utf-8".parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        request
    };
    let (status, response, body) =
        call(&router, many("one\nbad\n\nlater\nfive\n".to_owned())).await;
    assert_eq!(status, 200);
    assert_eq!(header_of(&response, "content-type"), "application/x-ndjson");
    let statuses: Vec<u64> = body
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["status"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(statuses, [201, 400, 201, 503, 201]);
    let asked = intake.asked.lock().unwrap().clone();
    let expected: Vec<(Vec<u8>, Wait)> = ["one", "bad", "", "later", "five"]
        .map(|line| (line.as_bytes().to_vec(), Wait::Recorded))
        .to_vec();
    assert_eq!(asked, expected);

    intake.asked.lock().unwrap().clear();
    let (status, document) = problem(&router, many("x\n".repeat(2049))).await;
    assert_eq!((status, &document["reason"]), (413, &"too large".into()));
    assert!(intake.asked.lock().unwrap().is_empty(), "none was taken");
    served.end().await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_problem_document_and_reaches_nobody() {
    let served = Served::new().await;
    let intake = Scripted::new(|_| Ok(recorded()));
    let router = served.with(intake.clone());
    let large = vec![b' '; 1024 * 1024 + 1];
    for (request, status, reason) in [
        (post("/v1/events", large), 413, "too large"),
        (post("/v1/events?wait=long", "{}"), 400, "bad question"),
        (post("/v1/events?wiat=recorded", "{}"), 400, "bad question"),
        (get("/v1/events"), 405, "method not allowed"),
        (get("/v1/nothing"), 404, "not found"),
        (get("/v1/receipts/ABAB"), 400, "bad question"),
        (get("/v1/log?limit=501"), 400, "bad question"),
        (get("/v1/log?limit=0"), 400, "bad question"),
        (get("/v1/log?cursor=mine"), 400, "bad question"),
        (get("/v1/log?since=yesterday"), 400, "bad question"),
        (get("/v1/log?servce=checkout"), 400, "bad question"),
        (get("/v1/timeline?until=2026-11-12"), 400, "bad question"),
        (get("/v1/entries/1"), 404, "not found"),
        (get("/v1/entries/-1"), 404, "not found"),
        (get("/v1/entries/x"), 404, "not found"),
    ] {
        let path = request.uri().to_string();
        let (found, document) = problem(&router, request).await;
        assert_eq!(
            (found, &document["reason"]),
            (status, &reason.into()),
            "{path}"
        );
    }
    assert!(intake.asked.lock().unwrap().is_empty());
    served.end().await;
}

const READERS: [&str; 11] = [
    "/",
    "/where",
    "/changes",
    "/changes/x",
    "/entries/0",
    "/v1/where",
    "/v1/changes",
    "/v1/log",
    "/v1/timeline",
    "/v1/entries/0",
    "/metrics",
];

#[tokio::test]
async fn beyond_loopback_reading_is_not_possible_and_emitting_is() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(State {
        web: Arc::new(Web {
            address: "192.0.2.1:7470".parse().unwrap(),
            public_url: "https://piperoll.example".to_owned(),
        }),
        intake: Scripted::new(|_| Ok(recorded())),
        ..state
    });
    for path in READERS {
        let (status, document) = problem(&router, get(path)).await;
        assert_eq!(
            (status, &document["reason"]),
            (401, &"not signed in".into()),
            "{path}"
        );
    }
    assert_eq!(call(&router, post("/v1/events", "{}")).await.0, 201);
    let receipt = format!("/v1/receipts/{}", "00".repeat(32));
    for path in ["/v1/genesis", "/healthz", "/readyz", &receipt] {
        assert_eq!(call(&router, get(path)).await.0, 200, "{path}");
    }
    served.end().await;
}

#[tokio::test]
async fn on_loopback_other_hosts_and_other_sites_may_not_read() {
    let served = Served::new().await;
    let router = api::router(served.state());
    for path in READERS {
        let rebound = Request::get(path)
            .header(header::HOST, "evil.example")
            .body(Body::empty())
            .unwrap();
        let (status, document) = problem(&router, rebound).await;
        assert_eq!(
            (status, &document["reason"]),
            (403, &"wrong host".into()),
            "{path}"
        );
        let mut across = get(path);
        let site = "cross-site".parse().unwrap();
        across.headers_mut().insert("sec-fetch-site", site);
        let (status, document) = problem(&router, across).await;
        assert_eq!(
            (status, &document["reason"]),
            (403, &"cross site".into()),
            "{path}"
        );
    }
    served.end().await;
}

#[tokio::test]
async fn every_answer_forbids_scripts_frames_and_guessing() {
    let served = Served::new().await;
    let router = api::router(served.state());
    for path in [
        "/healthz",
        "/style.css",
        "/nothing",
        "/v1/genesis",
        "/v1/log?limit=0",
    ] {
        let (_, response, _) = call(&router, get(path)).await;
        let policy = header_of(&response, "content-security-policy");
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(
            header_of(&response, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
        assert_eq!(
            header_of(&response, "referrer-policy"),
            "no-referrer",
            "{path}"
        );
    }
    served.end().await;
}

#[tokio::test]
async fn a_browser_gets_a_page_that_says_what_to_do_and_a_program_a_document() {
    let served = Served::new().await;
    let router = api::router(served.state());
    let browser = |path: &str| {
        let mut request = get(path);
        let accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
            .parse()
            .unwrap();
        request.headers_mut().insert(header::ACCEPT, accept);
        request
    };
    let (status, response, body) = call(&router, browser("/nothing/%3Cscript%3E")).await;
    assert_eq!(status, 404);
    assert_eq!(
        header_of(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    assert!(body.contains("What you can do: "), "{body}");
    assert!(body.contains("href=\"/where\""), "{body}");
    assert!(!body.contains("<script"), "{body}");
    let (status, document) = problem(&router, browser("/v1/nothing")).await;
    assert_eq!((status, &document["reason"]), (404, &"not found".into()));
    served.end().await;
}

#[tokio::test]
async fn readiness_follows_the_projector_and_tells_readers_why() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    assert_eq!(call(&router, get("/healthz")).await.0, 200);
    let (status, _, body) = call(&router, get("/readyz")).await;
    assert_eq!(status, 200, "{body}");
    state.status.update(|now| {
        now.projecting = Projecting::Halted {
            why: "a gap".to_owned(),
            remedy: "accept it".to_owned(),
        };
    });
    let (status, _, body) = call(&router, get("/readyz")).await;
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 503);
    assert_eq!(document["projector"]["state"], "halted");
    assert_eq!(document["projector"]["why"], "a gap");
    let anybody = Request::get("/readyz").body(Body::empty()).unwrap();
    let (status, _, body) = call(&router, anybody).await;
    assert_eq!(status, 503);
    assert!(!body.contains("a gap"), "{body}");
    assert_eq!(call(&router, get("/healthz")).await.0, 200);
    served.end().await;
}

#[tokio::test]
async fn metrics_count_entries_and_what_became_of_messages() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    for number in 1..=3 {
        let person = served.home.person(number);
        assert_eq!(call(&router, post("/v1/events", person)).await.0, 201);
    }
    let again = served.home.person(9);
    assert_eq!(
        call(&router, post("/v1/events", again.clone())).await.0,
        201
    );
    assert_eq!(call(&router, post("/v1/events", again)).await.0, 200);
    assert_eq!(call(&router, post("/v1/events", "not JSON")).await.0, 400);
    state
        .store
        .bridge_count("gh", "odd \"event\"\n")
        .await
        .unwrap();
    // Twice: sums go on from where the scrape before ended.
    for _ in 0..2 {
        let (status, _, text) = call(&router, get("/metrics")).await;
        assert_eq!(status, 200);
        for line in [
            "piperoll_entries 5",
            "piperoll_messages_total{outcome=\"recorded\"} 5",
            "piperoll_messages_total{outcome=\"duplicate\"} 1",
            "piperoll_messages_total{outcome=\"junk\"} 1",
            "piperoll_messages_total{outcome=\"refused\"} 0",
            "piperoll_consumed_total 7",
            "piperoll_projecting 1",
            "piperoll_bridge_other_total{bridge=\"gh\",event=\"odd \\\"event\\\"\\n\"} 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in {text}"
            );
        }
    }
    served.end().await;
}

#[tokio::test]
async fn code_that_panics_answers_without_its_message() {
    let served = Served::new().await;
    let router = served.with(Scripted::new(|_| panic!("the inside of the server")));
    let (status, document) = problem(&router, post("/v1/events", "{}")).await;
    assert_eq!((status, &document["reason"]), (500, &"failed".into()));
    assert!(!document.to_string().contains("inside"), "{document}");
    served.end().await;
}
