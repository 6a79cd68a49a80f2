//! What is said of an error that took the projector's place from it: to the log, and to whoever asks while it lasts.

use piperoll_store as store;

use super::Error;
use crate::{causes::chain, status::Projecting, turn::Elsewhere};

pub(super) fn report(error: &Error) {
    if let Error::Elsewhere(_) | Error::Unsure { .. } = error {
        return; // whoever keeps the lease has said it
    }
    tracing::error!(
        error = chain(error),
        "the projector lost its place and reads it again"
    );
}
/// What people are told while an error lasts.
pub(super) fn standing(error: &Error) -> Projecting {
    let halted = |remedy: &str| Projecting::Halted {
        why: describe(error),
        remedy: remedy.to_owned(),
    };
    match error {
        Error::Elsewhere(Elsewhere {
            address,
            why,
            remedy,
        }) => Projecting::Elsewhere {
            address: address.clone(),
            why: why.clone(),
            remedy: remedy.clone(),
        },
        Error::Fenced { .. } => {
            halted("stop one of the two servers; this one goes on when it is started again")
        }
        Error::NotFounded => halted("the database was emptied: put back the one of this ledger"),
        Error::Store(store::Error::Unfit { what, remedy }) => Projecting::Halted {
            why: what.clone(),
            remedy: remedy.clone(),
        },
        Error::Store(store::Error::Corrupt { .. }) => {
            halted("run `piperoll verify` on the server's folder and restore what is wrong")
        }
        Error::Sequence { .. }
        | Error::Unsure { .. }
        | Error::Store(
            store::Error::Conflict
            | store::Error::Unknown(_)
            | store::Error::Unavailable(_)
            | store::Error::Database(_),
        ) => Projecting::Lost {
            why: describe(error),
        },
    }
}
fn describe(error: &Error) -> String {
    match error {
        Error::Store(source) => chain(source),
        other => chain(other),
    }
}
