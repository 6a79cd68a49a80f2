//! The command line: every command, and its help in six groups by who asks (`design.md` section 9).

use std::fmt::Write;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{command, exit::Exit};

/// Who approved what, which change went where, and which alert followed: signed, in one ledger that anyone can verify.
#[derive(Debug, Parser)]
#[command(
    name = "piperoll",
    version,
    disable_help_subcommand = false,
    subcommand_required = false,
    help_template = "{about}\n\n{usage-heading} {usage}{after-help}",
    propagate_version = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(command::demo::Args),
    Init(command::init::Args),
    Serve(command::serve::Args),
    Add(command::add::Args),
    Emit(command::emit::Args),
    Deploy(command::deploy::Args),
    Flush(command::flush::Args),
    Kinds(command::kinds::Args),
    Request(command::request::Args),
    Approve(command::approve::ApproveArgs),
    Reject(command::approve::RejectArgs),
    Key(command::key::Args),
    Log(command::log::Args),
    Change(command::change::Args),
    Where(command::where_is::Args),
    Timeline(command::timeline::Args),
    Verify(command::verify::Args),
    Receipt(command::receipt::Args),
    Admin(command::admin::Args),
    Bench(command::bench::Args),
    Completions(command::completions::Args),
}

/// The groups of the help, by who asks. Only commands that exist stand here; a test holds the two together.
const GROUPS: &[(&str, &[&str])] = &[
    ("start", &["demo", "init", "serve", "add"]),
    ("pipeline", &["emit", "deploy", "flush", "kinds"]),
    ("people", &["request", "approve", "reject", "key"]),
    ("questions", &["log", "change", "where", "timeline"]),
    ("proof", &["verify", "receipt"]),
    ("operating", &["admin", "bench", "completions"]),
];

/// Where a flag's value can stand besides.
const ELSEWHERE: &str = "\
Every flag but --yes can also be given as PIPEROLL_<FLAG>. Some can stand in a file: server, ledger, \
service, environment, data, output and strict in .piperoll.toml (project) or \
~/.config/piperoll/config.toml (user); database, key, admin-key and outbox in the second only.
";

/// What bare `piperoll` prints: five lines.
pub(crate) const FIVE_LINES: &str = "\
piperoll: who approved what, which change went where, and which alert followed
  see all of it work     piperoll demo
  start a ledger         piperoll init, then piperoll serve
  tell it a deployment   piperoll deploy run -s SERVICE -e ENVIRONMENT -- COMMAND
  every command          piperoll help
";

/// The parser, with the grouped help.
pub(crate) fn parser() -> clap::Command {
    let parser = Cli::command();
    let help = grouped_help(&parser);
    parser.after_help(help)
}
fn grouped_help(parser: &clap::Command) -> String {
    let mut help = String::new();
    for (group, names) in GROUPS {
        let _ = writeln!(help, "{group}");
        for name in *names {
            let about = parser
                .find_subcommand(name)
                .and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(help, "  {name:<12} {about}");
        }
        help.push('\n');
    }
    help.push_str(ELSEWHERE);
    help.push_str("exit codes ");
    let codes: Vec<String> = Exit::ALL
        .iter()
        .map(|exit| format!("{} {}", exit.code(), exit.meaning()))
        .collect();
    help.push_str(&codes.join(" · "));
    help
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::settings;

    #[test]
    fn the_parser_is_sound() {
        parser().debug_assert();
    }

    #[test]
    fn the_help_lists_exactly_the_commands_that_exist() {
        let listed: BTreeSet<String> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
            .collect();
        let existing: BTreeSet<String> = parser()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        assert_eq!(listed, existing);
        assert!(
            parser()
                .get_subcommands()
                .all(|command| command.get_about().is_some())
        );
    }

    #[test]
    fn each_file_takes_the_keys_that_the_help_names() {
        let (both, user_only) = ELSEWHERE
            .split_once("in a file: ")
            .and_then(|(_, keys)| keys.split_once(';'))
            .unwrap();
        let takes = |key: &str, path: &str| {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{key} = \"x\"\n")).unwrap();
            let variable =
                |name: &str| (name == "XDG_CONFIG_HOME").then(|| home.path().display().to_string());
            settings::read_files(home.path(), &variable).is_ok()
        };
        for key in [
            "server",
            "ledger",
            "service",
            "environment",
            "data",
            "output",
            "strict",
        ] {
            assert!(both.contains(key), "{key}");
            assert!(takes(key, settings::PROJECT_FILE), "{key}");
            assert!(takes(key, "piperoll/config.toml"), "{key}");
        }
        for key in ["database", "key", "admin-key", "outbox"] {
            assert!(user_only.contains(key), "{key}");
            assert!(!takes(key, settings::PROJECT_FILE), "{key}");
            assert!(takes(key, "piperoll/config.toml"), "{key}");
        }
    }

    #[test]
    fn bare_piperoll_prints_five_lines() {
        assert_eq!(FIVE_LINES.lines().count(), 5);
    }
}
