//! Tests of what events say and what becomes of them, beside data made by others.
#![expect(
    clippy::unwrap_used,
    reason = "the exemption for tests does not reach helpers"
)]

mod drafts;
mod example;
mod fold;
mod models;
mod oracles;
mod payload;
mod properties;
mod rules;
mod shapes;
mod support;
mod verdicts;
mod world;
