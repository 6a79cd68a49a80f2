//! The publisher: once a second, when the ledger has grown, it signs a checkpoint. The guard is written first.

use std::time::Duration;

use piperoll_store::{self as store, Head};
use piperoll_tlog::{checkpoint::Checkpoint, key::SecretKey, note, proof};

use crate::{
    guard::{self, Guard, Objection, Signed},
    hashes,
    serve::Stop,
    status::{self, Publishing},
};

/// Often enough that a receipt is complete soon; each one costs two syncs to disk.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum Error {
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
    /// The size for which guard and tree were last found to agree.
    agreed: Option<u64>,
}
impl Publisher {
    pub fn new(
        store: store::Shared,
        status: status::Handle,
        guard: Guard,
        origin: String,
        key: SecretKey,
    ) -> Self {
        Self {
            store,
            status,
            guard,
            origin,
            key,
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
                Publishing::Starting | Publishing::Running => {}
            }
            self.status.update(|now| now.publishing = publishing);
        }
    }
    /// Signs a checkpoint of the head, unless there is one. An error leaves everything as it was, or the guard one step ahead of the
    /// checkpoint, which the next call makes good.
    pub async fn publish(&mut self) -> Result<(), Error> {
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
        self.agree(&head, latest).await?;
        if latest != Some(head.size) {
            self.write_guard(&head).await?;
            let checkpoint = Checkpoint {
                origin: self.origin.clone(),
                size: head.size,
                root: head.root,
            };
            let note = checkpoint.sign(&self.key)?;
            self.store.put_checkpoint(head.size, &note).await?;
            tracing::debug!(size = head.size, "checkpoint signed");
        }
        self.agreed = Some(head.size);
        self.status.update(|now| now.published = head.size);
        Ok(())
    }
    /// The tree must grow from what was signed last, by the hashes that are stored.
    async fn agree(&self, head: &Head, latest: Option<u64>) -> Result<(), Error> {
        let guard = self.guard.clone();
        let read = tokio::task::spawn_blocking(move || guard.read())
            .await
            .expect("reading a file neither panics nor is cancelled")?;
        let Some(signed) = guard::judge(&self.guard, read, latest, head.size)? else {
            return Ok(());
        };
        let grows = if signed.size == head.size {
            signed.root == head.root
        } else {
            let (old, new) = (signed.size, head.size);
            let steps = hashes::consistency(&*self.store, old, new).await?;
            proof::verify_consistency(old, new, &signed.root, &head.root, &steps).is_ok()
        };
        if grows {
            Ok(())
        } else {
            Err(guard::different(&self.guard, &signed).into())
        }
    }
    async fn write_guard(&self, head: &Head) -> Result<(), Error> {
        let guard = self.guard.clone();
        let signed = Signed {
            size: head.size,
            root: head.root,
        };
        tokio::task::spawn_blocking(move || guard.write(signed))
            .await
            .expect("writing a file neither panics nor is cancelled")?;
        Ok(())
    }
}

/// An error with its sources, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
