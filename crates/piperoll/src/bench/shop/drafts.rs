//! What is said of a change, event by event. Time, ledger and signature come later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_core::{
    draft::Draft,
    event::{Bind, Digest, Evidence, Profile, Relayed, RelayedAuth, ReviewVerdict},
    kind::{
        Alert, ArtifactPublished, BranchPushed, ChangeContent, Commit, Content, IncidentContent,
        OverrideDeclared, Reference, ServiceContent, Trigger,
    },
    name::account_urn,
};
use piperoll_tlog::hash;

use super::{Change, PRODUCTION, STAGING, commit_bind, image_bind};
use crate::{
    bench::emitters::{BUSINESS, TECHNICAL},
    compose::{self, Deployment, Request},
};

impl Change {
    pub(super) fn content(&self) -> ChangeContent {
        ChangeContent {
            repository: self.repository(),
            description: None,
        }
    }
    /// Of the merge request, as the code host tells.
    pub(super) fn of_request(&self, content: Content) -> Draft {
        let reviewed = matches!(content, Content::ChangeReviewed(_));
        let mut binds = vec![commit_bind("head", self.head())];
        if matches!(content, Content::ChangeMerged(_)) {
            binds.push(commit_bind("merge", self.merge()));
        }
        let profile = Profile {
            change: Some(self.id()),
            binds: Some(binds),
            aliases: vec![self.ticket()],
            actor: Some(self.account()),
            verdict: reviewed.then_some(ReviewVerdict::Approved),
            relayed: Some(self.relayed("github.com", content.kind().name())),
            ..Profile::default()
        };
        draft(Some(self.id()), content, profile)
    }
    pub(super) fn opened(&self) -> Draft {
        let mut draft = self.of_request(Content::ChangeCreated(self.content()));
        draft.texts.insert("summary".to_owned(), self.title());
        draft
    }
    pub(super) fn pushed(&self) -> Draft {
        let commit = |hash: String| Commit { git_commit: hash };
        let repository = self.repository();
        let subject = format!("{}@main", repository.id);
        let content = Content::BranchPushed(BranchPushed {
            repository,
            branch: "main".to_owned(),
            before: commit(self.before()),
            after: commit(self.merge()),
            forced: false,
            commits: vec![commit(self.head()), commit(self.merge())],
            truncated: false,
        });
        let profile = Profile {
            actor: Some(self.account()),
            relayed: Some(self.relayed("github.com", "branch.pushed")),
            ..Profile::default()
        };
        draft(Some(subject), content, profile)
    }
    pub(super) fn published(&self) -> Draft {
        let image = self.image();
        let content = Content::ArtifactPublished(ArtifactPublished {
            sbom: None,
            user: None,
        });
        let profile = Profile {
            binds: Some(self.binds()),
            aliases: vec![self.run(STAGING)],
            evidence: vec![Evidence {
                uri: format!(
                    "https://ci.acme.example/{}/sbom/{image}.spdx.json",
                    self.service
                ),
                media_type: "application/spdx+json".to_owned(),
                digest: Digest::Sha256(self.hash("sbom", self.request)),
            }],
            ..Profile::default()
        };
        draft(Some(self.purl()), content, profile)
    }
    pub(super) fn deployment(&self, environment: &str) -> Deployment {
        let run = self.run(environment);
        Deployment {
            id: compose::deployment_id(&run, self.service, environment),
            service: self.service.to_owned(),
            environment: environment.to_owned(),
            binds: self.binds(),
            change: None,
            run: Some(run),
            rollback: false,
            trigger: None,
            actor: Some("tomas-l".to_owned()),
            reason: None,
        }
    }
    /// A run of its own that brings back what was there before.
    pub(super) fn way_back(&self) -> Deployment {
        let run = self.run("back");
        Deployment {
            id: compose::deployment_id(&run, self.service, PRODUCTION),
            run: Some(run),
            rollback: true,
            binds: vec![
                image_bind(self.image_before()),
                commit_bind("commit", self.before()),
            ],
            trigger: Some(Trigger::Manual),
            reason: Some("orders fail since the last deployment".to_owned()),
            ..self.deployment(PRODUCTION)
        }
    }
    /// The same deployment as the cluster sees it.
    pub(super) fn seen_running(&self, environment: &str) -> Draft {
        let content = Content::ServiceDeployed(ServiceContent {
            environment: reference(environment),
            artifact_id: self.purl(),
        });
        let profile = Profile {
            environment: Some(environment.to_owned()),
            binds: Some(self.binds()),
            relayed: Some(self.relayed("argo-cd.acme.example", environment)),
            ..self.of_service()
        };
        draft(Some(self.service.to_owned()), content, profile)
    }
    pub(super) fn approval_request(&self) -> Request {
        Request {
            service: Some(self.service.to_owned()),
            environment: Some(PRODUCTION.to_owned()),
            change: None,
            binds: self.binds(),
            summary: self.title(),
            users: Some(
                "People who order see one field more, and the price of delivery before they pay."
                    .to_owned(),
            ),
            risk: None,
            undo: None,
        }
    }
    pub(super) fn overridden(&self, until: Timestamp) -> Draft {
        let content = Content::OverrideDeclared(OverrideDeclared {
            expires_at: until.to_string(),
            gate: Some("approval".to_owned()),
            unmet_criteria: Some(vec![TECHNICAL.to_owned()]),
        });
        let profile = Profile {
            binds: Some(self.binds()),
            role: Some(BUSINESS.to_owned()),
            ..self.in_production()
        };
        let mut draft = draft(None, content, profile);
        let words = "Orders fail, and the second approver is on a train.";
        draft.texts.insert("reason".to_owned(), words.to_owned());
        draft
    }
    /// The alert that began at `from`; over, if `to` says when.
    pub(super) fn alert(&self, from: Timestamp, to: Option<Timestamp>) -> Draft {
        let key = hash::sha256(self.id().as_bytes()).to_hex()[..16].to_owned();
        let subject = format!("{key}@{from}");
        let alert = Alert {
            alert_key: key,
            starts_at: from.to_string(),
            ends_at: to.map(|to| to.to_string()),
            name: Some("HighErrorRate".to_owned()),
            severity: Some("page".to_owned()),
            labels: Some(self.labels()),
            generator_url: Some(format!(
                "https://prometheus.acme.example/graph?g0.expr=rate(errors_total%7Bservice%3D%22{}%22%7D%5B5m%5D)",
                self.service
            )),
        };
        let content = match to {
            None => Content::AlertFired(alert),
            Some(_) => Content::AlertResolved(alert),
        };
        let mut draft = draft(Some(subject), content, self.in_production());
        let words = "More than 5 % of requests fail";
        draft.texts.insert("summary".to_owned(), words.to_owned());
        draft
    }
    pub(super) fn incident(&self, detected: bool) -> Draft {
        let content = IncidentContent {
            environment: reference(PRODUCTION),
            description: None,
            service: Some(reference(self.service)),
            artifact_id: Some(self.purl()),
        };
        let content = if detected {
            Content::IncidentDetected(content)
        } else {
            Content::IncidentResolved(content)
        };
        let profile = Profile {
            binds: Some(vec![image_bind(self.image())]),
            ..self.in_production()
        };
        draft(Some(format!("INC-{}", self.number)), content, profile)
    }

    fn purl(&self) -> String {
        format!("pkg:oci/{}@sha256%3A{}", self.service, self.image())
    }
    fn binds(&self) -> Vec<Bind> {
        vec![
            image_bind(self.image()),
            commit_bind("commit", self.merge()),
        ]
    }
    fn of_service(&self) -> Profile {
        Profile {
            service: Some(self.service.to_owned()),
            ..Profile::default()
        }
    }
    fn in_production(&self) -> Profile {
        Profile {
            environment: Some(PRODUCTION.to_owned()),
            ..self.of_service()
        }
    }
    fn relayed(&self, system: &str, what: &str) -> Relayed {
        Relayed {
            system: system.to_owned(),
            digest: self.hash(what, self.request),
            auth: RelayedAuth::Hmac,
        }
    }
    fn account(&self) -> String {
        account_urn([u8::try_from(self.number % 16).expect("below sixteen"); 16])
    }
    fn labels(&self) -> BTreeMap<String, String> {
        [
            ("alertname", "HighErrorRate"),
            ("service", self.service),
            ("environment", PRODUCTION),
            ("cluster", "eu-central-1"),
            ("team", "shop"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}
fn draft(subject: Option<String>, content: Content, profile: Profile) -> Draft {
    Draft {
        id: None,
        timestamp: Timestamp::UNIX_EPOCH,
        subject,
        content,
        profile,
        texts: BTreeMap::new(),
    }
}
fn reference(id: &str) -> Reference {
    Reference {
        id: id.to_owned(),
        source: None,
    }
}
