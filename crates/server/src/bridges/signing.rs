//! From what a mapping gives to an envelope in the bridge's outbox.

use piperoll_core::{
    Hash, draft,
    event::{Relayed, RelayedAuth},
    name,
};
use piperoll_store::BridgeRow;

use super::{config::Config, registry::Bridge, relay::Relay};
use crate::{api::problem::Problem, entropy, serve};

/// `context.id` of what is relayed: the same for every delivery of the same fact.
pub(super) fn id(bridge: &Bridge, relay: &Relay) -> String {
    draft::relayed_id(
        &bridge.principal,
        relay.draft.timestamp,
        &relay.dedupe_key,
        relay.ordinal,
    )
}
/// Signs one. `None` when the event would not be taken: that is counted and logged, and the rest of the body goes on.
pub(super) async fn sign(
    state: &serve::State,
    bridge: &Bridge,
    relay: Relay,
    body: Hash,
    auth: RelayedAuth,
) -> Result<Option<BridgeRow>, Problem> {
    let id = id(bridge, &relay);
    let mut draft = relay.draft;
    draft.id = Some(id);
    draft.profile.ledger = Some(state.ledger.id);
    draft.profile.relayed = Some(Relayed {
        system: system(&bridge.config).to_owned(),
        digest: body,
        auth,
    });
    if let Some(actor) = relay.actor {
        let fresh = name::account_urn(entropy::take(state.entropy));
        let account = state
            .store
            .account(&actor.host, &actor.user_id, &fresh)
            .await?;
        draft.profile.actor = Some(account);
    }
    let mut entropy = state.entropy;
    match draft.sign(&bridge.principal, &bridge.key, &mut entropy) {
        Ok(envelope) => Ok(Some(BridgeRow {
            bridge: bridge.name.clone(),
            dedupe_key: relay.dedupe_key,
            ordinal: relay.ordinal,
            at: state.clock.now(),
            envelope: envelope.to_json(),
        })),
        Err(refusal) => {
            let kind = draft.content.kind().name();
            tracing::warn!(
                bridge = bridge.name,
                kind,
                field = refusal.field,
                "a webhook says what cannot be an event"
            );
            state
                .store
                .bridge_count(&bridge.name, &format!("not an event: {kind}"))
                .await?;
            Ok(None)
        }
    }
}
/// The system's name as the profile has it.
fn system(config: &Config) -> &'static str {
    match config {
        Config::Github(_) => "github",
        Config::Alertmanager(_) => "alertmanager",
    }
}
