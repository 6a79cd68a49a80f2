//! The client against a ledger's double: a small HTTP server that answers as it is told.
#![expect(clippy::unwrap_used, reason = "a test helper may stop the test")]

mod courier;
mod double;
mod identify;
mod outbox;
mod queries;
mod receipts;

use piperoll_client::{
    courier::{Courier, Patience},
    delivery::Wait,
    ledger::{Identified, Ledger},
    outbox::Outbox,
    server::Server,
    state,
};
use piperoll_core::{draft, envelope::Envelope, time::Timestamp};
use piperoll_tlog::key::SecretKey;
use tempfile::TempDir;

use crate::double::Double;

/// An instant for what the clock would say.
fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}
/// A signed message that differs by its number. The client reads no payloads, so this one is none.
fn envelope(number: u32) -> Envelope {
    let payload = format!("{{\"number\":{number}}}");
    draft::sign_payload(
        payload.into_bytes(),
        std::collections::BTreeMap::new(),
        &SecretKey::from_seed([6; 32]),
    )
}

/// An emitter's machine, whose ledger is the double.
struct Machine {
    _folder: TempDir,
    state: state::Folder,
    outbox: Outbox,
    server: Server,
    ledger: Ledger,
}
impl Machine {
    async fn new(double: &Double) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = state::Folder::open(folder.path()).unwrap();
        let server = Server::new(&double.address(), None).unwrap();
        let Identified { ledger, .. } = piperoll_client::ledger::identify(&state, &server, None)
            .await
            .unwrap();
        let outbox = Outbox::open(&state.outbox(ledger.id)).unwrap();
        double.forget_requests();
        Self {
            _folder: folder,
            state,
            outbox,
            server,
            ledger,
        }
    }
    /// Tries each event once.
    fn courier(&self) -> Courier<'_> {
        self.patient(Patience::default())
    }
    fn patient(&self, patience: Patience) -> Courier<'_> {
        Courier {
            outbox: &self.outbox,
            folder: &self.state,
            server: &self.server,
            ledger: &self.ledger,
            wait: Wait::Recorded,
            patience,
        }
    }
    /// Keeps events 1 to `count`, which nobody works on.
    fn keep(&self, count: u32) {
        for number in 1..=count {
            drop(self.outbox.keep(envelope(number), now()).unwrap());
        }
    }
    /// Events waiting, recorded, refused.
    fn counts(&self) -> (usize, usize, usize) {
        let counts = self.outbox.counts().unwrap();
        (counts.waiting, counts.recorded, counts.refused)
    }
}
