//! `piperoll init`: founds a ledger, once and for ever.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
};

use piperoll_core::name::Origin;
use piperoll_server::{
    clock::System,
    found::{self, Founded, Founding},
};

use piperoll_store::Address;

use crate::{
    exit::{Exit, Problem, Result},
    output,
    place::{self, DataArgs},
    rim,
};

/// Found a ledger: its folder, its keys and entry 0
#[derive(Debug, clap::Args)]
#[command(
    after_help = "then: piperoll serve --data FOLDER, and piperoll add pipeline|person|bridge NAME"
)]
pub(crate) struct Args {
    #[command(flatten)]
    place: DataArgs,
    /// The ledger's name for ever: a URL without scheme whose last part is its short name, such as
    /// piperoll.acme.example/log/main
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Where the recovery key goes: a file outside the server's folder, best on another medium
    #[arg(long, value_name = "FILE")]
    recovery_key: Option<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Result {
    let origin = match &args.origin {
        Some(text) => origin(text)?,
        None => ask_for_origin()?,
    };
    let recovery_key = match args.recovery_key {
        Some(path) => path,
        None => ask_for_recovery_key()?,
    };
    let address = args.place.address()?;
    let founded = found::found(Founding {
        data: args.place.folder(),
        database: args.place.database(),
        origin: origin.clone(),
        recovery_key: recovery_key.clone(),
        clock: Arc::new(System),
        entropy: rim::fill,
    })
    .await
    .map_err(|error| refused(&error, &address))?;
    tell(&args.place, &origin, &recovery_key, &founded)
}

fn origin(text: &str) -> Result<Origin> {
    Origin::parse(text.trim()).map_err(|error| {
        Problem::usage(error.to_string())
            .hint("an origin is a URL without scheme, such as piperoll.acme.example/log/main")
    })
}
/// A founding that failed; every cause that a person can mend names its remedy.
fn refused(error: &found::Error, address: &Address) -> Problem {
    let mut problem = place::trouble(error, Some(address));
    match error {
        found::Error::Name(_) | found::Error::Origin(_) | found::Error::RecoveryInside => {
            problem.exit = Exit::Usage;
            problem
        }
        // What is to be done stands in the message.
        found::Error::Unknown { .. } => problem,
        found::Error::NotEmpty(_)
        | found::Error::HoldsLedger(_)
        | found::Error::RecoveryThere(_)
        | found::Error::DatabaseTaken
        | found::Error::Folder(_)
        | found::Error::Store(_)
        | found::Error::Project(_)
        | found::Error::Refused(_) => problem.hint("nothing was changed"),
    }
}

/// The origin is for ever, so a person types it twice.
fn ask_for_origin() -> Result<Origin> {
    if !std::io::stdin().is_terminal() {
        return Err(Problem::usage("origin is missing")
            .hint("it is the ledger's name for ever, such as piperoll.acme.example/log/main")
            .hint("try: piperoll init --data FOLDER --origin piperoll.acme.example/log/main --recovery-key FILE"));
    }
    output::say("The origin is this ledger's name for ever; it cannot be changed later.");
    output::say("It is a URL without scheme whose last part is the ledger's short name,");
    output::say("such as piperoll.acme.example/log/main");
    loop {
        let first = match origin(&ask("origin: ")?) {
            Ok(origin) => origin,
            Err(problem) => {
                output::say(problem.lines().trim_end());
                continue;
            }
        };
        if ask("the same again: ")?.trim() == first.as_str() {
            return Ok(first);
        }
        output::say("The two are not the same.");
    }
}
fn ask_for_recovery_key() -> Result<PathBuf> {
    if !std::io::stdin().is_terminal() {
        return Err(Problem::usage("recovery-key is missing")
            .hint("the recovery key takes the ledger back when the working key is lost or stolen,")
            .hint("so it must not lie in the server's folder: name a file on another medium")
            .hint("try: --recovery-key /media/stick/piperoll-recovery.key"));
    }
    output::say("The recovery key takes the ledger back when the working key is lost or stolen.");
    output::say("It must not lie in the server's folder: name a file on another medium.");
    loop {
        let answer = ask("recovery key file: ")?;
        if !answer.trim().is_empty() {
            return Ok(PathBuf::from(answer.trim()));
        }
    }
}
/// One line from the terminal; the question goes to stderr.
fn ask(question: &str) -> Result<String> {
    write!(std::io::stderr(), "{question}")?;
    let mut answer = String::new();
    if std::io::stdin().read_line(&mut answer)? == 0 {
        return Err(Problem::usage(
            "the question was not answered; nothing was changed",
        ));
    }
    Ok(answer)
}

fn tell(
    place: &DataArgs,
    origin: &Origin,
    recovery_key: &std::path::Path,
    founded: &Founded,
) -> Result {
    let data = place.folder();
    let id = founded.ledger.0;
    let database = place
        .database_for_a_shell()
        .map_or_else(String::new, |address| format!(" --database {address}"));
    output::data(&format!(
        "Founded the ledger {}\n\n\
         its id         {id}\n\
         its folder     {}  (keys/admin signs for you as administrator; keep it to yourself)\n\
         recovery key   {}  (take it away from this machine now)\n\
         checkpoints    {}\n\n\
         Clients pin the id, so that nobody can slip them another ledger:\n  \
         export PIPEROLL_LEDGER={id}\n\n\
         next: piperoll serve --data {}{database}\n\n\
         Then say who you are; until that is recorded, all you do is \"by an administrator nobody described\":\n  \
         piperoll emit person.described --key {} --subject {} --name \"YOUR NAME\"\n",
        origin.as_str(),
        data.display(),
        recovery_key.display(),
        founded.vkey,
        data.display(),
        data.join("keys").join("admin").display(),
        founded.administrator,
    ))
}
