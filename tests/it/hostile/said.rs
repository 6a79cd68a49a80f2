//! What hostile emitters say: as far as the formats let them, and further.

use std::collections::BTreeMap;

use piperoll_core::{
    draft::Draft,
    event::{Bind, Digest, Evidence, Profile},
    kind::{
        ApprovalCreated, ChangeContent, Content, DeploymentFinished, DeploymentStarted, Outcome,
        OverrideDeclared, Repository,
    },
};
use piperoll_tlog::hash::sha256;
use serde_json::{Value, json};

use crate::{
    http,
    ledger::Ledger,
    server::{Bridge, Server},
    signer::Signer,
    webhook::deliver,
};

const MARKUP: &str = "<script>alert(1)</script>";
const ATTRIBUTE: &str = "\" onload=\"alert(1)\" x='><img src=x onerror=alert(1)>";
const FORMAT: &str = "%s%n%00%2e%2e/../`$(id)` ${jndi:x} {{7*7}} \\u001b[31m &lt; &#0;";
/// Allowed in names, and seen by nobody.
const INVISIBLE: &str = "pay\u{200b}ments\u{2028}\u{feff}\u{ad}\u{e0041}";
/// Words of people may hold line feeds and tabs.
const WORDS: &str = "<script>alert(1)</script>\nsecond line\tand \"more\" 'quotes' </td></pre><img src=x onerror=alert(1)>\n\n%s";
/// Escape sequences, bidirectional and control characters: no event of ours may hold them, a webhook may.
const SEQUENCES: &str =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31mred\u{202e}lanimret\u{2066}\r\nforged line\0\u{fffe}";

/// Whether something that shows text does what this character says instead of showing it.
pub(super) fn is_obeyed(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
/// A name as a segment of a path.
pub(super) fn in_a_path(name: &str) -> String {
    let segment = |byte: u8| ['%', digit(byte >> 4), digit(byte & 15)];
    name.bytes().flat_map(segment).collect()
}

fn digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value)])
}

/// A ledger to which all of it was said.
pub(super) struct Hostile {
    pub(super) ledger: Ledger,
    pub(super) server: Server,
    pub(super) github: Bridge,
    pipeline: Signer,
}
impl Hostile {
    pub(super) async fn told() -> Self {
        let ledger = Ledger::found();
        let mut command = ledger.command();
        command
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
            .env("RUST_LOG", "debug");
        let server = Server::start(command);
        let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
        let github = ledger.add_bridge(&server, "github");
        let alertmanager = ledger.add_bridge(&server, "alertmanager");
        let hostile = Self {
            ledger,
            server,
            github,
            pipeline,
        };
        for draft in hostile.drafts() {
            let event = hostile.pipeline.sign(&draft).to_json();
            let (status, answer) = hostile.server.post(&event).await;
            assert_eq!(status, 201, "{answer}");
        }
        hostile.webhooks().await;
        hostile.alerts(&alertmanager).await;
        hostile
    }

    fn draft(
        &self,
        subject: &str,
        content: Content,
        fill: impl FnOnce(&mut Profile),
        texts: &[&str],
    ) -> Draft {
        let mut profile = self.pipeline.profile();
        fill(&mut profile);
        let texts: BTreeMap<String, String> = texts
            .iter()
            .map(|name| ((*name).to_owned(), WORDS.to_owned()))
            .collect();
        Draft {
            texts,
            ..Signer::draft(Some(subject.to_owned()), content, profile)
        }
    }
    fn drafts(&self) -> Vec<Draft> {
        let long = "é".repeat(100);
        let mut drafts = Vec::new();
        for (n, name) in [MARKUP, ATTRIBUTE, FORMAT, INVISIBLE, &long]
            .into_iter()
            .enumerate()
        {
            let head = format!("{n:040x}");
            let bind = move |label: &str| {
                Some(vec![Bind {
                    name: label.to_owned(),
                    digest: Digest::GitCommit(head.clone()),
                }])
            };
            drafts.push(self.change(name, bind("head")));
            drafts.push(self.request(n, name, bind(name)));
            drafts.extend(self.deployment(name, bind(name).as_ref()));
            drafts.push(self.going_round(n, name, bind(name)));
        }
        drafts
    }
    fn change(&self, name: &str, binds: Option<Vec<Bind>>) -> Draft {
        let repository = Repository {
            id: name.to_owned(),
            source: "javascript:alert(1)".to_owned(),
        };
        let content = Content::ChangeCreated(ChangeContent {
            repository,
            description: Some(MARKUP.to_owned()),
        });
        let fill = |profile: &mut Profile| {
            profile.change = Some(name.to_owned());
            profile.service = Some(name.to_owned());
            profile.binds = binds;
            profile.aliases = vec![
                "run:javascript:alert(1)".to_owned(),
                format!("ticket:{}", &sha256(name.as_bytes()).to_hex()[..8]),
            ];
        };
        self.draft(name, content, fill, &["summary", "description"])
    }
    fn request(&self, n: usize, name: &str, binds: Option<Vec<Bind>>) -> Draft {
        let id = format!("01a1c9fa-8180-7d07-b358-407d43a9{n:04}");
        let content = Content::ApprovalCreated(ApprovalCreated {
            approval_details_url: format!("urn:piperoll:approval:{id}"),
            resource_target_url: format!("urn:git:{n:040x}"),
            requestor: self.pipeline.principal.as_str().to_owned(),
        });
        let fill = |profile: &mut Profile| {
            profile.change = Some(name.to_owned());
            profile.service = Some(name.to_owned());
            profile.binds = binds;
            profile.evidence = vec![Evidence {
                uri: "javascript:alert(document.domain)".to_owned(),
                media_type: "text/html".to_owned(),
                digest: Digest::Sha256(sha256(name.as_bytes())),
            }];
        };
        let draft = self.draft(&id, content, fill, &["summary", "users", "risk", "undo"]);
        Draft {
            id: Some(id.clone()),
            ..draft
        }
    }
    fn deployment(&self, name: &str, binds: Option<&Vec<Bind>>) -> [Draft; 2] {
        let started = Content::DeploymentStarted(DeploymentStarted { trigger: None });
        let finished = Content::DeploymentFinished(DeploymentFinished {
            outcome: Outcome::Success,
            trigger: None,
            failure_type: None,
        });
        [started, finished].map(|content| {
            let fill = |profile: &mut Profile| {
                profile.service = Some(name.to_owned());
                profile.environment = Some(name.to_owned());
                profile.binds = binds.cloned();
            };
            self.draft(name, content, fill, &["actor", "reason"])
        })
    }
    fn going_round(&self, n: usize, name: &str, binds: Option<Vec<Bind>>) -> Draft {
        let id = format!("01a1c9fa-8180-7d07-b358-407d43aa{n:04}");
        let content = Content::OverrideDeclared(OverrideDeclared {
            expires_at: "2026-12-24T12:00:00Z".to_owned(),
            gate: Some(name.to_owned()),
            unmet_criteria: Some(vec![name.to_owned()]),
        });
        let fill = |profile: &mut Profile| {
            profile.service = Some(name.to_owned());
            profile.environment = Some(name.to_owned());
            profile.binds = binds;
        };
        let draft = self.draft(&id, content, fill, &["reason"]);
        Draft {
            id: Some(id.clone()),
            ..draft
        }
    }

    async fn webhooks(&self) {
        let repository = json!({"name": "checkout", "full_name": "acme/checkout", "html_url": "https://github.com/acme/checkout"});
        let words = format!("{WORDS}{SEQUENCES}");
        let body = json!({
            "action": "opened", "number": 418, "repository": repository, "sender": {"login": words, "id": 7},
            "pull_request": {
                "number": 418, "title": format!("{MARKUP}{SEQUENCES}"), "body": words, "merged": false,
                "head": {"sha": "3facdc47b231584945b35e2da9c325c7fe448603"}, "created_at": "2026-11-10T14:02:00Z",
            },
        });
        self.delivered("pull_request", &body).await;
        let zero = "0".repeat(40);
        let body = json!({
            "ref": format!("refs/heads/{MARKUP}{SEQUENCES}"), "before": zero, "after": "1".repeat(40),
            "commits": [{"id": "1".repeat(40), "message": words}], "repository": repository, "sender": {"id": 7},
        });
        self.delivered("push", &body).await;
        let body = json!({
            "action": "created", "repository": repository, "sender": {"id": 7},
            "deployment_status": {"state": "success", "environment": format!("{ATTRIBUTE}{SEQUENCES}"), "created_at": "2026-11-13T10:00:00Z"},
            "deployment": {"id": 7, "sha": "1".repeat(40), "environment": "x"},
        });
        self.delivered("deployment_status", &body).await;
        let other = json!({"action": format!("{MARKUP}\n{SEQUENCES}")});
        self.delivered("star", &other).await;
    }
    async fn delivered(&self, event: &str, body: &Value) {
        let (status, answer) = deliver(&self.github, event, body.to_string().as_bytes())
            .await
            .unwrap();
        assert_eq!(status, 200, "{event}: {}", String::from_utf8_lossy(&answer));
    }
    async fn alerts(&self, bridge: &Bridge) {
        let words = format!("{WORDS}{SEQUENCES}");
        let alert = json!({
            "status": "firing", "fingerprint": format!("{MARKUP}{SEQUENCES}"), "startsAt": "2026-11-13T10:05:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "javascript:alert(1)",
            "labels": {"alertname": format!("{MARKUP}{SEQUENCES}"), "service": ATTRIBUTE, "environment": ATTRIBUTE, "severity": SEQUENCES, MARKUP: SEQUENCES},
            "annotations": {"summary": words, "description": words},
        });
        let body = json!({"version": "4", "alerts": [alert]}).to_string();
        let token = format!("Bearer {}", bridge.secret);
        let answer = http::post(
            &bridge.url,
            "application/json",
            &[("authorization", &token)],
            body.into_bytes(),
        )
        .await;
        let (status, answer) = answer.unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    }

    /// What is refused, for the log to tell of: events that hold what none may, webhooks that are none, addresses.
    pub(super) async fn refused_requests(&self) {
        let mut payload: Value =
            serde_json::from_slice(&self.pipeline.deployment(0).payload).unwrap();
        payload["customData"]["piperoll"]["service"] = SEQUENCES.into();
        let event = piperoll_core::draft::sign_payload(
            payload.to_string().into_bytes(),
            BTreeMap::new(),
            &self.pipeline.key,
        );
        assert_eq!(self.server.post(&event.to_json()).await.0, 400);
        payload["customData"]["piperoll"]["service"] = MARKUP.into();
        payload["context"]["type"] = FORMAT.into();
        let event = piperoll_core::draft::sign_payload(
            payload.to_string().into_bytes(),
            BTreeMap::new(),
            &self.pipeline.key,
        );
        assert_eq!(self.server.post(&event.to_json()).await.0, 422);
        let not_a_push = json!({"ref": SEQUENCES}).to_string();
        assert_eq!(
            deliver(&self.github, "push", not_a_push.as_bytes())
                .await
                .unwrap()
                .0,
            400
        );
        // An entry it cannot become, and of which the log tells.
        let too_long = json!({
            "ref": format!("refs/heads/{}{SEQUENCES}", "x".repeat(250)), "before": "0".repeat(40), "after": "1".repeat(40), "commits": [],
            "repository": {"name": SEQUENCES, "full_name": SEQUENCES, "html_url": "https://github.com/acme/checkout"},
        });
        assert_eq!(
            deliver(&self.github, "push", too_long.to_string().as_bytes())
                .await
                .unwrap()
                .0,
            200
        );
        for path in [
            "/v1/changes/%1b%5b2J%0aforged",
            "/bridges/%1b%5b2J%0aforged",
            "/%0a%1b%5b31m",
        ] {
            let answer = http::get(&format!("{}{path}", self.server.url))
                .await
                .unwrap();
            assert!(answer.0 >= 400, "{path}");
        }
    }
}
