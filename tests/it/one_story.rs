//! Webhooks and a pipeline that knows only its CI variables speak of one change, whichever comes first.

use std::{path::Path, process::Command};

use piperoll_tlog::{encoding, key::SecretKey};
use serde_json::json;

use crate::{
    ledger::Ledger,
    server::{Bridge, Server},
    webhook,
};

const REPOSITORY: &str = "acme/checkout";
const IMAGE: &str = "sha256:9f2c0000000000000000000000000000000000000000000000000000000000aa";

/// A repository of one merge request over a first commit, and a clone of it as CI makes it: one commit deep.
struct Clone {
    folder: tempfile::TempDir,
    first: String,
    merge: String,
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn shallow_clone() -> Clone {
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("origin");
    std::fs::create_dir(&origin).unwrap();
    git(&origin, &["init", "-q"]);
    git(&origin, &["commit", "-q", "--allow-empty", "-m", "first"]);
    let first = git(&origin, &["rev-parse", "HEAD"]);
    git(
        &origin,
        &[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "Ask for the postcode before the address (#418)",
        ],
    );
    let merge = git(&origin, &["rev-parse", "HEAD"]);
    let address = format!("file://{}", origin.display());
    git(
        folder.path(),
        &["clone", "-q", "--depth", "1", &address, "work"],
    );
    assert_eq!(
        git(
            &folder.path().join("work"),
            &["rev-list", "--count", "HEAD"]
        ),
        "1"
    );
    Clone {
        folder,
        first,
        merge,
    }
}

async fn webhook(bridge: &Bridge, event: &str, body: serde_json::Value) {
    let body = body.to_string().into_bytes();
    let (status, answer) = webhook::deliver(bridge, event, &body).await.unwrap();
    assert!(
        (200..300).contains(&status),
        "{event}: {status} {}",
        String::from_utf8_lossy(&answer)
    );
}

/// The merge request is opened, merged and pushed, as GitHub tells it.
async fn webhooks(bridge: &Bridge, clone: &Clone) {
    let repository = json!({
        "full_name": REPOSITORY, "name": "checkout", "html_url": "https://github.com/acme/checkout", "default_branch": "main",
    });
    let user = json!({"login": "tomas", "id": 4711});
    let pull_request = |merged: bool, at: &str| {
        json!({
            "number": 418, "title": "Ask for the postcode before the address", "body": "", "user": user,
            "merged": merged, "state": if merged { "closed" } else { "open" },
            "head": {"sha": "3facdc47b231584945b35e2da9c325c7fe448603", "ref": "postcode"}, "base": {"ref": "main"},
            "merge_commit_sha": clone.merge, "merged_by": user,
            "created_at": at, "updated_at": at, "merged_at": merged.then_some(at), "closed_at": merged.then_some(at),
            "html_url": "https://github.com/acme/checkout/pull/418",
        })
    };
    for (action, merged, at) in [
        ("opened", false, "2026-11-10T14:02:00Z"),
        ("closed", true, "2026-11-11T09:00:00Z"),
    ] {
        let body = json!({
            "action": action, "number": 418, "pull_request": pull_request(merged, at), "repository": repository, "sender": user,
        });
        webhook(bridge, "pull_request", body).await;
    }
    let commit = json!({"id": clone.merge, "timestamp": "2026-11-11T09:00:00Z", "message": "Ask (#418)", "distinct": true});
    let body = json!({
        "ref": "refs/heads/main", "before": clone.first, "after": clone.merge, "created": false, "deleted": false, "forced": false,
        "commits": [commit], "head_commit": commit, "repository": repository, "sender": user, "pusher": {"name": "tomas"},
    });
    webhook(bridge, "push", body).await;
}

/// `add pipeline`, and its three variables as the snippet gives them.
fn pipeline_variables(ledger: &Ledger, server: &Server) -> Vec<(String, String)> {
    let output = ledger.run(
        &[
            "add",
            "pipeline",
            "checkout-deploy",
            "-s",
            "checkout",
            "-e",
            "production",
            "--data",
            "data",
            "--server",
            &server.url,
        ],
        &[],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for name in ["PIPEROLL_SERVER", "PIPEROLL_LEDGER", "PIPEROLL_KEY"] {
        assert!(
            said.contains(name),
            "the snippet does not name {name}: {said}"
        );
    }
    let begin = said
        .find("-----BEGIN OPENSSH PRIVATE KEY-----")
        .expect("the snippet holds the key to paste");
    let end = said[begin..]
        .find("-----END OPENSSH PRIVATE KEY-----")
        .unwrap()
        + "-----END OPENSSH PRIVATE KEY-----".len();
    let lines: Vec<_> = said[begin..begin + end].lines().map(str::trim).collect();
    let key = lines.join("\n") + "\n";
    let id = encoding::hex(&ledger.id.0.0);
    vec![
        ("PIPEROLL_SERVER".to_owned(), server.url.clone()),
        ("PIPEROLL_LEDGER".to_owned(), id),
        ("PIPEROLL_KEY".to_owned(), key),
    ]
}

fn deploy(ledger: &Ledger, clone: &Clone, variables: &[(String, String)], run: u32) {
    let output = ledger
        .command()
        .args([
            "deploy",
            "run",
            "-s",
            "checkout",
            "-e",
            "production",
            "--artifact",
            IMAGE,
            "--",
            "sh",
            "-c",
            "echo deployed",
        ])
        .current_dir(clone.folder.path().join("work"))
        .envs(variables.iter().cloned())
        .envs([
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_ACTOR", "tomas"),
        ])
        .envs([
            ("GITHUB_REPOSITORY", REPOSITORY),
            ("GITHUB_SHA", &clone.merge),
            ("GITHUB_REF", "refs/heads/main"),
        ])
        .envs([
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        output.stdout, b"deployed\n",
        "the script's own output is untouched"
    );
}

/// The change's story, as a list of what its entries are.
async fn story(server: &Server) -> (serde_json::Value, Vec<String>) {
    let (status, story) = server
        .get("/v1/changes/github%3Aacme%2Fcheckout%23418")
        .await;
    assert_eq!(status, 200, "{story}");
    let (_, log) = server
        .get("/v1/log?change=github%3Aacme%2Fcheckout%23418")
        .await;
    let mut kinds: Vec<_> = log["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    (story, kinds)
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_and_pipeline_land_in_one_story_whichever_comes_first() {
    let clone = shallow_clone();
    for webhooks_first in [true, false] {
        let ledger = Ledger::found();
        let server = ledger.serve();
        let bridge = ledger.add_bridge(&server, "github");
        let variables = pipeline_variables(&ledger, &server);
        if webhooks_first {
            webhooks(&bridge, &clone).await;
            deploy(&ledger, &clone, &variables, 7005);
        } else {
            deploy(&ledger, &clone, &variables, 7005);
            webhooks(&bridge, &clone).await;
        }
        server.wait_for_entry("branch.pushed").await;
        let (story, kinds) = story(&server).await;
        let expected = [
            "branch.pushed",
            "change.created",
            "change.merged",
            "deployment.finished",
            "deployment.started",
        ];
        assert_eq!(
            kinds, expected,
            "webhooks first: {webhooks_first}\n{story:#}"
        );
        let (_, matrix) = server.get("/v1/where").await;
        assert!(
            matrix
                .to_string()
                .contains("Ask for the postcode before the address"),
            "{matrix}"
        );
    }
}

#[test]
fn keys_of_snippets_are_openssh_private_keys() {
    let text =
        piperoll_core::key_file::write(&SecretKey::from_seed([3; 32]), "urn:piperoll:pipeline:x");
    assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
}
