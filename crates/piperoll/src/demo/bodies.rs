//! What the shop's code host and monitor post, shaped like the real bodies and made by us. Only what people and bridges read is
//! filled in with care.

use jiff::Timestamp;
use piperoll_tlog::{encoding, hash::sha256};
use serde_json::{Value, json};

use super::story::{ALERT, Change, Person};

/// Where a service's repository lies.
pub(super) fn repository_of(service: &str) -> String {
    format!("acme/{service}")
}
/// A digest that begins as the story says; the rest follows from what it is of.
fn hex(begin: &str, what: &str, length: usize) -> String {
    let rest = encoding::hex(sha256(what.as_bytes()).as_bytes());
    format!("{begin}{rest}")[..length].to_owned()
}
/// SHA-256 of the image built from a change.
pub(super) fn image(change: &Change) -> String {
    hex(change.image, &format!("image {}", change.number), 64)
}
/// The commit by which a change was merged.
pub(super) fn merge_commit(change: &Change) -> String {
    hex(
        change.commit,
        &format!("merge {} {}", change.service, change.number),
        40,
    )
}
fn head_commit(change: &Change) -> String {
    hex(
        "",
        &format!("head {} {}", change.service, change.number),
        40,
    )
}
/// What stood on a service's branch before the week.
pub(super) fn base_commit(service: &str) -> String {
    hex("", &format!("base {service}"), 40)
}

fn user(person: &Person) -> Value {
    let (login, id) = person.login.unwrap_or(("ghost", 10_137));
    json!({
        "login": login,
        "id": id,
        "url": format!("https://api.github.com/users/{login}"),
        "html_url": format!("https://github.com/{login}"),
        "type": "User",
        "site_admin": false,
    })
}
fn repository(service: &str) -> Value {
    let full_name = repository_of(service);
    json!({
        "id": 186_853_000 + u64::from(service.bytes().map(u32::from).sum::<u32>()),
        "name": service,
        "full_name": full_name,
        "private": true,
        "owner": { "login": "acme", "id": 21_031, "type": "Organization" },
        "html_url": format!("https://github.com/{full_name}"),
        "url": format!("https://api.github.com/repos/{full_name}"),
        "default_branch": "main",
        "visibility": "private",
    })
}
fn pull_request(
    change: &Change,
    author: &Person,
    opened: Timestamp,
    at: Timestamp,
    merged_by: Option<&Person>,
) -> Value {
    let full_name = repository_of(change.service);
    let number = change.number;
    let merged = merged_by.is_some();
    json!({
        "id": 279_147_000 + u64::from(number),
        "number": number,
        "url": format!("https://api.github.com/repos/{full_name}/pulls/{number}"),
        "html_url": format!("https://github.com/{full_name}/pull/{number}"),
        "state": if merged { "closed" } else { "open" },
        "locked": false,
        "title": change.title,
        "body": null,
        "user": user(author),
        "draft": false,
        "created_at": opened.to_string(),
        "updated_at": at.to_string(),
        "closed_at": merged.then(|| at.to_string()),
        "merged_at": merged.then(|| at.to_string()),
        "merged": merged,
        "merged_by": merged_by.map(user),
        "merge_commit_sha": merged.then(|| merge_commit(change)),
        "head": { "ref": format!("change-{number}"), "sha": head_commit(change), "label": format!("acme:change-{number}") },
        "base": { "ref": "main", "sha": base_commit(change.service), "label": "acme:main" },
        "commits": 1,
    })
}
pub(super) fn opened(change: &Change, author: &Person, at: Timestamp) -> Value {
    json!({
        "action": "opened",
        "number": change.number,
        "pull_request": pull_request(change, author, at, at, None),
        "repository": repository(change.service),
        "sender": user(author),
    })
}
pub(super) fn merged(change: &Change, author: &Person, opened: Timestamp, at: Timestamp) -> Value {
    json!({
        "action": "closed",
        "number": change.number,
        "pull_request": pull_request(change, author, opened, at, Some(author)),
        "repository": repository(change.service),
        "sender": user(author),
    })
}
pub(super) fn reviewed(
    change: &Change,
    author: &Person,
    reviewer: &Person,
    opened: Timestamp,
    at: Timestamp,
) -> Value {
    json!({
        "action": "submitted",
        "review": {
            "id": 237_895_000 + u64::from(change.number),
            "user": user(reviewer),
            "body": null,
            "commit_id": head_commit(change),
            "submitted_at": at.to_string(),
            "state": "approved",
            "html_url": format!("https://github.com/{}/pull/{}#pullrequestreview", repository_of(change.service), change.number),
        },
        "pull_request": pull_request(change, author, opened, at, None),
        "repository": repository(change.service),
        "sender": user(reviewer),
    })
}
/// The push that follows a merge: one squashed commit.
pub(super) fn pushed(change: &Change, author: &Person, before: &str, at: Timestamp) -> Value {
    let after = merge_commit(change);
    let name = json!({ "name": author.name, "email": author.email, "username": author.login.map(|(login, _)| login) });
    let commit = json!({
        "id": after,
        "tree_id": hex("", &format!("tree {}", change.number), 40),
        "distinct": true,
        "message": format!("{} (#{})", change.title, change.number),
        "timestamp": at.to_string(),
        "url": format!("https://github.com/{}/commit/{after}", repository_of(change.service)),
        "author": name,
        "committer": name,
        "added": [],
        "removed": [],
        "modified": ["src/main.rs"],
    });
    json!({
        "ref": "refs/heads/main",
        "before": before,
        "after": after,
        "created": false,
        "deleted": false,
        "forced": false,
        "base_ref": null,
        "compare": format!("https://github.com/{}/compare/{}...{}", repository_of(change.service), &before[..12], &after[..12]),
        "commits": [commit],
        "head_commit": commit,
        "repository": repository(change.service),
        "pusher": { "name": author.login.map(|(login, _)| login), "email": author.email },
        "sender": user(author),
    })
}
/// `state` is GitHub's, such as `in_progress` or `success`.
pub(super) fn deployment_status(
    change: &Change,
    creator: &Person,
    id: u64,
    environment: &str,
    state: &str,
    at: Timestamp,
) -> Value {
    let url = format!(
        "https://api.github.com/repos/{}/deployments/{id}",
        repository_of(change.service)
    );
    json!({
        "action": "created",
        "deployment_status": {
            "id": 209_916_000 + id,
            "url": format!("{url}/statuses/{}", 209_916_000 + id),
            "state": state,
            "creator": user(creator),
            "description": "",
            "environment": environment,
            "target_url": "",
            "created_at": at.to_string(),
            "updated_at": at.to_string(),
            "deployment_url": url,
        },
        "deployment": {
            "id": id,
            "url": url,
            "sha": merge_commit(change),
            "ref": "main",
            "task": "deploy",
            "payload": {},
            "original_environment": environment,
            "environment": environment,
            "description": null,
            "creator": user(creator),
            "created_at": at.to_string(),
            "updated_at": at.to_string(),
        },
        "repository": repository(change.service),
        "sender": user(creator),
    })
}

/// A notification of Alertmanager, version 4 of its format. `ended` is when a resolved alert was over.
pub(super) fn alert(started: Timestamp, ended: Option<Timestamp>) -> Value {
    let labels = json!({
        "alertname": ALERT.name,
        "service": ALERT.service,
        "environment": ALERT.environment,
        "severity": ALERT.severity,
    });
    let annotations = json!({ "summary": ALERT.summary });
    let status = if ended.is_some() {
        "resolved"
    } else {
        "firing"
    };
    json!({
        "receiver": "piperoll",
        "status": status,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": started.to_string(),
            "endsAt": ended.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
            "generatorURL": "https://prometheus.acme.example/graph?g0.expr=errors",
            "fingerprint": &encoding::hex(sha256(ALERT.name.as_bytes()).as_bytes())[..16],
        }],
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "https://alertmanager.acme.example",
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"{}\"}}", ALERT.name),
        "truncatedAlerts": 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::story::CHANGES;

    #[test]
    fn contents_begin_as_the_story_says_and_no_two_are_the_same() {
        let mut all = std::collections::BTreeSet::new();
        for change in &CHANGES {
            let (image, commit) = (image(change), merge_commit(change));
            assert!(image.starts_with(change.image) && commit.starts_with(change.commit));
            assert!(image.len() == 64 && commit.len() == 40);
            assert!(all.insert(image) && all.insert(commit) && all.insert(head_commit(change)));
        }
    }
}
