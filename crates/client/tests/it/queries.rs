//! Questions, and what each kind of trouble is called.

use piperoll_client::{
    query::{Error, get_json},
    server::{Server, Unreachable},
};
use serde_json::json;

use crate::double::{Double, Reply};

#[tokio::test]
async fn a_question_carries_its_parameters_and_the_reader_s_token() {
    let double = Double::start();
    let server = Server::new(
        &format!("{}/", double.address()),
        Some("a token".to_owned()),
    )
    .unwrap();
    double.page("/v1/log", Reply::json(200, &json!({"items": [1]})));
    let answer = get_json(&server, "/v1/log", &[("service", "a b&c"), ("limit", "5")])
        .await
        .unwrap();
    assert_eq!(answer, json!({"items": [1]}));
    let asked = double.asked();
    assert_eq!(asked[0].line, "GET /v1/log?service=a+b%26c&limit=5");
    assert_eq!(asked[0].headers["authorization"], "Bearer a token");
}

#[tokio::test]
async fn each_kind_of_trouble_has_its_name() {
    let double = Double::start();
    let server = Server::new(&double.address(), None).unwrap();
    let ask = async |reply: Reply| {
        double.page("/v1/where", reply);
        get_json(&server, "/v1/where", &[]).await.unwrap_err()
    };
    let error = ask(Reply::problem(401, "no token")).await;
    assert!(matches!(error, Error::NotAuthorised { .. }), "{error}");
    assert!(error.to_string().contains("no token"));
    let error = ask(Reply::problem(403, "another service")).await;
    assert!(matches!(error, Error::NotAuthorised { .. }), "{error}");
    let error = ask(Reply::problem(404, "no such change")).await;
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    let error = ask(Reply::problem(400, "since is not a time")).await;
    assert!(matches!(error, Error::Refused(_)), "{error}");
    for status in [429, 500, 503] {
        let error = ask(Reply::problem(status, "later")).await;
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    }
    for reply in [
        Reply::html(200),
        Reply::html(401),
        Reply::html(502),
        Reply::html(301).with("location", "/x"),
    ] {
        let error = ask(reply).await;
        assert!(
            matches!(error, Error::Unreachable(Unreachable::NotALedger { .. })),
            "{error}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address() {
    let double = Double::start();
    let server = Server::new(&double.address(), None).unwrap();
    let address = double.address();
    drop(double);
    let error = get_json(&server, "/v1/where", &[]).await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable(Unreachable::NoConnection { .. })),
        "{error}"
    );
    assert!(error.to_string().contains(&address), "{error}");
}
