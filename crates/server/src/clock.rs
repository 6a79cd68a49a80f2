//! Where the time comes from. `serve` uses the system's; the demo a story clock; tests their own.

use std::sync::Arc;

use jiff::Timestamp;

/// A source of instants, shared by projector, publisher and bridges.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}
pub type Shared = Arc<dyn Clock>;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;
impl Clock for System {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the server asks the system for the time"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
