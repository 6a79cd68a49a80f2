//! The HTTP intake before JetStream: shape and signature are checked, the message is published, the sender is told "stored", or waits.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::context::PublishErrorKind;
use piperoll_core::{
    authority::Authority,
    judge::{Checked, Refusal},
};
use tokio::{sync::oneshot, time::Instant};

use super::{Connection, Waiters};
use crate::{
    causes::chain,
    clock,
    intake::{Answer, Intake, Unavailable, Wait},
    projector::{Door, Incoming, Position, Prepared},
    status::{self, Streaming},
    stream::{closed, embedded::published, unavailable},
};

/// How long `?wait=recorded` waits for the projector before it says "stored".
const RECORDED_WAIT: Duration = Duration::from_secs(10);
/// Messages that wait on the stream; beyond it senders are told to come later.
const BEHIND_MAX: u64 = 50_000;

/// The intake as everybody holds it.
#[derive(Clone)]
pub struct JetStream {
    connection: Connection,
    door: Door,
    status: status::Handle,
    clock: clock::Shared,
    waiters: Waiters,
}
impl JetStream {
    pub fn new(
        connection: Connection,
        door: Door,
        status: status::Handle,
        clock: clock::Shared,
        waiters: Waiters,
    ) -> Self {
        Self {
            connection,
            door,
            status,
            clock,
            waiters,
        }
    }
}

#[async_trait::async_trait]
impl Intake for JetStream {
    async fn submit(&self, message: Vec<u8>, wait: Wait) -> Result<Answer, Unavailable> {
        let asked = Instant::now();
        let authority = self.door.authority.borrow().clone();
        let (message, prepared) = self.check(message, authority.clone()).await?;
        if prepared.decides(&authority) {
            // What the operator decides about a halted stream must not wait for it.
            return self.decide(prepared).await;
        }
        self.open()?;
        let read = match prepared.checked {
            Checked::Signed(read) => read,
            Checked::KeyNotKnownYet(read) => {
                return Ok(Answer::Refused {
                    refusal: Refusal::unknown_key(&read.envelope.keyid),
                    first: None,
                });
            }
            Checked::Refused(refusal) => {
                return Ok(Answer::Refused {
                    refusal,
                    first: None,
                });
            }
        };
        let payload_hash = read.payload_hash;
        let sequence = self.publish(message).await?;
        let projected = self.status.now().sequence;
        let judged = self.waiters.follow(sequence, payload_hash, projected);
        if wait == Wait::Stored {
            return Ok(Answer::Accepted { payload_hash });
        }
        let Ok(Ok(answer)) = tokio::time::timeout(RECORDED_WAIT, judged).await else {
            return Ok(Answer::Accepted { payload_hash });
        };
        if wait == Wait::Published {
            published(&self.status, &answer, asked).await;
        }
        Ok(answer)
    }
}
impl JetStream {
    /// Steps 1 and 2, away from the async threads.
    async fn check(
        &self,
        message: Vec<u8>,
        authority: Authority,
    ) -> Result<(Vec<u8>, Prepared), Unavailable> {
        let now = self.clock.now();
        tokio::task::spawn_blocking(move || {
            let subject: Arc<str> = "http".into();
            let prepared = Prepared::check(&message, now, Position::Control, subject, &authority);
            (message, prepared)
        })
        .await
        .map_err(|_| unavailable("the server is stopping"))
    }
    fn open(&self) -> Result<(), Unavailable> {
        let now = self.status.now();
        if let Some(unavailable) = closed(&now) {
            return Err(unavailable);
        }
        match now.streaming {
            Streaming::JetStream {
                connected: false, ..
            } => Err(unavailable("NATS does not answer")),
            Streaming::JetStream { last_sequence, .. }
                if last_sequence > now.sequence + BEHIND_MAX =>
            {
                Err(unavailable("the projector is far behind the stream"))
            }
            Streaming::JetStream { .. } | Streaming::Embedded => Ok(()),
        }
    }
    /// A control entry goes straight to the projector.
    async fn decide(&self, prepared: Prepared) -> Result<Answer, Unavailable> {
        decide(&self.door, prepared).await
    }
    /// Gives the sequence at which the message was stored. A failure may still have stored it; sent again it is a duplicate.
    async fn publish(&self, message: Vec<u8>) -> Result<u64, Unavailable> {
        let subject = self.connection.intake_subject();
        let acknowledged = match self
            .connection
            .context
            .publish(subject, message.into())
            .await
        {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        let stored = acknowledged.map_err(|error| match error.kind() {
            PublishErrorKind::StreamNotFound => unavailable("the ledger's stream is gone"),
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                unavailable("NATS does not answer")
            }
            _ => {
                tracing::warn!(error = chain(&error), "NATS did not store a message");
                unavailable("NATS did not store the event")
            }
        })?;
        if stored.stream != self.connection.name {
            return Err(unavailable("another stream takes the ledger's messages"));
        }
        Ok(stored.sequence)
    }
}
/// Hands a control entry to the projector and waits for its answer.
pub(crate) async fn decide(door: &Door, prepared: Prepared) -> Result<Answer, Unavailable> {
    let stopping = || unavailable("the server is stopping");
    let (reply, answer) = oneshot::channel();
    let incoming = Incoming {
        prepared,
        reply: Box::new(move |judged| {
            let _gone = reply.send(judged);
        }),
    };
    door.control.send(incoming).await.map_err(|_| stopping())?;
    answer.await.map_err(|_| stopping())?
}
