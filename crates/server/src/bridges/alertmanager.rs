//! What Alertmanager's webhooks become (`formats.md` section 10): `alert.fired` and `alert.resolved`, one for each alert.
//!
//! Alertmanager groups alerts anew in every notification, so an alert is known by fingerprint, start and status, never by its
//! place in a body. It sends no id and no signature of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_core::{
    draft::Draft,
    event::Profile,
    kind::{Alert, Content},
    words,
};
use serde::Deserialize;

use super::{
    config::{Alertmanager, Names},
    relay::{Mapped, Relay, Unreadable},
    texts,
};

/// Most bytes of labels an event carries: with more it would not fit a payload. The ones we know stay.
const LABELS_BYTES_MAX: usize = 16 * 1024;

/// The members that we read.
#[derive(Deserialize)]
struct Body {
    alerts: Vec<Sent>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// `body` is the JSON as it came, `received` the time of arrival.
pub fn map(body: &[u8], config: &Alertmanager, received: Timestamp) -> Result<Mapped, Unreadable> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|error| Unreadable(format!("the body is not Alertmanager's: {error}")))?;
    let relays: Vec<Relay> = body
        .alerts
        .iter()
        .filter_map(|sent| relay(sent, config, received))
        .collect();
    if relays.is_empty() {
        return Ok(Mapped::Counted(
            "no alert that fires or is resolved".to_owned(),
        ));
    }
    Ok(Mapped::Events(relays))
}

/// `None` for a status that is neither firing nor resolved.
fn relay(sent: &Sent, config: &Alertmanager, received: Timestamp) -> Option<Relay> {
    let starts_at = sent.starts_at.to_string();
    let key = words::clean_string(&sent.fingerprint);
    let mut alert = Alert {
        alert_key: key.clone(),
        starts_at: starts_at.clone(),
        ends_at: None,
        name: label(sent, "alertname"),
        severity: label(sent, "severity"),
        labels: Some(labels(sent, config)).filter(|labels| !labels.is_empty()),
        generator_url: Some(words::clean_string(&sent.generator_url)).filter(|url| !url.is_empty()),
    };
    let (at, content) = match sent.status.as_str() {
        "firing" => (sent.starts_at, Content::AlertFired(alert)),
        "resolved" => {
            // A firing alert ends in the year 1, and so might one that is over without saying when.
            let ends_at = sent
                .ends_at
                .filter(|ends_at| *ends_at >= sent.starts_at)
                .unwrap_or(received);
            alert.ends_at = Some(ends_at.to_string());
            (ends_at, Content::AlertResolved(alert))
        }
        _ => return None,
    };
    let named = |name: &str, ours: &Names| {
        label(sent, name).map(|value| ours.get(&value).cloned().unwrap_or(value))
    };
    let mut texts = BTreeMap::new();
    for name in ["summary", "description"] {
        let words = sent.annotations.get(name).map(String::as_str);
        texts::add(&mut texts, name, words);
    }
    Some(Relay {
        dedupe_key: format!("{}\n{starts_at}\n{}", sent.fingerprint, sent.status),
        ordinal: 0,
        draft: Draft {
            id: None,
            timestamp: at,
            subject: Some(format!("{key}@{starts_at}")),
            content,
            profile: Profile {
                service: named(&config.labels.service, &config.services),
                environment: named(&config.labels.environment, &config.environments),
                ..Profile::default()
            },
            texts,
        },
        actor: None,
    })
}
fn label(sent: &Sent, name: &str) -> Option<String> {
    sent.labels
        .get(name)
        .map(|value| words::clean_string(value))
        .filter(|value| !value.is_empty())
}
fn labels(sent: &Sent, config: &Alertmanager) -> BTreeMap<String, String> {
    let bytes: usize = sent
        .labels
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    let ours = [
        "alertname",
        "severity",
        &config.labels.service,
        &config.labels.environment,
    ];
    sent.labels
        .iter()
        .filter(|(name, _)| bytes <= LABELS_BYTES_MAX || ours.contains(&name.as_str()))
        .map(|(name, value)| (words::clean_string(name), words::clean_string(value)))
        .collect()
}
