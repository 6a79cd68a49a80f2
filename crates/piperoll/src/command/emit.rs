//! `piperoll emit KIND`: any event, by flags. The flags of each kind come from the catalogue, so that a new kind needs nothing here.

use std::{collections::BTreeMap, fmt::Write};

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches};
use jiff::Timestamp;
use piperoll_core::{
    draft::Draft,
    event::{Bind, Evidence, Profile, Verdict},
    kind::{BundleElement, Content, Kind, bundle_hash},
    shape::Shape,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    ci::{self, Run},
    compose,
    content::{self, ContentArgs},
    emitter::{Emitter, SenderArgs, Sent},
    exit::{Problem, Result},
    members,
    output::{self, Format, FormatArgs},
    rim,
};

/// Sign an event of any kind and hand it to the ledger
#[derive(Debug)]
pub(crate) enum Args {
    Event(Box<EventArgs>),
    /// A kind that has a command of its own.
    Elsewhere {
        kind: Kind,
        command: &'static str,
    },
}
#[derive(Debug)]
pub(crate) struct EventArgs {
    kind: Kind,
    given: Given,
    sender: SenderArgs,
    format: FormatArgs,
}

/// What was typed beside the kind.
#[derive(Debug, Default)]
struct Given {
    common: CommonArgs,
    content: ContentArgs,
    /// Members of the content, by name.
    members: BTreeMap<&'static str, Vec<String>>,
    /// Words of texts, by name.
    texts: BTreeMap<String, String>,
}
/// Members of the profile, on every kind.
#[derive(Clone, Debug, Default, clap::Args)]
struct CommonArgs {
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Option<String>,
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
    /// One of: approved, `changes_requested`, commented, dismissed
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,
    /// A file that is cited: URI,MEDIATYPE,sha256:HEX; may be repeated
    #[arg(long = "evidence", value_name = "EVIDENCE")]
    evidence: Vec<String>,
    /// Further words: NAME=WORDS, or NAME=@FILE; may be repeated
    #[arg(long = "text", value_name = "NAME=WORDS")]
    texts: Vec<String>,
}

/// The command that makes an event of this kind, where it is not `emit`.
fn made_by(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::LedgerCreated => Some("piperoll init"),
        Kind::KeyRegistered => Some("piperoll add"),
        Kind::ApprovalCreated => Some("piperoll request"),
        Kind::ApprovalUpdated => Some("piperoll approve, or piperoll reject"),
        Kind::StreamAdopted => Some("piperoll serve"),
        _ => None,
    }
}

impl clap::Args for Args {
    fn augment_args(command: Command) -> Command {
        let kinds = Kind::ALL.iter().map(|kind| kind_command(*kind));
        command
            .about("Sign an event of any kind and hand it to the ledger")
            .after_help("example: piperoll emit override.declared -s checkout -e production --expires-at +8h --reason \"…\"\nwhat a kind holds: piperoll kinds KIND")
            .subcommand_value_name("KIND")
            .subcommand_help_heading("Kinds")
            .subcommand_required(true)
            .disable_help_subcommand(true)
            .subcommands(kinds)
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
impl FromArgMatches for Args {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let kind = Kind::from_name(name).ok_or_else(missing)?;
        if let Some(command) = made_by(kind) {
            return Ok(Self::Elsewhere { kind, command });
        }
        let mut given = Given {
            common: CommonArgs::from_arg_matches(matches)?,
            content: ContentArgs::from_arg_matches(matches)?,
            ..Given::default()
        };
        for field in members::flags(kind) {
            if let Some(values) = matches.get_many::<String>(&member_id(field.name)) {
                given.members.insert(field.name, values.cloned().collect());
            }
        }
        for name in kind.texts_required().iter().chain(kind.texts_optional()) {
            if let Some(words) = matches.get_one::<String>(&text_id(name)) {
                given.texts.insert((*name).to_owned(), words.clone());
            }
        }
        Ok(Self::Event(Box::new(EventArgs {
            kind,
            given,
            sender: SenderArgs::from_arg_matches(matches)?,
            format: FormatArgs::from_arg_matches(matches)?,
        })))
    }
    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
fn member_id(name: &str) -> String {
    format!("member-{name}")
}
fn text_id(name: &str) -> String {
    format!("text-{name}")
}
fn kind_command(kind: Kind) -> Command {
    let mut command = Command::new(kind.name())
        .about(capital(&needs(kind)))
        .disable_version_flag(true);
    if made_by(kind).is_some() {
        // Whatever else was typed, the answer is the other command.
        return command.hide(true).arg(
            Arg::new("anything")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true),
        );
    }
    for field in members::flags(kind) {
        let action = if members::is_list(field.shape) {
            ArgAction::Append
        } else {
            ArgAction::Set
        };
        command = command.arg(
            Arg::new(member_id(field.name))
                .long(members::flag_name(field.name))
                .value_name("VALUE")
                .help(capital(&field.shape.describe()))
                .action(action),
        );
    }
    for name in kind.texts_required().iter().chain(kind.texts_optional()) {
        command = command.arg(
            Arg::new(text_id(name))
                .long(members::flag_name(name))
                .value_name("WORDS")
                .help("Words, kept beside the signature; they can be erased"),
        );
    }
    let command = CommonArgs::augment_args(command);
    let command = ContentArgs::augment_args(command);
    FormatArgs::augment_args(SenderArgs::augment_args(command))
}
/// What a person must say, in one line; what follows from something else is left out.
pub(crate) fn needs(kind: Kind) -> String {
    let article = if kind.name().starts_with(['a', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    let mut needs = Vec::new();
    if needs_subject(kind) {
        needs.push("subject".to_owned());
    }
    let profile = kind
        .profile_required()
        .iter()
        .filter(|name| **name != "binds");
    needs.extend(profile.map(|name| (*name).to_owned()));
    let members = members::flags(kind).filter(|field| field.required);
    needs.extend(members.map(|field| field.name.to_owned()));
    if has_member(kind, "role") {
        needs.push("role".to_owned());
    }
    needs.extend(kind.texts_required().iter().map(|name| (*name).to_owned()));
    if needs.is_empty() {
        return format!("{article} {} needs nothing", kind.name());
    }
    format!("{article} {} needs: {}", kind.name(), needs.join(", "))
}
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

pub(crate) async fn run(args: Args) -> Result {
    match args {
        Args::Event(args) => emit(*args).await,
        Args::Elsewhere { kind, command } => Err(Problem::usage(format!(
            "{} is made by another command",
            kind.name()
        ))
        .hint(format!("try: {command}"))),
    }
}
async fn emit(args: EventArgs) -> Result {
    let EventArgs {
        kind,
        given,
        sender,
        format,
    } = args;
    let run = ci::detect(&rim::variable);
    let lacking = given.lacking(kind);
    if !lacking.is_empty() {
        return Err(given.missing(kind, &lacking));
    }
    let signer = sender.signer()?;
    let draft = given.draft(kind, &run, rim::now())?;
    let mut emitter = sender.connect_as(signer).await?;
    let sent = emitter.emit(draft, true).await?;
    finish(&emitter, &sent, kind.name(), sender.strict, format.format())
}
/// An event as programs are told of it.
#[derive(Serialize)]
struct Told {
    state: &'static str,
    index: Option<u64>,
    payload_hash: String,
    ledger: String,
}
/// Prints what became of an event, and ends as its fate wants.
pub(crate) fn finish(
    emitter: &Emitter,
    sent: &Sent,
    what: &str,
    strict: bool,
    format: Format,
) -> Result {
    if format == Format::Json {
        output::json(&Told {
            state: sent.state(),
            index: sent.index(),
            payload_hash: sent.payload_hash.to_hex(),
            ledger: emitter.ledger().0.to_hex(),
        })?;
    }
    sent.conclude(what, strict)
}

impl Given {
    /// What the kind requires and nobody gave, by member.
    fn lacking(&self, kind: Kind) -> Vec<&'static str> {
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
    fn missing(&self, kind: Kind, lacking: &[&'static str]) -> Problem {
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

    fn draft(&self, kind: Kind, run: &Run, now: Timestamp) -> Result<Draft> {
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
    fn verdict(&self) -> Result<Option<Verdict>> {
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
fn has_member(kind: Kind, name: &str) -> bool {
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
fn needs_subject(kind: Kind) -> bool {
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
