//! Carries events from the outbox to the ledger and brings their receipts home.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    delivery::{self, Delivered, Wait},
    ledger::{self, Ledger},
    outbox::{self, Claim, Name, Outbox, Place, Recorded, Taken},
    problem::Problem,
    query,
    receipts::{self, State},
    server::{Server, Unreachable},
    state,
};

/// The pause before a ledger that says nothing of `Retry-After` is asked again, and the shortest that it can ask for.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// How long to keep trying before an event is left waiting. Zero tries once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// With a ledger that answers and takes nothing for now (503, 429).
    pub unavailable: Duration,
    /// With one that does not answer.
    pub unreachable: Duration,
}

/// What became of an event.
#[derive(Debug)]
pub enum Fate {
    /// It is entry `index`; `again`: it was one before.
    Recorded { index: u64, again: bool },
    /// It is safe in the outbox and goes out later.
    Waiting(Why),
    /// It was put aside for good.
    Refused(Problem),
}
/// Why an event waits.
#[derive(Debug)]
pub enum Why {
    /// It is on the stream, and the ledger has not come to it yet.
    OnItsWay,
    /// The ledger would take it if a key, a grant or a role were registered.
    Retry(Problem),
    /// The ledger takes nothing for now.
    Unavailable(Problem),
    Unreachable(Unreachable),
    /// The ledger contradicts itself, or the server keeps another ledger than the pinned one.
    Contradiction(String),
}
/// Something that must not happen, for a person to see.
#[derive(Debug, thiserror::Error)]
pub enum Alarm {
    #[error("entry {index}, which the ledger said it had recorded, is now {now}", now = said_now(*.now))]
    Vanished { index: u64, now: State },
    #[error("the ledger said that an event was entry {index}, and now that it is entry {now}")]
    Moved { index: u64, now: u64 },
    #[error(transparent)]
    Receipt(#[from] receipts::Error),
    #[error(transparent)]
    Contradiction(state::Error),
}
/// What one run over the outbox did.
#[derive(Debug, Default)]
pub struct Report {
    /// The events that were reached, in the order of trying.
    pub fates: Vec<(Name, Fate)>,
    /// Entries whose receipt was verified and kept.
    pub receipts: Vec<u64>,
    pub alarms: Vec<Alarm>,
    /// What lies in the outbox and cannot be read or moved; it stays where it is.
    pub unusable: Vec<outbox::Error>,
    /// Why the run ended before the last event, if it did.
    pub stopped: Option<String>,
}

/// What stopped the courier itself, not an event.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    #[error(transparent)]
    State(#[from] state::Error),
}

/// Works between one outbox and one server that keeps its ledger.
#[derive(Clone, Debug)]
pub struct Courier<'a> {
    pub outbox: &'a Outbox,
    pub folder: &'a state::Folder,
    pub server: &'a Server,
    pub ledger: &'a Ledger,
    pub wait: Wait,
    pub patience: Patience,
}

impl Courier<'_> {
    /// Sends one event, with patience, and moves it to where it belongs.
    pub async fn send(&self, claim: Claim) -> Result<Fate, Error> {
        let started = Instant::now();
        loop {
            let delivered = self.attempt(&claim).await;
            let Some(pause) = self.pause(&delivered, started.elapsed()) else {
                return self.settle(claim, delivered).await;
            };
            tokio::time::sleep(pause).await;
        }
    }
    /// Sends whatever waits, oldest first, and begins with no event after `within`. One event's trouble stops no other; the run
    /// ends early where each further event would wait in vain.
    pub async fn flush(&self, within: Duration) -> Result<Report, Error> {
        let started = Instant::now();
        let mut report = Report::default();
        for name in self.outbox.waiting()? {
            if started.elapsed() >= within {
                report.stopped = Some("its time was up".to_owned());
                break;
            }
            let fate = match self.outbox.claim(&name) {
                Ok(Taken::Held(claim)) => self.send(claim).await?,
                Ok(Taken::Elsewhere) => continue,
                Ok(Taken::Unreadable(problem)) => Fate::Refused(problem),
                Err(error) => {
                    report.unusable.push(error);
                    continue;
                }
            };
            let trouble = trouble_of_the_server(&fate);
            report.fates.push((name, fate));
            if trouble.is_some() {
                report.stopped = trouble;
                break;
            }
        }
        Ok(report)
    }
    /// Asks for the receipts of events that are recorded; verifies and keeps each, and lets its event go. Asks for none after
    /// `within`.
    pub async fn fetch_receipts(&self, within: Duration) -> Result<Report, Error> {
        let started = Instant::now();
        let mut report = Report::default();
        for name in self.outbox.recorded()? {
            if started.elapsed() >= within {
                report.stopped = Some("its time was up".to_owned());
                break;
            }
            let recorded = match self.outbox.claim_recorded(&name) {
                Ok(Taken::Held(recorded)) => recorded,
                Ok(Taken::Elsewhere | Taken::Unreadable(_)) => continue,
                Err(error) => {
                    report.unusable.push(error);
                    continue;
                }
            };
            match receipts::ask(self.server, recorded.payload_hash()).await {
                Ok(answer) => self.take_receipt(recorded, &answer, &mut report)?,
                Err(error) => {
                    report.stopped = Some(error.to_string());
                    break;
                }
            }
        }
        Ok(report)
    }

    async fn attempt(&self, claim: &Claim) -> Delivered {
        // An event that waited may have arrived without our knowing: a connection broke, or it was on the stream.
        if !claim.is_fresh() {
            match receipts::ask(self.server, claim.payload_hash()).await {
                Ok(answer) => match (answer.state, receipts::place(&answer)) {
                    (State::Recorded | State::Published, Some(place))
                        if place.is_of(claim.envelope()) =>
                    {
                        return Delivered::Duplicate(place);
                    }
                    (State::Waiting, _) => return Delivered::Accepted,
                    // Not seen, or refused: it may be taken now, and a refusal comes with its reasons.
                    _ => {}
                },
                Err(query::Error::Unreachable(unreachable)) => {
                    return Delivered::Unreachable(unreachable);
                }
                // Whatever else it says, the answer to the event itself counts.
                Err(_) => {}
            }
        }
        delivery::deliver(self.server, claim.envelope(), claim.message(), self.wait).await
    }
    /// How long to wait before the next attempt; `None` when this answer is the last word.
    fn pause(&self, delivered: &Delivered, spent: Duration) -> Option<Duration> {
        let (pause, patience) = match delivered {
            Delivered::Unavailable { retry_after, .. } => {
                (retry_after.unwrap_or(PAUSE), self.patience.unavailable)
            }
            Delivered::Unreachable(_) => (PAUSE, self.patience.unreachable),
            Delivered::Recorded(_)
            | Delivered::Duplicate(_)
            | Delivered::Accepted
            | Delivered::Retry(_)
            | Delivered::Refused(_)
            | Delivered::Contradiction(_) => return None,
        };
        let pause = pause.max(PAUSE_MIN);
        (spent.saturating_add(pause) <= patience).then_some(pause)
    }
    async fn settle(&self, claim: Claim, delivered: Delivered) -> Result<Fate, Error> {
        let fate = match delivered {
            Delivered::Recorded(place) => record(claim, &place, false)?,
            Delivered::Duplicate(place) => record(claim, &place, true)?,
            Delivered::Accepted => Fate::Waiting(Why::OnItsWay),
            Delivered::Retry(problem) => Fate::Waiting(Why::Retry(problem)),
            Delivered::Unavailable { problem, .. } => Fate::Waiting(Why::Unavailable(problem)),
            Delivered::Unreachable(unreachable) => Fate::Waiting(Why::Unreachable(unreachable)),
            Delivered::Contradiction(why) => Fate::Waiting(Why::Contradiction(why)),
            Delivered::Refused(problem) => self.put_aside(claim, problem).await?,
        };
        Ok(fate)
    }
    /// A final refusal counts only from the ledger that the event is for: another ledger refuses every event of ours.
    async fn put_aside(&self, claim: Claim, problem: Problem) -> Result<Fate, Error> {
        match ledger::confirm(self.folder, self.server, self.ledger).await {
            Ok(()) => {
                claim.refused(&problem)?;
                Ok(Fate::Refused(problem))
            }
            Err(ledger::Error::Query(query::Error::Unreachable(unreachable))) => {
                Ok(Fate::Waiting(Why::Unreachable(unreachable)))
            }
            Err(ledger::Error::State(error)) => Err(error.into()),
            Err(error) => Ok(Fate::Waiting(Why::Contradiction(error.to_string()))),
        }
    }
    fn take_receipt(
        &self,
        recorded: Recorded,
        answer: &receipts::Answer,
        report: &mut Report,
    ) -> Result<(), Error> {
        let index = recorded.place().index;
        let now = answer.state;
        if !matches!(now, State::Recorded | State::Published) {
            report.alarms.push(Alarm::Vanished { index, now });
            if now == State::NotSeen {
                // Whoever said that it was recorded, the ledger does not have it: it is sent again.
                recorded.not_after_all()?;
            }
            return Ok(());
        }
        if let Some(now) = answer.index.filter(|now| *now != index) {
            report.alarms.push(Alarm::Moved { index, now });
            return Ok(());
        }
        // No checkpoint covers it yet: the next command asks again.
        let Some(proof) = &answer.proof else {
            return Ok(());
        };
        let verifier = &self.ledger.verifier;
        let (receipt, checkpoint) = match receipts::verify(proof, recorded.place(), verifier) {
            Ok(held) => held,
            Err(error) => {
                report.alarms.push(error.into());
                return Ok(());
            }
        };
        match self
            .folder
            .keep_seen(self.ledger.id, verifier, &checkpoint, &receipt.checkpoint)
        {
            Ok(()) => {
                recorded.confirmed(proof)?;
                report.receipts.push(index);
                Ok(())
            }
            Err(error @ state::Error::Contradiction { .. }) => {
                report.alarms.push(Alarm::Contradiction(error));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Why each further event would wait too. Whatever else goes wrong may be the trouble of one event only: a server may stumble
/// over it, and break off or answer in time for all others.
fn trouble_of_the_server(fate: &Fate) -> Option<String> {
    match fate {
        Fate::Waiting(Why::Unavailable(problem)) if matches!(problem.status, 429 | 503) => {
            Some(problem.to_string())
        }
        Fate::Waiting(Why::Unreachable(error @ Unreachable::NoConnection { .. })) => {
            Some(error.to_string())
        }
        Fate::Recorded { .. } | Fate::Refused(_) | Fate::Waiting(_) => None,
    }
}
fn record(claim: Claim, place: &Place, again: bool) -> Result<Fate, Error> {
    claim.recorded(place)?;
    Ok(Fate::Recorded {
        index: place.index,
        again,
    })
}
fn said_now(state: State) -> &'static str {
    match state {
        State::NotSeen => "not seen; the event waits again and is sent anew",
        State::Waiting => "waiting",
        State::Recorded => "recorded",
        State::Published => "published",
        State::Refused => "refused",
    }
}
