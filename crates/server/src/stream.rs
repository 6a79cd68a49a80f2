//! Where messages come from: a bounded queue in memory, or JetStream. Both hand checked chunks to the projector in order.

pub mod embedded;
pub mod jetstream;

pub use embedded::Embedded;

use crate::{
    intake::Unavailable,
    projector::RETRY_AFTER_S,
    status::{Projecting, Snapshot},
};

/// Why nothing is taken at this moment, if so.
pub(crate) fn closed(now: &Snapshot) -> Option<Unavailable> {
    let why = match &now.projecting {
        Projecting::Running => return None,
        Projecting::Starting => "the server is starting".to_owned(),
        // Why is for whoever runs the server: at /readyz and in the log.
        Projecting::Lost { .. } => "the ledger's database keeps no events at the moment".to_owned(),
        Projecting::Elsewhere { address, why, .. } => {
            return Some(Unavailable {
                elsewhere: address.clone(),
                ..unavailable(why.clone())
            });
        }
        Projecting::Halted { why, .. } => format!("the ledger takes no events: {why}"),
    };
    Some(unavailable(why))
}
pub(crate) fn unavailable(why: impl Into<String>) -> Unavailable {
    Unavailable {
        why: why.into(),
        elsewhere: None,
        retry_after_s: RETRY_AFTER_S,
    }
}
