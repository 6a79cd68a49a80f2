//! Whose turn it is to project and to sign.
//!
//! A ledger in its folder belongs to whoever holds the folder's lock. A database elsewhere can have several servers; the lease in
//! it says which one projects, by the database's clock, and all others read. Whoever takes the lease raises the epoch of the
//! head, so that nothing of an earlier holder can be committed any more, however late it wakes up.
//!
//! One lease covers projecting and signing. So only a server that would be allowed to sign takes it: one that sees the guard of
//! whoever signed last, because both were started with the same `--state`.

use std::{sync::Arc, time::Duration};

use piperoll_store::{self as store, Lease};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{causes::chain, guard::Guard, publisher, status, stop::Stop};

/// How long a lease lasts without being renewed: a restart of the database fits in, and nobody waits for long.
const LEASE: Duration = Duration::from_secs(6);
/// How often it is renewed: two attempts may fail.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// How often a server that only reads looks whether that has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// An answer that takes longer comes too late for the lease.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Why this server does not project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where the server answers that does.
    pub address: Option<String>,
    pub why: String,
    pub remedy: String,
}
/// Whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Ours under this epoch, until that moment unless it is renewed; `None`: as long as we hold the folder's lock.
    Ours {
        epoch: u64,
        until: Option<Instant>,
    },
    Elsewhere(Elsewhere),
    /// The database did not say so in time.
    Unsure {
        why: String,
    },
}

/// What projector and publisher look at. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Turn {
    standing: watch::Receiver<Standing>,
    /// Somebody found that another has written: look now.
    doubt: Arc<Notify>,
    /// Keeps the standing of a lock from ending.
    _lock: Option<Arc<watch::Sender<Standing>>>,
}
impl Turn {
    /// Ours for as long as the process lives, since the folder's lock is.
    pub fn by_lock(epoch: u64) -> Self {
        let (sender, standing) = watch::channel(Standing::Ours { epoch, until: None });
        Self {
            standing,
            doubt: Arc::default(),
            _lock: Some(Arc::new(sender)),
        }
    }
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }
    /// Whether it is our turn at this very moment.
    pub fn is_ours(&self) -> bool {
        match &*self.standing.borrow() {
            Standing::Ours { until, .. } => until.is_none_or(|until| Instant::now() < until),
            Standing::Elsewhere(_) | Standing::Unsure { .. } => false,
        }
    }
    /// Returns when it has become another's turn, or ours again; a renewal is no change.
    pub async fn changed(&mut self) {
        if self.standing.changed().await.is_err() {
            // Whoever kept the lease is gone, and nothing changes any more.
            std::future::pending::<()>().await;
        }
    }
    /// Another has written: asks the database at once whose turn it is.
    pub fn doubt(&self) {
        self.doubt.notify_one();
    }
}

/// The task that takes, renews and gives back the lease.
pub struct Keeper {
    store: store::Shared,
    guard: Guard,
    status: status::Handle,
    /// The same for every start of a server on one folder of one machine: its lock lets only one of them run.
    holder: String,
    address: String,
    standing: watch::Sender<Standing>,
    doubt: Arc<Notify>,
    /// The epoch under which this process had the lease last. `None`: a live lease of our holder is an earlier start's, or one that
    /// we took without hearing of it.
    epoch: Option<u64>,
}
impl Keeper {
    /// `holder` is the folder's name, `address` where this server answers.
    pub fn new(
        store: &store::Shared,
        guard: &Guard,
        status: &status::Handle,
        holder: String,
        address: &str,
    ) -> Self {
        let why = "the database was not asked yet".to_owned();
        Self {
            store: Arc::clone(store),
            guard: guard.clone(),
            status: status.clone(),
            holder,
            address: address.to_owned(),
            standing: watch::Sender::new(Standing::Unsure { why }),
            doubt: Arc::default(),
            epoch: None,
        }
    }
    /// Takes the lease if it is free and the guard lets this server sign; else the server begins by reading.
    pub async fn begin(&mut self) -> Turn {
        self.round().await;
        Turn {
            standing: self.standing.subscribe(),
            doubt: Arc::clone(&self.doubt),
            _lock: None,
        }
    }
    /// Runs until `stop`, then gives the lease back, so that another need not wait until it has run out.
    pub async fn run(mut self, mut stop: Stop) {
        loop {
            let pause = match &*self.standing.borrow() {
                Standing::Ours { .. } => RENEW_EVERY,
                Standing::Elsewhere(_) | Standing::Unsure { .. } => LOOK_EVERY,
            };
            tokio::select! {
                () = stop.stopped() => break,
                () = self.doubt.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            self.round().await;
        }
        if let Some(epoch) = self.epoch {
            let released = in_time(self.store.release_lease(&self.holder, epoch)).await;
            if let Err(why) = released {
                tracing::warn!("the lease was not given back and runs out by itself: {why}");
            }
        }
    }
    async fn round(&mut self) {
        let before = self.standing.borrow().clone();
        let next = match &before {
            Standing::Ours { epoch, until } => self.renew(*epoch, *until).await,
            Standing::Elsewhere(_) | Standing::Unsure { .. } => self.look().await,
        };
        tell(&before, &next);
        self.standing.send_if_modified(|standing| {
            let renewed = matches!(
                (&*standing, &next),
                (Standing::Ours { epoch: old, .. }, Standing::Ours { epoch: new, .. }) if old == new
            );
            let same = renewed || *standing == next;
            *standing = next;
            !same
        });
    }

    async fn renew(&mut self, epoch: u64, until: Option<Instant>) -> Standing {
        let asked = Instant::now();
        let renewal = self.store.renew_lease(&self.holder, epoch, millis(LEASE));
        match in_time(renewal).await {
            Ok(true) => Standing::Ours {
                epoch,
                until: Some(asked + LEASE),
            },
            Ok(false) => self.look().await,
            // Until it runs out nobody else can have it.
            Err(_) if until.is_some_and(|until| Instant::now() < until) => {
                Standing::Ours { epoch, until }
            }
            Err(why) => Standing::Unsure { why },
        }
    }
    /// Whose turn is it? Ours, if nobody else has it and the guard would let us sign.
    async fn look(&mut self) -> Standing {
        match self.try_to_take().await {
            Ok(standing) => standing,
            Err(why) => Standing::Unsure { why },
        }
    }
    async fn try_to_take(&mut self) -> Result<Standing, String> {
        let lease = in_time(self.store.lease()).await?;
        if let Some(other) = lease.as_ref().filter(|lease| self.is_anothers(lease)) {
            return self.elsewhere(other).await;
        }
        match self.may_sign().await {
            Ok(()) => {}
            Err(publisher::Error::Objection(objection)) => {
                // A server that took the lease meanwhile has signed more than we had read.
                let now = in_time(self.store.lease()).await?;
                if let Some(other) = now.filter(|lease| self.is_anothers(lease)) {
                    return self.elsewhere(&other).await;
                }
                self.watch_the_other().await?;
                return Ok(Standing::Elsewhere(objected(lease.as_ref(), &objection)));
            }
            Err(other) => return Err(chain(&other)),
        }
        let asked = Instant::now();
        let taking = self
            .store
            .take_lease(&self.holder, &self.address, millis(LEASE));
        let lease = match tokio::time::timeout(ANSWER_WAIT, taking).await {
            Ok(Ok(lease)) => lease,
            Ok(Err(error)) => return Err(self.perhaps_taken(chain(&error))),
            Err(_) => return Err(self.perhaps_taken(NO_ANSWER.to_owned())),
        };
        if lease.holder != self.holder {
            return self.elsewhere(&lease).await;
        }
        self.epoch = Some(lease.epoch);
        Ok(Standing::Ours {
            epoch: lease.epoch,
            until: Some(asked + LEASE),
        })
    }
    /// Whether a lease is in force and not one that this process may go on with.
    fn is_anothers(&self, lease: &Lease) -> bool {
        let ours =
            lease.holder == self.holder && self.epoch.is_none_or(|epoch| epoch == lease.epoch);
        lease.live && !ours
    }
    async fn elsewhere(&self, lease: &Lease) -> Result<Standing, String> {
        let signed = self.watch_the_other().await?;
        let guard = self.guard.clone();
        let guarded = tokio::task::spawn_blocking(move || guard.read())
            .await
            .expect("reading a file neither panics nor is cancelled")
            .map_err(|error| chain(&error))?;
        let Some(address) = server_of(lease) else {
            return Ok(Standing::Elsewhere(Elsewhere {
                address: None,
                why: format!("`{}` is at work on this ledger", lease.address),
                remedy: "this server goes on when that has ended".to_owned(),
            }));
        };
        let then = if signed && guarded.is_none() {
            format!(
                "this one will not take over, because the guard of that one is not at {}: give both the same --state folder",
                self.guard.path().display()
            )
        } else {
            "this one takes over when that one ends".to_owned()
        };
        Ok(Standing::Elsewhere(Elsewhere {
            address: Some(address.to_owned()),
            why: format!(
                "the server at {address} takes the events of this ledger, and this one only reads"
            ),
            remedy: format!("send events to {address}; {then}"),
        }))
    }
    /// The lease may be ours without our knowing.
    fn perhaps_taken(&mut self, why: String) -> String {
        self.epoch = None;
        why
    }
    /// The guard must know what was signed last, and the ledger must grow from it.
    async fn may_sign(&self) -> Result<(), publisher::Error> {
        let Some(head) = self.store.head().await? else {
            return Ok(());
        };
        let latest = self.store.latest_checkpoint().await?;
        let latest = latest.map(|latest| latest.size);
        publisher::agree(&*self.store, &self.guard, &head, latest).await?;
        Ok(())
    }
    /// Keeps the status of a server that only reads up to date; gives whether there is a checkpoint.
    async fn watch_the_other(&self) -> Result<bool, String> {
        let head = in_time(self.store.head()).await?;
        let latest = in_time(self.store.latest_checkpoint()).await?;
        let published = latest.map_or(0, |latest| latest.size);
        self.status.update(|now| {
            if let Some(head) = head {
                now.size = head.size;
                now.sequence = head.cursor.sequence;
            }
            now.published = published;
        });
        Ok(published > 0)
    }
}

const NO_ANSWER: &str = "the database does not answer in time";

async fn in_time<T>(asked: impl Future<Output = Result<T, store::Error>>) -> Result<T, String> {
    match tokio::time::timeout(ANSWER_WAIT, asked).await {
        Ok(answered) => answered.map_err(|error| chain(&error)),
        Err(_) => Err(NO_ANSWER.to_owned()),
    }
}
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).expect("a lease lasts seconds")
}
/// Where the holder answers; `None` if it is no server, but an operator's command.
fn server_of(lease: &Lease) -> Option<&str> {
    lease
        .address
        .contains("://")
        .then_some(lease.address.as_str())
}
/// The lease is free, but this server could not sign.
fn objected(lease: Option<&Lease>, objection: &crate::guard::Objection) -> Elsewhere {
    let nobody = match lease.and_then(server_of) {
        Some(address) => format!("the server at {address} is gone"),
        None => "no server takes the events of this ledger".to_owned(),
    };
    Elsewhere {
        address: None,
        why: format!(
            "{nobody}, and this one only reads, because it could not sign: {}",
            objection.why
        ),
        remedy: format!(
            "{}; servers that are to take over from each other share one --state folder",
            objection.remedy
        ),
    }
}
/// Says it in the log when a turn begins or ends.
fn tell(before: &Standing, next: &Standing) {
    match (before, next) {
        (Standing::Ours { epoch: old, .. }, Standing::Ours { epoch, .. }) if old == epoch => {}
        (_, Standing::Ours { epoch, .. }) => {
            tracing::info!(epoch, "this server takes the ledger's events");
        }
        (Standing::Elsewhere(old), Standing::Elsewhere(new)) if old == new => {}
        (_, Standing::Elsewhere(Elsewhere { why, remedy, .. })) => {
            tracing::warn!("{why}; {remedy}");
        }
        (Standing::Unsure { .. }, Standing::Unsure { .. }) => {}
        (_, Standing::Unsure { why }) => {
            tracing::warn!("nobody can tell whether this server may take events: {why}");
        }
    }
}
