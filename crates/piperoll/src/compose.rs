//! Events from what a person or a pipeline said on the command line: pure, so that the demo and the commands say the same things
//! the same way (`formats.md` sections 2, 3, 7 and 9).

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    draft::Draft,
    event::{Approval, ApprovalFrom, Bind, Digest, Profile},
    kind::{
        ApprovalCreated, ApprovalUpdated, BundleDefined, BundleElement, Content, Decision,
        DeploymentFinished, DeploymentStarted, IncidentContent, Outcome, OverrideDeclared,
        Reference, RollbackFinished, RollbackStarted, Trigger, bundle_hash,
    },
    name::Principal,
    words,
};
use piperoll_tlog::encoding;

use crate::content;

/// What is deployed where, by which run. The same for the start and the finish of one deployment.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// `<run alias>/<service>/<environment>`, or whatever was chosen.
    pub id: String,
    pub service: String,
    pub environment: String,
    pub binds: Vec<Bind>,
    pub change: Option<String>,
    /// `run:<url without scheme>`.
    pub run: Option<String>,
    /// A rollback instead: the binds are what it goes back to.
    pub rollback: bool,
    pub trigger: Option<Trigger>,
    /// Login of who started the run, as a text.
    pub actor: Option<String>,
    pub reason: Option<String>,
}
impl Deployment {
    pub(crate) fn started(&self, at: Timestamp) -> Draft {
        let content = if self.rollback {
            Content::RollbackStarted(RollbackStarted {
                trigger: self.rollback_trigger(),
            })
        } else {
            Content::DeploymentStarted(DeploymentStarted {
                trigger: self.trigger_word(),
            })
        };
        let mut texts = BTreeMap::new();
        // They come from CI variables and commit messages: nothing in them is to keep a deployment from starting.
        for (name, said) in [("actor", &self.actor), ("reason", &self.reason)] {
            if let Some(said) = said {
                texts.insert(name.to_owned(), words::fitting_text(said, "the command"));
            }
        }
        self.draft(at, content, texts)
    }
    pub(crate) fn finished(
        &self,
        at: Timestamp,
        outcome: Outcome,
        failure_type: Option<String>,
    ) -> Draft {
        let content = if self.rollback {
            Content::RollbackFinished(RollbackFinished {
                trigger: self.rollback_trigger(),
                outcome,
            })
        } else {
            Content::DeploymentFinished(DeploymentFinished {
                outcome,
                trigger: self.trigger_word(),
                failure_type,
            })
        };
        self.draft(at, content, BTreeMap::new())
    }
    fn draft(&self, at: Timestamp, content: Content, texts: BTreeMap<String, String>) -> Draft {
        let profile = Profile {
            change: self.change.clone(),
            service: Some(self.service.clone()),
            environment: Some(self.environment.clone()),
            binds: Some(self.binds.clone()),
            aliases: self.run.iter().cloned().collect(),
            ..Profile::default()
        };
        Draft {
            id: None,
            timestamp: at,
            subject: Some(self.id.clone()),
            content,
            profile,
            texts,
        }
    }
    /// Going back is somebody's decision unless it is said to be automatic.
    fn rollback_trigger(&self) -> Trigger {
        self.trigger.unwrap_or(Trigger::Manual)
    }
    fn trigger_word(&self) -> Option<String> {
        self.trigger.map(|trigger| match trigger {
            Trigger::Auto => "auto".to_owned(),
            Trigger::Manual => "manual".to_owned(),
        })
    }
}

/// A request for approval of exact content.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub change: Option<String>,
    /// At least one.
    pub binds: Vec<Bind>,
    pub summary: String,
    pub users: Option<String>,
    pub risk: Option<String>,
    pub undo: Option<String>,
}
impl Request {
    /// `id` becomes the event's own id, which the content cites.
    pub(crate) fn draft(&self, at: Timestamp, id: String, requestor: &Principal) -> Draft {
        let content = ApprovalCreated {
            approval_details_url: approval_urn(&id),
            resource_target_url: self
                .binds
                .first()
                .map(|bind| digest_urn(&bind.digest))
                .unwrap_or_default(),
            requestor: requestor.to_string(),
        };
        let mut texts = BTreeMap::from([("summary".to_owned(), self.summary.clone())]);
        insert(&mut texts, "users", self.users.as_ref());
        insert(&mut texts, "risk", self.risk.as_ref());
        insert(&mut texts, "undo", self.undo.as_ref());
        let profile = Profile {
            change: self.change.clone(),
            service: self.service.clone(),
            environment: self.environment.clone(),
            binds: Some(self.binds.clone()),
            ..Profile::default()
        };
        Draft {
            id: Some(id),
            timestamp: at,
            subject: None,
            content: Content::ApprovalCreated(content),
            profile,
            texts,
        }
    }
}

/// A request as its approver reads it back from the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Its entry.
    pub index: u64,
    pub payload_hash: Hash,
    /// The request's subject, which the decision shares.
    pub subject: String,
    /// What to call whoever asked.
    pub requestor: String,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub change: Option<String>,
    pub binds: Vec<Bind>,
    /// Name to words; a text that is not there is absent.
    pub texts: BTreeMap<String, String>,
}
/// A decision on a request, by a person.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub decision: Decision,
    pub role: String,
    pub comment: Option<String>,
    pub expires: Option<Timestamp>,
    /// What runs now where this would go.
    pub from: Vec<ApprovalFrom>,
}
/// The decision binds the same content as the request and carries, as text, exactly what its signer was shown.
pub(crate) fn decision(
    at: Timestamp,
    asked: &Asked,
    judged: &Judged,
    shown: &str,
    responder: &Principal,
) -> Draft {
    let content = ApprovalUpdated {
        approval_details_url: approval_urn(&asked.subject),
        resource_target_url: asked
            .binds
            .first()
            .map(|bind| digest_urn(&bind.digest))
            .unwrap_or_default(),
        responder: responder.to_string(),
        decision: judged.decision,
    };
    let mut texts = BTreeMap::from([("shown".to_owned(), shown.to_owned())]);
    insert(&mut texts, "comment", judged.comment.as_ref());
    let profile = Profile {
        change: asked.change.clone(),
        service: asked.service.clone(),
        environment: asked.environment.clone(),
        binds: Some(asked.binds.clone()),
        role: Some(judged.role.clone()),
        approval: Some(Approval {
            request: Some(asked.payload_hash),
            shown: "shown".to_owned(),
            policy: None,
            from: judged.from.clone(),
            expires: judged.expires,
        }),
        ..Profile::default()
    };
    let subject = Some(asked.subject.clone());
    Draft {
        id: None,
        timestamp: at,
        subject,
        content: Content::ApprovalUpdated(content),
        profile,
        texts,
    }
}

/// What a role is asked to judge, where the role is one of the usual ones.
fn judges(role: &str) -> Option<&'static str> {
    match role {
        "business-approver" => Some("timing and effect on users; not code or infrastructure"),
        "technical-approver" => Some("code, risk and the way back"),
        _ => None,
    }
}
/// The text that an approver reads, and signs as what they were shown.
pub(crate) fn shown(asked: &Asked, judged: &Judged) -> String {
    let verb = match judged.decision {
        Decision::Approved => "approve",
        Decision::Rejected => "reject",
        Decision::RequestChanges => "ask for changes to",
        Decision::Deferred => "defer",
        Decision::Delegate => "delegate",
        Decision::Escalated => "escalate",
    };
    let place = match (&asked.service, &asked.environment) {
        (Some(service), Some(environment)) => format!("{service} in {environment}"),
        (None, Some(environment)) => environment.clone(),
        (Some(service), None) => service.clone(),
        (None, None) => "nowhere in particular".to_owned(),
    };
    let role = judged.role.replace('-', " ");
    let mut lines = vec![format!("As {role} I {verb}, for {place}:")];
    let mut say = |label: &str, name: &str| {
        if let Some(words) = asked.texts.get(name) {
            lines.push(format!("{label}{words}"));
        }
    };
    say("", "summary");
    say("What users will notice: ", "users");
    say("What may go wrong: ", "risk");
    say("How to undo it: ", "undo");
    lines.push("It covers exactly this content:".to_owned());
    lines.extend(
        asked
            .binds
            .iter()
            .map(|bind| format!("  {}  {}", bind.name, content::show(&bind.digest))),
    );
    for from in &judged.from {
        lines.push(match &from.digest {
            Some(Some(digest)) if asked.binds.iter().any(|bind| bind.digest == *digest) => {
                "That is what runs there already.".to_owned()
            }
            Some(Some(digest)) => format!("It takes the place of {}", content::show(digest)),
            Some(None) => "Nothing runs there yet.".to_owned(),
            None => "What runs there now is not known.".to_owned(),
        });
    }
    if let Some(what) = judges(&judged.role) {
        lines.push(format!("I was asked to judge {what}."));
    }
    if let Some(at) = judged.expires {
        lines.push(format!("My approval lapses at {at}."));
    }
    lines.push(format!(
        "Asked for by {} as record {}.",
        asked.requestor, asked.index
    ));
    lines.join("\n")
}

/// Going on although a rule says no, with the reason.
pub(crate) struct Override {
    pub service: String,
    pub environment: String,
    pub binds: Vec<Bind>,
    pub role: String,
    pub expires: Timestamp,
    pub gate: String,
    pub unmet: Vec<String>,
    pub reason: String,
}
impl Override {
    pub(crate) fn draft(&self, at: Timestamp) -> Draft {
        let content = OverrideDeclared {
            expires_at: self.expires.to_string(),
            gate: Some(self.gate.clone()),
            unmet_criteria: Some(self.unmet.clone()),
        };
        let profile = Profile {
            service: Some(self.service.clone()),
            environment: Some(self.environment.clone()),
            binds: Some(self.binds.clone()),
            role: Some(self.role.clone()),
            ..Profile::default()
        };
        Draft {
            id: None,
            timestamp: at,
            subject: None,
            content: Content::OverrideDeclared(content),
            profile,
            texts: BTreeMap::from([("reason".to_owned(), self.reason.clone())]),
        }
    }
}

/// What a person says of an incident: that it began, or that it is over.
pub(crate) struct Incident {
    pub id: String,
    pub service: String,
    pub environment: String,
    pub words: String,
}
impl Incident {
    pub(crate) fn detected(&self, at: Timestamp) -> Draft {
        self.draft(at, Content::IncidentDetected(self.content()))
    }
    pub(crate) fn resolved(&self, at: Timestamp) -> Draft {
        self.draft(at, Content::IncidentResolved(self.content()))
    }
    fn content(&self) -> IncidentContent {
        let named = |id: &String| Reference {
            id: id.clone(),
            source: None,
        };
        IncidentContent {
            environment: named(&self.environment),
            description: None,
            service: Some(named(&self.service)),
            artifact_id: None,
        }
    }
    fn draft(&self, at: Timestamp, content: Content) -> Draft {
        let profile = Profile {
            service: Some(self.service.clone()),
            environment: Some(self.environment.clone()),
            ..Profile::default()
        };
        Draft {
            id: None,
            timestamp: at,
            subject: Some(self.id.clone()),
            content,
            profile,
            texts: BTreeMap::from([("description".to_owned(), self.words.clone())]),
        }
    }
}

/// Several artifacts that go together. Its one bind is the hash of its manifest; `None` when an element stands there twice.
pub(crate) fn bundle(
    at: Timestamp,
    name: &str,
    version: &str,
    elements: Vec<BundleElement>,
) -> Option<Draft> {
    let bind = bundle_bind(name, version, bundle_hash(&elements)?);
    let profile = Profile {
        binds: Some(vec![bind]),
        ..Profile::default()
    };
    let content = BundleDefined {
        name: name.to_owned(),
        version: version.to_owned(),
        elements,
    };
    Some(Draft {
        id: None,
        timestamp: at,
        subject: Some(format!("{name}@{version}")),
        content: Content::BundleDefined(content),
        profile,
        texts: BTreeMap::new(),
    })
}
pub(crate) fn bundle_bind(name: &str, version: &str, manifest: Hash) -> Bind {
    Bind {
        name: format!("bundle:{name}@{version}"),
        digest: Digest::Sha256(manifest),
    }
}
/// `<run alias>/<service>/<environment>` (`formats.md` section 9).
pub(crate) fn deployment_id(run: &str, service: &str, environment: &str) -> String {
    format!("{run}/{service}/{environment}")
}

/// Where no run names it: `deployment:<32 hex digits>`.
pub(crate) fn random_deployment_id(random: [u8; 16]) -> String {
    format!("deployment:{}", encoding::hex(&random))
}

pub(crate) fn approval_urn(id: &str) -> String {
    format!("urn:piperoll:approval:{id}")
}
pub(crate) fn digest_urn(digest: &Digest) -> String {
    match digest {
        Digest::Sha256(hash) => format!("urn:sha256:{hash}"),
        Digest::GitCommit(commit) => format!("urn:git:{commit}"),
    }
}
fn insert(texts: &mut BTreeMap<String, String>, name: &str, words: Option<&String>) {
    if let Some(words) = words {
        texts.insert(name.to_owned(), words.clone());
    }
}
