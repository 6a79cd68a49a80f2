//! The bridges' outbox: whatever dies or waits, nothing is lost, doubled or held up.

use std::{sync::Arc, time::Duration};

use piperoll_core::{
    Hash,
    event::{Relayed, RelayedAuth},
    name::{Principal, PrincipalKind},
};
use piperoll_server::{
    api, bridges,
    intake::{Answer, Intake, Unavailable, Wait},
    state::State,
    stop::Stop,
};
use piperoll_store::BridgeRow;
use piperoll_tlog::key::SecretKey;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::{
    http::{Scripted, Served},
    support::{entropy, until},
    webhooks::{delivery, events_from, example_body, github, register, sent, write_bridge},
};

#[tokio::test]
async fn a_bridge_that_dies_between_keeping_and_sending_loses_nothing_and_doubles_nothing() {
    let served = Served::new().await;
    let state = served.state();
    let key = write_bridge(&served, "gh", &github());
    register(&served, "gh", &key).await;
    let body = example_body("pull_request.opened.json");
    let down = served.with(Scripted::new(|_| {
        Err(Unavailable {
            why: "the projector is lost".to_owned(),
            elsewhere: None,
            retry_after_s: 1,
        })
    }));
    let answer = sent(&down, delivery("gh", "pull_request", &body)).await;
    assert_eq!(answer["events"], 1);
    assert_eq!(state.status.now().size, 2, "only the founding and the key");
    let kept = state.store.bridge_unsent(None, 10).await.unwrap();
    assert_eq!(kept.len(), 1);

    // GitHub is asked to deliver it again meanwhile; then the server comes back.
    let answer = sent(&down, delivery("gh", "pull_request", &body)).await;
    assert_eq!(
        (&answer["events"], &answer["known"]),
        (&0.into(), &1.into())
    );
    let (switch, stop) = Stop::new();
    let work = tokio::spawn(bridges::run(state.clone(), stop));
    until(&state.status, |now| now.size == 3).await;
    switch.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(10), work)
        .await
        .unwrap()
        .unwrap();
    let again = sent(
        &api::router(state.clone()),
        delivery("gh", "pull_request", &body),
    )
    .await;
    assert_eq!(again["known"], 1);
    assert_eq!(state.status.now().size, 3);
    assert_eq!(events_from(&state, 2).await.len(), 1);
    served.end().await;
}

#[tokio::test]
async fn what_the_ledger_does_not_take_yet_waits_for_the_keys_registration() {
    let served = Served::new().await;
    let state = served.state();
    let router = api::router(state.clone());
    let key = write_bridge(&served, "gh", &github());
    let body = example_body("pull_request.opened.json");
    sent(&router, delivery("gh", "pull_request", &body)).await;
    assert_eq!(state.store.bridge_unsent(None, 10).await.unwrap().len(), 1);
    register(&served, "gh", &key).await;
    let (switch, stop) = Stop::new();
    let work = tokio::spawn(bridges::run(state.clone(), stop));
    until(&state.status, |now| now.size == 3).await;
    switch.send(true).unwrap();
    work.await.unwrap();
    served.end().await;
}

#[tokio::test]
async fn what_waits_in_the_outbox_holds_up_nothing_behind_it() {
    let served = Served::new().await;
    let state = served.state();
    let unregistered = write_bridge(&served, "nobody", &github());
    let key = write_bridge(&served, "gh", &github());
    let mut rows: Vec<BridgeRow> = Vec::new();
    for (bridge, key, count) in [("nobody", &unregistered, 450), ("gh", &key, 3)] {
        for ordinal in 0..count {
            rows.push(kept_row(&served, bridge, key, ordinal));
        }
    }
    state.store.bridge_keep(&rows).await.unwrap();
    register(&served, "gh", &key).await;
    let (switch, stop) = Stop::new();
    let work = tokio::spawn(bridges::run(state.clone(), stop));
    until(&state.status, |now| now.size == 5).await;
    switch.send(true).unwrap();
    work.await.unwrap();
    served.end().await;
}

/// An envelope in a bridge's outbox, kept a second after the one before.
fn kept_row(served: &Served, bridge: &str, key: &SecretKey, ordinal: u32) -> BridgeRow {
    let body: Value = serde_json::from_slice(&example_body("pull_request.opened.json")).unwrap();
    let at = served.state().clock.now();
    let config = crate::bridges::github_config();
    let mapped = crate::bridges::github(&config, "pull_request", &body);
    let mut draft = crate::bridges::only(&mapped).draft.clone();
    draft.id = Some(format!("{bridge}-{ordinal}"));
    draft.profile.ledger = Some(served.home.founded.ledger);
    draft.profile.relayed = Some(Relayed {
        system: "github".to_owned(),
        digest: Hash([5; 32]),
        auth: RelayedAuth::Hmac,
    });
    let source = Principal::named(PrincipalKind::Bridge, bridge).unwrap();
    let late = i64::from(ordinal) + if bridge == "gh" { 10_000 } else { 0 };
    BridgeRow {
        bridge: bridge.to_owned(),
        dedupe_key: format!("{bridge}-{ordinal}"),
        ordinal: 0,
        at: at
            .checked_add(jiff::SignedDuration::from_secs(late))
            .unwrap(),
        envelope: draft.sign(&source, key, &mut entropy).unwrap().to_json(),
    }
}

/// Remembers what it was handed and answers nothing until it is let go.
struct Gated {
    asked: mpsc::UnboundedSender<Vec<u8>>,
    open: watch::Receiver<bool>,
    inner: Arc<dyn Intake>,
}
#[async_trait::async_trait]
impl Intake for Gated {
    async fn submit(&self, message: Vec<u8>, wait: Wait) -> Result<Answer, Unavailable> {
        self.asked.send(message.clone()).unwrap();
        let mut open = self.open.clone();
        open.wait_for(|open| *open).await.unwrap();
        self.inner.submit(message, wait).await
    }
}

#[tokio::test]
async fn a_look_at_the_outbox_leaves_what_a_webhook_is_delivering_alone() {
    let served = Served::new().await;
    let key = write_bridge(&served, "gh", &github());
    register(&served, "gh", &key).await;
    let (asked, mut asking) = mpsc::unbounded_channel();
    let (gate, open) = watch::channel(false);
    let state = State {
        intake: Arc::new(Gated {
            asked,
            open,
            inner: served.state().intake,
        }),
        ..served.state()
    };
    let router = api::router(state.clone());
    let body = example_body("pull_request.opened.json");
    let webhook = delivery("gh", "pull_request", &body);
    let webhook = tokio::spawn(async move { sent(&router, webhook).await });
    asking.recv().await.unwrap();

    // Another row shows that the look has taken place.
    let other = kept_row(&served, "gh", &key, 1);
    state
        .store
        .bridge_keep(std::slice::from_ref(&other))
        .await
        .unwrap();
    let (switch, stop) = Stop::new();
    let work = tokio::spawn(bridges::run(state.clone(), stop));
    assert_eq!(asking.recv().await.unwrap(), other.envelope.into_bytes());
    gate.send(true).unwrap();
    webhook.await.unwrap();
    until(&state.status, |now| now.size == 4).await;
    switch.send(true).unwrap();
    work.await.unwrap();
    assert!(asking.try_recv().is_err(), "each was handed in once");
    served.end().await;
}
