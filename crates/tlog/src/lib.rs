//! Transparency-log formats as pure functions (C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-proof; RFC 6962).
//!
//! Nothing here does I/O, knows an event or reads a clock. It is the only home of SHA-256, HMAC and Ed25519.

pub mod checkpoint;
pub mod encoding;
pub mod hash;
pub mod key;
pub mod mac;
pub mod note;
pub mod proof;
pub mod receipt;
pub mod tile;
pub mod tree;

pub use hash::Hash;
