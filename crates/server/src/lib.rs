//! The server: streams, projector, publisher, bridges, JSON API and web pages.
//!
//! One task owns each piece of changing state: the projector owns authority, edge and fold cache and is the only writer of
//! entries; the publisher owns the guard. Everybody else holds a handle.

pub mod answers;
pub mod api;
pub mod audit;
pub mod bridges;
pub mod causes;
pub mod clock;
mod connections;
pub mod engine;
pub mod entropy;
pub mod folder;
pub mod found;
pub mod guard;
pub mod hashes;
mod in_flight;
pub mod intake;
pub mod offline;
pub mod pages;
pub mod projector;
pub mod publisher;
pub mod rebuild;
pub mod receipts;
pub mod serve;
pub mod state;
pub mod status;
pub mod stop;
pub mod stream;
pub mod turn;
