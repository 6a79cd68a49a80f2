//! How a command ends: one exit code for each way, the same everywhere, and the one place where an error is worded for the
//! terminal (`design.md` section 9).

use std::process::ExitCode;

use piperoll_server::causes::chain;

use crate::terminal;

/// The exit codes of every command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    Done,
    Failed,
    Usage,
    /// The gate says no; no command uses it before there is a gate, and nothing else ever may.
    Gate,
    NotAuthorised,
    NoAnswer,
    Unverified,
}
impl Exit {
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Gate,
        Self::NotAuthorised,
        Self::NoAnswer,
        Self::Unverified,
    ];
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Gate => 3,
            Self::NotAuthorised => 4,
            Self::NoAnswer => 5,
            Self::Unverified => 6,
        }
    }
    /// What the help says about it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "the command was not understood",
            Self::Gate => "the gate says no",
            Self::NotAuthorised => "not authorised, or the key is not known to the ledger",
            Self::NoAnswer => "the ledger does not answer",
            Self::Unverified => "verification failed",
        }
    }
}
impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what it was asked: one line, then hints about what is missing, what is needed and what to try.
#[derive(Debug)]
pub(crate) struct Problem {
    pub exit: Exit,
    message: String,
    hints: Vec<String>,
}
pub(crate) type Result<T = ()> = std::result::Result<T, Problem>;

impl Problem {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hints: Vec::new(),
        }
    }
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
    /// The lines for stderr. Everything in them may come from elsewhere, so all of it is escaped.
    pub(crate) fn lines(&self) -> String {
        let mut lines = format!("error: {}\n", terminal::escape_line(&self.message));
        for hint in &self.hints {
            lines.push_str("  ");
            lines.push_str(&terminal::escape_line(hint));
            lines.push('\n');
        }
        lines
    }
}
/// Anything a command did not foresee is a failure, with its chain of causes on one line.
impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(chain(error.as_ref()))
    }
}
impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_design() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_problem_shows_its_hints_indented_and_escaped() {
        let problem = Problem::usage("environment is \u{1b}[31mmissing").hint("try: this");
        assert_eq!(
            problem.lines(),
            "error: environment is \\u{1b}[31mmissing\n  try: this\n"
        );
    }

    #[test]
    fn a_chain_of_causes_becomes_one_line() {
        let cause = anyhow::anyhow!("permission denied");
        let problem = Problem::from(cause.context("reading the key"));
        assert_eq!(
            problem.lines(),
            "error: reading the key: permission denied\n"
        );
        assert_eq!(problem.exit, Exit::Failed);
    }
}
