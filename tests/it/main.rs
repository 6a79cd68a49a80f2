//! The tests across crates: one binary, which runs the real command against real servers.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

mod alertmanager;
mod browser;
mod chromium;
mod cli;
mod cli_people;
mod cli_pipeline;
mod cli_usage;
mod crash;
mod docs;
mod emitter;
mod ledger;
mod one_story;
mod support;
mod tamper;
mod tidy;
