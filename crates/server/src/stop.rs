//! How tasks are told to end.

use tokio::sync::watch;

/// Tells tasks to end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);
impl Stop {
    /// The switch, and what it switches.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }
    /// Returns once the server is asked to stop (or its switch is gone).
    pub async fn stopped(&mut self) {
        let _gone_means_stopped = self.0.wait_for(|stop| *stop).await;
    }
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
