//! The task that owns the projector's state: takes chunks, commits them, answers, and finds its way back after a failure.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use piperoll_core::{
    authority::Authority,
    fold::{Changes, FOLD},
};
use piperoll_store::{self as store, Batch, Expected, Head, Store};
use tokio::sync::{mpsc, watch};

use super::{
    BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, CHUNK_BYTES_MAX, CHUNK_MESSAGES_MAX, Chunk, Door, Error,
    Incoming, Outcome, Position, Reply, Restart, State, make,
    standing::{report, standing},
};
use crate::{
    clock,
    intake::Answer,
    status::{self, Projecting},
    stop::Stop,
    stream::{closed, unavailable},
    turn::{Standing, Turn},
};

/// A stream time this far ahead of our clock halts before it is recorded: one wrong clock would hold all later times.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Chunks that are checked and wait for the commit before them: more than one batch, as those that came one by one are small.
const CHUNKS_AHEAD: usize = 8;
/// Control entries that wait; an operator gives one at a time.
const CONTROLS_WAITING: usize = 8;
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(2);
/// Between two tries with a database that answers and keeps no batch (a right is missing, the disk is full): each try is a batch.
const UNKEPT_RETRY_MAX: Duration = Duration::from_secs(30);
/// How often a halt because of time looks at the clock.
const CLOCK_LOOK: Duration = Duration::from_secs(1);
const LOST: &str = "the ledger's database does not answer";
/// What a sender is told to wait when nothing better is known.
pub(crate) const RETRY_AFTER_S: u32 = 2;

/// The projector's task.
pub struct Writer {
    store: store::Shared,
    clock: clock::Shared,
    status: status::Handle,
    stop: Stop,
    /// `None` only while a batch is made or the database is lost.
    state: Option<State>,
    turn: Turn,
    /// How long it waited before the last try after a batch was not kept; zero once one is.
    unkept_pause: Duration,
    generation: u64,
    chunks: mpsc::Receiver<Chunk>,
    control: mpsc::Receiver<Incoming>,
    authority: watch::Sender<Authority>,
    restart: watch::Sender<Restart>,
}
impl Writer {
    /// Takes up the ledger. Without a `turn` we hold the folder's lock: the epoch is raised, which shuts out whoever wrote before.
    /// With one, this server projects whenever it is ours; until then whoever comes is told where to go.
    pub async fn open(
        store: store::Shared,
        clock: clock::Shared,
        status: status::Handle,
        stop: Stop,
        turn: Option<Turn>,
    ) -> Result<(Self, Door), Error> {
        let mut state = State::load(&*store).await?;
        let turn = match turn {
            Some(turn) => turn,
            None => take_over(&*store, &mut state).await?,
        };
        let head = state.head.as_ref().ok_or(Error::NotFounded)?;
        let (chunk_sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (control_sender, control) = mpsc::channel(CONTROLS_WAITING);
        let (authority, authority_seen) = watch::channel(state.authority.clone());
        let (restart, restart_seen) = watch::channel(Restart {
            generation: 0,
            cursor: head.cursor.clone(),
        });
        let writer = Self {
            store,
            clock,
            status,
            stop,
            turn,
            unkept_pause: Duration::ZERO,
            generation: 0,
            state: None,
            chunks,
            control,
            authority,
            restart,
        };
        let door = Door {
            chunks: chunk_sender,
            control: control_sender,
            authority: authority_seen,
            restart: restart_seen,
        };
        let mut writer = writer;
        match writer.fits(state) {
            Ok(state) => writer.keep(state),
            Err(error) => writer.set(standing(&error)),
        }
        Ok((writer, door))
    }

    /// Runs until every source is gone, or, once asked to stop, until nothing is waiting any more.
    pub async fn run(mut self) {
        if self.state.is_none() {
            self.recover(Duration::ZERO).await;
        }
        loop {
            tokio::select! {
                biased;
                () = self.turn.changed() => self.follow_turn().await,
                Some(incoming) = self.control.recv() => self.steer(incoming).await,
                chunk = self.chunks.recv() => match chunk {
                    Some(chunk) => self.take(chunk).await,
                    None => return,
                },
                () = self.stop.stopped() => return,
            }
        }
    }
    /// Another's turn, or ours under a new epoch: what is in memory may be old.
    async fn follow_turn(&mut self) {
        match self.state.take().map(|state| self.fits(state)) {
            Some(Ok(state)) => self.state = Some(state),
            Some(Err(_)) | None => self.recover(Duration::ZERO).await,
        }
    }

    /// A control entry. Once it is recorded the stream is read anew, from wherever the cursor is then.
    async fn steer(&mut self, entry: Incoming) {
        let size = |writer: &Self| Some(writer.state.as_ref()?.head()?.size);
        let before = size(self);
        self.project(vec![entry]).await;
        if size(self) != before {
            self.read_anew();
        }
    }
    async fn take(&mut self, first: Chunk) {
        let mut messages = self.gather(first);
        let generation = self.generation;
        while generation == self.generation && !messages.is_empty() {
            let ahead = self.first_ahead(&messages);
            let later = messages.split_off(ahead.unwrap_or(messages.len()));
            if !messages.is_empty() {
                self.project(messages).await;
            }
            messages = later;
            if let Some(first) = messages.first()
                && generation == self.generation
                && !self.wait_for_clock(first.prepared.stream_time).await
            {
                return;
            }
        }
    }
    /// What else was checked meanwhile, up to one batch. What was read before the stream is to be read anew comes again.
    fn gather(&mut self, first: Chunk) -> Vec<Incoming> {
        let (mut messages, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(chunk) = next {
            if chunk.generation.is_none_or(|read| read == self.generation) {
                messages.extend(chunk.messages);
                bytes += chunk.bytes;
            }
            let has_room = messages.len() + CHUNK_MESSAGES_MAX <= BATCH_MESSAGES_MAX
                && bytes + CHUNK_BYTES_MAX <= BATCH_BYTES_MAX;
            next = has_room.then(|| self.chunks.try_recv().ok()).flatten();
        }
        messages
    }
    /// The first message whose stream time is too far ahead of our clock.
    fn first_ahead(&self, messages: &[Incoming]) -> Option<usize> {
        let state = self.state.as_ref()?;
        let latest = self.clock.now() + AHEAD_MAX;
        messages
            .iter()
            .position(|message| match message.prepared.position {
                Position::Sequence(sequence) => {
                    state.effective_time(sequence, message.prepared.stream_time) > latest
                }
                // Stamped by our own clock.
                Position::Next | Position::Control => false,
            })
    }
    /// Halts until the clock has come near enough; false when the stream is to be read anew or the server stops.
    async fn wait_for_clock(&mut self, stream_time: Timestamp) -> bool {
        let why = format!(
            "the stream's next message is stamped {stream_time}, more than 5 minutes ahead of this server's clock"
        );
        tracing::error!(%stream_time, "projection halts: {why}");
        self.set(Projecting::Halted {
            why,
            remedy: "correct whichever clock is wrong; a time.corrected entry by an administrator lets that one message count as stamped another time".to_owned(),
        });
        let generation = self.generation;
        loop {
            tokio::select! {
                biased;
                () = self.stop.stopped() => return false,
                Some(incoming) = self.control.recv() => {
                    self.steer(incoming).await;
                }
                () = tokio::time::sleep(CLOCK_LOOK) => {}
            }
            if self.generation != generation {
                return false;
            }
            if stream_time <= self.clock.now() + AHEAD_MAX {
                self.set(Projecting::Running);
                return true;
            }
        }
    }

    /// One transaction, then the answers.
    async fn project(&mut self, messages: Vec<Incoming>) {
        let (prepared, replies): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .map(|incoming| (incoming.prepared, incoming.reply))
            .unzip();
        let Some(state) = self.state.take() else {
            self.turn_away(replies);
            return self.recover(Duration::ZERO).await;
        };
        let made = match make(&*self.store, state, prepared).await {
            Ok(made) => made,
            Err(error) => {
                self.lose(&error);
                self.turn_away(replies);
                return self.recover(Duration::ZERO).await;
            }
        };
        for (sequence, back_ms) in &made.steps_back {
            tracing::warn!(sequence, back_ms, "the stream's time stepped back");
        }
        let steps_back = made.steps_back.len() as u64;
        self.status.update(|now| now.steps_back += steps_back);
        let claimed = made.batch.head.clone();
        match self.store.commit(made.batch).await {
            Ok(()) => {
                self.unkept_pause = Duration::ZERO;
                self.keep(made.next);
                self.answer(made.outcomes, replies).await;
            }
            Err(error) => {
                self.lose(&error.into());
                self.find_out(&claimed, made.outcomes, replies).await;
            }
        }
    }
    /// After a commit that failed: was it kept or lost? The head says so; where another has written since, each id does.
    async fn find_out(&mut self, claimed: &Head, outcomes: Vec<Outcome>, replies: Vec<Reply>) {
        match self.load().await {
            Ok(state) if state.head.as_ref() == Some(claimed) => {
                tracing::info!(size = claimed.size, "the batch had been committed");
                self.keep(state);
                self.answer(outcomes, replies).await;
                self.read_anew();
            }
            Ok(_) => {
                // What was said of the error stands until the next try, which is later each time.
                tracing::info!(size = claimed.size, "the batch had not been committed");
                self.turn_away(replies);
                self.unkept_pause = (self.unkept_pause * 2).clamp(RETRY_FIRST, UNKEPT_RETRY_MAX);
                self.recover(self.unkept_pause).await;
            }
            Err(error) => {
                self.lose(&error);
                self.turn_away(replies);
                self.recover(Duration::ZERO).await;
            }
        }
    }
    /// The state is gone, and everybody may know before anybody is answered.
    fn lose(&self, error: &Error) {
        report(error);
        self.set(standing(error));
    }
    /// Asks the database again until it answers, first after `pause`; meanwhile whoever comes is told to come later.
    async fn recover(&mut self, mut pause: Duration) {
        let mut is_told = false;
        loop {
            tokio::select! {
                biased;
                () = self.stop.stopped() => return,
                () = self.turn.changed() => pause = Duration::ZERO,
                Some(incoming) = self.control.recv() => {
                    self.turn_away(vec![incoming.reply]);
                }
                Some(chunk) = self.chunks.recv() => {
                    self.turn_away(chunk.messages.into_iter().map(|m| m.reply).collect());
                }
                () = tokio::time::sleep(pause) => match self.load().await {
                    Ok(state) => {
                        tracing::info!("the projector goes on");
                        self.keep(state);
                        return self.read_anew();
                    }
                    Err(error) => {
                        if !is_told {
                            report(&error);
                            is_told = true;
                        }
                        self.set(standing(&error));
                        pause = (pause * 2).clamp(RETRY_FIRST, RETRY_MAX);
                    }
                },
            }
        }
    }
    async fn load(&self) -> Result<State, Error> {
        self.may_project()?;
        let state = State::load(&*self.store).await?;
        self.fits(state)
    }
    /// The epoch under which it is our turn.
    fn may_project(&self) -> Result<u64, Error> {
        match self.turn.standing() {
            Standing::Ours { epoch, .. } => Ok(epoch),
            Standing::Elsewhere(elsewhere) => Err(Error::Elsewhere(elsewhere)),
            Standing::Unsure { why } => Err(Error::Unsure { why }),
        }
    }
    /// The state, if it is the one that we may go on from.
    fn fits(&self, state: State) -> Result<State, Error> {
        let epoch = self.may_project()?;
        match &state.head {
            Some(head) if head.epoch == epoch => Ok(state),
            Some(head) => {
                self.turn.doubt();
                Err(Error::Fenced { epoch: head.epoch })
            }
            None => Err(Error::NotFounded),
        }
    }
    fn keep(&mut self, state: State) {
        self.authority.send_replace(state.authority.clone());
        if let Some(head) = state.head() {
            self.status.update(|now| {
                now.size = head.size;
                now.sequence = head.cursor.sequence;
                now.projecting = Projecting::Running;
            });
        }
        self.state = Some(state);
    }
    fn read_anew(&mut self) {
        self.generation += 1;
        let generation = self.generation;
        if let Some(head) = self.state.as_ref().and_then(State::head) {
            let cursor = head.cursor.clone();
            self.restart.send_replace(Restart { generation, cursor });
        }
    }
    fn turn_away(&self, replies: Vec<Reply>) {
        let why = closed(&self.status.now()).unwrap_or_else(|| unavailable(LOST));
        for reply in replies {
            reply(Err(why.clone()));
        }
    }
    fn set(&self, projecting: Projecting) {
        self.status.update(|now| now.projecting = projecting);
    }

    async fn answer(&self, outcomes: Vec<Outcome>, replies: Vec<Reply>) {
        let leaves = leaves(&*self.store, &outcomes).await;
        for (outcome, reply) in outcomes.into_iter().zip(replies) {
            reply(match outcome {
                Outcome::Recorded {
                    index,
                    leaf,
                    payload_hash,
                } => Ok(Answer::Recorded {
                    index,
                    leaf,
                    payload_hash,
                }),
                Outcome::Duplicate {
                    first,
                    payload_hash,
                } => leaves
                    .get(&first)
                    .cloned()
                    .map(|leaf| Answer::Duplicate {
                        index: first,
                        leaf,
                        payload_hash,
                    })
                    .ok_or_else(|| unavailable(LOST)),
                Outcome::Refused { refusal, first, .. } => Ok(Answer::Refused { refusal, first }),
            });
        }
    }
}

/// The leaves that duplicates are answered with.
async fn leaves(store: &dyn Store, outcomes: &[Outcome]) -> HashMap<u64, Vec<u8>> {
    let mut wanted: Vec<u64> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Duplicate { first, .. } => Some(*first),
            Outcome::Recorded { .. } | Outcome::Refused { .. } => None,
        })
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return HashMap::new();
    }
    match store.entries_at(&wanted).await {
        Ok(entries) => entries
            .into_iter()
            .map(|entry| (entry.index, entry.leaf))
            .collect(),
        Err(error) => {
            report(&error.into());
            HashMap::new()
        }
    }
}
/// Commits a batch that holds nothing but a head with a higher epoch.
async fn take_over(store: &dyn Store, state: &mut State) -> Result<Turn, Error> {
    let head = state.head.as_mut().ok_or(Error::NotFounded)?;
    let expected = Some(Expected::from(&*head));
    head.epoch += 1;
    let batch = Batch {
        expected,
        head: head.clone(),
        entries: Vec::new(),
        late_texts: Vec::new(),
        tiles: Vec::new(),
        refused: Vec::new(),
        junk: Vec::new(),
        consumed: Vec::new(),
        fold: FOLD,
        read_models: Changes::default(),
    };
    store.commit(batch).await?;
    Ok(Turn::by_lock(head.epoch))
}
