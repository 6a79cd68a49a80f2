//! `piperoll add`: enrols whoever speaks to the ledger, in one step, and prints what to paste.
//!
//! The administrator's key signs; the new key proves itself by its possession. A pipeline's private key is made here and printed
//! once, a bridge's stays in the server's folder, and a person's never comes near: they made it themselves with `key new`.

pub(crate) mod bridge;
mod enrol;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use piperoll_core::{
    authority::{Grants, Purpose, Registration},
    key_file,
    kind::{Content, Custody, KeyRegistered},
    name::{Principal, PrincipalKind},
};
use piperoll_server::{
    folder::Folder,
    projector::{State, read_event},
};
use piperoll_store::{self as store, OpenMode};

pub(crate) use self::enrol::{Administrator, Enrolled, PIPELINE_KINDS, PersonRole};
use crate::{
    dispatch::{Dispatch, OutboxArgs},
    exit::{Problem, Result},
    keys::{self, Enrolment, Signer},
    ledger::{self, LedgerArgs},
    output,
    place::{self, DatabaseArgs},
    rim,
};

/// Enrol a pipeline, a person or a bridge
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}
#[derive(Debug, Subcommand)]
enum Command {
    Pipeline(PipelineArgs),
    Person(PersonArgs),
    Bridge(bridge::Args),
}

/// Who enrols, and at which ledger.
#[derive(Debug, clap::Args)]
struct AdminArgs {
    /// The server's folder, whose keys/admin signs
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// An administrator's key file, where it is not FOLDER/keys/admin
    #[arg(long, value_name = "FILE")]
    admin_key: Option<PathBuf>,
    /// The address under which others reach the server, for what is printed to paste [default: that of --server]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    outbox: OutboxArgs,
}
impl AdminArgs {
    fn signer(&self) -> Result<Signer> {
        match (&self.admin_key, &self.data) {
            (Some(path), _) => keys::read_file(path),
            (None, Some(data)) => keys::read_file(&data.join("keys").join("admin")),
            (None, None) => Err(Problem::usage("it is not said who signs as administrator")
                .hint("on the server's machine: --data FOLDER; elsewhere: --admin-key FILE")),
        }
    }
    async fn administrator(&self) -> Result<Administrator> {
        let signer = self.signer()?;
        let dispatch = Dispatch::connect(&self.ledger, &self.outbox).await?;
        dispatch.require_answer()?;
        Ok(Administrator::new(dispatch, signer))
    }
    /// The server's address as whoever is enrolled reaches it.
    fn public_address(&self) -> Result<String> {
        let named = self.public_url.as_deref().unwrap_or(&self.ledger.server);
        let server = ledger::connect(named)?;
        if server.is_loopback() {
            output::warn(
                &format!("{} is an address that only this machine reaches", server.address()),
                &["for whatever runs elsewhere put the server's public address in its place, or name it here: --public-url URL".to_owned()],
            );
        }
        Ok(server.address().to_owned())
    }
}

/// Enrol a pipeline: makes its key and prints the three variables it needs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll add pipeline checkout-deploy -s checkout -e staging -e production --data ./ledger"
)]
struct PipelineArgs {
    /// Its name: lower-case letters, digits, - and _
    name: String,
    /// A service it may speak for: a name, name* or *; may be repeated
    #[arg(long, short = 's', value_name = "SERVICE", required = true)]
    service: Vec<String>,
    /// An environment it may speak for; may be repeated
    #[arg(long, short = 'e', value_name = "ENVIRONMENT", required = true)]
    environment: Vec<String>,
    /// What it may say: kinds, prefix.* or * [default: what a pipeline usually says]; may be repeated
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Write the key to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
    /// It has a key already: replace what that key may speak for
    #[arg(long, conflicts_with = "key_out")]
    replace_grants: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    admin: AdminArgs,
}
/// Enrol a person, by the enrolment file that piperoll key new gave them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll add person \"Ines Okafor\" --enrol ines.enrol --role business-approver --data ./ledger"
)]
struct PersonArgs {
    /// Their name, as pages show it; it can be erased
    name: String,
    /// The file they sent
    #[arg(long, value_name = "FILE")]
    enrol: PathBuf,
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A role they hold, such as business-approver; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Only for this service; may be repeated [default: all]
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: Vec<String>,
    /// Only for this environment; may be repeated [default: all]
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: Vec<String>,
    /// How you made sure that it is their key, in a few words
    #[arg(long, value_name = "WORDS")]
    established: Option<String>,
    /// The person has a key already, and this is to be one more
    #[arg(long)]
    another_key: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    match args.command {
        Command::Pipeline(args) => pipeline(args).await,
        Command::Person(args) => person(args).await,
        Command::Bridge(args) => bridge::run(args).await,
    }
}

impl PipelineArgs {
    /// What it asks for, with these kinds where none is named.
    fn grants(&self, kinds: &[String]) -> Grants {
        Grants {
            kinds: if self.kinds.is_empty() {
                kinds.to_vec()
            } else {
                self.kinds.clone()
            },
            services: self.service.clone(),
            environments: self.environment.clone(),
        }
    }
    /// Registers the pipeline's keys again. What each signed to prove itself holds for any grants, and stands in the ledger.
    async fn replace_grants(&self, principal: &Principal) -> Result {
        let Some(data) = &self.admin.data else {
            return Err(Problem::usage(
                "which key the pipeline has stands in the ledger, which is not here",
            )
            .hint("on the server's machine: --data FOLDER"));
        };
        let held = Held::read(data, &self.database).await?;
        let registered = held.all(principal).await?;
        if registered.is_empty() {
            return Err(Problem::failed(format!("{principal} has no key"))
                .hint("without --replace-grants one is made for it"));
        }
        if let Some(until) = registered.iter().find_map(|key| key.until.as_ref()) {
            return Err(Problem::failed(format!(
                "a key of {principal} holds until {until} only, and would then hold for ever"
            ))
            .hint("make a new one for it: the same command without --replace-grants"));
        }
        let mut administrator = self.admin.administrator().await?;
        for key in registered {
            let enrolment = Enrolment::of(&key, &administrator.ledger());
            let kinds = key.grants.map(|grants| grants.kinds).unwrap_or_default();
            let grants = self.grants(&kinds);
            administrator.check(&enrolment, grants.clone())?;
            let again =
                administrator.register(&enrolment, grants.clone(), key.established.as_deref());
            let index = again.await?.recorded()?;
            output::data(&format!(
                "The key {} of {principal} is registered again by record {index}.\n\
                 It may speak for these from now on, and for nothing else: services {}; environments {}; kinds {}.\n",
                enrolment.keyid()?,
                grants.services.join(", "),
                grants.environments.join(", "),
                grants.kinds.join(", "),
            ))?;
        }
        output::data(
            "Events that waited for it go out with its next command, or with: piperoll flush\n",
        )
    }
}

async fn pipeline(args: PipelineArgs) -> Result {
    let principal = named(PrincipalKind::Pipeline, &args.name)?;
    if args.replace_grants {
        return args.replace_grants(&principal).await;
    }
    let mut administrator = args.admin.administrator().await?;
    let address = args.admin.public_address()?;
    let signer = Signer::generate(principal);
    let grants = args.grants(&enrol::owned(PIPELINE_KINDS));
    let enrolment = Enrolment::new(
        &signer,
        Purpose::EventPipeline,
        Custody::File,
        &administrator.ledger(),
    );
    administrator.check(&enrolment, grants.clone())?;
    // The file comes first: a registered key that nobody holds would be of no use.
    if let Some(path) = &args.key_out {
        keys::write_new(path, &signer)?;
    }
    let registered = administrator.register(&enrolment, grants, None).await;
    let waiting = match registered {
        Ok(Enrolled::At(index)) => {
            output::say(&format!(
                "piperoll: key {} of {} is registered by record {index}",
                signer.keyid(),
                signer.principal
            ));
            None
        }
        // The registration may still come, and then somebody must hold the key: it is shown all the same.
        Ok(Enrolled::Waiting(problem)) => Some(
            problem
                .hint("the key is not registered yet; keep what is printed, it holds from then on"),
        ),
        Err(problem) => {
            if let Some(path) = &args.key_out {
                keys::take_back(path);
            }
            return Err(problem);
        }
    };
    let key = match &args.key_out {
        Some(path) => path.display().to_string(),
        None => format!(
            "(paste the whole block)\n{}",
            key_file::write(&signer.key, signer.principal.as_str()).trim_end()
        ),
    };
    output::data(&format!(
        "The pipeline needs three variables; the third is a secret:\n\n\
         PIPEROLL_SERVER={address}\n\
         PIPEROLL_LEDGER={}\n\
         PIPEROLL_KEY={key}\n\n\
         and in its job, around what deploys:\n\n  \
         piperoll deploy run -s {} -e {} --artifact sha256:… -- ./deploy.sh\n",
        administrator.ledger().0,
        example(&args.service, "SERVICE"),
        example(&args.environment, "ENVIRONMENT"),
    ))?;
    waiting.map_or(Ok(()), Err)
}
/// A name to show in the snippet; a pattern is none.
fn example<'a>(names: &'a [String], otherwise: &'a str) -> &'a str {
    names
        .first()
        .map(String::as_str)
        .filter(|name| !name.contains('*'))
        .unwrap_or(otherwise)
}

async fn person(args: PersonArgs) -> Result {
    let enrolment = Enrolment::read(&args.enrol)?;
    let keyid = enrolment.keyid()?;
    enrolment.must_be_of_a_person()?;
    args.refuse_a_second_key(&enrolment).await?;
    let mut administrator = args.admin.administrator().await?;
    let roles = PersonRole::all(&args.roles, &args.service, &args.environment);
    let index = administrator
        .enrol_person(
            &args.name,
            args.email.as_deref(),
            &enrolment,
            &roles,
            args.established.as_deref(),
        )
        .await?;
    output::data(&format!(
        "{} is enrolled by record {index}\n  principal  {}\n  keyid      {keyid}  (compare it with what they see: piperoll key list)\n",
        args.name, enrolment.principal
    ))?;
    if roles.is_empty() {
        output::say(
            "piperoll: they hold no role yet, so they cannot decide on requests; a role is given with --role",
        );
    }
    Ok(())
}

impl PersonArgs {
    /// Whoever makes an enrolment file can write somebody else's principal into it, and would then act as that person. Where the
    /// ledger can be read here, a key beside another one needs the administrator's word.
    async fn refuse_a_second_key(&self, enrolment: &Enrolment) -> Result {
        if self.another_key {
            return Ok(());
        }
        let Some(data) = &self.admin.data else {
            output::say(&format!(
                "piperoll: not checked whether {} has a key already: the ledger's folder is not here (--data)",
                enrolment.principal
            ));
            return Ok(());
        };
        let held = Held::read(data, &self.database).await?;
        match held.any(&enrolment.principal) {
            Some(held) if Some(&held.keyid) != enrolment.keyid().ok().as_ref() => {
                Err(Problem::failed(format!(
                    "{} has a key already, {}, registered by record {}",
                    enrolment.principal, held.keyid, held.place.index
                ))
                .hint("nothing was signed: an enrolment file may name somebody else; ask the person themselves, by another way")
                .hint("if it is to be one more key of theirs: --another-key"))
            }
            _ => Ok(()),
        }
    }
}

/// The keys that the ledger holds, read past the server.
struct Held {
    store: store::Shared,
    state: State,
    address: String,
}
impl Held {
    async fn read(data: &Path, database: &DatabaseArgs) -> Result<Self> {
        let address = database.address_beside(data)?;
        let text = database.address_text();
        let store = Folder::new(data)
            .open_store(text.as_deref(), OpenMode::ReadOnly)
            .await
            .map_err(|error| place::trouble(&error, Some(&address)))?;
        let address = address.to_string();
        let state = State::load(&*store)
            .await
            .map_err(|error| unreadable(&address, &error))?;
        Ok(Self {
            store,
            state,
            address,
        })
    }
    fn live(&self, principal: &Principal) -> impl Iterator<Item = &Registration> {
        let now = rim::now();
        let registrations = self.state.authority().registrations();
        registrations.filter(move |registration| {
            registration.principal == *principal && registration.is_live(now)
        })
    }
    fn any(&self, principal: &Principal) -> Option<&Registration> {
        self.live(principal).next()
    }
    /// As they stand in the ledger.
    async fn all(&self, principal: &Principal) -> Result<Vec<KeyRegistered>> {
        let unreadable = |error: store::Error| unreadable(&self.address, &error);
        let indexes: Vec<u64> = self.live(principal).map(|held| held.place.index).collect();
        let entries = self.store.entries_at(&indexes).await.map_err(unreadable)?;
        let mut registered = Vec::new();
        for entry in &entries {
            let event = read_event(entry).map_err(unreadable)?;
            if let Content::KeyRegistered(key) = event.content {
                registered.push(key);
            }
        }
        Ok(registered)
    }
}
fn unreadable(address: &str, error: &dyn std::error::Error) -> Problem {
    Problem::failed(format!("reading {address}: {error}"))
}

fn named(kind: PrincipalKind, slug: &str) -> Result<Principal> {
    Principal::named(kind, slug).map_err(|error| {
        let what = match kind {
            PrincipalKind::Bridge => "bridge github",
            _ => "pipeline checkout-deploy -s checkout -e production",
        };
        Problem::usage(error.to_string()).hint(format!("try: piperoll add {what} --data FOLDER"))
    })
}
