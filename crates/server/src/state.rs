//! What the HTTP side, the pages and the bridges hold of a running server.

use std::{net::SocketAddr, sync::Arc};

use piperoll_core::name::{LedgerId, Origin};
use piperoll_store as store;
use piperoll_tlog::note::VerifierKey;

use crate::{
    clock, entropy::Entropy, folder::Folder, in_flight::InFlight, intake::Intake,
    receipts::Receipts, status,
};

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
    pub address: SocketAddr,
    /// Without a trailing slash, such as `http://127.0.0.1:7470`.
    pub public_url: String,
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
    pub entropy: Entropy,
    pub folder: Folder,
    pub web: Arc<Web>,
    /// What webhooks are delivering right now.
    pub in_flight: InFlight,
}
