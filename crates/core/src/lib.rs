//! What events say and what they mean. Pure: no I/O, no clock, no randomness of its own; all of these come in as arguments.
//!
//! From the bytes inwards: [`json`] reads strict JSON, [`envelope`] a signed message, [`event`] what it asserts, [`kind`] the
//! catalogue of kinds. [`authority`] knows who may say what at a position, [`judge`] decides what becomes of a message, [`leaf`]
//! is what the tree commits to, [`receipt`] what a sender is told of it. [`fold`] turns entries into read models, [`answer`] read models into answers for people.

pub mod answer;
pub mod authority;
mod digest;
pub mod draft;
pub mod envelope;
pub mod event;
pub mod fold;
pub mod json;
pub mod judge;
mod key;
pub mod key_file;
pub mod kind;
pub mod leaf;
pub mod limits;
pub mod name;
pub mod receipt;
mod refusal;
pub mod shape;
pub mod sshsig;
pub mod time;
pub mod words;

pub use piperoll_tlog::Hash;
