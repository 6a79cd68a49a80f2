//! What an emitter needs: keep signed events safe, hand them to a ledger over HTTP, bring their receipts home, ask questions.
//!
//! From the disk outwards: [`state`] is what a client remembers between commands (which ledger, how far it was seen, where the
//! outbox lies), [`outbox`] keeps events until the ledger has proved that it has them, [`server`] speaks HTTP, [`delivery`] hands
//! in one event, [`receipts`] asks what became of it, [`ledger`] makes sure that it is the ledger that was pinned, [`courier`]
//! puts these together, and [`query`] asks everything else.
//!
//! No clock and no randomness of its own; nothing here signs, draws pages or knows a database.

pub mod courier;
pub mod delivery;
mod durable;
pub mod ledger;
pub mod outbox;
pub mod problem;
pub mod query;
pub mod receipts;
pub mod server;
pub mod state;
