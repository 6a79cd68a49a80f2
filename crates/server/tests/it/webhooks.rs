//! Webhooks, from their proof of origin to their entries.

use std::{collections::BTreeMap, fs, path::PathBuf};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use piperoll_core::{
    authority::{self, Grants, Purpose, Scheme},
    draft::Draft,
    event::{Event, Payload, Profile, RelayedAuth},
    key_file,
    kind::{Content, Custody, KeyRegistered},
    name::{Principal, PrincipalKind},
};
use piperoll_server::{
    api::{self, limits},
    bridges::config::{Alertmanager, Config, Github, Labels, Names},
    folder::Folder,
    intake::{Answer, Wait},
    state::State,
};
use piperoll_tlog::{encoding, key::SecretKey, mac::HmacSha256};
use serde_json::Value;

use crate::{
    http::{Served, call, post},
    support::entropy,
};

/// The secret and body of the example in GitHub's documentation.
const SECRET: &str = "It's a Secret to Everybody";
const TOKEN: &str = "a token of some length";

pub(crate) fn github() -> Config {
    Config::Github(Github {
        secret: SECRET.to_owned(),
        services: Names::new(),
        environments: Names::new(),
    })
}
pub(crate) fn alertmanager() -> Config {
    Config::Alertmanager(Alertmanager {
        token: TOKEN.to_owned(),
        labels: Labels::default(),
        services: Names::new(),
        environments: Names::new(),
    })
}
/// Writes a bridge's two files, as `add bridge` does, beside a server that runs.
pub(crate) fn write_bridge(served: &Served, name: &str, config: &Config) -> SecretKey {
    let mut seed = [0; 32];
    entropy(&mut seed);
    let key = SecretKey::from_seed(seed);
    let folder = Folder::new(served.home.data()).bridges();
    fs::write(folder.join(format!("{name}.toml")), config.to_text()).unwrap();
    let text = key_file::write(&key, &format!("urn:piperoll:bridge:{name}"));
    fs::write(folder.join(format!("{name}.key")), text.as_bytes()).unwrap();
    key
}
/// As GitHub sends it.
pub(crate) fn delivery(name: &str, event: &str, body: &[u8]) -> Request<Body> {
    let mut hmac = HmacSha256::new(SECRET.as_bytes());
    hmac.update(body);
    let tag = format!("sha256={}", encoding::hex(&hmac.tag()));
    Request::post(format!("/bridges/{name}"))
        .header("X-GitHub-Event", event)
        .header("X-Hub-Signature-256", tag)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_vec()))
        .unwrap()
}
async fn status(router: &Router, request: Request<Body>) -> (u16, String) {
    let (status, _, body) = call(router, request).await;
    let document: Value = serde_json::from_str(&body).unwrap();
    (
        status,
        document["reason"].as_str().unwrap_or_default().to_owned(),
    )
}
fn expected(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_owned())
}

#[tokio::test]
async fn a_bridge_is_known_by_its_name_only_and_as_soon_as_its_files_are_there() {
    let served = Served::new().await;
    let router = api::router(served.state());
    for name in [
        "gh",
        "..",
        "..%2Fkeys%2Fevent",
        "gh.toml",
        "GH",
        "%00",
        "a%2Fb",
    ] {
        let request = post(&format!("/bridges/{name}"), "{}");
        assert_eq!(
            status(&router, request).await,
            expected(404, "not found"),
            "{name}"
        );
    }
    write_bridge(&served, "gh", &github());
    let request = post("/bridges/gh", "{}");
    assert_eq!(
        status(&router, request).await,
        expected(401, "signature missing")
    );
    served.end().await;
}
#[tokio::test]
async fn a_body_without_the_right_hmac_is_not_looked_at() {
    let served = Served::new().await;
    let router = api::router(served.state());
    write_bridge(&served, "gh", &github());
    let right = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let other = format!("sha256={}", right.replace('7', "8"));
    let upper = format!("sha256={}", right.to_uppercase());
    let short = format!("sha256={}", &right[..62]);
    for tag in ["", "sha256=", "sha1=00", right, &other, &upper, &short] {
        let mut request = post("/bridges/gh", "Hello, World!");
        let headers = request.headers_mut();
        headers.insert("x-hub-signature-256", tag.parse().unwrap());
        headers.insert("x-github-event", "push".parse().unwrap());
        assert_eq!(
            status(&router, request).await,
            expected(403, "bad signature"),
            "{tag}"
        );
    }
    let mut altered = delivery("gh", "push", b"{\"a\":1}");
    *altered.body_mut() = Body::from("{\"a\":2}");
    assert_eq!(
        status(&router, altered).await,
        expected(403, "bad signature")
    );
    assert_eq!(
        served.state().status.now().size,
        1,
        "nothing became an entry"
    );
    served.end().await;
}
#[tokio::test]
async fn a_notification_without_the_right_token_is_not_looked_at() {
    let served = Served::new().await;
    let router = api::router(served.state());
    write_bridge(&served, "am", &alertmanager());
    let request = post("/bridges/am", "{}");
    assert_eq!(
        status(&router, request).await,
        expected(401, "signature missing")
    );
    for value in [
        "Bearer wrong",
        "Bearer",
        "Basic YTpi",
        &TOKEN[1..],
        "Bearer a token of some lengt",
    ] {
        let mut request = post("/bridges/am", "{}");
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(
            status(&router, request).await,
            expected(403, "bad signature"),
            "{value}"
        );
    }
    served.end().await;
}
#[tokio::test]
async fn a_body_of_more_than_25_mib_is_cut_off() {
    let served = Served::new().await;
    let router = api::router(served.state());
    write_bridge(&served, "gh", &github());
    let body = vec![b' '; 25 * 1024 * 1024 + 1];
    let request = delivery("gh", "push", &body);
    assert_eq!(status(&router, request).await, expected(413, "too large"));
    served.end().await;
}
#[tokio::test]
async fn a_bridge_that_cannot_be_used_is_our_trouble_and_tells_nothing() {
    let served = Served::new().await;
    let router = api::router(served.state());
    write_bridge(&served, "gh", &github());
    let folder = Folder::new(served.home.data()).bridges();
    fs::write(folder.join("gh.toml"), "kind = \"github\"\nsecret = 7\n").unwrap();
    let request = delivery("gh", "push", b"{}");
    assert_eq!(status(&router, request).await, expected(500, "failed"));
    write_bridge(&served, "gh", &github());
    fs::remove_file(folder.join("gh.key")).unwrap();
    let request = delivery("gh", "push", b"{}");
    assert_eq!(status(&router, request).await, expected(500, "failed"));
    served.end().await;
}

/// The record that lets a bridge's key speak.
pub(crate) fn registration(served: &Served, name: &str, key: &SecretKey) -> Vec<u8> {
    let (admin, admin_key) = served.home.admin();
    let principal = Principal::named(PrincipalKind::Bridge, name).unwrap();
    let public = key.public();
    let message = authority::possession_message(
        &served.home.founded.ledger,
        &principal,
        Purpose::EventBridge,
        Scheme::Ed25519,
        public.as_bytes(),
    );
    let all = || vec!["*".to_owned()];
    let draft = Draft {
        id: None,
        timestamp: served.state().clock.now(),
        subject: Some(authority::keyid(public.as_bytes())),
        content: Content::KeyRegistered(KeyRegistered {
            key: encoding::base64(public.as_bytes()),
            scheme: Scheme::Ed25519,
            principal,
            purpose: Purpose::EventBridge,
            custody: Custody::Server,
            possession: encoding::base64(&key.sign(&message)),
            grants: Some(Grants {
                kinds: all(),
                services: all(),
                environments: all(),
            }),
            until: None,
            established: None,
        }),
        profile: Profile {
            ledger: Some(served.home.founded.ledger),
            ..Profile::default()
        },
        texts: BTreeMap::new(),
    };
    let signed = draft.sign(&admin, &admin_key, &mut entropy).unwrap();
    signed.to_json().into_bytes()
}
pub(crate) async fn register(served: &Served, name: &str, key: &SecretKey) {
    let intake = served.state().intake;
    let answer = intake
        .submit(registration(served, name, key), Wait::Recorded)
        .await;
    assert!(matches!(answer, Ok(Answer::Recorded { .. })), "{answer:?}");
}
pub(crate) fn example_body(file: &str) -> Vec<u8> {
    let root = std::env::var_os("PIPEROLL_TEST_DATA").expect(
        "PIPEROLL_TEST_DATA is not set: point it at the folder with cdevents, example, github and merkle",
    );
    fs::read(PathBuf::from(root).join("github").join(file)).unwrap()
}
pub(crate) async fn sent(router: &Router, request: Request<Body>) -> Value {
    let (status, _, body) = call(router, request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}
/// The events at and above `index`, as they were recorded.
pub(crate) async fn events_from(state: &State, index: u64) -> Vec<Event> {
    let entries = state.store.entries(index, 500).await.unwrap();
    let read = entries.into_iter().map(|entry| {
        let payload = Payload::parse(&entry.payload.unwrap()).unwrap();
        Event::read(&payload).unwrap()
    });
    read.collect()
}

#[tokio::test]
async fn githubs_own_example_of_a_signature_is_right_and_its_body_is_not_json() {
    let served = Served::new().await;
    let router = api::router(served.state());
    write_bridge(&served, "gh", &github());
    let mut request = post("/bridges/gh", "Hello, World!");
    let headers = request.headers_mut();
    let tag = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    headers.insert("x-hub-signature-256", tag.parse().unwrap());
    headers.insert("x-github-event", "push".parse().unwrap());
    assert_eq!(status(&router, request).await, expected(400, "shape"));

    let mut form = delivery("gh", "push", b"payload=%7B%7D");
    let kind = "application/x-www-form-urlencoded".parse().unwrap();
    form.headers_mut().insert(header::CONTENT_TYPE, kind);
    assert_eq!(status(&router, form).await, expected(400, "shape"));
    let mut nameless = delivery("gh", "push", b"{}");
    nameless.headers_mut().remove("x-github-event");
    assert_eq!(status(&router, nameless).await, expected(400, "shape"));
    let deep = "[".repeat(100_000);
    let request = delivery("gh", "push", deep.as_bytes());
    assert_eq!(status(&router, request).await, expected(400, "shape"));
    served.end().await;
}

#[tokio::test]
async fn a_body_becomes_entries_once_however_often_it_is_delivered() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    let key = write_bridge(&served, "gh", &github());
    register(&served, "gh", &key).await;
    let mut kinds = Vec::new();
    for (event, file) in [
        ("pull_request", "pull_request.opened.json"),
        ("push", "push.json"),
        ("pull_request_review", "pull_request_review.submitted.json"),
        ("pull_request", "pull_request.closed.json"),
    ] {
        let body = example_body(file);
        let from = state.status.now().size;
        let answer = sent(&router, delivery("gh", event, &body)).await;
        for recorded in events_from(&state, from).await {
            let relayed = recorded.profile.relayed.as_ref().unwrap();
            assert_eq!(relayed.digest, piperoll_tlog::hash::sha256(&body), "{file}");
            assert_eq!(relayed.auth, RelayedAuth::Hmac, "{file}");
            kinds.push(recorded.kind().name());
        }
        let size = state.status.now().size;
        assert_eq!(answer["events"], size - from, "{file}: {answer}");
        let again = sent(&router, delivery("gh", event, &body)).await;
        assert_eq!(
            (&again["events"], &again["known"]),
            (&0.into(), &answer["events"]),
            "{file}"
        );
        assert_eq!(
            state.status.now().size,
            size,
            "{file} is delivered twice and recorded once"
        );
    }
    assert!(kinds.contains(&"change.created"), "{kinds:?}");
    assert!(
        state
            .store
            .bridge_unsent(None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let answer = sent(
        &router,
        delivery("gh", "ping", b"{\"zen\":\"Design for failure.\"}"),
    )
    .await;
    assert_eq!(answer["state"], "counted");
    let counts = state.store.bridge_counts().await.unwrap();
    assert!(
        counts.iter().any(|row| row.event.starts_with("ping")),
        "{counts:?}"
    );
    served.end().await;
}

#[tokio::test]
async fn an_alert_and_its_end_become_two_entries_however_they_are_grouped() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    let key = write_bridge(&served, "am", &alertmanager());
    register(&served, "am", &key).await;
    let alert = |status: &str, ends: &str| {
        serde_json::json!({
            "status": status,
            "labels": {"alertname": "HighErrorRate", "service": "checkout", "environment": "production"},
            "annotations": {"summary": "5xx above 2 %"},
            "startsAt": "2026-11-12T20:17:00Z", "endsAt": ends,
            "generatorURL": "http://prometheus.example/graph", "fingerprint": "68bc2b403c13dfd3",
        })
    };
    let fired = alert("firing", "0001-01-01T00:00:00Z");
    let resolved = alert("resolved", "2026-11-12T20:33:00Z");
    let notification = |alerts: Vec<&Value>| {
        let body = serde_json::json!({"version": "4", "status": "firing", "alerts": alerts});
        Request::post("/bridges/am")
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    assert_eq!(sent(&router, notification(vec![&fired])).await["events"], 1);
    let answer = sent(&router, notification(vec![&fired, &resolved])).await;
    assert_eq!(
        (&answer["events"], &answer["known"]),
        (&1.into(), &1.into())
    );
    let events = events_from(&state, 2).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind().name()).collect();
    assert_eq!(kinds, ["alert.fired", "alert.resolved"]);
    for event in &events {
        assert_eq!(
            event.profile.relayed.as_ref().unwrap().auth,
            RelayedAuth::Token
        );
        assert_eq!(event.profile.service.as_deref(), Some("checkout"));
    }
    assert_eq!(events[0].subject, events[1].subject);
    served.end().await;
}

#[tokio::test]
async fn what_cannot_be_an_event_is_told_apart_from_what_was_delivered_before() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    let key = write_bridge(&served, "am", &alertmanager());
    register(&served, "am", &key).await;
    let notification = |services: &[String]| {
        let alerts: Vec<Value> = services
            .iter()
            .enumerate()
            .map(|(n, service)| {
                serde_json::json!({
                    "status": "firing", "labels": {"service": service}, "annotations": {},
                    "startsAt": "2026-11-12T20:17:00Z", "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "", "fingerprint": format!("{n:016x}"),
                })
            })
            .collect();
        let body = serde_json::json!({"version": "4", "status": "firing", "alerts": alerts});
        Request::post("/bridges/am")
            .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let long = "s".repeat(201);
    let answer = sent(&router, notification(&[long.clone(), "shop".to_owned()])).await;
    let told = |answer: &Value| {
        let count = |name: &str| answer[name].as_u64().unwrap();
        let state = answer["state"].as_str().unwrap().to_owned();
        (state, count("events"), count("known"), count("unusable"))
    };
    assert_eq!(told(&answer), ("kept".to_owned(), 1, 0, 1));
    let answer = sent(&router, notification(&[long.clone(), "shop".to_owned()])).await;
    assert_eq!(told(&answer), ("kept".to_owned(), 0, 1, 1));
    let answer = sent(&router, notification(&[long])).await;
    assert_eq!(told(&answer), ("counted".to_owned(), 0, 0, 1));
    let counts = state.store.bridge_counts().await.unwrap();
    let counted = counts
        .iter()
        .find(|row| row.event == "not an event: alert.fired");
    assert_eq!(counted.unwrap().count, 3);
    let many = vec!["shop".to_owned(); limits::BRIDGE_EVENTS_MAX + 1];
    let (status, _, _) = call(&router, notification(&many)).await;
    assert_eq!(status, 413);
    served.end().await;
}
