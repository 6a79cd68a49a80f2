//! Making events for tests, in the words of the story they tell.

use std::collections::BTreeMap;

use piperoll_core::{
    kind::{BundleElement, bundle_hash},
    time::{self, Timestamp},
};
use piperoll_tlog::hash;
use serde_json::{Value, json};

use crate::models::Told;

pub(crate) const BRIDGE: &str = "urn:piperoll:bridge:github";
pub(crate) const MONITOR: &str = "urn:piperoll:bridge:alertmanager";
pub(crate) const PIPELINE: &str = "urn:piperoll:pipeline:shop-deploy";
pub(crate) const ADMIN: &str = "urn:piperoll:person:aaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const INES: &str = "urn:piperoll:person:baaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const RAVI: &str = "urn:piperoll:person:caaaaaaaaaaaaaaaaaaaaaaaaa";

/// A commit or digest made from a word.
pub(crate) fn commit(word: &str) -> String {
    hash::sha256(word.as_bytes()).to_hex()[..40].to_owned()
}
pub(crate) fn image(word: &str) -> String {
    hash::sha256(format!("image {word}").as_bytes()).to_hex()
}
/// Minutes after the story begins.
pub(crate) fn at(minute: u64) -> Timestamp {
    let start = time::parse("2026-11-09T08:00:00Z").unwrap();
    start + jiff::SignedDuration::from_mins(i64::try_from(minute).unwrap())
}

/// Collects what is told, in order; every event gets its own id.
#[derive(Default)]
pub(crate) struct Teller {
    pub(crate) told: Vec<Told>,
    /// The bundles that were defined, by name.
    pub(crate) manifests: BTreeMap<String, String>,
}
impl Teller {
    /// An event of a kind; `profile` holds what is to be in the profile beside what every event has.
    pub(crate) fn say(
        &mut self,
        (kind, source): (&str, &str),
        minute: u64,
        subject: &str,
        content: &Value,
        profile: &Value,
        texts: &[(&str, &str)],
    ) {
        let kind = piperoll_core::kind::Kind::from_name(kind).unwrap();
        let number = self.told.len();
        let own = matches!(kind.name(), "approval.created" | "override.declared");
        let id = if own {
            subject.to_owned()
        } else {
            format!("{kind:?}-{number}")
        };
        let mut piperoll = json!({
            "profile": 1,
            "ledger": hash::sha256(b"ledger").to_hex(),
            "salt": "AAAAAAAAAAAAAAAAAAAAAA",
        });
        let members = piperoll.as_object_mut().unwrap();
        members.extend(profile.as_object().unwrap().clone());
        if !texts.is_empty() {
            let hashes: serde_json::Map<String, Value> = texts
                .iter()
                .map(|(name, body)| {
                    let hash = hash::sha256(body.as_bytes()).to_hex();
                    ((*name).to_owned(), json!(hash))
                })
                .collect();
            members.insert("texts".to_owned(), Value::Object(hashes));
        }
        if source.contains(":bridge:") {
            let system = if source == BRIDGE {
                "github.com"
            } else {
                "alertmanager"
            };
            members.insert(
                "relayed".to_owned(),
                json!({"system": system, "digest": {"sha256": image("body")}, "auth": "hmac"}),
            );
        }
        let payload = json!({
            "context": {
                "specversion": kind.specversion(),
                "id": id,
                "source": source,
                "type": kind.type_name(),
                "timestamp": at(minute).to_string(),
            },
            "subject": {"id": subject, "content": content},
            "customData": {"piperoll": piperoll},
        });
        let texts: BTreeMap<String, String> = texts
            .iter()
            .map(|(name, body)| ((*name).to_owned(), (*body).to_owned()))
            .collect();
        let told = Told::new(&payload.to_string(), at(minute), texts);
        self.told.push(told);
    }

    pub(crate) fn person(&mut self, urn: &str, name: &str) {
        let said = ("person.described", ADMIN);
        self.say(said, 0, urn, &json!({}), &json!({}), &[("name", name)]);
    }
    /// A merge request of `shop` is opened, merged, …; `binds` are (label, commit).
    pub(crate) fn change(
        &mut self,
        what: &str,
        minute: u64,
        number: u64,
        binds: &[(&str, &str)],
        title: Option<&str>,
    ) {
        let change = format!("github:acme/shop#{number}");
        let binds: Vec<Value> = binds
            .iter()
            .map(|(name, commit)| json!({"name": name, "digest": {"gitCommit": commit}}))
            .collect();
        let texts: Vec<(&str, &str)> = title.map(|title| ("summary", title)).into_iter().collect();
        self.say(
            (what, BRIDGE),
            minute,
            &change,
            &json!({"repository": {"id": "acme/shop", "source": "https://github.com"}}),
            &json!({"change": change, "service": "shop", "binds": binds}),
            &texts,
        );
    }
    /// Commits are pushed to `main`, oldest first.
    pub(crate) fn push(&mut self, minute: u64, before: &str, commits: &[String]) {
        self.push_so(minute, before, commits, (false, false));
    }
    /// The same, `forced` or `truncated`.
    pub(crate) fn push_so(
        &mut self,
        minute: u64,
        before: &str,
        commits: &[String],
        (forced, truncated): (bool, bool),
    ) {
        let listed: Vec<Value> = commits
            .iter()
            .map(|commit| json!({ "gitCommit": commit }))
            .collect();
        self.say(
            ("branch.pushed", BRIDGE),
            minute,
            "acme/shop@main",
            &json!({
                "repository": {"id": "acme/shop", "source": "https://github.com"},
                "branch": "main",
                "before": {"gitCommit": before},
                "after": listed.last().unwrap(),
                "forced": forced,
                "commits": listed,
                "truncated": truncated,
            }),
            &json!({"service": "shop"}),
            &[],
        );
    }
    /// `happened` is a kind and, of what is finished, its outcome, such as `deployment.finished success`.
    pub(crate) fn deploy(
        &mut self,
        source: &str,
        happened: &str,
        minute: u64,
        id: &str,
        environment: &str,
        what: &str,
    ) {
        let mut binds = vec![json!({"name": "commit", "digest": {"gitCommit": commit(what)}})];
        if source == PIPELINE {
            let image = json!({"name": "image", "digest": {"sha256": image(what)}});
            binds.insert(0, image);
        }
        let (kind, outcome) = happened.split_once(' ').unwrap_or((happened, ""));
        let mut content = json!({});
        if !outcome.is_empty() {
            content["outcome"] = json!(outcome);
        }
        if kind.starts_with("rollback") {
            content["trigger"] = json!("manual");
        }
        let profile = json!({"service": "shop", "environment": environment, "binds": binds});
        self.say((kind, source), minute, id, &content, &profile, &[]);
    }
    /// A person decides about an image for production.
    pub(crate) fn decide(&mut self, person: &str, minute: u64, what: &str, decision: &str) {
        self.decide_about(person, minute, &image(what), decision);
    }
    /// The same about a digest.
    pub(crate) fn decide_about(&mut self, person: &str, minute: u64, digest: &str, decision: &str) {
        let place = json!({"service": "shop", "environment": "production"});
        self.decide_for(person, minute, digest, decision, &place);
    }
    /// The same for a place, or for none.
    pub(crate) fn decide_for(
        &mut self,
        person: &str,
        minute: u64,
        digest: &str,
        decision: &str,
        place: &Value,
    ) {
        let request = (format!("request-{}", &digest[..8]), image("request"));
        self.decide_on(&request, person, minute, digest, decision, place);
    }
    /// Approves a digest, as an answer to a request.
    pub(crate) fn answer(
        &mut self,
        person: &str,
        minute: u64,
        request: &(String, String),
        digest: &str,
    ) {
        let place = json!({"service": "shop", "environment": "production"});
        self.decide_on(request, person, minute, digest, "approved", &place);
    }
    /// Approval of an image is asked for; gives the request's id and payload hash.
    pub(crate) fn request(&mut self, minute: u64, what: &str) -> (String, String) {
        let (id, digest) = (format!("request for {what}"), image(what));
        let content = json!({
            "approvalDetailsUrl": format!("urn:piperoll:approval:{id}"),
            "resourceTargetUrl": format!("urn:sha256:{digest}"),
            "requestor": PIPELINE,
        });
        let binds = json!([{"name": "image", "digest": {"sha256": digest}}]);
        let profile = json!({"service": "shop", "environment": "production", "binds": binds});
        let said = ("approval.created", PIPELINE);
        self.say(
            said,
            minute,
            &id,
            &content,
            &profile,
            &[("summary", "What it is.")],
        );
        (id, self.told.last().unwrap().payload_hash.to_hex())
    }
    fn decide_on(
        &mut self,
        (request, hash): &(String, String),
        person: &str,
        minute: u64,
        digest: &str,
        decision: &str,
        place: &Value,
    ) {
        let mut profile = json!({
            "role": "technical-approver",
            "binds": [{"name": "image", "digest": {"sha256": digest}}],
            "approval": {"request": hash, "shown": "shown", "from": []},
        });
        let members = profile.as_object_mut().unwrap();
        members.extend(place.as_object().unwrap().clone());
        self.say(
            ("approval.updated", person),
            minute,
            request,
            &json!({
                "approvalDetailsUrl": format!("urn:piperoll:approval:{request}"),
                "resourceTargetUrl": format!("urn:sha256:{digest}"),
                "responder": person,
                "decision": decision,
            }),
            &profile,
            &[("shown", "What will change.")],
        );
    }
    /// A bundle of images is defined.
    pub(crate) fn bundle(&mut self, name: &str, images: &[String]) {
        let elements: Vec<BundleElement> = images
            .iter()
            .map(|sha256| BundleElement {
                purl: format!("pkg:oci/{sha256}"),
                sha256: sha256.clone(),
            })
            .collect();
        let manifest = bundle_hash(&elements).unwrap().to_hex();
        let bind = json!([{"name": format!("bundle:{name}@1"), "digest": {"sha256": manifest}}]);
        let content = json!({"name": name, "version": "1", "elements": elements});
        let said = ("bundle.defined", PIPELINE);
        self.say(
            said,
            1,
            &format!("{name}@1"),
            &content,
            &json!({"binds": bind}),
            &[],
        );
        self.manifests.insert(name.to_owned(), manifest);
    }
    /// An administrator gives a person the role of a technical approver for some services.
    pub(crate) fn role(&mut self, person: &str, services: &[&str]) {
        let content = json!({"role": "technical-approver", "services": services});
        self.say(
            ("role.granted", ADMIN),
            0,
            person,
            &content,
            &json!({}),
            &[],
        );
    }
    /// The last event was recorded that late.
    pub(crate) fn recorded_at(&mut self, minute: u64) {
        self.told.last_mut().unwrap().recorded_at = at(minute);
    }
    pub(crate) fn alert(&mut self, minute: u64, from: u64, over: bool) {
        let starts = at(from).to_string();
        let mut content = json!({"alertKey": "k", "startsAt": starts, "name": "HighErrorRate"});
        if over {
            content["endsAt"] = json!(at(minute).to_string());
        }
        let kind = if over {
            "alert.resolved"
        } else {
            "alert.fired"
        };
        self.say(
            (kind, MONITOR),
            minute,
            &format!("k@{starts}"),
            &content,
            &json!({"service": "shop", "environment": "production"}),
            &[],
        );
    }
}
