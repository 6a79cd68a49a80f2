//! Wires a running server and takes it down again.

use std::sync::Arc;

use piperoll_core::name::{LedgerId, Origin};
use piperoll_store as store;
use piperoll_tlog::note::VerifierKey;
use tokio::sync::watch;

use crate::{clock, folder::Folder, intake::Intake, receipts::Receipts, status};

/// What never changes while a ledger lives.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub id: LedgerId,
    pub origin: Origin,
    /// The checkpoint key under the origin's name.
    pub verifier: VerifierKey,
}
/// How this server is reached.
#[derive(Clone, Debug)]
pub struct Web {
    /// The address that was bound.
    pub address: std::net::SocketAddr,
    /// Without a trailing slash, such as `http://127.0.0.1:7470`.
    pub public_url: String,
}
impl Web {
    /// Whether only this machine reaches the server: then it may be read without a sign-in.
    pub fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// What the HTTP side and the bridges hold. Cheap to clone.
#[derive(Clone)]
pub struct State {
    pub ledger: Arc<Ledger>,
    pub store: store::Shared,
    pub intake: Arc<dyn Intake>,
    pub receipts: Receipts,
    pub status: status::Handle,
    pub clock: clock::Shared,
    pub folder: Folder,
    pub web: Arc<Web>,
}

/// Tells tasks to end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);
impl Stop {
    /// The switch, and what it switches.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }
    /// Returns once the server is asked to stop (or its switch is gone).
    pub async fn stopped(&mut self) {
        let _gone_means_stopped = self.0.wait_for(|stop| *stop).await;
    }
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
