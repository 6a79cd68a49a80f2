//! Runs the command that deploys, with our own stdin, stdout and stderr, and finds out how it ended.

use std::{
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use piperoll_core::kind::Outcome;
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use crate::output;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Exited(u8),
    /// By this signal, which nobody sent by way of us.
    Killed(u8),
    /// After we were asked to stop; with this code.
    Cancelled(u8),
    /// It could not be started at all, with the code a shell gives for it.
    NotStarted(u8),
}
/// What shells add to a signal's number.
const SIGNALLED: u8 = 128;

impl Ended {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Exited(0) => Outcome::Success,
            Self::Exited(_) => Outcome::Failure,
            Self::Cancelled(_) => Outcome::Cancel,
            Self::Killed(_) | Self::NotStarted(_) => Outcome::Error,
        }
    }
    /// A word for the event, beside an outcome that is no success.
    pub(super) fn failure_type(self) -> Option<String> {
        match self {
            Self::Exited(0) | Self::Cancelled(_) => None,
            Self::Exited(code) => Some(format!("exit-{code}")),
            Self::Killed(signal) => Some(format!("signal-{signal}")),
            Self::NotStarted(_) => Some("not-started".to_owned()),
        }
    }
    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Exited(code) | Self::Cancelled(code) | Self::NotStarted(code) => code,
            Self::Killed(signal) => SIGNALLED.saturating_add(signal),
        })
    }
    /// `finished in 48 s`
    pub(super) fn words(self, took: Duration) -> String {
        let seconds = took.as_secs();
        match self {
            Self::Exited(0) => format!("finished in {seconds} s,"),
            Self::Exited(code) => format!("failed with exit code {code} after {seconds} s,"),
            Self::Cancelled(_) => format!("cancelled after {seconds} s,"),
            Self::Killed(signal) => format!("killed by signal {signal} after {seconds} s,"),
            Self::NotStarted(_) => "not started,".to_owned(),
        }
    }
    fn of(status: ExitStatus, asked_to_stop: bool) -> Self {
        let small = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
        match (status.code(), status.signal()) {
            (Some(code), _) if asked_to_stop => Self::Cancelled(small(code)),
            (Some(code), _) => Self::Exited(small(code)),
            (None, signal) => {
                let signal = small(signal.unwrap_or_default());
                if asked_to_stop {
                    Self::Cancelled(SIGNALLED.saturating_add(signal))
                } else {
                    Self::Killed(signal)
                }
            }
        }
    }
}

/// Runs it to its end. An interrupt or a request to end is for the command: we stay, to record how it ended.
pub(super) async fn run(command: &[String]) -> Ended {
    let Some((program, arguments)) = command.split_first() else {
        return Ended::NotStarted(127);
    };
    let mut child = match Command::new(program).args(arguments).spawn() {
        Ok(child) => child,
        Err(error) => {
            output::say(&format!(
                "piperoll: {program} could not be started: {error}"
            ));
            let found = error.kind() != std::io::ErrorKind::NotFound;
            return Ended::NotStarted(if found { 126 } else { 127 });
        }
    };
    match wait(&mut child).await {
        Ok(ended) => ended,
        Err(error) => {
            output::say(&format!(
                "piperoll: nobody can say how {program} ended: {error}"
            ));
            Ended::Killed(0)
        }
    }
}
async fn wait(child: &mut Child) -> std::io::Result<Ended> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut asked_to_stop = false;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(Ended::of(status?, asked_to_stop)),
            // The terminal sends an interrupt to the whole group, so the command has it already.
            _ = interrupt.recv() => asked_to_stop = true,
            _ = terminate.recv() => {
                asked_to_stop = true;
                pass_on_terminate(child).await;
            }
        }
    }
}
/// CI systems ask only their own child to end.
async fn pass_on_terminate(child: &Child) {
    if let Some(id) = child.id() {
        let sent = Command::new("kill")
            .arg("-TERM")
            .arg(id.to_string())
            .status()
            .await;
        if !sent.is_ok_and(|status| status.success()) {
            output::say("piperoll: the command could not be asked to end; waiting for it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(script: &str) -> Ended {
        run(&["sh".to_owned(), "-c".to_owned(), script.to_owned()]).await
    }

    #[tokio::test]
    async fn the_commands_own_end_decides_the_outcome() {
        assert_eq!(sh("exit 0").await, Ended::Exited(0));
        assert_eq!(sh("exit 7").await, Ended::Exited(7));
        assert_eq!(sh("kill -KILL $$").await, Ended::Killed(9));
        assert_eq!(
            run(&["/does/not/exist".to_owned()]).await,
            Ended::NotStarted(127)
        );
        assert_eq!(Ended::Exited(7).outcome(), Outcome::Failure);
        assert_eq!(Ended::Killed(9).outcome(), Outcome::Error);
        assert_eq!(Ended::Exited(7).failure_type().as_deref(), Some("exit-7"));
    }
}
