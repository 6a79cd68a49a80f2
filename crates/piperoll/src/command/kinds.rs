//! `piperoll kinds`: which events there are, who signs them and what they hold.

use piperoll_core::kind::{Family, Kind};
use serde::Serialize;

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
            needs(*kind),
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
/// `service, environment, outcome`
fn needs(kind: Kind) -> String {
    super::emit::needs(kind)
        .split_once(": ")
        .map_or_else(String::new, |(_, needs)| needs.to_owned())
}
fn show(kind: Kind, format: Format) -> Result {
    let shown = Shown::of(kind);
    if format == Format::Json {
        return output::json(&shown);
    }
    let mut rows = Vec::new();
    for name in shown.profile {
        rows.push(vec![flag(name), "needed".to_owned(), String::new()]);
    }
    for member in &shown.content {
        let need = if member.required { "needed" } else { "" };
        let how = if members::flags(kind).any(|field| field.name == member.name) {
            flag(member.name)
        } else {
            format!("({})", member.name)
        };
        rows.push(vec![how, need.to_owned(), member.is.clone()]);
    }
    for text in &shown.texts {
        let need = if text.required { "needed" } else { "" };
        rows.push(vec![
            flag(text.name),
            need.to_owned(),
            "words, kept beside the signature; can be erased".to_owned(),
        ]);
    }
    output::data(&format!(
        "{}  ({})\nsigned by {}\n\n{}\nin parentheses: filled in by the command\n",
        shown.kind,
        shown.type_name,
        shown.signed_by.join(", "),
        output::table(&["flag", "", "holds"], rows)
    ))
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
