//! What the tests of the command share: running it and looking at all it said.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use crate::{ledger::Ledger, server::Server};

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}
impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
impl Said {
    /// The command must end like this and say each of these, on stderr.
    pub(crate) fn complains(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(
                self.err.contains(word),
                "{word:?} is not said: {}",
                self.err
            );
        }
    }
    pub(crate) fn succeeds(&self) -> &Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }
}

/// Runs the command with these words and variables.
pub(crate) fn run(ledger: &Ledger, words: &[&str], variables: &[(&str, &str)]) -> Said {
    ledger
        .command()
        .args(words)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
        .into()
}

/// A pipeline enrolled with the command: the variables it was given.
pub(crate) struct Pipeline {
    variables: Vec<(String, String)>,
}
impl Pipeline {
    /// It may speak for checkout in staging and production.
    pub(crate) fn enrolled(ledger: &Ledger, server: &Server) -> Self {
        let said = run(
            ledger,
            &[
                "add",
                "pipeline",
                "checkout-deploy",
                "-s",
                "checkout",
                "-e",
                "staging",
                "-e",
                "production",
                "--data",
                "data",
                "--key-out",
                "ci.key",
            ],
            &[("PIPEROLL_SERVER", &server.url)],
        );
        said.succeeds();
        let key = ledger.path("ci.key").metadata().unwrap();
        assert_eq!(
            key.permissions().mode() & 0o777,
            0o600,
            "others can read it"
        );
        let variables = ["PIPEROLL_SERVER", "PIPEROLL_LEDGER", "PIPEROLL_KEY"].map(|name| {
            let line = said
                .out
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            (name.to_owned(), line.unwrap().to_owned())
        });
        Self {
            variables: variables.into(),
        }
    }
    /// The same at another address.
    pub(crate) fn at(mut self, server: &str) -> Self {
        server.clone_into(&mut self.variables[0].1);
        self
    }
    pub(crate) fn run(&self, ledger: &Ledger, words: &[&str]) -> Said {
        self.command(ledger, words).output().unwrap().into()
    }
    /// The command with the pipeline's variables, to be started.
    pub(crate) fn command(&self, ledger: &Ledger, words: &[&str]) -> Command {
        let mut command = ledger.command();
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.args(words).envs(variables);
        command
    }
}

/// The kinds of all entries but the first two (genesis and the pipeline's key), in order.
pub(crate) fn kinds(ledger: &Ledger) -> Vec<String> {
    let kinds = ledger.sql("select kind from entry where idx > 1 order by idx");
    kinds.lines().map(str::to_owned).collect()
}
