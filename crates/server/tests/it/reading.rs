//! Questions and pages over the example ledger, which another implementation wrote. To look at the pages, set `PIPEROLL_PAGES_OUT`
//! to a folder.

use axum::{
    Router,
    http::{Request, header},
};
use piperoll_server::{api, projector, state::State};
use piperoll_store as store;
use serde_json::Value;

use crate::{
    http::{Served, call, get},
    support::{empty_store, example_messages},
};

const CHANGE: &str = "github%3Aacme%2Fcheckout%23418";

/// A server's HTTP side over the example ledger.
struct Example {
    served: Served,
    _folder: tempfile::TempDir,
    store: store::Shared,
    router: Router,
}
impl Example {
    async fn new() -> Self {
        let served = Served::new().await;
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(folder.path()).await;
        projector::replay(&*store, &example_messages(), 7)
            .await
            .unwrap();
        let router = api::router(State {
            store: store.clone(),
            ..served.state()
        });
        Self {
            served,
            _folder: folder,
            store,
            router,
        }
    }
    async fn json(&self, path: &str) -> Value {
        let (status, _, body) = call(&self.router, get(path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
    async fn html(&self, path: &str) -> String {
        let (status, response, body) = call(&self.router, get(path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        let kind = response.headers().get(header::CONTENT_TYPE).unwrap();
        assert_eq!(kind, "text/html; charset=utf-8");
        if let Ok(folder) = std::env::var("PIPEROLL_PAGES_OUT") {
            let name = path
                .trim_start_matches('/')
                .replace(['/', '%', '?', '='], "-");
            let html = body.replace("\"/style.css\"", "\"style.css\"");
            std::fs::write(format!("{folder}/real-{name}.html"), html).unwrap();
        }
        body
    }
    async fn end(self) {
        self.store.close().await;
        self.served.end().await;
    }
}
fn indexes(page: &Value) -> Vec<u64> {
    let rows = page["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row["index"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_change_is_found_by_any_of_its_names_and_a_page_moves_to_its_own_address() {
    let example = Example::new().await;
    for typed in ["%23418", "checkout%23418", "acme%2Fcheckout%23418", CHANGE] {
        let found = example.json(&format!("/v1/find?q={typed}")).await;
        assert_eq!(found["change"], "github:acme/checkout#418", "{typed}");
    }
    let story = example.json("/v1/changes/%23418").await;
    assert_eq!(story["change"]["id"], "github:acme/checkout#418");
    let (status, response, _) = call(&example.router, get("/changes/%23418")).await;
    assert_eq!(status, 303);
    let location = response.headers().get(header::LOCATION).unwrap();
    assert_eq!(location, &format!("/changes/{CHANGE}"));
    let (status, _, _) = call(&example.router, get("/changes/nothing-like-it")).await;
    assert_eq!(status, 404);
    example.end().await;
}

#[tokio::test]
async fn the_log_pages_to_its_end_and_every_filter_holds() {
    let example = Example::new().await;
    let whole = example.json("/v1/log?limit=500").await;
    let size = whole["as_of"].as_u64().unwrap();
    let expected: Vec<u64> = (0..size).rev().collect();
    assert_eq!(indexes(&whole), expected);
    assert!(whole.get("next").is_none());

    let mut paged = Vec::new();
    let mut path = "/v1/log?limit=10".to_owned();
    loop {
        let page = example.json(&path).await;
        assert_eq!(page["as_of"], size);
        paged.extend(indexes(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/log?limit=10&cursor={next}");
    }
    assert_eq!(paged, expected);

    for (filter, member, value) in [
        ("service=payments", "service", "payments"),
        ("environment=staging", "environment", "staging"),
        ("kind=alert.fired", "kind", "alert.fired"),
        (
            "principal=checkout-deploy",
            "principal",
            "urn:piperoll:pipeline:checkout-deploy",
        ),
    ] {
        let page = example.json(&format!("/v1/log?{filter}")).await;
        let rows = page["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{filter}");
        assert!(
            rows.iter().all(|row| row[member] == value),
            "{filter}: {page}"
        );
    }
    let change = example
        .json(&format!("/v1/log?change={CHANGE}&limit=500"))
        .await;
    let story = example.json(&format!("/v1/changes/{CHANGE}")).await;
    let mut entries = indexes(&change);
    entries.reverse();
    assert_eq!(serde_json::json!(entries), story["entries"]);
    for member in [
        "index",
        "recorded_at",
        "time",
        "kind",
        "type",
        "principal",
        "summary",
        "id",
    ] {
        assert!(!change["rows"][0][member].is_null(), "{member}");
    }
    let window = "since=2026-11-12T20:00:00Z&until=2026-11-12T20:05:00Z";
    let page = example.json(&format!("/v1/log?{window}")).await;
    for row in page["rows"].as_array().unwrap() {
        assert!(
            row["time"].as_str().unwrap().starts_with("2026-11-12T20:0"),
            "{row}"
        );
    }
    example.end().await;
}

#[tokio::test]
async fn what_was_refused_is_listed_with_its_reason() {
    let example = Example::new().await;
    let page = example.json("/v1/log?refused=true").await;
    let rows = page["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        for member in [
            "number",
            "at",
            "principal",
            "id",
            "payload_hash",
            "reason",
            "detail",
            "times",
        ] {
            assert!(!row[member].is_null(), "{member} in {row}");
        }
    }
    let grants = rows
        .iter()
        .filter(|row| row["reason"] == "grant or role missing");
    assert!(grants.clone().any(|row| row["kind"].is_string()), "{page}");
    let few = example.json("/v1/log?refused=true&kind=nothing").await;
    assert_eq!(few["rows"], serde_json::json!([]));
    example.end().await;
}

#[tokio::test]
async fn a_story_as_of_an_earlier_size_knows_nothing_later() {
    let example = Example::new().await;
    let now = example.json(&format!("/v1/changes/{CHANGE}")).await;
    let entries = now["entries"].as_array().unwrap();
    let half = entries[entries.len() / 2].as_u64().unwrap();
    let then = example
        .json(&format!("/v1/changes/{CHANGE}?as_of={half}"))
        .await;
    assert_eq!(then["as_of"]["size"], half);
    let expected: Vec<&Value> = entries
        .iter()
        .filter(|index| index.as_u64().unwrap() < half)
        .collect();
    assert_eq!(then["entries"], serde_json::json!(expected));
    example
        .html(&format!("/changes/{CHANGE}?as_of={half}"))
        .await;
    for path in [
        "/v1/where?as_of=100000".to_owned(),
        format!("/v1/changes/{CHANGE}?as_of=100000"),
    ] {
        assert_eq!(call(&example.router, get(&path)).await.0, 400, "{path}");
    }
    let founded = example.json("/v1/where?as_of=1").await;
    assert_eq!(founded["rows"], serde_json::json!([]));
    example.end().await;
}

#[tokio::test]
async fn every_page_renders_and_leads_to_every_entry_it_speaks_of() {
    let example = Example::new().await;
    let matrix = example.html("/").await;
    assert_eq!(matrix, example.html("/where").await);
    assert!(
        matrix.contains(&format!("/changes/{CHANGE}")) || matrix.contains("checkout"),
        "{matrix}"
    );
    let changes = example.json("/v1/changes").await;
    let list = example.html("/changes").await;
    for row in changes["rows"].as_array().unwrap() {
        let id = row["change"]["id"].as_str().unwrap();
        let path = format!("/v1/find?q={}", id.replace('#', "%23"));
        assert_eq!(example.json(&path).await["change"], id);
    }
    assert!(
        list.contains(&format!("href=\"/changes/{CHANGE}\"")),
        "{list}"
    );
    let story = example.html(&format!("/changes/{CHANGE}")).await;
    let json = example.json(&format!("/v1/changes/{CHANGE}")).await;
    for line in json["lines"].as_array().unwrap() {
        let index = &line["at"]["index"];
        for part in [
            format!("<li id=\"r{index}\""),
            format!("href=\"/entries/{index}\""),
        ] {
            assert!(story.contains(&part), "{part}");
        }
        assert!(
            example
                .html(&format!("/entries/{index}"))
                .await
                .contains("Payload, as it was signed")
        );
    }
    let receipts = story.matches("href=\"/v1/receipts/").count();
    assert_eq!(receipts, json["lines"].as_array().unwrap().len());
    assert!(story.contains("Signed with a key enrolled on "), "{story}");
    let size = json["as_of"]["size"].as_u64().unwrap();
    for index in 0..size {
        example.html(&format!("/entries/{index}")).await;
    }
    example.end().await;
}

#[tokio::test]
async fn a_timeline_says_what_happened_in_a_window() {
    let example = Example::new().await;
    let window = "since=2026-11-12T20:00:00Z&until=2026-11-12T21:00:00Z&service=checkout";
    let timeline = example.json(&format!("/v1/timeline?{window}")).await;
    assert!(
        timeline["lines"].as_array().unwrap().len() > 3,
        "{timeline}"
    );
    assert_eq!(timeline["more"], false);
    example.end().await;
}

#[tokio::test]
async fn a_reader_without_a_host_gets_nothing() {
    let example = Example::new().await;
    let request = Request::get("/v1/where")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(call(&example.router, request).await.0, 403);
    example.end().await;
}
