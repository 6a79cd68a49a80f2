//! The stream of a single node: a bounded queue in memory. A request waits for the commit, so nothing is stored twice, and what
//! a crash loses was never acknowledged.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};

use super::{closed, unavailable};
use crate::{
    clock,
    intake::{Answer, Intake, Unavailable, Wait},
    projector::{
        BATCH_MESSAGES_MAX, CHUNK_BYTES_MAX, CHUNK_MESSAGES_MAX, Chunk, Door, Incoming, Position,
        Prepared, in_parallel,
    },
    status,
    stop::Stop,
};

/// Messages that wait for the projector: a few batches, so that a burst is taken and a standstill is felt soon.
const QUEUE_MESSAGES_MAX: usize = 4 * BATCH_MESSAGES_MAX;
/// Bytes of all messages that wait or are under way; bounds memory whatever the messages' sizes are.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a request waits for room in a full queue before it is told to come later.
const ROOM_WAIT: Duration = Duration::from_secs(2);
/// How long a request waits for the commit. A database behind a broken network says nothing for long.
const COMMIT_WAIT: Duration = Duration::from_secs(15);
/// How long `?wait=published` waits for a checkpoint; one is signed every second.
pub(crate) const PUBLISHED_WAIT: Duration = Duration::from_secs(10);
/// Under what junk from here is counted.
const SUBJECT: &str = "http";

struct Waiting {
    message: Vec<u8>,
    room: OwnedSemaphorePermit,
    reply: oneshot::Sender<Result<Answer, Unavailable>>,
}

/// The sending side, as everybody holds it.
#[derive(Clone)]
pub struct Embedded {
    queue: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    status: status::Handle,
}
/// The receiving side: its task stamps and checks.
pub struct Feed {
    queue: mpsc::Receiver<Waiting>,
    door: Door,
    clock: clock::Shared,
    stop: Stop,
}

/// A queue before `door`.
pub fn open(
    door: Door,
    clock: clock::Shared,
    status: status::Handle,
    stop: Stop,
) -> (Embedded, Feed) {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES_MAX);
    let intake = Embedded {
        queue: sender,
        room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
        status,
    };
    let feed = Feed {
        queue: receiver,
        door,
        clock,
        stop,
    };
    (intake, feed)
}

#[async_trait::async_trait]
impl Intake for Embedded {
    async fn submit(&self, message: Vec<u8>, wait: Wait) -> Result<Answer, Unavailable> {
        if let Some(unavailable) = closed(&self.status.now()) {
            return Err(unavailable);
        }
        let asked = Instant::now();
        let answer = self.enqueue(message).await?;
        if wait == Wait::Published {
            published(&self.status, &answer, asked).await;
        }
        Ok(answer)
    }
}
impl Embedded {
    async fn enqueue(&self, message: Vec<u8>) -> Result<Answer, Unavailable> {
        let bytes = u32::try_from(message.len().min(QUEUE_BYTES_MAX)).expect("64 MiB fit in u32");
        let place = async {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
            let place = self.queue.reserve().await;
            room.ok().zip(place.ok())
        };
        let (room, place) = tokio::time::timeout(ROOM_WAIT, place)
            .await
            .map_err(|_| unavailable("the queue before the ledger is full"))?
            .ok_or_else(stopping)?;
        let (reply, answer) = oneshot::channel();
        place.send(Waiting {
            message,
            room,
            reply,
        });
        match tokio::time::timeout(COMMIT_WAIT, answer).await {
            Ok(answered) => answered.unwrap_or_else(|_| Err(stopping())),
            Err(_) => Err(unavailable(
                "the ledger's database does not answer in time; whether the event is recorded shows when it is sent again",
            )),
        }
    }
}
fn stopping() -> Unavailable {
    unavailable("the server is stopping")
}
/// Waits until a checkpoint covers the entry, or [`PUBLISHED_WAIT`] since it was `asked`; the receipt tells the sender which of the
/// two it was.
pub(crate) async fn published(status: &status::Handle, answer: &Answer, asked: Instant) {
    let index = match answer {
        Answer::Recorded { index, .. } | Answer::Duplicate { index, .. } => *index,
        Answer::Accepted { .. } | Answer::Refused { .. } => return,
    };
    let mut watch = status.watch();
    let covered = watch.wait_for(|now| now.published > index);
    let _late_or_covered = tokio::time::timeout_at(asked + PUBLISHED_WAIT, covered).await;
}

impl Feed {
    /// Runs until the server stops and the queue is empty. While one batch is committed the next chunks are checked.
    pub async fn run(mut self) {
        while let Some(first) = self.next().await {
            let (waiting, bytes) = self.gather(first);
            let stream_time = self.clock.now();
            let authority = self.door.authority.borrow().clone();
            let subject: Arc<str> = SUBJECT.into();
            let messages = in_parallel(waiting, move |waiting: Waiting| {
                let mut prepared = Prepared::check(
                    &waiting.message,
                    stream_time,
                    Position::Next,
                    Arc::clone(&subject),
                    &authority,
                );
                if prepared.is_control() {
                    prepared.position = Position::Control;
                }
                incoming(prepared, waiting.reply, waiting.room)
            })
            .await;
            let chunk = Chunk {
                messages,
                bytes,
                generation: None,
            };
            if self.door.chunks.send(chunk).await.is_err() {
                return;
            }
        }
    }
    async fn next(&mut self) -> Option<Waiting> {
        tokio::select! {
            biased;
            waiting = self.queue.recv() => return waiting,
            () = self.stop.stopped() => self.queue.close(),
        }
        self.queue.recv().await
    }
    /// What else is in the queue, up to one chunk, and its bytes.
    fn gather(&mut self, first: Waiting) -> (Vec<Waiting>, usize) {
        let mut bytes = first.message.len();
        let mut waiting = vec![first];
        while waiting.len() < CHUNK_MESSAGES_MAX && bytes < CHUNK_BYTES_MAX {
            let Ok(next) = self.queue.try_recv() else {
                break;
            };
            bytes += next.message.len();
            waiting.push(next);
        }
        (waiting, bytes)
    }
}
fn incoming(
    prepared: Prepared,
    reply: oneshot::Sender<Result<Answer, Unavailable>>,
    room: OwnedSemaphorePermit,
) -> Incoming {
    Incoming {
        prepared,
        reply: Box::new(move |answer| {
            drop(room);
            // Whoever waited may have gone away; the ledger holds the event all the same.
            let _gone = reply.send(answer);
        }),
    }
}
