//! The way of one change: who says what, and when.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use piperoll_core::{
    draft::{self, Draft},
    envelope::Envelope,
    event::Chain,
    kind::{Content, Decision, Outcome},
    name::PrincipalKind,
};
use piperoll_tlog::encoding;

use super::{Change, PRODUCTION, STAGING, Shop};
use crate::{
    bench::emitters::{BUSINESS, Emitter, TECHNICAL},
    compose::{self, Asked, Deployment, Judged},
    rim,
};

/// Between the beginnings of two changes: a shop with a dozen services merges one every few minutes of a working day.
const APART: SignedDuration = SignedDuration::from_secs(240);
/// Between two events of a change.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How long an override stands.
const OVERRIDE: SignedDuration = SignedDuration::from_hours(8);

/// A change on its way: what was said so far.
pub(super) struct Week<'a> {
    shop: &'a Shop,
    change: Change,
    now: Timestamp,
    messages: Vec<String>,
}
impl<'a> Week<'a> {
    pub(super) fn new(shop: &'a Shop, number: u64) -> anyhow::Result<Self> {
        let changes_before = i32::try_from(number)?;
        Ok(Self {
            shop,
            change: Change::new(number),
            now: shop.begun.checked_add(APART * changes_before)?,
            messages: Vec::new(),
        })
    }
    /// Everything that happens to the change.
    pub(super) fn whole(mut self) -> anyhow::Result<Vec<String>> {
        self.merge()?;
        self.deploy(STAGING)?;
        self.approve()?;
        self.deploy(PRODUCTION)?;
        if self.change.is_one_of(4) {
            self.alarm()?;
        }
        if self.change.is_one_of(8) {
            self.go_back()?;
        }
        Ok(self.messages)
    }

    fn merge(&mut self) -> anyhow::Result<()> {
        let host = &self.shop.emitters.bridges[0];
        self.say(host, self.change.opened())?;
        let content = || self.change.content();
        let mut said = vec![Content::ChangeReviewed(content())];
        if self.change.is_one_of(2) {
            said.insert(0, Content::ChangeUpdated(content()));
        }
        said.push(Content::ChangeMerged(content()));
        for content in said {
            self.say(host, self.change.of_request(content))?;
        }
        self.say(host, self.change.pushed())?;
        self.say(self.pipeline(), self.change.published())
    }
    fn deploy(&mut self, environment: &str) -> anyhow::Result<()> {
        self.run(&self.change.deployment(environment))?;
        // The cluster says the same of every sixth one.
        if self.change.is_one_of(6) {
            let cluster = &self.shop.emitters.bridges[1];
            self.say(cluster, self.change.seen_running(environment))?;
        }
        Ok(())
    }
    /// One process of a pipeline: a start, a finish, and nothing after it.
    fn run(&mut self, deployment: &Deployment) -> anyhow::Result<()> {
        let id = encoding::base64url(&rim::random::<16>());
        let started = deployment.started(self.now);
        let finished = deployment.finished(self.now, Outcome::Success, None);
        for (n, mut draft) in (1..).zip([started, finished]) {
            draft.profile.chain = Some(Chain {
                id: id.clone(),
                n,
                last: n == 2,
            });
            self.say(self.pipeline(), draft)?;
        }
        Ok(())
    }
    fn approve(&mut self) -> anyhow::Result<()> {
        let request = self.change.approval_request();
        let pipeline = self.pipeline();
        let id = draft::uuid_v7(self.now, rim::random());
        let envelope = self.sign(
            pipeline,
            request.draft(self.now, id.clone(), &pipeline.principal),
        )?;
        let asked = Asked {
            index: 0,
            payload_hash: envelope.payload_hash(),
            subject: id,
            requestor: pipeline.principal.to_string(),
            service: request.service,
            environment: request.environment,
            change: None,
            binds: request.binds,
            texts: BTreeMap::new(),
        };
        self.messages.push(envelope.to_json());
        self.decide(&asked, self.person(0), BUSINESS)?;
        if self.change.is_one_of(16) {
            let until = self.now.checked_add(OVERRIDE)?;
            return self.say(self.person(0), self.change.overridden(until));
        }
        self.decide(&asked, self.person(1), TECHNICAL)
    }
    fn decide(&mut self, asked: &Asked, person: &Emitter, role: &str) -> anyhow::Result<()> {
        let judged = Judged {
            decision: Decision::Approved,
            role: role.to_owned(),
            comment: None,
            expires: None,
            from: Vec::new(),
        };
        let shown = format!(
            "{}\nIt goes to production as image {}.\n",
            self.change.title(),
            self.change.image()
        );
        let draft = compose::decision(self.now, asked, &judged, &shown, &person.principal);
        self.say(person, draft)
    }
    fn alarm(&mut self) -> anyhow::Result<()> {
        let from = self.now;
        self.say(self.monitor(), self.change.alert(from, None))?;
        let to = self.now;
        self.say(self.monitor(), self.change.alert(from, Some(to)))
    }
    fn go_back(&mut self) -> anyhow::Result<()> {
        self.say(self.person(1), self.change.incident(true))?;
        self.run(&self.change.way_back())?;
        self.say(self.person(1), self.change.incident(false))
    }

    fn pipeline(&self) -> &'a Emitter {
        pick(&self.shop.emitters.pipelines, self.change.number)
    }
    fn person(&self, which: u64) -> &'a Emitter {
        pick(&self.shop.emitters.people, self.change.number + which)
    }
    fn monitor(&self) -> &'a Emitter {
        pick(&self.shop.emitters.monitors, self.change.number)
    }
    fn say(&mut self, emitter: &Emitter, draft: Draft) -> anyhow::Result<()> {
        let envelope = self.sign(emitter, draft)?;
        self.messages.push(envelope.to_json());
        Ok(())
    }
    fn sign(&mut self, emitter: &Emitter, mut draft: Draft) -> anyhow::Result<Envelope> {
        draft.timestamp = self.now;
        self.now = self.now.checked_add(PAUSE)?;
        draft.profile.ledger = Some(self.shop.ledger);
        // A person's browser may not have seen a checkpoint; everybody else's client has.
        if emitter.principal.kind() != PrincipalKind::Person {
            draft.profile.seen = Some(self.shop.seen.clone());
        }
        draft
            .sign(&emitter.principal, &emitter.key, &mut rim::fill)
            .map_err(|refusal| anyhow::anyhow!("{}: {refusal}", draft.content.kind().name()))
    }
}
fn pick(emitters: &[Emitter], number: u64) -> &Emitter {
    let count = emitters.len() as u64;
    &emitters[usize::try_from(number % count).expect("below the number of emitters")]
}
