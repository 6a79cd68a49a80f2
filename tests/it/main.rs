//! The tests across crates: one binary, which runs the real command against real servers.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

mod emitter;
mod support;
mod tidy;
