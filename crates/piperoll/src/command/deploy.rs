//! `piperoll deploy start|finish|run`: a deployment, told by the pipeline that does it.

mod child;

use std::{process::ExitCode, time::Instant};

use clap::Subcommand;
use piperoll_core::{
    kind::{Outcome, Trigger},
    limits::ID_BYTES_MAX,
};

use self::child::Ended;
use crate::{
    ci::{self, Run},
    compose::{self, Deployment},
    content::ContentArgs,
    deployments::{Memory, Started},
    emitter::SenderArgs,
    exit::{Exit, Problem, Result},
    output::{self, FormatArgs},
    rim,
};

/// Tell the ledger that something is deployed, or rolled back
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll deploy run -s checkout -e production --artifact sha256:… -- ./deploy.sh\n\
    On a CI system commit, run and actor come from its variables. An event that cannot be delivered waits in the outbox and\n\
    never breaks the job, unless --strict is given."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}
#[derive(Debug, Subcommand)]
enum Command {
    Start(StartArgs),
    Finish(FinishArgs),
    Run(RunArgs),
}

/// Which deployment it is.
#[derive(Debug, clap::Args)]
struct WhatArgs {
    /// The service
    #[arg(long, short = 's', value_name = "SERVICE")]
    service: String,
    /// The environment
    #[arg(long, short = 'e', value_name = "ENVIRONMENT")]
    environment: String,
    #[command(flatten)]
    content: ContentArgs,
    /// It goes back to something that ran before
    #[arg(long)]
    rollback: bool,
    /// The deployment's id [default: from the CI run, else random]
    #[arg(long, value_name = "ID")]
    deployment: Option<String>,
    /// The change, if it is to be filed under one; as a rule the commit tells
    #[arg(long, value_name = "ID")]
    change: Option<String>,
    /// auto or manual [default: manual for a rollback]
    #[arg(long, value_name = "HOW", value_parser = parse_trigger)]
    trigger: Option<Trigger>,
    /// Login of who started it [default: from the CI variables]
    #[arg(long, value_name = "LOGIN")]
    actor: Option<String>,
    /// Why
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
}
fn parse_trigger(text: &str) -> std::result::Result<Trigger, String> {
    match text {
        "auto" => Ok(Trigger::Auto),
        "manual" => Ok(Trigger::Manual),
        _ => Err("it is auto or manual".to_owned()),
    }
}

/// Say that a deployment starts
#[derive(Debug, clap::Args)]
struct StartArgs {
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    sender: SenderArgs,
    #[command(flatten)]
    format: FormatArgs,
}
/// Say how a deployment ended
#[derive(Debug, clap::Args)]
struct FinishArgs {
    #[command(flatten)]
    what: WhatArgs,
    /// success, failure, cancel or error
    #[arg(long, value_name = "OUTCOME", value_parser = parse_outcome)]
    outcome: Outcome,
    /// What sort of failure it was, in a word
    #[arg(long, value_name = "WORD")]
    failure_type: Option<String>,
    #[command(flatten)]
    sender: SenderArgs,
    #[command(flatten)]
    format: FormatArgs,
}
/// Say that a deployment starts, run the command that does it, and say how it ended; its exit code is passed on
#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    sender: SenderArgs,
    /// The command that deploys, behind --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}
fn parse_outcome(text: &str) -> std::result::Result<Outcome, String> {
    match text {
        "success" => Ok(Outcome::Success),
        "failure" => Ok(Outcome::Failure),
        "cancel" => Ok(Outcome::Cancel),
        "error" => Ok(Outcome::Error),
        _ => Err("it is success, failure, cancel or error".to_owned()),
    }
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    match args.command {
        Command::Start(args) => start(args).await.map(|()| ExitCode::SUCCESS),
        Command::Finish(args) => finish(args).await.map(|()| ExitCode::SUCCESS),
        Command::Run(args) => run_command(args).await,
    }
}

impl WhatArgs {
    /// `deployment of checkout to production`
    fn words(&self) -> String {
        let what = if self.rollback {
            "rollback"
        } else {
            "deployment"
        };
        format!("{what} of {} to {}", self.service, self.environment)
    }
    /// The id that the CI run gives the deployment, where there is a run and the id would be one.
    fn id_of_run(&self, run: &Run) -> Option<String> {
        let alias = run.alias.as_ref()?;
        let id = compose::deployment_id(alias, &self.service, &self.environment);
        (id.len() <= ID_BYTES_MAX).then_some(id)
    }
    /// A deployment that starts now.
    fn starting(&self, run: &Run) -> Result<Deployment> {
        let id = self.deployment.clone().or_else(|| self.id_of_run(run));
        let id = id.unwrap_or_else(|| compose::random_deployment_id(rim::random()));
        Ok(self.with(id, self.content.binds(run)?, run))
    }
    fn with(&self, id: String, binds: Vec<piperoll_core::event::Bind>, run: &Run) -> Deployment {
        Deployment {
            id,
            service: self.service.clone(),
            environment: self.environment.clone(),
            binds,
            change: self.change.clone(),
            run: run.alias.clone(),
            rollback: self.rollback,
            trigger: self.trigger,
            actor: self.actor.clone().or_else(|| run.actor.clone()),
            reason: self.reason.clone(),
        }
    }
    /// Whether the start that was noted here is that of the deployment meant: the one that was named, else that of this run. A note
    /// of another run was left behind by a job that did not get to its end.
    fn is_meant(&self, run: &Run, started: &Started) -> bool {
        match &self.deployment {
            Some(id) => *id == started.id,
            None => run.alias.is_none() || run.alias == started.run,
        }
    }
    /// The deployment that ends now: as it was started here, unless it is described anew.
    fn finishing(&self, run: &Run, here: Option<Started>) -> Result<Deployment> {
        let id = self
            .deployment
            .clone()
            .or_else(|| here.as_ref().map(|started| started.id.clone()))
            .or_else(|| self.id_of_run(run));
        let Some(id) = id else {
            return Err(Problem::usage(format!("no {} was started here", self.words()))
                .hint("a finish belongs to a start: run piperoll deploy start on this machine first, or name the deployment")
                .hint(format!("try: piperoll deploy finish -s {} -e {} --deployment ID", self.service, self.environment)));
        };
        let Some(started) = here else {
            return Ok(self.with(id, self.content.binds(run)?, run));
        };
        let binds = if self.content.is_given() {
            self.content.binds(run)?
        } else {
            started.binds
        };
        let mut deployment = self.with(id, binds, run);
        deployment.rollback |= started.rollback;
        deployment.run = deployment.run.or(started.run);
        deployment.change = deployment.change.or(started.change);
        Ok(deployment)
    }
}

async fn start(args: StartArgs) -> Result {
    let run = ci::detect(&rim::variable);
    let deployment = args.what.starting(&run)?;
    let mut emitter = args.sender.connect().await?;
    let memory = Memory::of(
        &emitter.dispatch.folder,
        emitter.ledger(),
        &deployment.service,
        &deployment.environment,
    );
    let sent = emitter
        .emit(deployment.started(emitter.now()), true)
        .await?;
    note(&memory, &deployment);
    super::emit::finish(
        &emitter,
        &sent,
        &args.what.words(),
        args.sender.strict,
        args.format.format(),
    )
}

/// Notes a start for its finish. The start is kept; that its note is not concerns only the finish, which can be told.
fn note(memory: &Memory, deployment: &Deployment) {
    let remembered = memory.remember(&Started {
        id: deployment.id.clone(),
        rollback: deployment.rollback,
        binds: deployment.binds.clone(),
        change: deployment.change.clone(),
        run: deployment.run.clone(),
    });
    if let Err(problem) = remembered {
        output::complain(&problem);
    }
}

async fn finish(args: FinishArgs) -> Result {
    let run = ci::detect(&rim::variable);
    let mut emitter = args.sender.connect().await?;
    let memory = Memory::of(
        &emitter.dispatch.folder,
        emitter.ledger(),
        &args.what.service,
        &args.what.environment,
    );
    let started = match memory.recall() {
        Err(_) if args.what.deployment.is_some() => None,
        recalled => recalled?,
    };
    let here = started.filter(|started| args.what.is_meant(&run, started));
    let is_noted = here.is_some();
    let deployment = args.what.finishing(&run, here)?;
    let sent = emitter
        .emit(
            deployment.finished(emitter.now(), args.outcome, args.failure_type.clone()),
            true,
        )
        .await?;
    if is_noted && let Err(problem) = memory.forget() {
        output::complain(&problem);
    }
    let what = format!("end of the {}", args.what.words());
    super::emit::finish(
        &emitter,
        &sent,
        &what,
        args.sender.strict,
        args.format.format(),
    )
}

/// Forgets a deployment that is over, unless another one was started there meanwhile.
fn forget(memory: &Memory, id: &str) {
    let forgotten = match memory.recall() {
        Ok(Some(started)) if started.id == id => memory.forget(),
        Ok(_) => Ok(()),
        Err(problem) => Err(problem),
    };
    if let Err(problem) = forgotten {
        output::complain(&problem);
    }
}

/// The command's output is its own: everything we say goes to stderr, and its exit code is ours.
async fn run_command(args: RunArgs) -> Result<ExitCode> {
    let strict = args.sender.strict;
    let run = ci::detect(&rim::variable);
    let deployment = args.what.starting(&run)?;
    // Only --strict keeps a deployment from starting unrecorded; otherwise neither the ledger nor the outbox stands in its way.
    let mut emitter = match args.sender.connect().await {
        Err(problem) if !strict && problem.exit == Exit::Failed => {
            output::complain(
                &problem.hint("the command runs all the same, and nothing is recorded of it"),
            );
            return Ok(child::run(&args.command).await.exit_code());
        }
        connected => connected.map_err(|problem| problem.hint("the command was not started"))?,
    };
    let told = match emitter.emit(deployment.started(emitter.now()), false).await {
        Ok(sent) => sent.conclude(&args.what.words(), strict),
        Err(problem) if !strict && problem.exit == Exit::Failed => Err(problem),
        Err(problem) => return Err(problem.hint("the command was not started")),
    };
    match told {
        Err(problem) if strict => {
            let end = deployment.finished(
                emitter.now(),
                Outcome::Cancel,
                Some("not-recorded".to_owned()),
            );
            if let Err(unkept) = emitter.emit(end, true).await {
                output::complain(&unkept);
            }
            return Err(problem.hint("the command was not started"));
        }
        Err(problem) => output::complain(&problem),
        Ok(()) => {}
    }
    // Should this process die with its command under way, `deploy finish` knows what is meant.
    let memory = Memory::of(
        &emitter.dispatch.folder,
        emitter.ledger(),
        &deployment.service,
        &deployment.environment,
    );
    note(&memory, &deployment);
    let began = Instant::now();
    let ended = child::run(&args.command).await;
    let finished = emitter
        .emit(
            deployment.finished(emitter.now(), ended.outcome(), ended.failure_type()),
            true,
        )
        .await;
    if finished.is_ok() {
        forget(&memory, &deployment.id);
    }
    let code = ended.exit_code();
    match finished.and_then(|sent| sent.conclude(&ended.words(began.elapsed()), strict)) {
        // The deployment is over: whatever else goes wrong here is said, and its exit code stands.
        Ok(()) => {
            if let Err(problem) = emitter.dispatch.fetch_receipts().await {
                output::complain(&problem);
            }
        }
        Err(problem) if strict && matches!(ended, Ended::Exited(0)) => return Err(problem),
        Err(problem) => output::complain(&problem),
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what() -> WhatArgs {
        WhatArgs {
            service: "checkout".into(),
            environment: "production".into(),
            content: ContentArgs::default(),
            rollback: false,
            deployment: None,
            change: None,
            trigger: None,
            actor: None,
            reason: None,
        }
    }
    fn ci() -> Run {
        Run {
            commit: Some("3facdc47b231584945b35e2da9c325c7fe448603".into()),
            alias: Some("run:github.com/acme/checkout/actions/runs/7002".into()),
            actor: Some("tomas-l".into()),
        }
    }

    #[test]
    fn ci_variables_alone_name_the_deployment_its_commit_and_its_actor() {
        let deployment = what().starting(&ci()).unwrap();
        assert_eq!(
            deployment.id,
            "run:github.com/acme/checkout/actions/runs/7002/checkout/production"
        );
        assert_eq!(deployment.binds.len(), 1);
        assert_eq!(deployment.actor.as_deref(), Some("tomas-l"));
    }

    #[test]
    fn a_finish_repeats_what_its_start_said() {
        let started = Started {
            id: "deployment:1".into(),
            rollback: true,
            binds: Vec::new(),
            change: None,
            run: None,
        };
        let deployment = what().finishing(&Run::default(), Some(started)).unwrap();
        assert_eq!(
            (deployment.id.as_str(), deployment.rollback),
            ("deployment:1", true)
        );
    }

    #[test]
    fn a_finish_without_a_start_says_what_to_do() {
        let problem = what().finishing(&Run::default(), None).unwrap_err();
        assert!(
            problem.lines().contains("--deployment ID"),
            "{}",
            problem.lines()
        );
        let by_run = what().finishing(&ci(), None).unwrap();
        assert_eq!(
            by_run.id,
            "run:github.com/acme/checkout/actions/runs/7002/checkout/production"
        );
    }

    #[test]
    fn another_deployment_than_the_one_started_here_is_not_mixed_up_with_it() {
        let started = |run: Option<String>| Started {
            id: "deployment:1".into(),
            rollback: true,
            binds: Vec::new(),
            change: None,
            run,
        };
        let other = WhatArgs {
            deployment: Some("deployment:2".into()),
            ..what()
        };
        assert!(!other.is_meant(&Run::default(), &started(None)));
        assert!(what().is_meant(&Run::default(), &started(None)));
        assert!(what().is_meant(&ci(), &started(ci().alias)));
        for left_behind in [
            None,
            Some("run:github.com/acme/checkout/actions/runs/1".into()),
        ] {
            assert!(!what().is_meant(&ci(), &started(left_behind)));
        }
        let ended = what().finishing(&ci(), None).unwrap();
        assert_eq!(ended.binds.len(), 1, "the commit of this run");
    }

    #[test]
    fn a_run_whose_address_leaves_no_room_gives_no_id() {
        let long = Run {
            alias: Some(format!("run:{}", "x".repeat(190))),
            ..ci()
        };
        let deployment = what().starting(&long).unwrap();
        assert!(
            deployment.id.starts_with("deployment:"),
            "{}",
            deployment.id
        );
    }
}
