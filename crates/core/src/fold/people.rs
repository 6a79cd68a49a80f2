//! Persons and accounts, so that answers can name them, and the numbers emitters give their events.

use super::{
    Entry, Missing,
    aggregate::{Account, Chain, Person},
    session::Session,
};
use crate::kind::AccountLinked;

pub(super) fn describe(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    session.change(&entry.event.subject, |kept: &mut Person| {
        kept.describe(entry.index);
    })
}

pub(super) fn link(
    entry: Entry<'_>,
    linked: &AccountLinked,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    session.change(&linked.account, |kept: &mut Account| {
        kept.link(entry.index, &entry.event.subject);
    })
}

/// Notes the number an event bears in its emitter's chain.
pub(super) fn number(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    let Some(chain) = &entry.event.profile.chain else {
        return Ok(());
    };
    let key = chain_key(entry.event.source.as_str(), &chain.id);
    session.change(&key, |kept: &mut Chain| {
        kept.add(chain.n);
        if chain.last {
            kept.last = kept.last.max(Some(chain.n));
        }
    })
}

/// Chains are told apart by signer.
pub(crate) fn chain_key(source: &str, chain: &str) -> String {
    format!("{source}/{chain}")
}
