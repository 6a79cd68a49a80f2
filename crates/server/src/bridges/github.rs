//! What a GitHub webhook becomes (`formats.md` section 10). Pure.
//!
//! | body | event |
//! |---|---|
//! | `pull_request` opened, reopened · synchronize, edited · closed | `change.created` · `.updated` · `.merged` or `.abandoned` |
//! | `pull_request_review` submitted, dismissed | `change.reviewed` |
//! | `push` to a branch | `branch.pushed` |
//! | `deployment_status` in_progress · success, failure, error | `deployment.started` · `.finished` |
//! | `release` published | `artifact.published`, one for each asset with a digest |
//! | all else | counted |

mod body;

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    draft::Draft,
    event::{Bind, Digest, Profile, ReviewVerdict},
    kind::{
        ArtifactPublished, BranchPushed, ChangeContent, Commit, Content, DeploymentFinished,
        DeploymentStarted, Outcome, Repository,
    },
    limits::COMMITS_COUNT_MAX,
    words::{self, url_segment},
};
use piperoll_tlog::hash;
use serde::de::DeserializeOwned;

use self::body::{Action, Common, DeploymentStatus, PullRequest, Push, Release, Review, Time};
use super::{
    config::Github,
    relay::{Mapped, Relay, Unreadable},
    texts,
};

/// `event` is the header `X-GitHub-Event`, `body` the JSON as it came, `received` the time of arrival.
pub fn map(
    event: &str,
    body: &[u8],
    config: &Github,
    received: Timestamp,
) -> Result<Mapped, Unreadable> {
    let (common, acts) = match read(event, body)? {
        Said::Acts(common, acts) => (common, acts),
        Said::Other(word) => return Ok(Mapped::Counted(word)),
    };
    let dedupe_key = hash::sha256(body).to_hex();
    let service = service(&common, config);
    let login = common
        .sender
        .as_ref()
        .and_then(|sender| sender.login.as_deref());
    let relay = |(ordinal, mut act): (u32, Act)| {
        texts::add(&mut act.texts, "actor", login);
        Relay {
            dedupe_key: dedupe_key.clone(),
            ordinal,
            draft: act.draft(&service, config, received),
            actor: common.actor(),
        }
    };
    Ok(Mapped::Events((0..).zip(acts).map(relay).collect()))
}

/// Our service for a repository: by configuration, else its own name.
fn service(common: &Common, config: &Github) -> String {
    let repository = &common.repository;
    config
        .services
        .get(&repository.full_name.to_lowercase())
        .or_else(|| config.services.get(&repository.name.to_lowercase()))
        .cloned()
        .unwrap_or_else(|| words::clean_string(&repository.name))
}

/// What the body says that somebody did, before names are mapped.
struct Act {
    /// When, if the body says so.
    at: Option<Timestamp>,
    subject: String,
    content: Content,
    /// GitHub's name of the environment.
    environment: Option<String>,
    /// Change, binds, aliases and verdict.
    profile: Profile,
    texts: BTreeMap<String, String>,
}
impl Act {
    fn new(at: Option<&Time>, subject: String, content: Content) -> Self {
        Self {
            at: at.and_then(Time::instant),
            subject,
            content,
            environment: None,
            profile: Profile::default(),
            texts: BTreeMap::new(),
        }
    }
    fn draft(self, service: &str, config: &Github, received: Timestamp) -> Draft {
        let environment = self
            .environment
            .map(|name| config.environments.get(&name).cloned().unwrap_or(name));
        Draft {
            id: None,
            timestamp: self.at.unwrap_or(received),
            subject: Some(self.subject),
            content: self.content,
            profile: Profile {
                service: Some(service.to_owned()),
                environment,
                ..self.profile
            },
            texts: self.texts,
        }
    }
}

/// What a body says.
enum Said {
    /// That somebody did something in a repository.
    Acts(Common, Vec<Act>),
    /// Something that becomes no event; the word to count it under.
    Other(String),
}
fn read(event: &str, body: &[u8]) -> Result<Said, Unreadable> {
    let other = |what: &str| Ok(Said::Other(word(event, what)));
    let known = [
        "pull_request",
        "pull_request_review",
        "push",
        "deployment_status",
        "release",
    ];
    // The body of a push names no action; what is not ours need not even be JSON that we could read.
    let action = match parse::<Action>(event, body) {
        Ok(Action { action }) => action.unwrap_or_default(),
        Err(unreadable) if known.contains(&event) => return Err(unreadable),
        Err(_) => return other(""),
    };
    if !known.contains(&event) {
        return other(&action);
    }
    let common: Common = parse(event, body)?;
    let acts = match event {
        "pull_request" => pull_request(&action, &common, &parse(event, body)?).map(one),
        "pull_request_review" => review(&action, &common, &parse(event, body)?).map(one),
        "push" => push(&common, &parse(event, body)?).map(one),
        "deployment_status" => deployment_status(&common, &parse(event, body)?).map(one),
        _ if action == "published" => release(&common, &parse(event, body)?),
        _ => Err(action.clone()),
    };
    match acts {
        Ok(acts) => Ok(Said::Acts(common, acts)),
        Err(what) => other(&what),
    }
}
fn one(act: Act) -> Vec<Act> {
    vec![act]
}
fn parse<T: DeserializeOwned>(event: &str, body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|error| {
        Unreadable(format!(
            "the body is not that of a webhook {:?}: {error}",
            word(event, "")
        ))
    })
}
/// The word to count a body under. It comes from outside and ends in a metric's label.
fn word(event: &str, what: &str) -> String {
    const CHARS_MAX: usize = 60;
    words::clean_string(format!("{event} {what}").trim())
        .chars()
        .take(CHARS_MAX)
        .collect()
}

/// What a body says, or the word for what it says instead.
type Read<T> = Result<T, String>;

fn commit_bind(name: &str, sha: &str) -> Bind {
    Bind {
        name: name.to_owned(),
        digest: Digest::GitCommit(sha.to_owned()),
    }
}
fn repository(common: &Common) -> Repository {
    Repository {
        id: words::clean_string(&common.repository.full_name),
        source: format!("https://{}", common.host()),
    }
}
fn change_content(common: &Common) -> ChangeContent {
    ChangeContent {
        repository: repository(common),
        description: None,
    }
}
/// An act on a change, which binds `head`.
fn on_change(common: &Common, number: u64, at: Option<&Time>, head: &str, content: Content) -> Act {
    let change = common.change(number);
    let mut act = Act::new(at, change.clone(), content);
    act.profile.change = Some(change);
    act.profile.binds = Some(vec![commit_bind("head", head)]);
    act
}

fn pull_request(action: &str, common: &Common, body: &PullRequest) -> Read<Act> {
    let request = &body.pull_request;
    let merged = request.merged.unwrap_or_default();
    let content = change_content(common);
    let (content, at) = match action {
        "opened" => (Content::ChangeCreated(content), &request.created_at),
        "reopened" => (Content::ChangeCreated(content), &request.updated_at),
        "synchronize" | "edited" => (Content::ChangeUpdated(content), &request.updated_at),
        "closed" if merged => (Content::ChangeMerged(content), &request.merged_at),
        "closed" => (Content::ChangeAbandoned(content), &request.closed_at),
        other => return Err(other.to_owned()),
    };
    let mut act = on_change(common, body.number, at.as_ref(), &request.head.sha, content);
    // Before the merge GitHub names a trial merge here, which never reaches a branch.
    if let (true, Some(merge)) = (merged, &request.merge_commit_sha) {
        let binds = act.profile.binds.get_or_insert_default();
        binds.push(commit_bind("merge", merge));
    }
    texts::add(&mut act.texts, "summary", request.title.as_deref());
    texts::add(&mut act.texts, "description", request.body.as_deref());
    Ok(act)
}

fn review(action: &str, common: &Common, body: &Review) -> Read<Act> {
    let review = &body.review;
    let request = &body.pull_request;
    let state = review.state.to_ascii_lowercase();
    let verdict = match (action, state.as_str()) {
        ("dismissed", _) => ReviewVerdict::Dismissed,
        ("submitted", "approved") => ReviewVerdict::Approved,
        ("submitted", "changes_requested") => ReviewVerdict::ChangesRequested,
        ("submitted", "commented") => ReviewVerdict::Commented,
        (other, _) => return Err(other.to_owned()),
    };
    // A dismissal still bears the time of the review; when it was dismissed stands elsewhere.
    let at = match verdict {
        ReviewVerdict::Dismissed => review.updated_at.as_ref().or(request.updated_at.as_ref()),
        ReviewVerdict::Approved | ReviewVerdict::ChangesRequested | ReviewVerdict::Commented => {
            review.submitted_at.as_ref()
        }
    };
    // What was looked at is the reviewed commit, which need not be the head any more.
    let head = review.commit_id.as_ref().unwrap_or(&request.head.sha);
    let content = Content::ChangeReviewed(change_content(common));
    let mut act = on_change(common, request.number, at, head, content);
    act.profile.verdict = Some(verdict);
    texts::add(&mut act.texts, "description", review.body.as_deref());
    Ok(act)
}

fn push(common: &Common, body: &Push) -> Read<Act> {
    if body.deleted {
        return Err("deleted".to_owned());
    }
    let Some(branch) = body.reference.strip_prefix("refs/heads/") else {
        return Err("tag".to_owned());
    };
    let branch = words::clean_string(branch);
    let commit = |sha: &str| Commit {
        git_commit: sha.to_owned(),
    };
    let repository = repository(common);
    let subject = format!("{}@{branch}", repository.id);
    // GitHub cuts long lists too; then the last one is not the new head.
    let listed = &body.commits;
    let is_cut = listed.last().is_some_and(|last| last.id != body.after);
    let skipped = listed.len().saturating_sub(COMMITS_COUNT_MAX);
    let content = BranchPushed {
        repository,
        branch,
        before: commit(&body.before),
        after: commit(&body.after),
        forced: body.forced,
        // The newest: a deployment is looked for from the new end.
        commits: listed[skipped..]
            .iter()
            .map(|listed| commit(&listed.id))
            .collect(),
        truncated: skipped > 0 || is_cut,
    };
    let at = common.repository.pushed_at.as_ref();
    Ok(Act::new(at, subject, Content::BranchPushed(content)))
}

fn deployment_status(common: &Common, body: &DeploymentStatus) -> Read<Act> {
    let status = &body.deployment_status;
    let finished = |outcome| {
        Content::DeploymentFinished(DeploymentFinished {
            outcome,
            trigger: None,
            failure_type: None,
        })
    };
    let content = match status.state.as_str() {
        "in_progress" => Content::DeploymentStarted(DeploymentStarted { trigger: None }),
        "success" => finished(Outcome::Success),
        "failure" => finished(Outcome::Failure),
        "error" => finished(Outcome::Error),
        other => return Err(other.to_owned()),
    };
    let deployment = &body.deployment;
    let subject = format!("{}/deployments/{}", common.prefix(), deployment.id);
    let mut act = Act::new(status.created_at.as_ref(), subject, content);
    let environment = status
        .environment
        .as_ref()
        .unwrap_or(&deployment.environment);
    act.environment = Some(words::clean_string(environment));
    act.profile.binds = Some(vec![commit_bind("commit", &deployment.sha)]);
    Ok(act)
}

fn release(common: &Common, body: &Release) -> Read<Vec<Act>> {
    let release = &body.release;
    let tag = words::clean_string(&release.tag_name);
    let published = |asset: &body::Asset| {
        let digest = asset.digest.as_deref()?.strip_prefix("sha256:")?;
        let digest = Hash::from_hex(digest)?;
        let name = words::clean_string(&asset.name);
        let subject = format!(
            "pkg:generic/{}@{}?checksum=sha256:{digest}",
            url_segment(&name),
            url_segment(&tag)
        );
        let content = Content::ArtifactPublished(ArtifactPublished {
            sbom: None,
            user: None,
        });
        let mut act = Act::new(release.published_at.as_ref(), subject, content);
        act.profile.binds = Some(vec![Bind {
            name,
            digest: Digest::Sha256(digest),
        }]);
        act.profile.aliases = vec![format!("tag:{}@{tag}", common.path())];
        Some(act)
    };
    let acts: Vec<Act> = release.assets.iter().filter_map(published).collect();
    if acts.is_empty() {
        return Err("published".to_owned());
    }
    Ok(acts)
}
