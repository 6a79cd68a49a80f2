//! What was typed for `emit`: what it lacks, and the event it makes.

use std::{collections::BTreeMap, fmt::Write};

use jiff::Timestamp;
use piperoll_core::{
    draft::Draft,
    event::{Bind, Evidence, Profile, ReviewVerdict},
    kind::{BundleElement, Content, Kind, bundle_hash},
    shape::Shape,
};
use serde_json::{Map, Value, json};

use super::needs;
use crate::{
    ci::Run,
    compose,
    content::{self, ContentArgs},
    exit::{Problem, Result},
    members, output, rim,
};

/// What was typed beside the kind.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) common: CommonArgs,
    pub(super) content: ContentArgs,
    /// Members of the content, by name.
    pub(super) members: BTreeMap<&'static str, Vec<String>>,
    /// Words of texts, by name.
    pub(super) texts: BTreeMap<String, String>,
}
/// Members of the profile, on every kind.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct CommonArgs {
    /// The service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
    /// The environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: Option<String>,
    /// The change it is filed under, such as github:acme/checkout#418
    #[arg(long, value_name = "ID")]
    change: Option<String>,
    /// What the event is about, where that follows from nothing else
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// When it happened: RFC 3339, now, or -5m [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    time: Option<String>,
    /// Another name: run:…, ticket:KEY-1, tag:REPO@TAG; may be repeated
    #[arg(long = "alias", value_name = "ALIAS")]
    aliases: Vec<String>,
    /// Who did it, where that is not the signer: URN of a person or account
    #[arg(long = "actor-urn", value_name = "URN")]
    actor: Option<String>,
    /// The role you decide in
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// approved, changes_requested, commented or dismissed
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,
    /// A file that is cited: URI,MEDIATYPE,sha256:HEX; may be repeated
    #[arg(long = "evidence", value_name = "EVIDENCE")]
    evidence: Vec<String>,
    /// Further words: NAME=WORDS, or NAME=@FILE; may be repeated
    #[arg(long = "text", value_name = "NAME=WORDS")]
    texts: Vec<String>,
}

impl Given {
    /// What the kind requires and nobody gave, by member.
    pub(super) fn lacking(&self, kind: Kind) -> Vec<&'static str> {
        let profile = kind
            .profile_required()
            .iter()
            .copied()
            .filter(|name| match *name {
                "service" => self.common.service.is_none(),
                "environment" => self.common.environment.is_none(),
                "change" => self.common.change.is_none(),
                "verdict" => self.common.verdict.is_none(),
                "role" => self.common.role.is_none(),
                // Deployments may say "content unknown"; a bundle's bind is computed.
                _ => false,
            });
        let members = members::flags(kind)
            .filter(|field| {
                field.required
                    && !self.members.contains_key(field.name)
                    && !self.derives(kind, field.name)
            })
            .map(|field| field.name);
        let environment = (kind
            .content_fields()
            .iter()
            .any(|field| field.required && field.name == "environment")
            && !kind.profile_required().contains(&"environment")
            && self.common.environment.is_none())
        .then_some("environment");
        let role = (has_member(kind, "role") && self.common.role.is_none()).then_some("role");
        let texts = kind
            .texts_required()
            .iter()
            .copied()
            .filter(|name| !self.texts.contains_key(*name));
        let subject = (needs_subject(kind) && self.common.subject.is_none()).then_some("subject");
        profile
            .chain(environment)
            .chain(subject)
            .chain(role)
            .chain(members)
            .chain(texts)
            .collect()
    }
    /// Members that follow from others.
    fn derives(&self, kind: Kind, member: &str) -> bool {
        let is_service = matches!(
            kind,
            Kind::ServiceDeployed | Kind::ServiceUpgraded | Kind::ServiceRolledback
        );
        is_service && member == "artifactId" && self.content.is_given()
    }
    /// The error of a command that said too little: what is missing, what is needed, what to type.
    pub(super) fn missing(&self, kind: Kind, lacking: &[&'static str]) -> Problem {
        let verb = if lacking.len() == 1 { "is" } else { "are" };
        let names = piperoll_core::shape::any_of(lacking).replace(" or ", " and ");
        Problem::usage(format!("{names} {verb} missing"))
            .hint(needs(kind))
            .hint(format!(
                "try: piperoll emit {}{}",
                kind.name(),
                self.example(kind, lacking)
            ))
            .hint(format!("all fields: piperoll kinds {}", kind.name()))
    }
    /// Flags for the example: what was given and what is lacking.
    fn example(&self, kind: Kind, lacking: &[&'static str]) -> String {
        let mut flags = String::new();
        let mut add = |flag: &str, value: &str| {
            let quoted = if value.contains([' ', '…', '#', '*']) {
                format!("\"{value}\"")
            } else {
                value.to_owned()
            };
            let _ = write!(flags, " {flag} {quoted}");
        };
        for (name, flag, given) in [
            ("service", "-s", &self.common.service),
            ("environment", "-e", &self.common.environment),
            ("change", "--change", &self.common.change),
            ("subject", "--subject", &self.common.subject),
            ("verdict", "--verdict", &self.common.verdict),
            ("role", "--role", &self.common.role),
        ] {
            match given {
                Some(value) => add(flag, value),
                None if lacking.contains(&name) => add(flag, &members::example(name, None)),
                None => {}
            }
        }
        for field in members::flags(kind) {
            let flag = format!("--{}", members::flag_name(field.name));
            match self.members.get(field.name) {
                Some(values) => values.iter().for_each(|value| add(&flag, value)),
                None if lacking.contains(&field.name) => {
                    add(&flag, &members::example(field.name, Some(field.shape)));
                }
                None => {}
            }
        }
        for name in kind
            .texts_required()
            .iter()
            .filter(|name| lacking.contains(name))
        {
            add(&format!("--{}", members::flag_name(name)), "…");
        }
        flags
    }

    pub(super) fn draft(&self, kind: Kind, run: &Run, now: Timestamp) -> Result<Draft> {
        let timestamp = match &self.common.time {
            Some(typed) => members::instant(typed, now)
                .map_err(|what| Problem::usage(format!("--time: {what}")))?,
            None => now,
        };
        let is_run = is_deployment(kind);
        let binds = if kind == Kind::BundleDefined {
            self.bundle_binds()?
        } else {
            self.binds(kind, run)?
        };
        let mut aliases = self.common.aliases.clone();
        if is_run && aliases.is_empty() {
            aliases.extend(run.alias.clone());
        }
        let profile = Profile {
            change: self.common.change.clone(),
            service: self.common.service.clone(),
            environment: self.common.environment.clone(),
            binds: binds.clone(),
            aliases,
            actor: self.common.actor.clone(),
            verdict: self.verdict()?,
            role: self
                .common
                .role
                .clone()
                .filter(|_| !has_member(kind, "role")),
            evidence: self.evidence()?,
            ..Profile::default()
        };
        let mut texts = self.texts.clone();
        texts.extend(self.further_texts()?);
        if is_run && !texts.contains_key("actor") && self.common.actor.is_none() {
            texts.extend(run.actor.clone().map(|login| ("actor".to_owned(), login)));
        }
        let value = self.content_value(kind, binds.as_deref().unwrap_or_default(), now)?;
        let content = Content::from_value(kind, &Value::Object(value)).map_err(|fault| {
            let problem = Problem::usage(format!(
                "--{} {}",
                members::flag_name(&fault.path),
                fault.problem
            ));
            fault
                .remedy
                .into_iter()
                .fold(problem, Problem::hint)
                .hint(format!("all fields: piperoll kinds {}", kind.name()))
        })?;
        let subject = self.subject(kind, run, &content);
        Ok(Draft {
            id: None,
            timestamp,
            subject,
            content,
            profile,
            texts,
        })
    }
    fn binds(&self, kind: Kind, run: &Run) -> Result<Option<Vec<Bind>>> {
        let required = kind.profile_required().contains(&"binds");
        let run = if is_deployment(kind) {
            run.clone()
        } else {
            Run::default()
        };
        let binds = self.content.binds(&run)?;
        Ok((required || !binds.is_empty()).then_some(binds))
    }
    fn bundle_binds(&self) -> Result<Option<Vec<Bind>>> {
        let value = self.member_value(Kind::BundleDefined, "elements", Timestamp::UNIX_EPOCH)?;
        let elements: Vec<BundleElement> = serde_json::from_value(value.unwrap_or_default())
            .map_err(|error| {
                Problem::usage(format!("--element: {error}")).hint("an element is PURL=SHA256")
            })?;
        let name = self.first("name");
        let version = self.first("version");
        let hash = bundle_hash(&elements)
            .ok_or_else(|| Problem::usage("an element of the bundle is given twice"))?;
        let bind = compose::bundle_bind(name, version, hash);
        output::say(&format!(
            "piperoll: the bundle's content is {}",
            content::show(&bind.digest)
        ));
        Ok(Some(vec![bind]))
    }
    fn first(&self, member: &str) -> &str {
        self.members
            .get(member)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }
    fn verdict(&self) -> Result<Option<ReviewVerdict>> {
        let Some(word) = &self.common.verdict else {
            return Ok(None);
        };
        serde_json::from_value(json!(word)).map(Some).map_err(|_| {
            Problem::usage(format!(
                "--verdict {word:?} is not approved, changes_requested, commented or dismissed"
            ))
        })
    }
    fn evidence(&self) -> Result<Vec<Evidence>> {
        let parse = |text: &String| {
            let wrong = || {
                Problem::usage(format!(
                    "--evidence {text:?} is not URI,MEDIATYPE,sha256:HEX"
                ))
            };
            let mut parts = text.rsplitn(3, ',');
            let (digest, media_type, uri) = (parts.next(), parts.next(), parts.next());
            let (Some(digest), Some(media_type), Some(uri)) = (digest, media_type, uri) else {
                return Err(wrong());
            };
            let digest = content::parse_artifact(digest).map_err(|_| wrong())?.digest;
            Ok(Evidence {
                uri: uri.to_owned(),
                media_type: media_type.to_owned(),
                digest,
            })
        };
        self.common.evidence.iter().map(parse).collect()
    }
    fn further_texts(&self) -> Result<Vec<(String, String)>> {
        let parse = |text: &String| {
            let (name, words) = text
                .split_once('=')
                .ok_or_else(|| Problem::usage(format!("--text {text:?} is not NAME=WORDS")))?;
            let words = match words.strip_prefix('@') {
                Some(path) => std::fs::read_to_string(path).map_err(|error| {
                    Problem::usage(format!("reading {path} as the text {name}: {error}"))
                })?,
                None => words.to_owned(),
            };
            Ok((name.to_owned(), words))
        };
        self.common.texts.iter().map(parse).collect()
    }
    fn member_value(&self, kind: Kind, member: &str, now: Timestamp) -> Result<Option<Value>> {
        let (Some(typed), Some(field)) = (
            self.members.get(member),
            kind.content_fields()
                .iter()
                .find(|field| field.name == member),
        ) else {
            return Ok(None);
        };
        let value = members::value(field.shape, typed, now);
        value.map(Some).map_err(|what| {
            Problem::usage(format!("--{}: {what}", members::flag_name(member)))
                .hint(format!("it takes {}", field.shape.describe()))
        })
    }
    fn content_value(
        &self,
        kind: Kind,
        binds: &[Bind],
        now: Timestamp,
    ) -> Result<Map<String, Value>> {
        let mut value = Map::new();
        for field in kind.content_fields() {
            if let Some(given) = self.member_value(kind, field.name, now)? {
                value.insert(field.name.to_owned(), given);
            }
        }
        if let Some(role) = self
            .common
            .role
            .as_ref()
            .filter(|_| has_member(kind, "role"))
        {
            value.insert("role".to_owned(), json!(role));
        }
        // Standard contents repeat what the profile says, as objects; our own repeat nothing.
        for (member, named) in [
            ("environment", &self.common.environment),
            ("service", &self.common.service),
        ] {
            let is_object = kind
                .content_fields()
                .iter()
                .any(|field| field.name == member && matches!(field.shape, Shape::Object(_)));
            if let Some(named) = named.as_ref().filter(|_| is_object) {
                value.insert(member.to_owned(), json!({ "id": named }));
            }
        }
        if self.derives(kind, "artifactId") && !value.contains_key("artifactId") {
            let service = self.common.service.as_deref().unwrap_or_default();
            value.extend(
                members::artifact_id(binds, service).map(|id| ("artifactId".to_owned(), json!(id))),
            );
        }
        Ok(value)
    }
    /// `None` where the event is about itself.
    fn subject(&self, kind: Kind, run: &Run, content: &Content) -> Option<String> {
        if let Some(subject) = &self.common.subject {
            return Some(subject.clone());
        }
        let common = &self.common;
        match content {
            Content::OverrideDeclared(_) => None,
            Content::BundleDefined(bundle) => Some(format!("{}@{}", bundle.name, bundle.version)),
            Content::AlertFired(alert) | Content::AlertResolved(alert) => {
                Some(format!("{}@{}", alert.alert_key, alert.starts_at))
            }
            Content::BranchPushed(push) => Some(format!("{}@{}", push.repository.id, push.branch)),
            Content::ServiceDeployed(_)
            | Content::ServiceUpgraded(_)
            | Content::ServiceRolledback(_) => common.service.clone(),
            _ if is_deployment(kind) => {
                let service = common.service.as_deref().unwrap_or_default();
                let environment = common.environment.as_deref().unwrap_or_default();
                Some(match &run.alias {
                    Some(alias) => compose::deployment_id(alias, service, environment),
                    None => compose::random_deployment_id(rim::random()),
                })
            }
            _ => common.change.clone(),
        }
    }
}
pub(super) fn has_member(kind: Kind, name: &str) -> bool {
    kind.content_fields().iter().any(|field| field.name == name)
}
fn is_deployment(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DeploymentStarted
            | Kind::DeploymentFinished
            | Kind::RollbackStarted
            | Kind::RollbackFinished
    )
}
/// Whether the subject can only be given by hand.
pub(super) fn needs_subject(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PersonDescribed
            | Kind::AccountLinked
            | Kind::RoleGranted
            | Kind::IncidentDetected
            | Kind::IncidentResolved
            | Kind::ArtifactPublished
            | Kind::StreamGapAccepted
            | Kind::TimeCorrected
    )
}
