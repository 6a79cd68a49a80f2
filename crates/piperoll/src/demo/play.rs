//! Sends the story: webhooks to the bridges, events through the same client and outbox that pipelines and people use. Each step
//! waits until the ledger has taken it, so that records have the same numbers in every demo.

mod enrolment;
mod host;
mod people;
mod pipelines;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use piperoll_client::{server::Server, state::Folder};
use piperoll_core::{
    event::{Bind, Digest},
    kind::BundleElement,
    name::LedgerId,
};
use piperoll_server::{clock, status};
use piperoll_tlog::Hash;

use super::{
    Layout, StoryClock, bodies,
    clock::Week,
    story::{self, Act, Change, Content, Moment},
};
use crate::{
    ask::Source,
    compose::{self},
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
        self.published().await?;
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

    // What all of them need.

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
    /// Waits for a checkpoint over everything.
    async fn published(&self) -> Result {
        let mut watch = self.status.watch();
        let published = watch.wait_for(|now| now.published >= self.expected);
        match tokio::time::timeout(STEP_WITHIN, published).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Problem::failed(
                "the ledger signed no checkpoint over the story in time",
            )),
        }
    }
    /// Brings every emitter's receipts home, as their next commands would.
    pub(crate) async fn fetch_receipts(&self) -> Result {
        let pipelines = story::PIPELINES.iter().map(|pipeline| pipeline.name);
        let people = story::PEOPLE.iter().map(|person| person.key);
        for machine in pipelines.chain(people) {
            self.dispatch(machine).await?.fetch_receipts().await?;
        }
        Ok(())
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
