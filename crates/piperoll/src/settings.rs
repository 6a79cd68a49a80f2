//! Where a flag's value comes from: the flag itself > `PIPEROLL_<FLAG>` > the project's file > the user's file.
//!
//! The two files and the environment become defaults of the parser before it reads the command line, so that one rule holds for
//! every flag of every command and nothing is looked up twice.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command, builder::FalseyValueParser};

use crate::{
    exit::{Problem, Result},
    rim::Environment,
};

/// The project's file, looked for in the working folder and every folder above it.
pub(crate) const PROJECT_FILE: &str = ".piperoll.toml";
/// What a project may set for everybody who works in it. No key: a key belongs to one signer.
const PROJECT_KEYS: &[&str] = &[
    "server",
    "ledger",
    "service",
    "environment",
    "data",
    "output",
    "strict",
];
/// What a user may set for themselves.
const USER_KEYS: &[&str] = &[
    "server",
    "ledger",
    "service",
    "environment",
    "data",
    "database",
    "output",
    "strict",
    "key",
    "admin-key",
    "outbox",
];
/// Flags that must be given each time they are meant.
const NEVER_FROM_SETTINGS: &[&str] = &["help", "version", "yes"];

/// Flags whose value the help never shows, wherever it came from.
const SECRET: &[&str] = &["key", "database", "from", "to"];

/// Values of flags by their long name, from the files.
pub(crate) type Values = BTreeMap<String, String>;

/// Reads the project's file over the user's.
pub(crate) fn read_files(working_folder: &Path, environment: Environment<'_>) -> Result<Values> {
    let mut values = Values::new();
    if let Some(path) = user_file(environment) {
        values.extend(read_file(&path, USER_KEYS)?.unwrap_or_default());
    }
    for folder in working_folder.ancestors() {
        if let Some(found) = read_file(&folder.join(PROJECT_FILE), PROJECT_KEYS)? {
            values.extend(found);
            break;
        }
    }
    Ok(values)
}
/// `$XDG_CONFIG_HOME/piperoll/config.toml`, by default under `~/.config`.
fn user_file(environment: Environment<'_>) -> Option<PathBuf> {
    let base = match environment("XDG_CONFIG_HOME") {
        Some(base) => PathBuf::from(base),
        None => Path::new(&environment("HOME")?).join(".config"),
    };
    Some(base.join("piperoll").join("config.toml"))
}
/// `None` when there is no such file.
fn read_file(path: &Path, allowed: &[&str]) -> Result<Option<Values>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(Problem::usage(format!(
                "reading {}: {error}",
                path.display()
            )));
        }
    };
    parse(&text, allowed).map(Some).map_err(|what| {
        Problem::usage(format!("{}: {what}", path.display()))
            .hint(format!("it may set: {}", allowed.join(", ")))
    })
}
fn parse(text: &str, allowed: &[&str]) -> std::result::Result<Values, String> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    let mut values = Values::new();
    for (name, value) in table {
        if !allowed.contains(&name.as_str()) {
            return Err(format!("{name} cannot be set here"));
        }
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_)
            | toml::Value::Table(_) => {
                return Err(format!("{name} must be a string or true or false"));
            }
        };
        values.insert(name, value);
    }
    Ok(values)
}

/// Gives every long flag of `command` and of its subcommands the value found outside the command line.
pub(crate) fn apply(command: Command, files: &Values, environment: Environment<'_>) -> Command {
    command
        .mut_args(|arg| with_default(arg, files, environment))
        .mut_subcommands(|sub| apply(sub, files, environment))
}
fn with_default(arg: Arg, files: &Values, environment: Environment<'_>) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else {
        return arg;
    };
    if NEVER_FROM_SETTINGS.contains(&long.as_str()) {
        return arg;
    }
    let Some(value) = environment(&variable_of(&long)).or_else(|| files.get(&long).cloned()) else {
        return arg;
    };
    match arg.get_action() {
        ArgAction::SetTrue => arg
            .value_parser(FalseyValueParser::new())
            .default_value(value)
            .required(false),
        _ => arg
            .default_value(value)
            .hide_default_value(SECRET.contains(&long.as_str()))
            .required(false),
    }
}
/// The variable that stands for a flag: `--admin-key` is `PIPEROLL_ADMIN_KEY`.
fn variable_of(long: &str) -> String {
    format!("PIPEROLL_{}", long.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("piperoll").subcommand(
            Command::new("emit")
                .arg(
                    Arg::new("server")
                        .long("server")
                        .default_value("http://default"),
                )
                .arg(Arg::new("strict").long("strict").action(ArgAction::SetTrue))
                .arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue))
                .arg(Arg::new("admin-key").long("admin-key").required(true)),
        )
    }
    fn server(
        files: &[(&str, &str)],
        environment: &[(&str, &str)],
        line: &[&str],
    ) -> clap::ArgMatches {
        let files = files
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(k, _)| *k == name)
                .map(|(_, v)| (*v).to_owned())
        };
        let mut whole = vec!["piperoll", "emit"];
        whole.extend(line);
        let matches = apply(command(), &files, &lookup)
            .try_get_matches_from(whole)
            .unwrap();
        matches.subcommand_matches("emit").unwrap().clone()
    }

    #[test]
    fn flag_beats_environment_beats_files_beats_default() {
        let files = [("server", "http://file"), ("admin-key", "k")];
        let environment = [("PIPEROLL_SERVER", "http://environment")];
        let of = |m: clap::ArgMatches| m.get_one::<String>("server").unwrap().clone();
        assert_eq!(
            of(server(&files, &environment, &["--server", "http://flag"])),
            "http://flag"
        );
        assert_eq!(of(server(&files, &environment, &[])), "http://environment");
        assert_eq!(of(server(&files, &[], &[])), "http://file");
        assert_eq!(
            of(server(&[("admin-key", "k")], &[], &[])),
            "http://default"
        );
    }

    #[test]
    fn a_required_flag_may_come_from_the_environment() {
        let matches = server(&[], &[("PIPEROLL_ADMIN_KEY", "a")], &[]);
        assert_eq!(matches.get_one::<String>("admin-key").unwrap(), "a");
    }

    #[test]
    fn switches_read_one_and_true_and_yes_cannot_be_set_outside() {
        for (value, on) in [
            ("1", true),
            ("true", true),
            ("0", false),
            ("false", false),
            ("no", false),
        ] {
            let matches = server(
                &[("admin-key", "k"), ("yes", "true")],
                &[("PIPEROLL_STRICT", value), ("PIPEROLL_YES", "1")],
                &[],
            );
            assert_eq!(matches.get_flag("strict"), on, "{value}");
            assert!(!matches.get_flag("yes"));
        }
    }

    #[test]
    fn the_projects_file_is_found_up_the_tree_and_covers_the_users() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config/piperoll");
        let project = home.path().join("work/deep/er");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(
            config.join("config.toml"),
            "server = \"http://user\"\nkey = \"~/k\"\n",
        )
        .unwrap();
        std::fs::write(
            home.path().join("work").join(PROJECT_FILE),
            "server = \"http://project\"\nstrict = true\n",
        )
        .unwrap();
        let base = home.path().join("config").display().to_string();
        let lookup = |name: &str| (name == "XDG_CONFIG_HOME").then(|| base.clone());
        let values = read_files(&project, &lookup).unwrap();
        assert_eq!(values["server"], "http://project");
        assert_eq!(values["strict"], "true");
        assert_eq!(values["key"], "~/k");
    }

    #[test]
    fn the_help_shows_no_key_that_a_variable_holds() {
        let key = Command::new("piperoll").arg(Arg::new("key").long("key"));
        let lookup = |name: &str| (name == "PIPEROLL_KEY").then(|| "secret words".to_owned());
        let help = apply(key, &Values::new(), &lookup).render_long_help();
        assert!(!help.to_string().contains("secret words"), "{help}");
    }

    #[test]
    fn a_file_with_an_unknown_key_is_refused_by_name() {
        assert_eq!(
            parse("key = \"k\"", PROJECT_KEYS).unwrap_err(),
            "key cannot be set here"
        );
        assert!(
            parse("server = [1]", PROJECT_KEYS)
                .unwrap_err()
                .contains("server")
        );
        assert!(parse("server = ", PROJECT_KEYS).is_err());
    }
}
