//! `piperoll emit KIND`: any event, by flags. The flags of each kind come from the catalogue, so that a new kind needs nothing here.

mod given;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches};
use piperoll_core::kind::Kind;
use serde::Serialize;

use self::given::{CommonArgs, Given, has_member, needs_subject};
use crate::{
    ci,
    content::ContentArgs,
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
    let mut command = Command::new(kind.name()).disable_version_flag(true);
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
    // The arguments' own doc comments would else be taken for what the kind is about.
    FormatArgs::augment_args(SenderArgs::augment_args(command)).about(capital(&needs(kind)))
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
