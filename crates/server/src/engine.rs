//! A ledger at work without its HTTP side: lock, store, projector, stream, publisher. `serve` adds the doors, `bench` needs none.

mod sources;

use std::{path::PathBuf, sync::Arc, time::Duration};

use piperoll_core::authority;
use piperoll_store::{self as store, OpenMode};
use piperoll_tlog::{
    key::SecretKey,
    note::{self, KeyName, VerifierKey},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    clock,
    entropy::Entropy,
    folder::{self, Folder, Lock},
    found::ADMISSION,
    guard::Guard,
    intake::Intake,
    projector::{self, State, Writer},
    publisher::Publisher,
    receipts::{Receipts, Waiting},
    state::Ledger,
    status::{self, Streaming},
    stop::Stop,
    stream::jetstream::{self, Connection},
    turn::{Keeper, Turn},
};
use sources::Sources;

/// How long tasks may take to end before they are cut off; a commit takes milliseconds.
const END_WAIT: Duration = Duration::from_secs(20);

/// What an engine needs.
pub struct Config {
    /// The server's folder.
    pub data: PathBuf,
    /// `--database`; `None` is `ledger.db` in the folder.
    pub database: Option<String>,
    /// The state directory; the guard lies in `<state>/<ledger id>/guard`.
    pub state: PathBuf,
    /// `--nats`; `None` is the embedded stream.
    pub nats: Option<jetstream::Config>,
    pub clock: clock::Shared,
    pub entropy: Entropy,
}

/// Why an engine does not start. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Folder(#[from] folder::Error),
    #[error("cannot open the ledger's database")]
    Store(#[from] store::Error),
    #[error("cannot take up the ledger")]
    Project(#[from] projector::Error),
    #[error("{0} holds no ledger yet; make one with `piperoll init`")]
    NotFounded(String),
    #[error(
        "the ledger was made under admission {0}, which this version does not know; use a newer one"
    )]
    Admission(u32),
    #[error("the key file {} is not the one that entry 0 lists; use the folder of this ledger, or restore its keys", .0.display())]
    WrongKey(PathBuf),
    #[error(transparent)]
    Nats(#[from] jetstream::Error),
    #[error(
        "this ledger reads the stream {0}; start the server with --nats and the address of that NATS"
    )]
    NatsNeeded(String),
    #[error("the ledger did not take the new stream: {0}")]
    NotAdopted(String),
    #[error("entry 0 names an origin that cannot name a checkpoint key")]
    Origin(#[from] note::Error),
    /// The server ran and then a part of it ended.
    #[error("the {0} ended unexpectedly; look at the log and start the server again")]
    Ended(&'static str),
}

/// A running ledger.
pub struct Engine {
    pub ledger: Arc<Ledger>,
    pub store: store::Shared,
    pub intake: Arc<dyn Intake>,
    pub receipts: Receipts,
    pub status: status::Handle,
    pub folder: Folder,
    pub clock: clock::Shared,
    pub entropy: Entropy,
    /// Of the folder, and of the one that the database file belongs to.
    locks: (Lock, Option<Lock>),
    nats: Option<Connection>,
    /// Stream, then projector: they end in this order.
    tasks: Vec<Task>,
    publisher: Task,
    keeper: Option<Task>,
}
/// A task and the switch that ends it.
pub(crate) struct Task {
    name: &'static str,
    handle: JoinHandle<()>,
    switch: Option<watch::Sender<bool>>,
}

impl Engine {
    /// Takes the folder's lock, opens the database, takes the ledger over and starts to project and to publish.
    pub async fn start(config: Config) -> Result<Self, Error> {
        Self::start_at(config, "an address that was not told").await
    }
    /// The same; `address` is where this server answers. Where the database lies outside the folder, other servers may work on it:
    /// the lease then says who projects, and tells the others that address.
    pub async fn start_at(config: Config, address: &str) -> Result<Self, Error> {
        let folder = Folder::new(config.data.clone());
        let of_database = config.database.as_deref();
        let locks = (folder.lock()?, folder.lock_of_database(of_database)?);
        let store = folder.open_store(of_database, OpenMode::ReadWrite).await?;
        let (ledger, checkpoint_key) = identify(&folder, &store).await?;
        let (status, nats) = connect(config.nats.as_ref(), &ledger).await?;
        let guard = Guard::new(&config.state, &ledger.id);
        let shared = config.database.is_some();
        let keeper = shared.then(|| Keeper::new(&store, &guard, &status, locks.0.name(), address));
        let (keeper, turn) = start(keeper).await;
        let (switch, stop) = Stop::new();
        let opened = Writer::open(
            Arc::clone(&store),
            Arc::clone(&config.clock),
            status.clone(),
            stop,
            turn.clone(),
        );
        let (writer, door) = opened.await?;
        let cursor = door.restart.borrow().cursor.clone();
        let projector = Task::start("projector", Some(switch), writer.run());
        let waiting = Waiting::default();
        let sources = Sources {
            ledger: &ledger,
            folder: &folder,
            status: &status,
            config: &config,
            door,
        };
        let source = match &nats {
            Some(connection) => sources.jetstream(connection, cursor, &waiting).await,
            None => sources.embedded(&cursor),
        };
        drop(sources);
        let (intake, stream) = match source {
            Ok(source) => source,
            Err(error) => {
                projector.end().await;
                end(keeper).await;
                store.close().await;
                return Err(error);
            }
        };
        let publisher = Publisher::new(
            Arc::clone(&store),
            status.clone(),
            guard,
            ledger.origin.as_str().to_owned(),
            checkpoint_key,
            turn,
        );
        let (switch, stop) = Stop::new();
        Ok(Self {
            receipts: Receipts::new(Arc::clone(&store), waiting),
            ledger: Arc::new(ledger),
            intake,
            status,
            folder,
            clock: config.clock,
            entropy: config.entropy,
            locks,
            nats,
            tasks: vec![stream, projector],
            publisher: Task::start("publisher", Some(switch), publisher.run(stop)),
            keeper,
            store,
        })
    }
    /// Waits for as long as all is well; gives the part that ended by itself.
    pub async fn ended(&mut self) -> Error {
        let last = [&mut self.publisher].into_iter().chain(&mut self.keeper);
        let tasks = self.tasks.iter_mut().chain(last);
        let endings = tasks.map(|task| Box::pin(task.ended()));
        let (name, _, _) = futures_util::future::select_all(endings).await;
        Error::Ended(name)
    }
    /// Takes in what is queued, commits it, signs a last checkpoint, and lets go of the folder.
    pub async fn shutdown(self) {
        for task in self.tasks {
            task.end().await;
        }
        self.publisher.end().await;
        end(self.keeper).await;
        if let Some(connection) = self.nats {
            connection.close().await;
        }
        self.store.close().await;
        let (lock, of_database) = self.locks;
        lock.release();
        of_database.into_iter().for_each(Lock::release);
    }
}
impl Task {
    pub(crate) fn start(
        name: &'static str,
        switch: Option<watch::Sender<bool>>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            name,
            handle: tokio::spawn(work),
            switch,
        }
    }
    /// Waits until the task ends by itself; gives its name.
    pub(crate) async fn ended(&mut self) -> &'static str {
        if let Err(error) = (&mut self.handle).await {
            tracing::error!(task = self.name, %error, "a task failed");
        }
        self.name
    }
    /// Asks the task to end and waits for it; one that hangs is cut off.
    pub(crate) async fn end(mut self) {
        if let Some(switch) = self.switch.take() {
            switch.send_replace(true);
        }
        if self.handle.is_finished() {
            return;
        }
        match tokio::time::timeout(END_WAIT, &mut self.handle).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(task = self.name, %error, "a task failed"),
            Err(_) => {
                tracing::warn!(task = self.name, "a task did not end and is cut off");
                self.handle.abort();
            }
        }
    }
}

/// Connects with NATS, where messages come from there.
async fn connect(
    nats: Option<&jetstream::Config>,
    ledger: &Ledger,
) -> Result<(status::Handle, Option<Connection>), Error> {
    let Some(nats) = nats else {
        return Ok((status::Handle::new(Streaming::Embedded), None));
    };
    let status = status::Handle::new(Streaming::JetStream {
        connected: false,
        last_sequence: 0,
        unread: None,
    });
    let id = ledger.id.0.to_hex();
    let connection = Connection::open(nats, ledger.origin.slug(), &id, status.clone()).await?;
    Ok((status, Some(connection)))
}
/// Finds out whose turn it is, and keeps asking. Where the folder's lock is enough there is no keeper, and no turn.
async fn start(keeper: Option<Keeper>) -> (Option<Task>, Option<Turn>) {
    let Some(mut keeper) = keeper else {
        return (None, None);
    };
    let turn = keeper.begin().await;
    let (switch, stop) = Stop::new();
    let task = Task::start("lease", Some(switch), keeper.run(stop));
    (Some(task), Some(turn))
}
async fn end(task: Option<Task>) {
    if let Some(task) = task {
        task.end().await;
    }
}

/// What entry 0 says of the ledger; the folder's keys must be those it lists.
async fn identify(folder: &Folder, store: &store::Shared) -> Result<(Ledger, SecretKey), Error> {
    let state = State::load(&**store).await?;
    let genesis = state
        .authority()
        .genesis()
        .ok_or_else(|| Error::NotFounded(folder.root().display().to_string()))?;
    if genesis.admission > ADMISSION {
        return Err(Error::Admission(genesis.admission));
    }
    let (event, _) = folder.read_key("event")?;
    if authority::keyid(event.public().as_bytes()) != genesis.event_keyid {
        return Err(Error::WrongKey(folder.key("event")));
    }
    let (checkpoint, _) = folder.read_key("checkpoint")?;
    if checkpoint.public() != genesis.checkpoint_key {
        return Err(Error::WrongKey(folder.key("checkpoint")));
    }
    let ledger = Ledger {
        id: genesis.ledger,
        origin: genesis.origin.clone(),
        verifier: VerifierKey {
            name: KeyName::new(genesis.origin.as_str())?,
            key: genesis.checkpoint_key.clone(),
        },
    };
    Ok((ledger, checkpoint))
}
