//! What the shop's code host and its monitor tell: webhooks to the bridges, each under its secret.

use jiff::Timestamp;
use piperoll_tlog::{encoding, mac::HmacSha256};
use serde_json::Value;

use super::{Player, earlier};
use crate::{
    demo::{
        bodies,
        story::{self, Change, HostDeploying, Person},
    },
    exit::Result,
};

impl Player {
    pub(super) async fn open(&mut self, change: &'static Change, at: Timestamp) -> Result {
        self.opened.insert(change.number, at);
        let author = story::person_of(change.author);
        self.github("pull_request", &bodies::opened(change, author, at), at)
            .await?;
        self.link_once(author).await
    }
    pub(super) async fn review(
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
    pub(super) async fn merge(&mut self, change: &'static Change, at: Timestamp) -> Result {
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
    pub(super) async fn host_deploys(&mut self, deploying: HostDeploying, at: Timestamp) -> Result {
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
    pub(super) async fn alert(&mut self, at: Timestamp, resolved: bool) -> Result {
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
}
