//! Tests of what events say and what becomes of them, beside data made by others.
#![expect(
    clippy::unwrap_used,
    reason = "the exemption for tests does not reach helpers"
)]

mod answers;
mod bounds;
mod doubts;
mod drafts;
mod example;
mod fold;
mod models;
mod oracles;
mod order;
mod payload;
mod pictures;
mod properties;
mod rules;
mod shapes;
mod slots;
mod stories;
mod support;
mod tell;
mod verdicts;
mod world;
