//! The two streams an engine may read, and taking up a new one.

use std::{collections::BTreeMap, sync::Arc};

use piperoll_core::{
    draft::Draft,
    event::Profile,
    kind::{Content, StreamAdopted, StreamPosition},
    name::{Principal, PrincipalKind},
};
use piperoll_store::Cursor;

use super::{Config, Error, Task};
use crate::{
    folder::Folder,
    intake::{Answer, Intake},
    projector::{Door, EMBEDDED, Position, Prepared},
    receipts::Waiting,
    state::Ledger,
    status,
    stop::Stop,
    stream::{
        embedded,
        jetstream::{self, Connection, Feed, JetStream, Waiters},
    },
};

/// What the two streams are made of.
pub(super) struct Sources<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) folder: &'a Folder,
    pub(super) status: &'a status::Handle,
    pub(super) config: &'a Config,
    pub(super) door: Door,
}
/// The sending side, and the task of the reading side.
type Source = (Arc<dyn Intake>, Task);
impl Sources<'_> {
    pub(super) fn embedded(&self, cursor: &Cursor) -> Result<Source, Error> {
        if cursor.incarnation != EMBEDDED {
            return Err(Error::NatsNeeded(cursor.incarnation.clone()));
        }
        let (switch, stop) = Stop::new();
        let clock = Arc::clone(&self.config.clock);
        let (intake, feed) = embedded::open(self.door.clone(), clock, self.status.clone(), stop);
        let task = Task::start("stream", Some(switch), feed.run());
        Ok((Arc::new(intake), task))
    }
    /// The first start with NATS makes the stream and records that the ledger follows it; later ones only compare.
    pub(super) async fn jetstream(
        &self,
        connection: &Connection,
        cursor: Cursor,
        waiting: &Waiting,
    ) -> Result<Source, Error> {
        let adopt = self.config.nats.as_ref().is_some_and(|nats| nats.adopt);
        let may_adopt = adopt || cursor.incarnation == EMBEDDED;
        if may_adopt {
            let (incarnation, sequence) = connection.ensure().await?;
            if incarnation != cursor.incarnation {
                self.adopt(incarnation, sequence, cursor).await?;
            }
        }
        let (switch, stop) = Stop::new();
        let status = self.status.clone();
        let waiters = Waiters::new(waiting.clone());
        let feed = Feed::new(
            connection.clone(),
            self.door.clone(),
            status.clone(),
            waiters.clone(),
            stop,
        );
        let clock = Arc::clone(&self.config.clock);
        let intake = JetStream::new(
            connection.clone(),
            self.door.clone(),
            status,
            clock,
            waiters,
        );
        let task = Task::start("stream", Some(switch), feed.run());
        Ok((Arc::new(intake), task))
    }
    /// `stream.adopted`, signed by the ledger's event key, given straight to the projector.
    async fn adopt(
        &self,
        incarnation: String,
        sequence: u64,
        previous: Cursor,
    ) -> Result<(), Error> {
        let (key, _) = self.folder.read_key("event")?;
        let now = self.config.clock.now();
        let adopted = incarnation.clone();
        let stream = incarnation.split('@').next().unwrap_or_default();
        let draft = Draft {
            id: None,
            timestamp: now,
            subject: Some(stream.to_owned()),
            content: Content::StreamAdopted(StreamAdopted {
                incarnation,
                sequence,
                previous: Some(StreamPosition {
                    incarnation: previous.incarnation,
                    sequence: previous.sequence,
                }),
            }),
            profile: Profile {
                ledger: Some(self.ledger.id),
                ..Profile::default()
            },
            texts: BTreeMap::new(),
        };
        let not_adopted = |why: String| Error::NotAdopted(why);
        let source = Principal::named(PrincipalKind::Ledger, self.ledger.origin.slug())
            .map_err(|error| not_adopted(error.to_string()))?;
        let mut entropy = self.config.entropy;
        let envelope = draft
            .sign(&source, &key, &mut entropy)
            .map_err(|refusal| not_adopted(refusal.to_string()))?;
        let prepared = Prepared::check(
            envelope.to_json().as_bytes(),
            now,
            Position::Control,
            "control".into(),
            &self.door.authority.borrow().clone(),
        );
        match jetstream::decide(&self.door, prepared).await {
            Ok(Answer::Recorded { index, .. }) => {
                tracing::info!(index, "the ledger follows the stream from now on");
                // The answer comes before the word to read anew: a feed that began in between would find the stream it left.
                let mut restart = self.door.restart.clone();
                let follows = restart.wait_for(|restart| restart.cursor.incarnation == adopted);
                let stopped = |_| not_adopted("the server is stopping".to_owned());
                follows.await.map(|_| ()).map_err(stopped)
            }
            Ok(Answer::Refused { refusal, .. }) => Err(not_adopted(refusal.to_string())),
            Ok(Answer::Duplicate { .. } | Answer::Accepted { .. }) => {
                Err(not_adopted("it was adopted before".to_owned()))
            }
            Err(unavailable) => Err(not_adopted(unavailable.to_string())),
        }
    }
}
