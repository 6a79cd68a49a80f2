//! What the shop's pipelines say: each run with the pipeline's key, under one chain of numbers.

use jiff::Timestamp;
use piperoll_client::courier::{Fate, Why};
use piperoll_core::kind::{Outcome, Trigger};

use super::{Player, earlier, elements, image_binds};
use crate::{
    compose::{self, Deployment},
    demo::{
        bodies,
        story::{self, Bundling, Change, Deploying, End, GoingBack},
    },
    exit::{Problem, Result},
};

impl Player {
    pub(super) async fn bundle(&mut self, bundling: Bundling, at: Timestamp) -> Result {
        let Bundling { pipeline, parts } = bundling;
        self.clock.set(at);
        let (name, version) = story::BUNDLE;
        let draft = compose::bundle(at, name, version, elements(parts))
            .ok_or_else(|| Problem::failed("the demo's bundle holds an element twice"))?;
        let mut emitter = self.emitter(pipeline, pipeline).await?;
        let sent = emitter.emit(draft, true).await?;
        self.take(&sent).await.map(drop)
    }
    pub(super) async fn deploy(&mut self, deploying: Deploying, at: Timestamp) -> Result {
        let run = Run::of(&deploying);
        let deployments: Vec<Deployment> = deploying
            .parts
            .iter()
            .map(|part| run.deployment(story::change_of(*part), None))
            .collect();
        self.run(run, &deployments, deploying.end, at).await
    }
    pub(super) async fn roll_back(&mut self, going: GoingBack, at: Timestamp) -> Result {
        let run = Run {
            pipeline: going.pipeline,
            number: going.run,
            environment: going.environment,
            minutes: going.minutes,
        };
        let deployment = run.deployment(story::change_of(going.to), Some(going.reason));
        self.run(run, &[deployment], End::Success, at).await
    }
    /// One run of a pipeline: everything starts, everything ends, under one chain of numbers.
    async fn run(
        &mut self,
        run: Run,
        deployments: &[Deployment],
        end: End,
        at: Timestamp,
    ) -> Result {
        let mut emitter = self.emitter(run.pipeline, run.pipeline).await?;
        self.clock.set(earlier(at, run.minutes));
        for deployment in deployments {
            let sent = emitter
                .emit(deployment.started(emitter.now()), false)
                .await?;
            self.take(&sent).await?;
        }
        self.clock.set(at);
        let (outcome, failure) = match end {
            End::Success => (Outcome::Success, None),
            End::Failure => (Outcome::Failure, Some("smoke-test".to_owned())),
        };
        let last = deployments.len().saturating_sub(1);
        for (place, deployment) in deployments.iter().enumerate() {
            let draft = deployment.finished(at, outcome, failure.clone());
            let sent = emitter.emit(draft, place == last).await?;
            self.take(&sent).await?;
        }
        Ok(())
    }
    /// A pipeline that is set up wrong speaks for a service it has no grant for: its event is refused, and waits in its outbox.
    pub(super) async fn overstep(&mut self, deploying: Deploying, at: Timestamp) -> Result {
        self.clock.set(at);
        let run = Run::of(&deploying);
        let mut emitter = self.emitter(run.pipeline, "misconfigured-job").await?;
        let changes = deploying.parts.iter().map(|part| story::change_of(*part));
        let deployment = changes.map(|change| run.deployment(change, None)).next();
        let deployment =
            deployment.ok_or_else(|| Problem::failed("the demo oversteps for nothing"))?;
        let sent = emitter.emit(deployment.started(at), true).await?;
        match sent.fate {
            Fate::Waiting(Why::Retry(_)) => Ok(()),
            other => Err(Problem::failed(format!(
                "the demo's refused event met another fate: {other:?}"
            ))),
        }
    }
}

/// A run of a pipeline.
#[derive(Clone, Copy)]
struct Run {
    pipeline: &'static str,
    number: u64,
    environment: &'static str,
    minutes: i64,
}
impl Run {
    fn of(deploying: &Deploying) -> Self {
        Self {
            pipeline: deploying.pipeline,
            number: deploying.run,
            environment: deploying.environment,
            minutes: deploying.minutes,
        }
    }
    fn deployment(self, change: &Change, back_because: Option<&str>) -> Deployment {
        let alias = format!(
            "run:github.com/{}/actions/runs/{}",
            bodies::repository_of(change.service),
            self.number
        );
        let login = story::person_of(change.author)
            .login
            .map(|(login, _)| login.to_owned());
        Deployment {
            id: compose::deployment_id(&alias, change.service, self.environment),
            service: change.service.to_owned(),
            environment: self.environment.to_owned(),
            binds: image_binds(change),
            change: None,
            run: Some(alias),
            rollback: back_because.is_some(),
            trigger: Some(if back_because.is_some() {
                Trigger::Manual
            } else {
                Trigger::Auto
            }),
            actor: login,
            reason: back_because.map(str::to_owned),
        }
    }
}
