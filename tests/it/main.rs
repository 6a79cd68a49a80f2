//! The tests across crates: one binary, which runs the real command against real servers.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop at the first surprise, and print their seeds and counts"
)]

mod alertmanager;
mod bad_input;
mod bridge_crash;
mod browser;
mod chromium;
mod cli;
mod cli_enrol;
mod cli_people;
mod cli_pipeline;
mod cli_usage;
mod crash;
mod demo;
mod docs;
mod emitter;
mod github;
mod guard;
mod hostile;
mod http;
mod ledger;
mod log_rows;
mod many_lines;
mod nats;
mod nats_crash;
mod one_story;
mod outbox;
mod postgres;
mod postgres_commands;
mod postgres_crash;
mod postgres_fitness;
mod postgres_same;
mod postgres_servers;
mod postgres_tamper;
mod postgres_tls;
mod postgres_trouble;
mod random_events;
mod replay;
mod server;
mod signer;
mod support;
mod tamper;
mod terminal;
mod tidy;
mod trouble;
mod webhook;
