//! How the server is doing: one snapshot that projector, stream and publisher write and everybody reads.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether messages become entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projecting {
    /// State is being read from the database.
    Starting,
    Running,
    /// The database does not answer; the projector goes on by itself.
    Lost {
        why: String,
    },
    /// Another server does it, at `address` if that is known; this one only reads.
    Elsewhere {
        address: Option<String>,
        why: String,
        remedy: String,
    },
    /// It waits for an operator, or for a clock: `why` says what happened, `remedy` what to do.
    Halted {
        why: String,
        remedy: String,
    },
}
/// Whether checkpoints are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publishing {
    Starting,
    Running,
    /// The server that projects signs them.
    Elsewhere,
    /// The last attempt failed and is repeated.
    Failing {
        why: String,
    },
    /// The guard forbids it, until an operator acts. Everything else goes on.
    Refusing {
        why: String,
        remedy: String,
    },
}
/// Where messages come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Streaming {
    Embedded,
    JetStream {
        connected: bool,
        /// Last sequence of the stream, as of the last look.
        last_sequence: u64,
        /// Why it is not read at the moment; it is tried again.
        unread: Option<String>,
    },
}
/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Number of entries that are committed.
    pub size: u64,
    /// Last stream sequence taken in.
    pub sequence: u64,
    /// Size of the latest checkpoint; 0 before the first.
    pub published: u64,
    pub projecting: Projecting,
    pub publishing: Publishing,
    pub streaming: Streaming,
    /// How often the stream's time stepped back by more than a second since the start.
    pub steps_back: u64,
}
impl Snapshot {
    /// Whether events are taken and checkpoints signed.
    pub fn is_ready(&self) -> bool {
        matches!(self.projecting, Projecting::Running)
            && matches!(self.publishing, Publishing::Running)
            && match &self.streaming {
                Streaming::Embedded => true,
                Streaming::JetStream {
                    connected, unread, ..
                } => *connected && unread.is_none(),
            }
    }
}

/// A handle on the snapshot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle(Arc<watch::Sender<Snapshot>>);
impl Handle {
    pub fn new(streaming: Streaming) -> Self {
        Self(Arc::new(watch::Sender::new(Snapshot {
            size: 0,
            sequence: 0,
            published: 0,
            projecting: Projecting::Starting,
            publishing: Publishing::Starting,
            streaming,
            steps_back: 0,
        })))
    }
    pub fn now(&self) -> Snapshot {
        self.0.borrow().clone()
    }
    /// Sees every later change at least as its latest state.
    pub fn watch(&self) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }
    /// Changes the snapshot and wakes those who watch, unless nothing changed.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        self.0.send_if_modified(|snapshot| {
            let before = snapshot.clone();
            change(snapshot);
            *snapshot != before
        });
    }
}
