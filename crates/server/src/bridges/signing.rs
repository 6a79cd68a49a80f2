//! From what a mapping gives to an envelope in the bridge's outbox.

use std::sync::Arc;

use jiff::Timestamp;
use piperoll_core::{
    Hash,
    draft::{self, Draft},
    event::{Relayed, RelayedAuth},
    name,
};
use piperoll_store::BridgeRow;

use super::{
    config::Config,
    registry::Bridge,
    relay::{Account, Relay},
};
use crate::{
    api::problem::Problem,
    entropy::{self, Entropy},
    projector::in_parallel,
    state,
};

/// `context.id` of what is relayed: the same for every delivery of the same fact.
pub(super) fn id(bridge: &Bridge, relay: &Relay) -> String {
    draft::relayed_id(
        &bridge.principal,
        relay.draft.timestamp,
        &relay.dedupe_key,
        relay.ordinal,
    )
}
/// The envelopes of what a body says, and how many of its parts cannot be events: those are counted and logged, and the rest goes on.
pub(super) async fn sign(
    state: &state::State,
    bridge: &Arc<Bridge>,
    mut relays: Vec<Relay>,
    body: Hash,
    auth: RelayedAuth,
) -> Result<(Vec<BridgeRow>, usize), Problem> {
    for relay in &mut relays {
        let draft = &mut relay.draft;
        draft.profile.ledger = Some(state.ledger.id);
        draft.profile.relayed = Some(Relayed {
            system: system(&bridge.config).to_owned(),
            digest: body,
            auth,
        });
    }
    give_accounts(state, &mut relays).await?;
    let (at, entropy, speaker) = (state.clock.now(), state.entropy, Arc::clone(bridge));
    let signed = in_parallel(relays, move |relay| sign_one(&speaker, relay, at, entropy)).await;
    let all = signed.len();
    let mut rows = Vec::with_capacity(all);
    for signed in signed {
        match signed {
            Ok(row) => rows.push(row),
            Err(Unusable { kind, field }) => {
                tracing::warn!(
                    bridge = bridge.name,
                    kind,
                    field,
                    "a webhook says what cannot be an event"
                );
                let counted = format!("not an event: {kind}");
                state.store.bridge_count(&bridge.name, &counted).await?;
            }
        }
    }
    let unusable = all - rows.len();
    Ok((rows, unusable))
}
/// Whoever did it gets the account that they were given before, or a new one.
async fn give_accounts(state: &state::State, relays: &mut [Relay]) -> Result<(), Problem> {
    // A body has one sender.
    let mut known: Option<(Account, String)> = None;
    for relay in relays {
        let Some(actor) = relay.actor.take() else {
            continue;
        };
        let account = match known {
            Some((same, account)) if same == actor => account,
            _ => {
                let fresh = name::account_urn(entropy::take(state.entropy));
                let store = &state.store;
                store.account(&actor.host, &actor.user_id, &fresh).await?
            }
        };
        relay.draft.profile.actor = Some(account.clone());
        known = Some((actor, account));
    }
    Ok(())
}
/// Something that our own reading of events does not take.
struct Unusable {
    kind: &'static str,
    field: Option<String>,
}
fn sign_one(
    bridge: &Bridge,
    relay: Relay,
    at: Timestamp,
    mut entropy: Entropy,
) -> Result<BridgeRow, Unusable> {
    let id = id(bridge, &relay);
    let draft = Draft {
        id: Some(id),
        ..relay.draft
    };
    let signed = draft.sign(&bridge.principal, &bridge.key, &mut entropy);
    let envelope = signed.map_err(|refusal| Unusable {
        kind: draft.content.kind().name(),
        field: refusal.field,
    })?;
    Ok(BridgeRow {
        bridge: bridge.name.clone(),
        dedupe_key: relay.dedupe_key,
        ordinal: relay.ordinal,
        at,
        envelope: envelope.to_json(),
    })
}
/// The system's name as the profile has it.
fn system(config: &Config) -> &'static str {
    match config {
        Config::Github(_) => "github",
        Config::Alertmanager(_) => "alertmanager",
    }
}
