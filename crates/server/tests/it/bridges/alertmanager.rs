//! Alertmanager's webhook.

use std::collections::BTreeMap;

use piperoll_core::time;
use piperoll_server::bridges::{
    alertmanager as mapping,
    config::{Alertmanager, Labels, Names},
    relay::{Mapped, Relay},
};
use serde_json::{Value, json};

use super::{ARRIVED, counted, only, sound};

fn alertmanager_config() -> Alertmanager {
    Alertmanager {
        token: "0123456789abcdef".to_owned(),
        labels: Labels::default(),
        services: Names::new(),
        environments: Names::new(),
    }
}
fn alertmanager(config: &Alertmanager, body: &Value) -> Mapped {
    // The body ends in a line feed.
    let raw = format!("{body}\n");
    let mapped = mapping::map(raw.as_bytes(), config, time::parse(ARRIVED).unwrap());
    sound(mapped.unwrap())
}
fn events(mapped: Mapped) -> Vec<Relay> {
    match mapped {
        Mapped::Events(relays) => relays,
        Mapped::Counted(word) => panic!("counted: {word}"),
    }
}

/// As Alertmanager 0.25.0 sends it.
fn firing() -> Value {
    json!({
        "receiver": "piperoll", "status": "firing", "version": "4", "truncatedAlerts": 0,
        "groupKey": "{}:{alertname=\"HighErrorRate\"}", "externalURL": "http://vm:7492",
        "alerts": [{
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "environment": "prod", "service": "checkout", "severity": "page"},
            "annotations": {"summary": "5xx at 12 %"},
            "startsAt": "2026-11-21T02:13:00Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph?g0.expr=x",
            "fingerprint": "68bc2b403c13dfd3",
        }],
    })
}

#[test]
fn an_alert_fires_and_resolves_under_one_subject() {
    let mut config = alertmanager_config();
    config
        .environments
        .insert("prod".to_owned(), "production".to_owned());
    let fired = alertmanager(&config, &firing());
    let relay = only(&fired);
    let draft = &relay.draft;
    assert_eq!(draft.content.kind().name(), "alert.fired");
    assert_eq!(
        draft.subject.as_deref(),
        Some("68bc2b403c13dfd3@2026-11-21T02:13:00Z")
    );
    assert_eq!(draft.timestamp.to_string(), "2026-11-21T02:13:00Z");
    assert_eq!(draft.profile.service.as_deref(), Some("checkout"));
    assert_eq!(draft.profile.environment.as_deref(), Some("production"));
    assert_eq!(relay.actor, None);
    assert_eq!(
        draft.texts,
        BTreeMap::from([("summary".to_owned(), "5xx at 12 %".to_owned())])
    );
    assert_eq!(
        draft.content.to_value(),
        json!({
            "alertKey": "68bc2b403c13dfd3", "startsAt": "2026-11-21T02:13:00Z", "name": "HighErrorRate", "severity": "page",
            "labels": {"alertname": "HighErrorRate", "environment": "prod", "service": "checkout", "severity": "page"},
            "generatorUrl": "http://prometheus.example/graph?g0.expr=x",
        })
    );
    assert_eq!(
        relay.dedupe_key,
        "68bc2b403c13dfd3\n2026-11-21T02:13:00Z\nfiring"
    );

    let mut over = firing();
    over["alerts"][0]["status"] = json!("resolved");
    over["alerts"][0]["endsAt"] = json!("2026-11-21T02:29:30.5Z");
    over["alerts"][0]["generatorURL"] = json!("");
    let resolved = alertmanager(&config, &over);
    let relay = only(&resolved);
    assert_eq!(relay.draft.content.kind().name(), "alert.resolved");
    assert_eq!(relay.draft.subject, draft.subject);
    assert_eq!(relay.draft.timestamp.to_string(), "2026-11-21T02:29:30.5Z");
    let content = relay.draft.content.to_value();
    assert_eq!(content["endsAt"], "2026-11-21T02:29:30.5Z");
    assert!(content.get("generatorUrl").is_none());
}

#[test]
fn the_same_alert_in_another_group_is_known_by_the_same_key() {
    let config = alertmanager_config();
    let alone = alertmanager(&config, &firing());
    let mut grouped = firing();
    let mut other = grouped["alerts"][0].clone();
    other["fingerprint"] = json!("0000000000000001");
    // The same instant, as a server in another zone writes it.
    grouped["alerts"][0]["startsAt"] = json!("2026-11-21T03:13:00+01:00");
    let first = grouped["alerts"][0].clone();
    grouped["alerts"] = json!([other, first]);
    let grouped = events(alertmanager(&config, &grouped));
    let alone = only(&alone);
    assert_eq!(grouped.len(), 2);
    assert_eq!(grouped[1].dedupe_key, alone.dedupe_key);
    assert_eq!((grouped[1].ordinal, alone.ordinal), (0, 0));
    assert_eq!(grouped[1].draft.timestamp, alone.draft.timestamp);
    assert_ne!(grouped[0].dedupe_key, alone.dedupe_key);
}

#[test]
fn labels_that_are_absent_say_nothing_and_too_many_are_left_out() {
    let mut config = alertmanager_config();
    let mut body = firing();
    body["alerts"][0]["labels"] =
        json!({"alertname": "Ping", "huge": "x".repeat(70_000), "app": "shop-web"});
    body["alerts"][0]["annotations"] = json!({});
    let mapped = alertmanager(&config, &body);
    let draft = &only(&mapped).draft;
    assert_eq!(draft.profile.service, None);
    assert_eq!(draft.profile.environment, None);
    assert!(draft.texts.is_empty());
    assert_eq!(
        draft.content.to_value()["labels"],
        json!({"alertname": "Ping"})
    );

    config.labels.service = "app".to_owned();
    config
        .services
        .insert("shop-web".to_owned(), "checkout".to_owned());
    let mapped = alertmanager(&config, &body);
    assert_eq!(
        only(&mapped).draft.profile.service.as_deref(),
        Some("checkout")
    );
    body["alerts"][0]["status"] = json!("suppressed");
    let mapped = alertmanager(&config, &body);
    assert_eq!(counted(&mapped), "no alert that fires or is resolved");
}

#[test]
fn a_resolved_alert_without_an_end_ended_when_it_was_told() {
    let mut over = firing();
    over["alerts"][0]["status"] = json!("resolved");
    let mapped = alertmanager(&alertmanager_config(), &over);
    assert_eq!(only(&mapped).draft.content.to_value()["endsAt"], ARRIVED);
    let received = time::parse(ARRIVED).unwrap();
    for body in ["", "{}", r#"{"alerts": [{}]}"#] {
        assert!(mapping::map(body.as_bytes(), &alertmanager_config(), received).is_err());
    }
}
