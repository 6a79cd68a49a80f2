//! The publisher: once a second, when the ledger has grown, it signs a checkpoint. The guard is written first.

use std::time::Duration;

use piperoll_store::{self as store, Head, Store};
use piperoll_tlog::{checkpoint::Checkpoint, key::SecretKey, note, proof};

use crate::{
    causes::chain,
    guard::{self, Guard, Objection, Signed},
    hashes,
    status::{self, Publishing},
    stop::Stop,
    turn::Turn,
};

/// Often enough that a receipt is complete soon; each one costs two syncs to disk.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another server signs.
    #[error("it is another server's turn to sign")]
    NotOurTurn,
    /// Signing is forbidden until somebody acts.
    #[error(transparent)]
    Objection(#[from] Objection),
    #[error("reading or writing the guard")]
    Guard(#[from] guard::Error),
    #[error("reading the tree or keeping the checkpoint")]
    Store(#[from] store::Error),
    #[error("signing the checkpoint")]
    Sign(#[from] note::Error),
}

/// Owns the guard and the checkpoint key.
pub struct Publisher {
    store: store::Shared,
    status: status::Handle,
    guard: Guard,
    origin: String,
    key: SecretKey,
    turn: Option<Turn>,
    /// The size for which guard and tree were last found to agree.
    agreed: Option<u64>,
}
impl Publisher {
    /// With a `turn`, it signs only while it is ours.
    pub fn new(
        store: store::Shared,
        status: status::Handle,
        guard: Guard,
        origin: String,
        key: SecretKey,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            store,
            status,
            guard,
            origin,
            key,
            turn,
            agreed: None,
        }
    }
    /// Publishes until `stop`, and once more then, so that what was recorded last has its receipt.
    pub async fn run(mut self, mut stop: Stop) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let stopping = tokio::select! {
                _ = ticks.tick() => false,
                () = stop.stopped() => true,
            };
            self.round().await;
            if stopping {
                return;
            }
        }
    }
    async fn round(&mut self) {
        let publishing = match self.publish().await {
            Ok(()) => Publishing::Running,
            Err(Error::NotOurTurn) => Publishing::Elsewhere,
            Err(Error::Objection(Objection { why, remedy })) => {
                Publishing::Refusing { why, remedy }
            }
            Err(error) => Publishing::Failing { why: chain(&error) },
        };
        if self.status.now().publishing != publishing {
            match &publishing {
                Publishing::Refusing { why, remedy } => {
                    tracing::error!("no checkpoint is signed: {why}; {remedy}");
                }
                Publishing::Failing { why } => {
                    tracing::warn!("no checkpoint could be published: {why}");
                }
                Publishing::Starting | Publishing::Running | Publishing::Elsewhere => {}
            }
            self.status.update(|now| now.publishing = publishing);
        }
    }
    /// Signs a checkpoint of the head, unless there is one. An error leaves everything as it was, or the guard one step ahead of the
    /// checkpoint, which the next call makes good.
    pub async fn publish(&mut self) -> Result<(), Error> {
        self.check_turn()?;
        let Some(head) = self.store.head().await? else {
            return Ok(());
        };
        if self.agreed == Some(head.size) {
            return Ok(());
        }
        let latest = self
            .store
            .latest_checkpoint()
            .await?
            .map(|latest| latest.size);
        let guarded = agree(&*self.store, &self.guard, &head, latest).await?;
        if latest != Some(head.size) {
            self.write_guard(guarded, &head).await?;
            let checkpoint = Checkpoint {
                origin: self.origin.clone(),
                size: head.size,
                root: head.root,
            };
            self.check_turn()?;
            let note = checkpoint.sign(&self.key)?;
            self.store.put_checkpoint(head.size, &note).await?;
            tracing::debug!(size = head.size, "checkpoint signed");
        }
        self.agreed = Some(head.size);
        self.status.update(|now| now.published = head.size);
        Ok(())
    }
    fn check_turn(&mut self) -> Result<(), Error> {
        if self.turn.as_ref().is_none_or(Turn::is_ours) {
            return Ok(());
        }
        self.agreed = None;
        Err(Error::NotOurTurn)
    }
    async fn write_guard(&self, guarded: Option<Signed>, head: &Head) -> Result<(), Error> {
        let guard = self.guard.clone();
        let signed = Signed {
            size: head.size,
            root: head.root,
        };
        tokio::task::spawn_blocking(move || guard.replace(guarded, signed))
            .await
            .expect("writing a file neither panics nor is cancelled")?;
        Ok(())
    }
}

/// The tree must grow from what was signed last, by the hashes that are stored; `latest` is the size of the latest checkpoint.
/// Gives what the guard holds.
pub(crate) async fn agree(
    store: &dyn Store,
    guard: &Guard,
    head: &Head,
    latest: Option<u64>,
) -> Result<Option<Signed>, Error> {
    let reading = guard.clone();
    let guarded = tokio::task::spawn_blocking(move || reading.read())
        .await
        .expect("reading a file neither panics nor is cancelled")
        .map_err(|error| match error {
            guard::Error::Corrupt(_) => guard::unreadable(&error).into(),
            error => Error::Guard(error),
        })?;
    let Some(signed) = guard::judge(guard, guarded, latest, head.size)? else {
        return Ok(guarded);
    };
    let grows = if signed.size == head.size {
        signed.root == head.root
    } else {
        let (old, new) = (signed.size, head.size);
        let steps = hashes::consistency(store, old, new).await?;
        proof::verify_consistency(old, new, &signed.root, &head.root, &steps).is_ok()
    };
    if grows {
        Ok(guarded)
    } else {
        Err(guard::different(guard, &signed).into())
    }
}
