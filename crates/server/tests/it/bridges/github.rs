//! GitHub's webhooks, in every form that becomes something.

use piperoll_core::kind::Content;
use piperoll_server::bridges::{github as mapping, relay::Mapped};
use serde_json::{Value, json};

use super::{ARRIVED, commits, counted, github, github_config, only, sign};

fn repository() -> Value {
    json!({
        "name": "checkout",
        "full_name": "Acme/checkout",
        "html_url": "https://github.com/Acme/checkout",
        "pushed_at": 1_794_000_000,
    })
}
fn pull_request(action: &str, change: impl Fn(&mut Value)) -> Value {
    let mut body = json!({
        "action": action,
        "number": 418,
        "pull_request": {
            "title": "Ask for the postcode first", "body": null, "merged": false, "number": 418,
            "created_at": "2026-11-10T14:02:00Z", "updated_at": "2026-11-10T15:00:00Z",
            "closed_at": null, "merged_at": null,
            "head": {"sha": "3facdc47b231584945b35e2da9c325c7fe448603"},
            "merge_commit_sha": "9000c117777a825081a4a8c7055fe6b7de97f48a",
        },
        "repository": repository(),
        "sender": {"login": "tomas-l", "id": 7},
    });
    change(&mut body);
    body
}

#[test]
fn a_merged_pull_request_binds_its_merge_and_others_do_not() {
    let config = github_config();
    for (action, merged, kind, at, names) in [
        (
            "opened",
            false,
            "change.created",
            "2026-11-10T14:02:00Z",
            &["head"] as &[_],
        ),
        (
            "reopened",
            false,
            "change.created",
            "2026-11-10T15:00:00Z",
            &["head"],
        ),
        (
            "synchronize",
            false,
            "change.updated",
            "2026-11-10T15:00:00Z",
            &["head"],
        ),
        (
            "edited",
            false,
            "change.updated",
            "2026-11-10T15:00:00Z",
            &["head"],
        ),
        (
            "closed",
            true,
            "change.merged",
            "2026-11-11T09:00:00Z",
            &["head", "merge"],
        ),
        // The body does not say when: it is the time it arrived.
        ("closed", false, "change.abandoned", ARRIVED, &["head"]),
    ] {
        let body = pull_request(action, |body| {
            if merged {
                body["pull_request"]["merged"] = json!(true);
                body["pull_request"]["merged_at"] = json!("2026-11-11T09:00:00Z");
            }
        });
        let mapped = github(&config, "pull_request", &body);
        let relay = only(&mapped);
        assert_eq!(relay.draft.content.kind().name(), kind);
        assert_eq!(relay.draft.timestamp.to_string(), at, "{action}");
        let commits = commits(relay);
        let bound: Vec<&str> = commits.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(bound, names, "{action}");
        assert_eq!(
            relay.draft.profile.change.as_deref(),
            Some("github:acme/checkout#418")
        );
        assert_eq!(relay.draft.profile.service.as_deref(), Some("checkout"));
    }
    let labeled = github(&config, "pull_request", &pull_request("labeled", |_| ()));
    assert_eq!(counted(&labeled), "pull_request labeled");
}

#[test]
fn a_body_that_names_nobody_has_no_actor_and_one_of_another_host_says_which() {
    let config = github_config();
    let nobody = pull_request("opened", |body| {
        body.as_object_mut().unwrap().remove("sender");
    });
    assert_eq!(
        only(&github(&config, "pull_request", &nobody))
            .draft
            .profile
            .actor,
        None
    );
    let elsewhere = pull_request("opened", |body| {
        body["repository"]["html_url"] = json!("https://git.acme.example/Acme/checkout");
    });
    let mapped = github(&config, "pull_request", &elsewhere);
    let profile = &only(&mapped).draft.profile;
    assert_eq!(
        profile.change.as_deref(),
        Some("github:git.acme.example/acme/checkout#418")
    );
    assert_eq!(
        only(&mapped).actor.as_ref().unwrap().host,
        "git.acme.example"
    );
}

#[test]
fn words_of_a_body_lose_what_a_ledger_may_not_hold() {
    let body = pull_request("opened", |body| {
        body["pull_request"]["title"] = json!("safe\u{202e}txt.exe");
        body["pull_request"]["body"] = json!(format!("a\r\nb{}", "x".repeat(20_000)));
    });
    let mapped = github(&github_config(), "pull_request", &body);
    let texts = &only(&mapped).draft.texts;
    assert_eq!(texts["summary"], "safe\u{fffd}txt.exe");
    assert!(texts["description"].starts_with("a\nbxxx"));
    assert!(texts["description"].ends_with("[cut by the bridge: 20003 bytes in all]"));
}

fn push(change: impl Fn(&mut Value)) -> Value {
    let commit = |digit: &str| json!({"id": digit.repeat(40)});
    let mut body = json!({
        "ref": "refs/heads/release/4.x",
        "before": "a".repeat(40), "after": "c".repeat(40),
        "created": false, "deleted": false, "forced": false,
        "commits": [commit("b"), commit("c")],
        "repository": repository(),
        "sender": {"id": 7},
    });
    change(&mut body);
    body
}
fn pushed(body: &Value) -> piperoll_core::kind::BranchPushed {
    let mapped = github(&github_config(), "push", body);
    match &only(&mapped).draft.content {
        Content::BranchPushed(content) => content.clone(),
        other => panic!("not a push: {other:?}"),
    }
}

#[test]
fn a_push_lists_its_commits_oldest_first_and_says_when_the_list_is_cut() {
    let mapped = github(&github_config(), "push", &push(|_| ()));
    let relay = only(&mapped);
    assert_eq!(
        relay.draft.subject.as_deref(),
        Some("Acme/checkout@release/4.x")
    );
    assert_eq!(relay.draft.timestamp.as_second(), 1_794_000_000);
    assert_eq!(relay.draft.profile.binds, None);
    let whole = pushed(&push(|_| ()));
    assert_eq!(whole.commits.len(), 2);
    assert_eq!(whole.commits[1], whole.after);
    assert_eq!((whole.forced, whole.truncated), (false, false));

    let long = pushed(&push(|body| {
        let mut commits = vec![json!({"id": "b".repeat(40)}); 1200];
        commits.push(json!({"id": "c".repeat(40)}));
        body["commits"] = json!(commits);
    }));
    assert_eq!(long.commits.len(), 1000);
    assert_eq!(long.commits[999], long.after);
    assert!(long.truncated);
    let cut = pushed(&push(|body| body["after"] = json!("d".repeat(40))));
    assert!(cut.truncated);
    let rewound = pushed(&push(|body| {
        body["forced"] = json!(true);
        body["commits"] = json!([]);
    }));
    assert!(rewound.forced && !rewound.truncated);

    let tag = push(|body| body["ref"] = json!("refs/tags/v1"));
    assert_eq!(counted(&github(&github_config(), "push", &tag)), "push tag");
    // A name that fits no ledger is found when it is signed.
    let long = push(|body| body["ref"] = json!(format!("refs/heads/{}", "x".repeat(240))));
    let received = piperoll_core::time::parse(ARRIVED).unwrap();
    let mapped = mapping::map(
        "push",
        long.to_string().as_bytes(),
        &github_config(),
        received,
    );
    let refusal = sign(only(&mapped.unwrap())).unwrap_err();
    assert!(refusal.detail.contains("200 bytes"));
}

#[test]
fn a_review_is_of_the_commit_it_looked_at() {
    let mut body = pull_request("submitted", |_| ());
    body["review"] = json!({
        "state": "CHANGES_REQUESTED", "body": "Not yet.", "submitted_at": "2026-11-11T08:30:00Z",
        "commit_id": "b".repeat(40),
    });
    let config = github_config();
    let mapped = github(&config, "pull_request_review", &body);
    let relay = only(&mapped);
    assert_eq!(commits(relay), [("head".to_owned(), "b".repeat(40))]);
    assert_eq!(relay.draft.texts["description"], "Not yet.");
    assert_eq!(relay.draft.timestamp.to_string(), "2026-11-11T08:30:00Z");
    body["review"]["state"] = json!("pending");
    let mapped = github(&config, "pull_request_review", &body);
    assert_eq!(counted(&mapped), "pull_request_review submitted");
    body["action"] = json!("edited");
    let mapped = github(&config, "pull_request_review", &body);
    assert_eq!(counted(&mapped), "pull_request_review edited");
}

#[test]
fn deployments_start_and_finish_and_other_states_are_counted() {
    let mut config = github_config();
    config
        .environments
        .insert("prod".to_owned(), "production".to_owned());
    config
        .services
        .insert("acme/checkout".to_owned(), "shop".to_owned());
    let body = |state: &str| {
        json!({
            "action": "created",
            "deployment_status": {"state": state, "environment": "prod", "created_at": "2026-11-13T10:00:00Z"},
            "deployment": {"id": 5502, "sha": "c69eb400e79f067b0493a192bc3e0711640f09eb", "environment": "x"},
            "repository": repository(),
            "sender": {"id": 7},
        })
    };
    for (state, kind) in [
        ("in_progress", "deployment.started"),
        ("success", "deployment.finished"),
        ("failure", "deployment.finished"),
        ("error", "deployment.finished"),
    ] {
        let mapped = github(&config, "deployment_status", &body(state));
        let draft = &only(&mapped).draft;
        assert_eq!(draft.content.kind().name(), kind);
        assert_eq!(
            draft.subject.as_deref(),
            Some("github:acme/checkout/deployments/5502")
        );
        assert_eq!(draft.profile.service.as_deref(), Some("shop"));
        assert_eq!(draft.profile.environment.as_deref(), Some("production"));
        if kind == "deployment.finished" {
            assert_eq!(draft.content.to_value()["outcome"], state);
        }
    }
    for state in ["inactive", "queued", "pending", "waiting"] {
        let mapped = github(&config, "deployment_status", &body(state));
        assert_eq!(counted(&mapped), format!("deployment_status {state}"));
    }
}

#[test]
fn a_release_becomes_one_entry_for_each_asset_with_a_digest() {
    let asset = |name: &str, digest: Value| json!({"name": name, "digest": digest});
    let body = json!({
        "action": "published",
        "release": {
            "tag_name": "v4.12.0+7", "published_at": "2026-11-11T09:05:00Z",
            "assets": [
                asset("checkout.tar.gz", json!(format!("sha256:{}", "4".repeat(64)))),
                asset("notes.txt", Value::Null),
                asset("checkout.sbom.json", json!(format!("sha256:{}", "9".repeat(64)))),
            ],
        },
        "repository": repository(),
        "sender": {"id": 7},
    });
    let mapped = github(&github_config(), "release", &body);
    let Mapped::Events(relays) = &mapped else {
        panic!("not events: {mapped:?}");
    };
    let subjects: Vec<_> = relays
        .iter()
        .map(|relay| (relay.ordinal, relay.draft.subject.clone().unwrap()))
        .collect();
    let purl = |name: &str, digit: &str| {
        format!(
            "pkg:generic/{name}@v4.12.0%2B7?checksum=sha256:{}",
            digit.repeat(64)
        )
    };
    assert_eq!(
        subjects,
        [
            (0, purl("checkout.tar.gz", "4")),
            (1, purl("checkout.sbom.json", "9"))
        ]
    );
    assert_eq!(relays[0].dedupe_key, relays[1].dedupe_key);
    assert_eq!(
        relays[0].draft.profile.aliases,
        ["tag:acme/checkout@v4.12.0+7"]
    );
    assert_eq!(
        commits(&relays[1]),
        [("checkout.sbom.json".to_owned(), "9".repeat(64))]
    );
}

#[test]
fn a_service_is_found_by_the_whole_name_then_by_the_repositorys() {
    let mut config = github_config();
    let service = |config: &_| {
        let mapped = github(config, "push", &push(|_| ()));
        only(&mapped).draft.profile.service.clone().unwrap()
    };
    assert_eq!(service(&config), "checkout");
    config
        .services
        .insert("checkout".to_owned(), "by-name".to_owned());
    assert_eq!(service(&config), "by-name");
    config
        .services
        .insert("acme/checkout".to_owned(), "by-both".to_owned());
    assert_eq!(service(&config), "by-both");
}

#[test]
fn a_body_that_is_not_what_it_claims_is_unreadable_and_an_unknown_one_is_counted() {
    let received = piperoll_core::time::parse(ARRIVED).unwrap();
    let map = |event: &str, body: &[u8]| mapping::map(event, body, &github_config(), received);
    for (event, body) in [
        ("push", json!({})),
        ("push", json!([])),
        (
            "pull_request",
            json!({"action": "opened", "repository": repository()}),
        ),
        (
            "release",
            json!({"action": "published", "repository": repository(), "release": 1}),
        ),
    ] {
        let unreadable = map(event, body.to_string().as_bytes()).unwrap_err();
        assert!(unreadable.0.contains(event), "{unreadable}");
    }
    assert!(map("push", b"payload=%7B%7D").is_err());
    for (event, body, word) in [
        ("ping", json!({"zen": "x"}), "ping"),
        ("star", json!({"action": "created"}), "star created"),
        ("x\u{1b}[31m", json!({}), "x\u{fffd}[31m"),
        (
            "release",
            json!({"action": "edited", "repository": repository()}),
            "release edited",
        ),
    ] {
        assert_eq!(
            counted(&map(event, body.to_string().as_bytes()).unwrap()),
            word
        );
    }
    assert_eq!(
        counted(&map("unheard-of", b"not JSON").unwrap()),
        "unheard-of"
    );
}
