//! Sends the story: webhooks to the bridges, events through the same client and outbox that pipelines and people use. Each step
//! waits until the ledger has taken it, so that records have the same numbers in every demo.

mod enrolment;
mod people;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use piperoll_client::{
    courier::{Fate, Why},
    server::Server,
    state::Folder,
};
use piperoll_core::{
    event::{Bind, Digest},
    kind::{BundleElement, Outcome, Trigger},
    name::LedgerId,
};
use piperoll_server::{clock, status};
use piperoll_tlog::{Hash, encoding, mac::HmacSha256};
use serde_json::Value;

use super::{
    Layout, StoryClock, bodies,
    clock::Week,
    story::{
        self, Act, Bundling, Change, Content, Deploying, End, GoingBack, HostDeploying, Moment,
        Person,
    },
};
use crate::{
    ask::Source,
    compose::{self, Deployment},
    dispatch::Dispatch,
    emitter::{Emitter, Sent},
    exit::{Problem, Result},
    keys,
};

/// How long the ledger may take for one step before the demo gives up.
const STEP_WITHIN: Duration = Duration::from_secs(20);

/// The shop's week on its way to the ledger.
pub(crate) struct Player {
    layout: Layout,
    server: Server,
    ledger: LedgerId,
    status: status::Handle,
    clock: Arc<StoryClock>,
    week: Week,
    /// GitHub's secret and Alertmanager's token.
    secrets: Secrets,
    /// Entries there must be by now.
    expected: u64,
    /// The tip of each repository's branch.
    tips: BTreeMap<&'static str, String>,
    /// When each merge request was opened.
    opened: BTreeMap<u32, Timestamp>,
    /// Logins whose account is linked to its person.
    linked: Vec<&'static str>,
    /// The latest request for approval.
    asked: Option<u64>,
    /// The latest decision, as it was sent.
    decision: Option<String>,
    alert_started: Option<Timestamp>,
}
/// What the bridges were given.
#[derive(Clone, Debug, Default)]
struct Secrets {
    github: String,
    alertmanager: String,
}

impl Player {
    /// `status` is the running server's; `clock` is the one it runs on.
    pub(crate) fn new(
        layout: Layout,
        server: Server,
        ledger: LedgerId,
        status: status::Handle,
        clock: Arc<StoryClock>,
        now: Timestamp,
    ) -> Self {
        Self {
            layout,
            server,
            ledger,
            expected: status.now().size.max(1),
            status,
            clock,
            week: Week::before(now),
            secrets: Secrets::default(),
            tips: BTreeMap::new(),
            opened: BTreeMap::new(),
            linked: Vec::new(),
            asked: None,
            decision: None,
            alert_started: None,
        }
    }
    /// Everything, from the first enrolment to the last decision; then the clock is the system's.
    pub(crate) async fn play(&mut self) -> Result {
        self.enrol_everybody().await?;
        for moment in story::WEEK {
            self.act(moment).await?;
        }
        let (day, clock) = story::ENDED;
        self.clock.set(self.week.at(day, clock));
        self.receipts().await?;
        self.clock.hand_over();
        Ok(())
    }

    async fn act(&mut self, moment: &Moment) -> Result {
        let at = self.week.at(moment.day, moment.clock);
        match moment.act {
            Act::Opened(number) => self.open(story::change_of(number), at).await,
            Act::Reviewed(number, by) => {
                let reviewer = story::person_of(by);
                self.review(story::change_of(number), reviewer, at).await
            }
            Act::Merged(number) => self.merge(story::change_of(number), at).await,
            Act::Bundled(bundling) => self.bundle(bundling, at).await,
            Act::Asked(asking) => self.ask(asking, at).await,
            Act::Decided(deciding) => self.decide(deciding, at).await,
            Act::Deployed(deploying) => self.deploy(deploying, at).await,
            Act::RolledBack(going) => self.roll_back(going, at).await,
            Act::HostDeployed(deploying) => self.host_deploys(deploying, at).await,
            Act::Overrode(overriding) => self.override_(overriding, at).await,
            Act::AlertFired => self.alert(at, false).await,
            Act::AlertResolved => self.alert(at, true).await,
            Act::IncidentOpened(telling) => self.incident(telling, true, at).await,
            Act::IncidentClosed(telling) => self.incident(telling, false, at).await,
            Act::SentAgain => self.send_again(at).await,
            Act::Overstepped(deploying) => self.overstep(deploying, at).await,
        }
    }

    // What the code host and the monitor tell.

    async fn open(&mut self, change: &'static Change, at: Timestamp) -> Result {
        self.opened.insert(change.number, at);
        let author = story::person_of(change.author);
        self.github("pull_request", &bodies::opened(change, author, at), at)
            .await?;
        self.link_once(author).await
    }
    async fn review(
        &mut self,
        change: &'static Change,
        reviewer: &'static Person,
        at: Timestamp,
    ) -> Result {
        let opened = self.opened_at(change);
        let author = story::person_of(change.author);
        self.github(
            "pull_request_review",
            &bodies::reviewed(change, author, reviewer, opened, at),
            at,
        )
        .await?;
        self.link_once(reviewer).await
    }
    async fn merge(&mut self, change: &'static Change, at: Timestamp) -> Result {
        let author = story::person_of(change.author);
        let opened = self.opened_at(change);
        self.github(
            "pull_request",
            &bodies::merged(change, author, opened, at),
            at,
        )
        .await?;
        let before = self
            .tips
            .get(change.service)
            .cloned()
            .unwrap_or_else(|| bodies::base_commit(change.service));
        self.github("push", &bodies::pushed(change, author, &before, at), at)
            .await?;
        self.tips
            .insert(change.service, bodies::merge_commit(change));
        Ok(())
    }
    fn opened_at(&self, change: &Change) -> Timestamp {
        self.opened
            .get(&change.number)
            .copied()
            .expect("the story opens a change before anything else; a test looks")
    }
    async fn host_deploys(&mut self, deploying: HostDeploying, at: Timestamp) -> Result {
        let HostDeploying {
            id,
            environment,
            minutes,
            ..
        } = deploying;
        let change = story::change_of(deploying.change);
        let author = story::person_of(change.author);
        for (state, at) in [("in_progress", earlier(at, minutes)), ("success", at)] {
            let body = bodies::deployment_status(change, author, id, environment, state, at);
            self.github("deployment_status", &body, at).await?;
        }
        Ok(())
    }
    async fn alert(&mut self, at: Timestamp, resolved: bool) -> Result {
        let started = *self.alert_started.get_or_insert(at);
        let body = serde_json::to_vec(&bodies::alert(started, resolved.then_some(at)))
            .map_err(anyhow::Error::from)?;
        self.clock.set(at);
        let authorization = format!("Bearer {}", self.secrets.alertmanager);
        self.post(
            "/bridges/alertmanager",
            &[("authorization", &authorization)],
            body,
        )
        .await?;
        self.recorded(1).await
    }
    /// A webhook as GitHub sends it: the raw body under an HMAC.
    async fn github(&mut self, event: &str, body: &Value, at: Timestamp) -> Result {
        let body = serde_json::to_vec(body).map_err(anyhow::Error::from)?;
        let mut hmac = HmacSha256::new(self.secrets.github.as_bytes());
        hmac.update(&body);
        let signature = format!("sha256={}", encoding::hex(&hmac.tag()));
        let delivery = format!("demo-{}", self.expected);
        let headers = [
            ("x-github-event", event),
            ("x-github-delivery", delivery.as_str()),
            ("x-hub-signature-256", signature.as_str()),
        ];
        self.clock.set(at);
        self.post("/bridges/github", &headers, body).await?;
        self.recorded(1).await
    }
    async fn post(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<u16> {
        let answered = self
            .server
            .post_json(path, headers, body)
            .await
            .map_err(anyhow::Error::from)?;
        let (status, body) = answered;
        if (200..300).contains(&status) {
            return Ok(status);
        }
        Err(Problem::failed(format!(
            "the demo's {path} was answered with {status}: {}",
            String::from_utf8_lossy(&body)
        )))
    }

    // What the pipelines say.

    async fn bundle(&mut self, bundling: Bundling, at: Timestamp) -> Result {
        let Bundling { pipeline, parts } = bundling;
        self.clock.set(at);
        let (name, version) = story::BUNDLE;
        let draft = compose::bundle(at, name, version, elements(parts))
            .ok_or_else(|| Problem::failed("the demo's bundle holds an element twice"))?;
        let mut emitter = self.emitter(pipeline, pipeline).await?;
        let sent = emitter.emit(draft, true).await?;
        self.take(&sent).await.map(drop)
    }
    async fn deploy(&mut self, deploying: Deploying, at: Timestamp) -> Result {
        let run = Run::of(&deploying);
        let deployments: Vec<Deployment> = deploying
            .parts
            .iter()
            .map(|part| run.deployment(story::change_of(*part), None))
            .collect();
        self.run(run, &deployments, deploying.end, at).await
    }
    async fn roll_back(&mut self, going: GoingBack, at: Timestamp) -> Result {
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
    async fn overstep(&mut self, deploying: Deploying, at: Timestamp) -> Result {
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

    // What all of them need.

    /// Signs with the key of `name`, and keeps what it sends in the outbox of `machine`.
    async fn emitter(&self, name: &str, machine: &str) -> Result<Emitter> {
        let signer = keys::read_file(&self.layout.key(name))?;
        let clock = Arc::clone(&self.clock) as clock::Shared;
        let emitter = Emitter::new(self.dispatch(machine).await?, signer, clock);
        Ok(emitter.without_catching_up())
    }
    async fn dispatch(&self, machine: &str) -> Result<Dispatch> {
        let folder = Folder::open(&self.layout.outbox(machine)).map_err(anyhow::Error::from)?;
        Dispatch::open(self.server.clone(), Some(self.ledger), folder).await
    }
    fn source(&self) -> Source {
        Source::Server(self.server.clone())
    }
    /// An event must be recorded, as the next entry.
    async fn take(&mut self, sent: &Sent) -> Result<u64> {
        let Some(index) = sent.index() else {
            return Err(Problem::failed(format!(
                "the demo's event was not recorded: {:?}",
                sent.fate
            )));
        };
        self.recorded(1).await?;
        Ok(index)
    }
    /// Waits until the ledger has so many entries more.
    async fn recorded(&mut self, more: u64) -> Result {
        self.expected += more;
        let expected = self.expected;
        let mut watch = self.status.watch();
        let grown =
            tokio::time::timeout(STEP_WITHIN, watch.wait_for(|now| now.size >= expected)).await;
        match grown {
            Ok(Ok(now)) if now.size == expected => Ok(()),
            Ok(Ok(now)) => Err(Problem::failed(format!(
                "the demo expected {expected} entries, and there are {}",
                now.size
            ))),
            Ok(Err(_)) | Err(_) => Err(Problem::failed(format!(
                "the ledger did not record entry {} in time",
                expected - 1
            ))),
        }
    }
    /// Waits for a checkpoint over everything, then brings every emitter's receipts home.
    async fn receipts(&self) -> Result {
        let mut watch = self.status.watch();
        let published = watch.wait_for(|now| now.published >= self.expected);
        if !matches!(
            tokio::time::timeout(STEP_WITHIN, published).await,
            Ok(Ok(_))
        ) {
            return Err(Problem::failed(
                "the ledger signed no checkpoint over the story in time",
            ));
        }
        let machines = story::PIPELINES
            .iter()
            .map(|pipeline| pipeline.name)
            .chain(story::PEOPLE.iter().map(|person| person.key));
        for machine in machines {
            self.dispatch(machine).await?.fetch_receipts().await?;
        }
        Ok(())
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
fn earlier(at: Timestamp, minutes: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_mins(minutes))
        .unwrap_or(at)
}
/// The image of a change and the commit it was built from.
fn image_binds(change: &Change) -> Vec<Bind> {
    let image = Hash::from_hex(&bodies::image(change)).map(Digest::Sha256);
    let commit = Digest::GitCommit(bodies::merge_commit(change));
    let image = image.map(|digest| Bind {
        name: "image".to_owned(),
        digest,
    });
    image
        .into_iter()
        .chain([Bind {
            name: "commit".to_owned(),
            digest: commit,
        }])
        .collect()
}
fn elements(parts: &[u32]) -> Vec<BundleElement> {
    let element = |part: &u32| {
        let change = story::change_of(*part);
        let sha256 = bodies::image(change);
        let repository = bodies::repository_of(change.service);
        BundleElement {
            purl: format!(
                "pkg:oci/{}@sha256:{sha256}?repository_url=ghcr.io/{repository}",
                change.service
            ),
            sha256,
        }
    };
    parts.iter().map(element).collect()
}
/// Service, if there is one, and what exactly is meant.
fn content_of(content: Content) -> (Option<String>, Vec<Bind>) {
    match content {
        Content::Image(number) => {
            let change = story::change_of(number);
            (Some(change.service.to_owned()), image_binds(change))
        }
        Content::Bundle => (None, bundle_binds()),
    }
}
fn bundle_binds() -> Vec<Bind> {
    let (name, version) = story::BUNDLE;
    let parts = story::WEEK.iter().find_map(|moment| match moment.act {
        Act::Bundled(bundling) => Some(bundling.parts),
        _ => None,
    });
    let hash = parts.and_then(|parts| piperoll_core::kind::bundle_hash(&elements(parts)));
    hash.map(|hash| compose::bundle_bind(name, version, hash))
        .into_iter()
        .collect()
}
