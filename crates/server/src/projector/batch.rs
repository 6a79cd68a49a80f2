//! One batch: judge in order, fold, append to the tree, and gather it all for one transaction.
//!
//! No queue and no clock: the same messages with the same times after the same head give the same entries, wherever a batch
//! ends.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic::{self, AssertUnwindSafe},
};

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    fold::{self, FOLD},
    judge::{self, Checked, Known, Reason, Recorded, Refusal, Verdict},
    kind::Content,
};
use piperoll_store::{
    self as store, Batch, Cursor, Expected, Head, NewEntry, NewJunk, NewRefused, Store,
};
use piperoll_tlog::hash;

use super::{
    Error, Position, Prepared,
    consumed::Account,
    control, folding,
    outcome::Outcome,
    state::{self, State},
};

/// The incarnation of the stream in memory.
pub const EMBEDDED: &str = "embedded";
/// A stream time this much earlier than the one before it is flagged (design.md section 5).
const STEP_BACK_MS: i64 = 1_000;

/// A batch ready to be committed, and what holds once it is.
#[derive(Debug)]
pub struct Made {
    pub batch: Batch,
    pub next: State,
    pub outcomes: Vec<Outcome>,
    /// Messages whose stream time stepped back by more than a second: by how many milliseconds.
    pub steps_back: Vec<(u64, i64)>,
}

/// Takes messages in. `state` is consumed: the caller keeps [`Made::next`] after the commit and loads anew after a failure.
pub async fn make(store: &dyn Store, state: State, messages: Vec<Prepared>) -> Result<Made, Error> {
    let known = find(store, &messages).await?;
    let mut maker = Maker::new(state, known);
    let mut outcomes = Vec::with_capacity(messages.len());
    for message in messages {
        outcomes.push(maker.take(message)?);
    }
    maker.fold(store).await?;
    maker.finish(outcomes)
}

type EventId = (String, String);

/// What is recorded under the ids of the messages, in one call.
async fn find(
    store: &dyn Store,
    messages: &[Prepared],
) -> Result<HashMap<EventId, Known>, store::Error> {
    let ids: BTreeSet<EventId> = messages
        .iter()
        .filter_map(|m| event_id(&m.checked))
        .collect();
    let ids: Vec<EventId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let known = store.find(&ids).await?;
    let pairs = ids.into_iter().zip(known);
    Ok(pairs.filter_map(|(id, known)| Some((id, known?))).collect())
}
fn event_id(checked: &Checked) -> Option<EventId> {
    match checked {
        Checked::Signed(read) | Checked::KeyNotKnownYet(read) => {
            Some((read.payload.source.clone(), read.payload.id.clone()))
        }
        Checked::Refused(_) => None,
    }
}

struct Maker {
    state: State,
    known: HashMap<EventId, Known>,
    expected: Option<Expected>,
    size: u64,
    epoch: u64,
    recorded_at: Option<Timestamp>,
    cursor: Cursor,
    /// With the stream time of each.
    recorded: Vec<(Recorded, Timestamp)>,
    late_texts: Vec<(u64, String, piperoll_core::envelope::Text)>,
    refused: Vec<NewRefused>,
    junk: Vec<NewJunk>,
    consumed: Account,
    steps_back: Vec<(u64, i64)>,
}
impl Maker {
    fn new(state: State, known: HashMap<EventId, Known>) -> Self {
        let head = state.head.as_ref();
        let cursor = head.map_or_else(
            || Cursor {
                incarnation: EMBEDDED.to_owned(),
                sequence: 0,
                message: None,
            },
            |head| head.cursor.clone(),
        );
        Self {
            expected: head.map(Expected::from),
            size: head.map_or(0, |head| head.size),
            epoch: head.map_or(1, |head| head.epoch),
            recorded_at: head.map(|head| head.recorded_at),
            cursor,
            state,
            known,
            recorded: Vec::new(),
            late_texts: Vec::new(),
            refused: Vec::new(),
            junk: Vec::new(),
            consumed: Account::default(),
            steps_back: Vec::new(),
        }
    }

    /// Steps 3 to 5 for the next message.
    fn take(&mut self, message: Prepared) -> Result<Outcome, Error> {
        let Prepared {
            checked,
            message_hash,
            stream_time,
            position,
            subject,
        } = message;
        let sequence = self.sequence(position)?;
        let time = sequence.map_or(stream_time, |sequence| {
            self.state.effective_time(sequence, stream_time)
        });
        let id = event_id(&checked);
        let verdict = self.judge(checked, time, id.as_ref());
        let verdict = self.fits(verdict, position);
        let outcome = self.enter(verdict, (time, stream_time), &subject, id)?;
        match sequence {
            Some(sequence) => {
                self.flag_step_back(sequence, stream_time);
                self.cursor.sequence = sequence;
                self.cursor.message = Some((message_hash, stream_time));
                self.consumed.count(&self.cursor, &outcome);
            }
            None => self.consumed.control(&self.cursor, &outcome),
        }
        Ok(outcome)
    }
    /// Judging may have a fault; a message that finds it is junk, so that no emitter stops the ledger.
    fn judge(&self, checked: Checked, time: Timestamp, id: Option<&EventId>) -> Verdict {
        let known = id.and_then(|id| self.known.get(id)).copied();
        let judged = panic::catch_unwind(AssertUnwindSafe(|| {
            let authority = &self.state.authority;
            judge::judge(checked, authority, self.size, self.recorded_at, time, known)
        }));
        judged.unwrap_or_else(|_| {
            tracing::error!("judging a message failed by a fault of the program: please report it");
            Verdict::Refused {
                refusal: Refusal::new(Reason::Shape, "the ledger could not judge the message"),
                read: None,
                first: None,
                kept: false,
            }
        })
    }
    /// The stream sequence of a message, `None` for a control entry.
    fn sequence(&self, position: Position) -> Result<Option<u64>, Error> {
        let expected = self.cursor.sequence + 1;
        match position {
            Position::Control => Ok(None),
            Position::Next => Ok(Some(expected)),
            Position::Sequence(sequence) if sequence == expected => Ok(Some(sequence)),
            Position::Sequence(got) => Err(Error::Sequence { expected, got }),
        }
    }
    /// Control entries count only where they are given straight to the projector, and only if they speak of the cursor as it
    /// stands.
    fn fits(&self, verdict: Verdict, position: Position) -> Verdict {
        let Verdict::Recorded(recorded) = verdict else {
            return verdict;
        };
        match control::objection(&recorded.event.content, position, &self.cursor) {
            None => Verdict::Recorded(recorded),
            Some(detail) => Verdict::Refused {
                refusal: Refusal::new(Reason::Content, detail).at("subject.content"),
                read: reread(&recorded),
                first: None,
                kept: true,
            },
        }
    }

    fn enter(
        &mut self,
        verdict: Verdict,
        (time, stream_time): (Timestamp, Timestamp),
        subject: &str,
        id: Option<EventId>,
    ) -> Result<Outcome, Error> {
        Ok(match verdict {
            Verdict::Recorded(recorded) => self.record(*recorded, stream_time, id)?,
            Verdict::Duplicate { first, texts } => {
                let texts = texts.into_iter().map(|(name, text)| (first, name, text));
                self.late_texts.extend(texts);
                let payload_hash = id
                    .and_then(|id| self.known.get(&id))
                    .map(|known| known.payload_hash)
                    .expect("a duplicate has a known id");
                Outcome::Duplicate {
                    first,
                    payload_hash,
                }
            }
            Verdict::Refused {
                refusal,
                read,
                first,
                kept,
            } => {
                let read = read.filter(|_| kept);
                let kept = read.is_some();
                match read {
                    Some(read) => self.refused.push(new_refused(time, &read, &refusal, first)),
                    None => self.junk.push(NewJunk {
                        at: time,
                        subject: subject.to_owned(),
                        reason: refusal.reason,
                    }),
                }
                Outcome::Refused {
                    refusal,
                    first,
                    kept,
                }
            }
        })
    }
    fn record(
        &mut self,
        recorded: Recorded,
        stream_time: Timestamp,
        id: Option<EventId>,
    ) -> Result<Outcome, Error> {
        let index = self.size;
        self.size += 1;
        self.recorded_at = Some(recorded.recorded_at);
        self.state
            .authority
            .apply(index, &recorded.leaf, &recorded.event)
            .map_err(state::corrupt)?;
        if let Some(id) = id {
            let payload_hash = recorded.payload_hash;
            self.known.insert(
                id,
                Known {
                    index,
                    payload_hash,
                },
            );
        }
        control::steer(&recorded.event.content, &mut self.cursor);
        if let Content::TimeCorrected(correction) = &recorded.event.content {
            self.state.corrections.add(correction);
        }
        let outcome = Outcome::Recorded {
            index,
            leaf: recorded.leaf.clone(),
            payload_hash: recorded.payload_hash,
        };
        self.recorded.push((recorded, stream_time));
        Ok(outcome)
    }
    fn flag_step_back(&mut self, sequence: u64, stream_time: Timestamp) {
        let Some((_, before)) = &self.cursor.message else {
            return;
        };
        let back_ms = before.as_millisecond() - stream_time.as_millisecond();
        if back_ms > STEP_BACK_MS {
            self.steps_back.push((sequence, back_ms));
        }
    }

    /// Folds what was recorded.
    async fn fold(&mut self, store: &dyn Store) -> Result<(), Error> {
        let first = self.size - self.recorded.len() as u64;
        let entries: Vec<_> = (first..)
            .zip(&self.recorded)
            .map(|(index, (recorded, _))| entry(index, recorded))
            .collect();
        folding::take_in(store, FOLD, &mut self.state.working, &entries).await
    }

    fn finish(mut self, outcomes: Vec<Outcome>) -> Result<Made, Error> {
        let first = self.size - self.recorded.len() as u64;
        let mut tiles = Vec::new();
        let mut entries = Vec::with_capacity(self.recorded.len());
        for (index, (recorded, stream_time)) in (first..).zip(self.recorded) {
            let leaf_hash = hash::leaf_hash(&recorded.leaf);
            tiles.extend(self.state.edge.append(leaf_hash));
            entries.push(new_entry(index, leaf_hash, recorded, stream_time));
        }
        let head = Head {
            size: self.size,
            root: self.state.edge.root(),
            epoch: self.epoch,
            recorded_at: self.recorded_at.ok_or(Error::NotFounded)?,
            cursor: self.cursor,
        };
        let consumed = self.consumed.into_rows(&head.cursor);
        let batch = Batch {
            expected: self.expected,
            head: head.clone(),
            entries,
            late_texts: self.late_texts,
            tiles,
            refused: self.refused,
            junk: self.junk,
            consumed,
            fold: FOLD,
            read_models: self.state.working.take_changes(),
        };
        self.state.corrections.forget_up_to(&head.cursor);
        self.state.head = Some(head);
        self.state.trim();
        Ok(Made {
            batch,
            next: self.state,
            outcomes,
            steps_back: self.steps_back,
        })
    }
}

fn entry(index: u64, recorded: &Recorded) -> fold::Entry<'_> {
    fold::Entry {
        index,
        recorded_at: recorded.recorded_at,
        payload_hash: recorded.payload_hash,
        key: recorded.key.index,
        event: &recorded.event,
    }
}
fn new_entry(index: u64, leaf_hash: Hash, recorded: Recorded, stream_time: Timestamp) -> NewEntry {
    let event = recorded.event;
    let kind = event.kind();
    NewEntry {
        index,
        recorded_at: recorded.recorded_at,
        payload_hash: recorded.payload_hash,
        leaf: recorded.leaf,
        leaf_hash,
        event_id: event.id,
        source: event.source.into(),
        kind: kind.name().to_owned(),
        type_name: kind.type_name(),
        time: event.timestamp,
        subject: event.subject,
        change: event.profile.change,
        service: event.profile.service,
        environment: event.profile.environment,
        keyid: recorded.envelope.keyid,
        stream_time,
        payload: recorded.envelope.payload,
        texts: BTreeMap::into_iter(recorded.envelope.texts).collect(),
    }
}
fn new_refused(
    at: Timestamp,
    read: &judge::Read,
    refusal: &Refusal,
    first: Option<u64>,
) -> NewRefused {
    NewRefused {
        at,
        source: read.payload.source.clone(),
        event_id: read.payload.id.clone(),
        payload_hash: read.payload_hash,
        reason: refusal.reason,
        detail: refusal.detail.clone(),
        first,
        envelope: read.envelope.to_json(),
    }
}
/// The message behind an event that judging would have recorded, to be kept as refused.
fn reread(recorded: &Recorded) -> Option<Box<judge::Read>> {
    judge::read(recorded.envelope.to_json().as_bytes())
        .ok()
        .map(Box::new)
}
