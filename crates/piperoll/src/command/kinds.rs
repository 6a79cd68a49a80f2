//! `piperoll kinds`: which events there are, who signs them and what they hold.

use std::fmt::Write;

use clap::Args as _;
use piperoll_core::kind::{Family, Kind};
use serde::Serialize;

use super::emit;
use crate::{
    exit::{Problem, Result},
    members,
    output::{self, Format, FormatArgs},
};

/// List the kinds of events, or show what one of them holds
#[derive(Debug, clap::Args)]
#[command(after_help = "example: piperoll kinds deployment.finished")]
pub(crate) struct Args {
    /// Such as deployment.finished
    kind: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
}

/// A kind as JSON.
#[derive(Serialize)]
struct Shown {
    kind: &'static str,
    #[serde(rename = "type")]
    type_name: String,
    signed_by: Vec<&'static str>,
    /// What an event of this kind must say beside its content.
    profile: &'static [&'static str],
    /// What must be given, by name; what the command knows or computes is left out.
    needs: Vec<String>,
    content: Vec<Member>,
    texts: Vec<TextName>,
}
#[derive(Serialize)]
struct Member {
    name: &'static str,
    required: bool,
    is: String,
}
#[derive(Serialize)]
struct TextName {
    name: &'static str,
    required: bool,
}
impl Shown {
    fn of(kind: Kind) -> Self {
        let content = kind.content_fields().iter().map(|field| Member {
            name: field.name,
            required: field.required,
            is: field.shape.describe(),
        });
        let text = |required: bool| move |name: &&'static str| TextName { name, required };
        let required = kind.texts_required().iter().map(text(true));
        Self {
            kind: kind.name(),
            type_name: kind.type_name(),
            signed_by: signers(kind),
            profile: kind.profile_required(),
            needs: needs(kind),
            content: content.collect(),
            texts: required
                .chain(kind.texts_optional().iter().map(text(false)))
                .collect(),
        }
    }
}
/// `pipeline`, `person`, …: the word behind the purpose's dot.
fn signers(kind: Kind) -> Vec<&'static str> {
    kind.signers()
        .iter()
        .map(|purpose| {
            let name = purpose.as_str();
            if name == "admin" {
                "administrator"
            } else {
                name.rsplit('.').next().unwrap_or(name)
            }
        })
        .collect()
}

pub(crate) fn run(args: &Args) -> Result {
    match &args.kind {
        None => list(args.format.format()),
        Some(name) => show(find(name)?, args.format.format()),
    }
}
/// The kind with this name; the error lists those that are like it.
pub(crate) fn find(name: &str) -> Result<Kind> {
    if let Some(kind) = Kind::from_name(name).or_else(|| Kind::from_type(name)) {
        return Ok(kind);
    }
    let stem = name.split('.').next().unwrap_or(name);
    let like: Vec<&str> = Kind::ALL
        .iter()
        .map(|kind| kind.name())
        .filter(|known| !stem.is_empty() && known.starts_with(stem))
        .collect();
    let problem = Problem::usage(format!("there is no kind of event {name:?}"));
    let problem = if like.is_empty() {
        problem
    } else {
        problem.hint(format!("there are: {}", like.join(", ")))
    };
    Err(problem.hint("all of them: piperoll kinds"))
}
fn list(format: Format) -> Result {
    if format == Format::Json {
        let kinds: Vec<Shown> = Kind::ALL.iter().map(|kind| Shown::of(*kind)).collect();
        return output::json(&kinds);
    }
    let rows = Kind::ALL.iter().map(|kind| {
        vec![
            kind.name().to_owned(),
            signers(*kind).join(", "),
            family(*kind).to_owned(),
            needs(*kind).join(", "),
        ]
    });
    output::data(&output::table(
        &["kind", "signed by", "from", "needs"],
        rows,
    ))
}
fn family(kind: Kind) -> &'static str {
    match kind.family() {
        Family::Own => "Piperoll",
        Family::Standard => "CDEvents",
        Family::Draft => "CDEvents draft",
    }
}
/// `service`, `environment`, `outcome`
fn needs(kind: Kind) -> Vec<String> {
    let needs = emit::needs(kind);
    let names = needs.split_once(": ").map(|(_, names)| names.split(", "));
    names.map_or_else(Vec::new, |names| names.map(str::to_owned).collect())
}
fn show(kind: Kind, format: Format) -> Result {
    let shown = Shown::of(kind);
    if format == Format::Json {
        return output::json(&shown);
    }
    output::data(&in_words(kind, &shown))
}
fn in_words(kind: Kind, shown: &Shown) -> String {
    let emitted = emitted(kind);
    let mut rows = match &emitted {
        Some(command) => profile(kind, shown, command),
        None => shown
            .profile
            .iter()
            .map(|name| vec![flag(name), "needed".to_owned(), String::new()])
            .collect(),
    };
    for member in &shown.content {
        let given = members::flags(kind).any(|field| field.name == member.name)
            || (emitted.is_some() && PROFILE.contains(&member.name));
        let how = if given {
            flag(member.name)
        } else {
            format!("({})", member.name)
        };
        let is_said = rows.iter().any(|row| row[0] == flag(member.name));
        if !is_said && !members::is_text(kind, member.name) {
            rows.push(vec![how, need(member.required), member.is.clone()]);
        }
    }
    for text in &shown.texts {
        let holds = "words, kept beside the signature; can be erased".to_owned();
        rows.push(vec![flag(text.name), need(text.required), holds]);
    }
    if let Some(command) = &emitted {
        rows.extend(ANY_KIND.iter().map(|name| given(name, false, command)));
    }
    let filled_in = rows.iter().any(|row| row[0].starts_with('('));
    let mut text = format!(
        "{}  ({})\nsigned by {}\n\n{}",
        shown.kind,
        shown.type_name,
        shown.signed_by.join(", "),
        output::table(&["flag", "", "holds"], rows)
    );
    if filled_in {
        text.push_str("\nin parentheses: filled in by the command\n");
    }
    if emitted.is_none() {
        let name = shown.kind;
        let _ = writeln!(
            text,
            "\nmade by another command: piperoll emit {name} says which"
        );
    }
    text
}
/// The `emit` of this kind; `None` where another command makes it.
fn emitted(kind: Kind) -> Option<clap::Command> {
    let emit = emit::Args::augment_args(clap::Command::new("emit"));
    let command = emit.find_subcommand(kind.name())?;
    (!command.is_hide_set()).then(|| command.clone())
}

/// Flags for what an event says beside its content, where its kind can say it.
const PROFILE: &[&str] = &[
    "service",
    "environment",
    "change",
    "subject",
    "verdict",
    "role",
];
/// Flags that every event can have.
const ANY_KIND: &[&str] = &["alias", "actor-urn", "time", "evidence", "text"];

fn profile(kind: Kind, shown: &Shown, emit: &clap::Command) -> Vec<Vec<String>> {
    let needed = |name: &str| shown.needs.iter().any(|need| need == name);
    // A person who goes round the rules does so in a role; a pipeline has none.
    let takes_role = kind == Kind::OverrideDeclared;
    let takes = |name: &str| match name {
        "verdict" => needed(name),
        "role" => takes_role,
        _ => true,
    };
    let names = PROFILE.iter().filter(|name| takes(name));
    let mut rows: Vec<_> = names.map(|name| given(name, needed(name), emit)).collect();
    if takes_role && let Some(role) = rows.last_mut() {
        "needed of a person".clone_into(&mut role[1]);
    }
    // The content of a bundle is computed from its elements.
    if kind != Kind::BundleDefined {
        let holds = "the exact content: digests, a full commit hash, bundles; without it the content is unknown";
        rows.push(vec![flag("binds"), String::new(), holds.to_owned()]);
    }
    rows
}
/// A flag as the help of `emit` explains it.
fn given(name: &str, required: bool, emit: &clap::Command) -> Vec<String> {
    let argument = emit
        .get_arguments()
        .find(|argument| argument.get_long() == Some(name));
    let help = argument
        .and_then(clap::Arg::get_help)
        .map(ToString::to_string);
    vec![flag(name), need(required), lower(&help.unwrap_or_default())]
}
fn need(required: bool) -> String {
    if required { "needed" } else { "" }.to_owned()
}
fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}
/// How a member is given on the command line.
fn flag(member: &str) -> String {
    match member {
        "service" => "-s, --service".to_owned(),
        "environment" => "-e, --environment".to_owned(),
        "binds" => "--artifact, --commit, --bundle".to_owned(),
        name => format!("--{}", members::flag_name(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of a flag; empty where there is none.
    fn line(kind: Kind, flag: &str) -> String {
        let text = in_words(kind, &Shown::of(kind));
        let line = text.lines().find(|line| line.contains(flag));
        line.unwrap_or_default().to_owned()
    }

    #[test]
    fn what_the_signer_must_say_beside_the_content_is_listed() {
        let role = line(Kind::OverrideDeclared, "--role");
        assert!(role.contains("needed of a person"), "{role}");
        for (kind, flag) in [
            (Kind::RoleGranted, "--role"),
            (Kind::RoleGranted, "--subject"),
            (Kind::ChangeReviewed, "--verdict"),
            (Kind::IncidentDetected, "-e, --environment"),
            (Kind::DeploymentFinished, "-s, --service"),
        ] {
            let line = line(kind, flag);
            assert!(line.contains("  needed"), "{}: {line}", kind.name());
        }
        assert_eq!(line(Kind::DeploymentFinished, "--role"), "");
        assert!(line(Kind::AlertFired, "--alias").contains("ticket:"));
    }

    #[test]
    fn parentheses_are_explained_where_there_are_any() {
        for kind in Kind::ALL {
            let text = in_words(*kind, &Shown::of(*kind));
            let is_there = text.lines().any(|line| line.starts_with('('));
            assert_eq!(text.contains("in parentheses"), is_there, "{text}");
        }
    }

    #[test]
    fn every_flag_that_is_shown_is_one_that_emit_takes() {
        for kind in Kind::ALL {
            let Some(command) = emitted(*kind) else {
                continue;
            };
            for name in PROFILE.iter().chain(ANY_KIND) {
                assert_ne!(given(name, false, &command)[2], "", "--{name}");
            }
        }
    }
}
