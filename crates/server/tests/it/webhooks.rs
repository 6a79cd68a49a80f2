//! Webhooks, from their proof of origin to their entries.

use std::fs;

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use piperoll_core::key_file;
use piperoll_server::{
    api,
    bridges::config::{Alertmanager, Config, Github, Labels, Names},
    folder::Folder,
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
