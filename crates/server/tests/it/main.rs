//! Tests of the server on a real store: replay, projector, publisher, audit, start and stop.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

mod auditing;
mod bridges;
mod failing;
mod faulty;
mod http;
mod nats;
mod outbox;
mod publishing;
mod reading;
mod replay;
mod running;
mod streaming;
mod support;
mod webhooks;
