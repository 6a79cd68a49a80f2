//! What others' webhooks become, body by body.

mod alertmanager;
mod github;

use piperoll_core::{
    Hash,
    draft::Draft,
    event::{Digest, Relayed, RelayedAuth},
    name::{self, LedgerId, Principal},
    time,
};
use piperoll_server::bridges::{
    config, github as mapping,
    relay::{Mapped, Relay},
};
use piperoll_tlog::{hash, key::SecretKey};
use serde_json::Value;

/// When every body of these tests arrives.
pub(crate) const ARRIVED: &str = "2026-11-12T20:17:05Z";

pub(crate) fn github_config() -> config::Github {
    config::Github {
        secret: "It's a Secret to Everybody".to_owned(),
        services: config::Names::new(),
        environments: config::Names::new(),
    }
}
pub(crate) fn github(config: &config::Github, event: &str, body: &Value) -> Mapped {
    let raw = body.to_string();
    let mapped = mapping::map(event, raw.as_bytes(), config, time::parse(ARRIVED).unwrap());
    sound(mapped.unwrap())
}
/// Whatever is mapped can be signed as it is.
pub(crate) fn sound(mapped: Mapped) -> Mapped {
    if let Mapped::Events(relays) = &mapped {
        for relay in relays {
            sign(relay).unwrap();
        }
    }
    mapped
}
/// Fills in what signing fills in, and signs.
pub(crate) fn sign(
    relay: &Relay,
) -> Result<piperoll_core::envelope::Envelope, piperoll_core::judge::Refusal> {
    let source = Principal::parse("urn:piperoll:bridge:any").unwrap();
    let mut draft: Draft = relay.draft.clone();
    draft.profile.ledger = Some(LedgerId(Hash([1; 32])));
    draft.profile.relayed = Some(Relayed {
        system: "any".to_owned(),
        digest: Hash([2; 32]),
        auth: RelayedAuth::Hmac,
    });
    draft.profile.actor = relay.actor.is_some().then(|| name::account_urn([3; 16]));
    let mut zeros = |bytes: &mut [u8]| bytes.fill(0);
    draft.sign(&source, &SecretKey::from_seed([6; 32]), &mut zeros)
}
pub(crate) fn only(mapped: &Mapped) -> &Relay {
    match mapped {
        Mapped::Events(relays) if relays.len() == 1 => &relays[0],
        other => panic!("not one event: {other:?}"),
    }
}
pub(crate) fn counted(mapped: &Mapped) -> &str {
    match mapped {
        Mapped::Counted(word) => word,
        Mapped::Events(relays) => panic!("not counted: {relays:?}"),
    }
}
fn body(file: &str) -> Value {
    let root = std::env::var_os("PIPEROLL_TEST_DATA")
        .expect("PIPEROLL_TEST_DATA is not set; it names the folder of test data made by others");
    let path = std::path::Path::new(&root).join("github").join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}
pub(crate) fn commits(mapping: &Relay) -> Vec<(String, String)> {
    let binds = mapping.draft.profile.binds();
    binds
        .iter()
        .map(|bind| match &bind.digest {
            Digest::GitCommit(commit) => (bind.name.clone(), commit.clone()),
            Digest::Sha256(hash) => (bind.name.clone(), hash.to_hex()),
        })
        .collect()
}
/// An entry that a body becomes. What is `None` or empty is what the body does not say.
struct Entry {
    kind: &'static str,
    subject: &'static str,
    time: &'static str,
    change: Option<&'static str>,
    environment: Option<&'static str>,
    commits: &'static [(&'static str, &'static str)],
    actor: Option<&'static str>,
    texts: &'static [&'static str],
    verdict: Option<&'static str>,
}
enum Becomes {
    Entry(Entry),
    Counted(&'static str),
}
const PULL_REQUEST: Entry = Entry {
    kind: "change.created",
    subject: "github:codertocat/hello-world#2",
    time: "2019-05-15T15:20:33Z",
    change: Some("github:codertocat/hello-world#2"),
    environment: None,
    commits: &[("head", "ec26c3e57ca3a959ca5aad62de7213c562f8c821")],
    actor: Some("21031067"),
    texts: &["actor", "description", "summary"],
    verdict: None,
};
/// The ten bodies of GitHub's own examples. All but one organisation's belong to `Codertocat/Hello-World`.
const BODIES: &[(&str, &str, Becomes)] = &[
    (
        "deployment.json",
        "deployment",
        Becomes::Counted("deployment created"),
    ),
    (
        "deployment_review.requested.json",
        "deployment_review",
        Becomes::Counted("deployment_review requested"),
    ),
    (
        "deployment_status.json",
        "deployment_status",
        // It says neither which change nor which artifact, only the commit.
        Becomes::Entry(Entry {
            kind: "deployment.finished",
            subject: "github:codertocat/hello-world/deployments/145988746",
            time: "2019-05-15T15:20:55Z",
            change: None,
            environment: Some("production"),
            commits: &[("commit", "f95f852bd8fca8fcc58a9a2d6c842781e32a215e")],
            actor: Some("21031067"),
            texts: &["actor"],
            verdict: None,
        }),
    ),
    (
        "pull_request.closed.json",
        "pull_request",
        // Not merged: its merge_commit_sha is a trial that reached no branch.
        Becomes::Entry(Entry {
            kind: "change.abandoned",
            time: "2019-05-15T15:21:18Z",
            ..PULL_REQUEST
        }),
    ),
    (
        "pull_request.opened.json",
        "pull_request",
        Becomes::Entry(PULL_REQUEST),
    ),
    (
        "pull_request_review.dismissed.json",
        "pull_request_review",
        Becomes::Entry(Entry {
            kind: "change.reviewed",
            time: "2019-05-15T15:20:38Z",
            texts: &["actor"],
            verdict: Some("Dismissed"),
            ..PULL_REQUEST
        }),
    ),
    (
        "pull_request_review.submitted.json",
        "pull_request_review",
        Becomes::Entry(Entry {
            kind: "change.reviewed",
            time: "2019-05-15T15:20:38Z",
            texts: &["actor"],
            verdict: Some("Commented"),
            ..PULL_REQUEST
        }),
    ),
    ("push.json", "push", Becomes::Counted("push deleted")),
    (
        "release.published.json",
        "release",
        Becomes::Counted("release published"),
    ),
    (
        "workflow_run.completed.json",
        "workflow_run",
        Becomes::Counted("workflow_run completed"),
    ),
];

#[test]
fn each_of_githubs_bodies_becomes_the_entries_of_the_table_or_is_counted() {
    for (file, event, becomes) in BODIES {
        let body = body(file);
        let mapped = github(&github_config(), event, &body);
        let entry = match becomes {
            Becomes::Counted(word) => {
                assert_eq!(counted(&mapped), *word, "{file}");
                continue;
            }
            Becomes::Entry(entry) => entry,
        };
        let relay = only(&mapped);
        let draft = &relay.draft;
        let profile = &draft.profile;
        assert_eq!(draft.content.kind().name(), entry.kind, "{file}");
        assert_eq!(draft.subject.as_deref(), Some(entry.subject), "{file}");
        assert_eq!(draft.timestamp.to_string(), entry.time, "{file}");
        assert_eq!(profile.change.as_deref(), entry.change, "{file}");
        assert_eq!(profile.service.as_deref(), Some("Hello-World"), "{file}");
        assert_eq!(profile.environment.as_deref(), entry.environment, "{file}");
        let actor = relay.actor.as_ref();
        assert_eq!(
            actor.map(|actor| actor.user_id.as_str()),
            entry.actor,
            "{file}"
        );
        assert!(
            actor.is_none_or(|actor| actor.host == "github.com"),
            "{file}"
        );
        let verdict = profile.verdict.map(|verdict| format!("{verdict:?}"));
        assert_eq!(verdict.as_deref(), entry.verdict, "{file}");
        let texts: Vec<&str> = draft.texts.keys().map(String::as_str).collect();
        assert_eq!(texts, entry.texts, "{file}");
        let wanted: Vec<_> = entry
            .commits
            .iter()
            .map(|(name, commit)| ((*name).to_owned(), (*commit).to_owned()))
            .collect();
        assert_eq!(commits(relay), wanted, "{file}");
        assert_eq!(relay.ordinal, 0, "{file}");
        let digest = hash::sha256(body.to_string().as_bytes());
        assert_eq!(relay.dedupe_key, digest.to_hex(), "{file}");
    }
}
