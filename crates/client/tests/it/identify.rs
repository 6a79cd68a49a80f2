//! Which ledger a server keeps: pinned on first use or by configuration, and another one is refused.

use std::fs;

use piperoll_client::{
    ledger::{self, Error},
    query,
    server::Server,
    state,
};
use piperoll_core::{Hash, name::LedgerId};
use piperoll_tlog::hash;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::double::{Double, Reply};

fn fresh(double: &Double) -> (TempDir, state::Folder, Server, LedgerId) {
    let folder = tempfile::tempdir().unwrap();
    let state = state::Folder::open(folder.path()).unwrap();
    let id = LedgerId(hash::sha256(double.lock().leaves[0].as_bytes()));
    (
        folder,
        state,
        Server::new(&double.address(), None).unwrap(),
        id,
    )
}
const OTHER: LedgerId = LedgerId(Hash([9; 32]));

#[tokio::test]
async fn the_first_use_pins_the_ledger_says_so_and_asks_only_once() {
    let double = Double::start();
    let (_folder, state, server, id) = fresh(&double);
    assert_eq!(ledger::expected(&state, &server, None).unwrap(), None);
    let found = ledger::identify(&state, &server, None).await.unwrap();
    assert!(found.first_use);
    assert_eq!(found.ledger.id, id);
    assert_eq!(
        found.ledger.verifier.name.as_str(),
        "piperoll.acme.example/log/main"
    );
    assert_eq!(double.asked().len(), 1);

    let again = ledger::identify(&state, &server, None).await.unwrap();
    assert!(!again.first_use);
    assert_eq!(
        again.ledger.verifier.encode(),
        found.ledger.verifier.encode()
    );
    assert_eq!(double.asked().len(), 1);
    // Offline both the id and the checkpoint key are known.
    drop(double);
    assert_eq!(ledger::expected(&state, &server, None).unwrap(), Some(id));
    assert_eq!(
        ledger::identify(&state, &server, Some(id))
            .await
            .unwrap()
            .ledger
            .id,
        id
    );
}

#[tokio::test]
async fn a_ledger_that_was_told_is_no_first_use() {
    let double = Double::start();
    let (_folder, state, server, id) = fresh(&double);
    assert_eq!(
        ledger::expected(&state, &server, Some(id)).unwrap(),
        Some(id)
    );
    assert!(
        !ledger::identify(&state, &server, Some(id))
            .await
            .unwrap()
            .first_use
    );
    assert_eq!(state.pinned(server.address()).unwrap(), Some(id));
}

#[tokio::test]
async fn another_ledger_than_the_one_told_is_refused_and_not_pinned() {
    let double = Double::start();
    let (_folder, state, server, id) = fresh(&double);
    let error = ledger::identify(&state, &server, Some(OTHER))
        .await
        .unwrap_err();
    let Error::Wrong {
        given, expected, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!((given, expected), (&id.0.to_hex(), &OTHER.0.to_hex()));
    assert_eq!(state.pinned(server.address()).unwrap(), None);
}

#[tokio::test]
async fn another_ledger_than_the_one_pinned_is_refused_and_the_pin_is_named() {
    let double = Double::start();
    let (_folder, state, server, id) = fresh(&double);
    state.pin(server.address(), OTHER).unwrap();
    let error = ledger::identify(&state, &server, None).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(state.pin_path(server.address()).to_str().unwrap()),
        "{error}"
    );
    assert!(matches!(error, Error::Wrong { .. }));
    assert_eq!(state.pinned(server.address()).unwrap(), Some(OTHER));
    // Configuration and pin contradict each other: nobody is asked.
    double.forget_requests();
    assert!(matches!(
        ledger::expected(&state, &server, Some(id)),
        Err(Error::Wrong { .. })
    ));
    assert!(double.asked().is_empty());
}

#[tokio::test]
async fn a_server_that_later_keeps_another_ledger_is_noticed_when_asked() {
    let double = Double::start();
    let (_folder, state, server, _) = fresh(&double);
    let mut ledger = ledger::identify(&state, &server, None)
        .await
        .unwrap()
        .ledger;
    ledger::confirm(&state, &server, &ledger).await.unwrap();
    ledger.id = OTHER;
    assert!(matches!(
        ledger::confirm(&state, &server, &ledger).await,
        Err(Error::Wrong { .. })
    ));
}

type Change = Box<dyn FnOnce(&mut Value)>;

#[tokio::test]
async fn a_genesis_that_does_not_prove_itself_is_refused() {
    let change = |path: &[&str], with: Value| {
        let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
        move |genesis: &mut Value| {
            let member = path
                .iter()
                .fold(genesis, |value, name| &mut value[name.as_str()]);
            *member = with;
        }
    };
    let other = crate::envelope(1);
    let other: Value = serde_json::from_str(&other.to_json()).unwrap();
    let changes: Vec<(&str, Change)> = vec![
        (
            "another id",
            Box::new(change(&["ledger"], json!(OTHER.0.to_hex()))),
        ),
        ("no id", Box::new(change(&["ledger"], json!("")))),
        (
            "no leaf",
            Box::new(change(&["leaf"], json!(hash::sha256(b"").to_hex()))),
        ),
        (
            "another envelope",
            Box::new(change(&["envelope"], other.clone())),
        ),
        (
            "another payload",
            Box::new(change(&["envelope", "payload"], other["payload"].clone())),
        ),
        (
            "another signature",
            Box::new(change(
                &["envelope", "signatures"],
                other["signatures"].clone(),
            )),
        ),
        ("no envelope", Box::new(change(&["envelope"], json!(null)))),
        (
            "another leaf under its own id",
            Box::new(|genesis: &mut Value| {
                let leaf =
                    genesis["leaf"]
                        .as_str()
                        .unwrap()
                        .replacen("2026-11-09", "2026-11-08", 1);
                genesis["leaf"] = json!(leaf.replacen("8uNn", "9uNn", 1));
                genesis["ledger"] =
                    json!(hash::sha256(genesis["leaf"].as_str().unwrap().as_bytes()).to_hex());
            }),
        ),
    ];
    for (what, change) in changes {
        let double = Double::start();
        let (_folder, state, server, _) = fresh(&double);
        let mut genesis: Value = serde_json::from_str(&double.lock().genesis().body).unwrap();
        change(&mut genesis);
        double.page("/v1/genesis", Reply::json(200, &genesis));
        let error = ledger::identify(&state, &server, None).await.unwrap_err();
        assert!(matches!(error, Error::Unproved { .. }), "{what}: {error}");
        assert_eq!(state.pinned(server.address()).unwrap(), None, "{what}");
    }
}

#[tokio::test]
async fn neither_server_nor_id_is_said_and_keeps_nothing() {
    let double = Double::start();
    let (_folder, state, server, _) = fresh(&double);
    drop(double);
    let error = ledger::identify(&state, &server, None).await.unwrap_err();
    assert!(
        matches!(error, Error::Query(query::Error::Unreachable(_))),
        "{error}"
    );
    assert!(!state.root().join("servers").exists() && !state.root().join("outbox").exists());
}

#[tokio::test]
async fn a_pin_that_was_changed_by_hand_is_said() {
    let double = Double::start();
    let (_folder, state, server, id) = fresh(&double);
    state.pin(server.address(), id).unwrap();
    fs::write(state.pin_path(server.address()), "{}").unwrap();
    let error = ledger::expected(&state, &server, None).unwrap_err();
    assert!(
        matches!(error, Error::State(state::Error::Corrupt { .. })),
        "{error}"
    );
}
