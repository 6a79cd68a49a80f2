//! Persons and accounts, so that answers can name them, for what their keys and roles hold, and the numbers emitters give their
//! events.

use super::{
    Entry, Missing,
    aggregate::{Account, Chain, Grant, Person, RoleHeld},
    session::Session,
};
use crate::kind::{AccountLinked, KeyRegistered, RoleGranted};

pub(super) fn describe(entry: Entry<'_>, session: &mut Session<'_>) -> Result<(), Missing> {
    session.change(&entry.event.subject, |kept: &mut Person| {
        kept.describe(entry.index);
    })
}

/// A key is registered: for what it may speak.
pub(super) fn register(entry: Entry<'_>, registered: &KeyRegistered, session: &mut Session<'_>) {
    let grants = registered.grants.clone().unwrap_or_default();
    let grant = Grant {
        services: grants.services,
        environments: grants.environments,
    };
    session.put(&entry.index.to_string(), grant);
}
/// A person is given a role.
pub(super) fn grant(
    entry: Entry<'_>,
    granted: &RoleGranted,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let role = RoleHeld {
        role: granted.role.clone(),
        services: granted.services.clone(),
        environments: granted.environments.clone(),
    };
    session.change(&entry.event.subject, |kept: &mut Person| {
        kept.give(entry.index, role);
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
