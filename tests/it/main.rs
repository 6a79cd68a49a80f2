//! The tests across crates: one binary, which runs the real command against real servers.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

mod crash;
mod emitter;
mod ledger;
mod alertmanager;
mod one_story;
mod tamper;
mod support;
mod tidy;
