//! `piperoll key`: the keys a person holds on this machine.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use piperoll_core::{
    authority::Purpose,
    key_file,
    kind::Custody,
    name::{LedgerId, Principal},
};
use serde::Serialize;

use crate::{
    dispatch::OutboxArgs,
    exit::{Problem, Result},
    keys::{self, Enrolment, Signer},
    ledger::LedgerArgs,
    output::{self, Format, FormatArgs},
    rim,
};

/// Make, show and list the keys you sign with; they stay on this machine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}
#[derive(Debug, Subcommand)]
enum Command {
    New(NewArgs),
    Show(ShowArgs),
    List(ListArgs),
}

/// Make a key for yourself, and the enrolment file an administrator needs to register it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "then: send NAME.enrol to an administrator, who types: piperoll add person \"Your Name\" --enrol NAME.enrol"
)]
pub(crate) struct NewArgs {
    /// What to call the key, such as your first name
    name: String,
    /// Where the key is kept
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Where the enrolment file goes [default: NAME.enrol]
    #[arg(long, value_name = "FILE")]
    enrol: Option<PathBuf>,
    #[command(flatten)]
    ledger: LedgerArgs,
    #[command(flatten)]
    outbox: OutboxArgs,
}

/// Show whose a key is: principal, fingerprint and public half
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// A key's name in the folder, or the path of a key file
    name: String,
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

/// List the keys in your key folder
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

/// A key as it is shown: never its private half.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    principal: String,
    keyid: String,
    public: String,
    file: String,
}

pub(crate) async fn run(args: Args) -> Result {
    match args.command {
        Command::New(args) => {
            let ledger = args.ledger.id(&args.outbox.folder()?).await?;
            new(&args, &ledger)
        }
        Command::Show(args) => show(&args),
        Command::List(args) => list(&args),
    }
}

fn folder(given: Option<&PathBuf>) -> Result<PathBuf> {
    match given {
        Some(folder) => Ok(folder.clone()),
        None => keys::folder(&rim::variable),
    }
}

fn new(args: &NewArgs, ledger: &LedgerId) -> Result {
    if args.name.is_empty() || args.name.contains(['/', '\\']) || args.name.starts_with('.') {
        return Err(
            Problem::usage(format!("{:?} is not a name for a key file", args.name))
                .hint("try: piperoll key new ines"),
        );
    }
    let path = folder(args.dir.as_ref())?.join(&args.name);
    let enrolment_path = args
        .enrol
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.enrol", args.name)));
    let signer = Signer::generate(Principal::person(rim::random()));
    let enrolment = Enrolment::new(&signer, Purpose::EventPerson, Custody::File, ledger);
    let text = serde_json::to_string_pretty(&enrolment).map_err(anyhow::Error::from)?;
    keys::write_new(&path, &signer)?;
    if let Err(problem) =
        keys::write_new_file(&enrolment_path, format!("{text}\n").as_bytes(), 0o644)
    {
        keys::take_back(&path);
        return Err(problem.hint("another place for the enrolment: --enrol FILE"));
    }
    output::data(&format!(
        "key        {} (only you can read it; it never leaves this machine)\n\
         principal  {}\n\
         keyid      {}\n\
         enrolment  {} (send this to an administrator; read the keyid to them)\n",
        path.display(),
        signer.principal,
        signer.keyid(),
        enrolment_path.display(),
    ))
}

fn shown(path: &Path, signer: &Signer) -> Shown {
    Shown {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        principal: signer.principal.to_string(),
        keyid: signer.keyid(),
        public: key_file::public_line(signer.key.public().as_bytes(), signer.principal.as_str())
            .trim_end()
            .to_owned(),
        file: path.display().to_string(),
    }
}
fn show(args: &ShowArgs) -> Result {
    let in_folder = folder(args.dir.as_ref())
        .map(|folder| folder.join(&args.name))
        .ok();
    let path = in_folder
        .filter(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(&args.name));
    let key = shown(&path, &keys::read_file(&path)?);
    match args.format.format() {
        Format::Json => output::json(&key),
        Format::Table => output::data(&format!(
            "principal  {}\nkeyid      {}\npublic     {}\nfile       {}\n",
            key.principal, key.keyid, key.public, key.file
        )),
    }
}
fn list(args: &ListArgs) -> Result {
    let folder = folder(args.dir.as_ref())?;
    let mut keys = Vec::new();
    for listed in keys::list(&folder)? {
        match listed.signer {
            Ok(signer) => keys.push(shown(&listed.path, &signer)),
            Err(problem) => output::complain(
                &problem.hint("it is passed over; what is no key need not lie here"),
            ),
        }
    }
    match args.format.format() {
        Format::Json => output::json(&keys),
        Format::Table if keys.is_empty() => {
            output::say(&format!(
                "no keys in {}; make one with: piperoll key new NAME",
                folder.display()
            ));
            Ok(())
        }
        Format::Table => {
            let rows = keys
                .into_iter()
                .map(|key| vec![key.name, key.principal, key.keyid]);
            output::data(&output::table(&["name", "principal", "keyid"], rows))
        }
    }
}
