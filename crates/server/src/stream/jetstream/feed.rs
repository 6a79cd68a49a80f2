//! Reads the stream from the cursor on and hands checked chunks to the projector, in order and without a hole.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    Message,
    consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull},
    stream::Stream,
};
use futures_util::StreamExt as _;
use piperoll_store::Cursor;
use tokio::sync::watch;

use super::{
    Connection, Incident, Waiters,
    position::{self, Trouble},
    set_last_sequence, set_unread, timestamp,
};
use crate::{
    causes::chain,
    intake::{Answer, Unavailable},
    projector::{
        BATCH_MESSAGES_MAX, CHUNK_BYTES_MAX, CHUNK_MESSAGES_MAX, Chunk, Door, Incoming, Position,
        Prepared, in_parallel,
    },
    status::{self, Projecting},
    stop::Stop,
};

/// The server sends a sign of life this often; two missing ones mean that the consumer is gone.
const HEARTBEAT: Duration = Duration::from_secs(2);
const PULL_EXPIRES: Duration = Duration::from_secs(10);
/// A consumer that nobody reads any more is removed by the server after this time.
const INACTIVE: Duration = Duration::from_mins(1);
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);
/// Bytes of a subject's last token: the longest is `pipeline-` and a slug of 64 (`formats.md` section 2).
const TOKEN_BYTES_MAX: usize = 80;
/// In place of a last token that names nobody.
const UNNAMED: &str = "(other)";
/// How often a stream with an incident is looked at again; a control entry is noticed at once.
const INCIDENT_LOOK: Duration = Duration::from_secs(10);

/// The reading side: a task of its own.
pub struct Feed {
    connection: Connection,
    door: Door,
    status: status::Handle,
    waiters: Waiters,
    stop: Stop,
    /// How far messages were handed on, in this generation.
    at: Cursor,
    generation: u64,
    connects: watch::Receiver<u64>,
    /// What the status was set to because of an incident.
    halted: Option<Projecting>,
}
/// Why reading ended.
enum End {
    Stopped,
    /// From the projector's cursor.
    ReadAnew,
    /// From where we are.
    Again,
    Trouble(Trouble),
}
impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Feed {
    pub fn new(
        connection: Connection,
        mut door: Door,
        status: status::Handle,
        waiters: Waiters,
        stop: Stop,
    ) -> Self {
        let restart = door.restart.borrow_and_update().clone();
        Self {
            connects: connection.connects.clone(),
            connection,
            door,
            status,
            waiters,
            stop,
            at: restart.cursor,
            generation: restart.generation,
            halted: None,
        }
    }
    /// Reads until the server stops.
    pub async fn run(mut self) {
        let mut pause = RETRY_FIRST;
        loop {
            match self.follow(&mut pause).await {
                End::Stopped => return,
                End::Again => {}
                End::ReadAnew => self.turn(),
                End::Trouble(Trouble::Lost(why)) => {
                    tracing::warn!(why, "the stream is not read at the moment");
                    set_unread(&self.status, Some(why));
                    self.pause(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
                End::Trouble(Trouble::Incident(incident)) => {
                    self.halt(incident);
                    self.pause(INCIDENT_LOOK).await;
                }
            }
            if self.stop.is_stopped() {
                return;
            }
        }
    }
    /// Goes back to the projector's cursor.
    fn turn(&mut self) {
        let restart = self.door.restart.borrow_and_update().clone();
        if restart.cursor.incarnation != self.at.incarnation {
            self.waiters.forget();
        }
        self.at = restart.cursor;
        self.generation = restart.generation;
    }
    /// Waits, but not past a stop, a connect or a word from the projector.
    async fn pause(&mut self, pause: Duration) {
        let turned = tokio::select! {
            () = self.stop.stopped() => false,
            () = tokio::time::sleep(pause) => false,
            _ = self.connects.changed() => false,
            changed = self.door.restart.changed() => changed.is_ok(),
        };
        if turned {
            self.turn();
        }
    }
    /// An integrity incident: the operator is told, and nothing more is taken in.
    fn halt(&mut self, incident: Incident) {
        let Incident { why, remedy } = incident;
        let halted = Projecting::Halted {
            why: why.clone(),
            remedy: remedy.clone(),
        };
        if self.halted.as_ref() != Some(&halted) {
            tracing::error!("projection halts: {why}; {remedy}");
        }
        self.halted = Some(halted.clone());
        self.status.update(|now| now.projecting = halted);
    }
    /// The stream fits: a halt of ours is over. One of the projector's own is not ours to end.
    fn go_on(&mut self) {
        if let Some(halted) = self.halted.take() {
            self.status.update(|now| {
                if now.projecting == halted {
                    now.projecting = Projecting::Running;
                }
            });
        }
    }

    /// One consumer, for as long as it lives.
    async fn follow(&mut self, pause: &mut Duration) -> End {
        self.connects.mark_unchanged();
        match self.read(pause).await {
            Ok(end) | Err(end) => end,
        }
    }
    async fn read(&mut self, pause: &mut Duration) -> Result<End, End> {
        let stream = position::check(&self.connection, &self.at).await?;
        let last = stream.cached_info().state.last_sequence;
        set_last_sequence(&self.status, last);
        let (consumer, messages) = self.consume(&stream).await?;
        set_unread(&self.status, None);
        self.go_on();
        *pause = RETRY_FIRST;
        let end = self.take(&stream, messages).await;
        // It would be removed by itself in a minute; until then each one that is left counts against the server's limit.
        if let Err(error) = stream.delete_consumer(&consumer).await {
            tracing::debug!(error = chain(&error), "a consumer is left behind");
        }
        end
    }
    /// Takes what the consumer brings, until there is a reason to stop.
    async fn take(&mut self, stream: &Stream, messages: pull::Stream) -> Result<End, End> {
        let mut chunks = messages.ready_chunks(CHUNK_MESSAGES_MAX);
        loop {
            let chunk = tokio::select! {
                biased;
                () = self.stop.stopped() => return Ok(End::Stopped),
                changed = self.door.restart.changed() => {
                    return Ok(if changed.is_ok() { End::ReadAnew } else { End::Stopped });
                }
                _ = self.connects.changed() => return Ok(End::Again),
                chunk = chunks.next() => chunk,
            };
            let Some(chunk) = chunk else {
                return Ok(End::Again);
            };
            let mut messages = Vec::with_capacity(chunk.len());
            for message in chunk {
                messages.push(message.map_err(|error| lost(&error))?);
            }
            if let Some(end) = self.hand_on(stream, messages).await? {
                return Ok(end);
            }
        }
    }
    /// A new consumer from the next message on, by its name.
    async fn consume(&self, stream: &Stream) -> Result<(String, pull::Stream), End> {
        let consumer = stream
            .create_consumer(pull::Config {
                deliver_policy: DeliverPolicy::ByStartSequence {
                    start_sequence: self.at.sequence + 1,
                },
                ack_policy: AckPolicy::None,
                replay_policy: ReplayPolicy::Instant,
                inactive_threshold: INACTIVE,
                memory_storage: true,
                num_replicas: 1,
                ..pull::Config::default()
            })
            .await
            .map_err(|error| lost(&error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH_MESSAGES_MAX)
            .heartbeat(HEARTBEAT)
            .expires(PULL_EXPIRES)
            .messages()
            .await
            .map_err(|error| lost(&error))?;
        Ok((consumer.cached_info().name.clone(), messages))
    }
    /// Checks that nothing is missing, checks signatures, and waits for the projector to take the chunks.
    async fn hand_on(
        &mut self,
        stream: &Stream,
        messages: Vec<Message>,
    ) -> Result<Option<End>, End> {
        let mut batch: Vec<Arrived> = Vec::with_capacity(messages.len());
        let mut bytes = 0;
        for message in messages {
            let arrived = Arrived::new(message)?;
            let next = batch.last().map_or(self.at.sequence, |last| last.sequence) + 1;
            if arrived.sequence < next {
                continue;
            }
            if arrived.sequence > next {
                let end = self.send(batch, bytes).await;
                return match end {
                    Some(end) => Ok(Some(end)),
                    None => Err(self.hole(stream, arrived.sequence).await),
                };
            }
            bytes += arrived.message.payload.len();
            batch.push(arrived);
            if bytes >= CHUNK_BYTES_MAX {
                let chunk = std::mem::take(&mut batch);
                if let Some(end) = self.send(chunk, std::mem::take(&mut bytes)).await {
                    return Ok(Some(end));
                }
            }
        }
        Ok(self.send(batch, bytes).await)
    }
    /// `sequence` is not the next one: either the consumer skipped what is there, or messages are missing.
    async fn hole(&self, stream: &Stream, sequence: u64) -> End {
        let next = self.at.sequence + 1;
        match position::is_there(stream, next).await {
            Ok(true) => End::Again,
            Ok(false) => position::gap(&self.at, next, sequence - 1).into(),
            Err(trouble) => trouble.into(),
        }
    }
    async fn send(&mut self, batch: Vec<Arrived>, bytes: usize) -> Option<End> {
        let last = batch.last()?;
        let sequence = last.sequence;
        set_last_sequence(&self.status, sequence + last.pending);
        let authority = self.door.authority.borrow().clone();
        let waiters = self.waiters.clone();
        let messages = in_parallel(batch, move |arrived| {
            let prepared = Prepared::check(
                &arrived.message.payload,
                arrived.stream_time,
                Position::Sequence(arrived.sequence),
                Arc::clone(&arrived.subject),
                &authority,
            );
            let waiters = waiters.clone();
            Incoming {
                prepared,
                reply: Box::new(move |judged: Result<Answer, Unavailable>| {
                    // What was not judged comes again.
                    if let Ok(answer) = judged {
                        waiters.resolve(arrived.sequence, &answer);
                    }
                }),
            }
        })
        .await;
        let message = messages
            .last()
            .map(|last| (last.prepared.message_hash, last.prepared.stream_time));
        let chunk = Chunk {
            messages,
            bytes,
            generation: Some(self.generation),
        };
        tokio::select! {
            biased;
            () = self.stop.stopped() => Some(End::Stopped),
            changed = self.door.restart.changed() => {
                Some(if changed.is_ok() { End::ReadAnew } else { End::Stopped })
            }
            sent = self.door.chunks.send(chunk) => {
                self.at.sequence = sequence;
                self.at.message = message;
                sent.is_err().then_some(End::Stopped)
            }
        }
    }
}
fn lost(error: &dyn std::error::Error) -> End {
    End::Trouble(Trouble::Lost(chain(error)))
}

/// The last token of a subject, which names whoever sent it. One that cannot be a principal's is whatever its sender made up: all
/// of those are counted together.
fn counted_under(subject: &str) -> &str {
    let token = subject.rsplit('.').next().unwrap_or_default();
    let is_named = (1..=TOKEN_BYTES_MAX).contains(&token.len())
        && token.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
        });
    if is_named { token } else { UNNAMED }
}

/// A message with what the server says of it.
struct Arrived {
    message: Message,
    sequence: u64,
    pending: u64,
    stream_time: jiff::Timestamp,
    /// What junk is counted under.
    subject: Arc<str>,
}
impl Arrived {
    fn new(message: Message) -> Result<Self, End> {
        let info = message
            .info()
            .map_err(|error| End::Trouble(Trouble::Lost(error.to_string())))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        let stream_time = timestamp(info.published);
        Ok(Self {
            subject: counted_under(&message.subject).into(),
            sequence,
            pending,
            stream_time,
            message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{UNNAMED, counted_under};

    #[test]
    fn junk_is_counted_under_names_that_somebody_may_have() {
        let slug = "s".repeat(64);
        for token in [
            "http",
            "person-ber5kkddz2zvtsfz6f3b4n6l3y",
            &format!("pipeline-{slug}"),
        ] {
            assert_eq!(
                counted_under(&format!("piperoll.v1.in.main.{token}")),
                token
            );
        }
        for token in [
            "",
            "A",
            "\u{fc}",
            "a b",
            &format!("pipeline-{slug}-and-more-than-any-has"),
        ] {
            assert_eq!(
                counted_under(&format!("piperoll.v1.in.main.{token}")),
                UNNAMED
            );
        }
    }
}
