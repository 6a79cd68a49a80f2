//! What people of the shop say: they ask, decide, override, open and close incidents, each with their own key.

use jiff::{SignedDuration, Timestamp};
use piperoll_core::{draft, kind::Decision};

use super::{Player, content_of};
use crate::{
    command::approve,
    compose::{self, Incident, Judged, Override, Request},
    demo::story::{self, Asker, Asking, Deciding, INCIDENT, Overriding, Telling},
    exit::{Problem, Result},
    rim,
};

/// Everything in the story is asked for here.
const ENVIRONMENT: &str = "production";

impl Player {
    pub(super) async fn ask(&mut self, asking: Asking, at: Timestamp) -> Result {
        self.clock.set(at);
        let (service, binds) = content_of(asking.content);
        let request = Request {
            service,
            environment: Some(ENVIRONMENT.to_owned()),
            change: None,
            binds,
            summary: asking.summary.to_owned(),
            users: Some(asking.users.to_owned()),
            risk: Some(asking.risk.to_owned()),
            undo: Some(asking.undo.to_owned()),
        };
        let (Asker::Person(name) | Asker::Pipeline(name)) = asking.by;
        let mut emitter = self.emitter(name, name).await?;
        let id = draft::uuid_v7(at, rim::random());
        let sent = emitter
            .emit(request.draft(at, id, &emitter.signer().principal), true)
            .await?;
        self.asked = Some(self.take(&sent).await?);
        Ok(())
    }
    /// On the latest request, after reading it back from the ledger as `piperoll approve` does.
    pub(super) async fn decide(&mut self, deciding: Deciding, at: Timestamp) -> Result {
        self.clock.set(at);
        let index = self
            .asked
            .ok_or_else(|| Problem::failed("the demo decides before anybody asked"))?;
        let source = self.source();
        let asked = approve::find(&source, &index.to_string()).await?;
        let judged = Judged {
            decision: if deciding.approved {
                Decision::Approved
            } else {
                Decision::Rejected
            },
            role: deciding.role.to_owned(),
            comment: deciding.comment.map(str::to_owned),
            expires: None,
            from: approve::what_runs(&source, &asked).await?,
        };
        let mut emitter = self.emitter(deciding.by, deciding.by).await?;
        let shown = compose::shown(&asked, &judged);
        let draft = compose::decision(at, &asked, &judged, &shown, &emitter.signer().principal);
        let sent = emitter.emit(draft, true).await?;
        self.decision = Some(sent.message.clone());
        self.take(&sent).await.map(drop)
    }
    /// The same bytes once more: the ledger answers with the entry they already are.
    pub(super) async fn send_again(&mut self, at: Timestamp) -> Result {
        self.clock.set(at);
        let message = self
            .decision
            .clone()
            .ok_or_else(|| Problem::failed("the demo has nothing to send again"))?;
        match self.post("/v1/events", &[], message.into_bytes()).await? {
            200 => Ok(()),
            status => Err(Problem::failed(format!(
                "the demo's second sending was answered with {status}"
            ))),
        }
    }
    pub(super) async fn override_(&mut self, overriding: Overriding, at: Timestamp) -> Result {
        let Overriding {
            by, hours, reason, ..
        } = overriding;
        self.clock.set(at);
        let (service, binds) = content_of(overriding.content);
        let declared = Override {
            service: service.unwrap_or_default(),
            environment: ENVIRONMENT.to_owned(),
            binds,
            role: story::TECHNICAL.to_owned(),
            expires: at
                .checked_add(SignedDuration::from_hours(hours))
                .map_err(anyhow::Error::from)?,
            gate: "approval".to_owned(),
            unmet: vec![story::BUSINESS.to_owned()],
            reason: reason.to_owned(),
        };
        let mut emitter = self.emitter(by, by).await?;
        let sent = emitter.emit(declared.draft(at), true).await?;
        self.take(&sent).await.map(drop)
    }
    pub(super) async fn incident(
        &mut self,
        telling: Telling,
        begins: bool,
        at: Timestamp,
    ) -> Result {
        self.clock.set(at);
        let incident = Incident {
            id: INCIDENT.to_owned(),
            service: story::ALERT.service.to_owned(),
            environment: story::ALERT.environment.to_owned(),
            words: telling.words.to_owned(),
        };
        let draft = if begins {
            incident.detected(at)
        } else {
            incident.resolved(at)
        };
        let mut emitter = self.emitter(telling.by, telling.by).await?;
        let sent = emitter.emit(draft, true).await?;
        self.take(&sent).await.map(drop)
    }
}
