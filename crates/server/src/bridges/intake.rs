//! A webhook, from its headers to its 2xx: origin first, then the body, then the disk, then the answer.
//!
//! 2xx means that whatever the body becomes is kept under its dedupe key and will be an entry, though the process die now. 4xx is the
//! sender's trouble, 5xx ours.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, header},
};
use futures_util::StreamExt;
use jiff::Timestamp;
use piperoll_core::event::RelayedAuth;
use piperoll_tlog::{
    Hash, encoding,
    hash::Sha256Stream,
    mac::{self, HmacSha256},
};
use serde::Serialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    alertmanager,
    config::Config,
    delivery, github,
    registry::{self, Bridge},
    relay::{Mapped, Relay, Unreadable},
    signing,
};
use crate::{
    api::{limits, problem::Problem},
    state,
};

const SIGNATURE: &str = "X-Hub-Signature-256";
const SIGNATURE_REMEDY: &str =
    "paste the bridge's secret into the webhook's settings at GitHub, nothing before or after it";
const TOKEN_REMEDY: &str =
    "set authorization.credentials in Alertmanager's http_config to the bridge's token";

/// Large bodies that are being read. One room for all bridges.
static LARGE_BODIES: Semaphore = Semaphore::const_new(limits::BRIDGE_BODIES_AT_ONCE);

/// What the sender is told. It needs no more than the status; people who look at deliveries see what became of them.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Kept {
    /// `kept`, or `counted` where the body becomes no event, be it that it says what cannot be one.
    state: &'static str,
    /// Events that are new to the bridge.
    events: usize,
    /// Events that were delivered before.
    known: usize,
    /// What the body says and cannot be an event: counted, and a line in the log says which member.
    unusable: usize,
}

pub(super) async fn post(
    State(state): State<state::State>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<Kept>, Problem> {
    let bridge = registry::load(&state.folder, &name?.0).await?;
    let (parts, body) = request.into_parts();
    let body = Proof::claimed(&bridge, &parts.headers)?.read(body).await?;
    let digest = body.digest;
    let auth = match bridge.config {
        Config::Github(_) => RelayedAuth::Hmac,
        Config::Alertmanager(_) => RelayedAuth::Token,
    };
    let (bridge, mapped) = map(bridge, parts.headers, body, state.clock.now()).await?;
    match mapped {
        Mapped::Counted(event) => {
            state.store.bridge_count(&bridge.name, &event).await?;
            Ok(Json(Kept {
                state: "counted",
                events: 0,
                known: 0,
                unusable: 0,
            }))
        }
        Mapped::Events(relays) => {
            let kept = keep(&state, &Arc::new(bridge), relays, digest, auth).await?;
            Ok(Json(kept))
        }
    }
}

/// What shows where a request comes from.
enum Proof {
    /// The tag that the body must have.
    Hmac { hmac: HmacSha256, tag: Vec<u8> },
    /// A token that was right.
    Token,
}
/// A body whose origin is proven.
struct Proven {
    bytes: Vec<u8>,
    /// SHA-256 of the raw bytes.
    digest: Hash,
    /// Held by a large body for as long as it is in memory.
    _turn: Option<SemaphorePermit<'static>>,
}
impl Proof {
    /// What the headers claim; a token is judged here, before a byte of the body is read.
    fn claimed(bridge: &Bridge, headers: &HeaderMap) -> Result<Self, Problem> {
        match &bridge.config {
            Config::Github(config) => {
                let claimed = registry::header(headers, SIGNATURE)
                    .ok_or_else(|| Problem::unsigned(SIGNATURE, SIGNATURE_REMEDY))?;
                let tag = claimed
                    .strip_prefix("sha256=")
                    .and_then(encoding::from_hex::<32>)
                    .ok_or_else(|| Problem::wrong_secret(SIGNATURE, SIGNATURE_REMEDY))?;
                Ok(Self::Hmac {
                    hmac: HmacSha256::new(config.secret.as_bytes()),
                    tag: tag.to_vec(),
                })
            }
            Config::Alertmanager(config) => {
                let name = "Authorization";
                let claimed = registry::header(headers, header::AUTHORIZATION.as_str())
                    .ok_or_else(|| Problem::unsigned(name, TOKEN_REMEDY))?;
                let token = claimed
                    .split_once(' ')
                    .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                    .map(|(_, token)| token.trim())
                    .ok_or_else(|| Problem::wrong_secret(name, TOKEN_REMEDY))?;
                if mac::secrets_equal(token.as_bytes(), config.token.as_bytes()) {
                    Ok(Self::Token)
                } else {
                    Err(Problem::wrong_secret(name, TOKEN_REMEDY))
                }
            }
        }
    }
    /// Reads the body piece by piece and judges what was claimed.
    async fn read(mut self, body: Body) -> Result<Proven, Problem> {
        let reading = self.read_all(body);
        let proven = tokio::time::timeout(limits::BRIDGE_BODY_WAIT, reading)
            .await
            .map_err(|_| Problem::timed_out("the body did not arrive in time"))??;
        let holds = match self {
            Self::Hmac { hmac, tag } => hmac.verifies(&tag),
            Self::Token => true,
        };
        if holds {
            Ok(proven)
        } else {
            Err(Problem::wrong_secret(SIGNATURE, SIGNATURE_REMEDY))
        }
    }
    async fn read_all(&mut self, body: Body) -> Result<Proven, Problem> {
        let mut pieces = body.into_data_stream();
        let mut bytes = Vec::new();
        let mut digest = Sha256Stream::default();
        let mut turn = None;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Problem::bad_body("the body did not arrive whole"))?;
            let size = bytes.len() + piece.len();
            if size > limits::BRIDGE_BODY_BYTES_MAX {
                return Err(Problem::too_large(
                    "a webhook's body",
                    limits::BRIDGE_BODY_BYTES_MAX,
                    "a webhook is never larger than this; look at what sends to this address",
                ));
            }
            if size > limits::BRIDGE_SMALL_BODY_BYTES && turn.is_none() {
                turn = Some(take_turn(limits::BRIDGE_TURN_WAIT).await?);
            }
            digest.update(&piece);
            if let Self::Hmac { hmac, .. } = self {
                hmac.update(&piece);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Proven {
            bytes,
            digest: digest.finish(),
            _turn: turn,
        })
    }
}
async fn take_turn(wait: Duration) -> Result<SemaphorePermit<'static>, Problem> {
    match tokio::time::timeout(wait, LARGE_BODIES.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(Problem::busy("too many large bodies at a time")),
    }
}

/// Asks the mapping of the bridge's kind, off the threads that serve requests: a large body takes a while.
async fn map(
    bridge: Bridge,
    headers: HeaderMap,
    body: Proven,
    received: Timestamp,
) -> Result<(Bridge, Mapped), Problem> {
    let mapping = move || {
        let mapped = match &bridge.config {
            Config::Github(config) => {
                if is_form(&headers) {
                    return Err(Problem::bad_body(
                        "GitHub sends this webhook as a form; set its content type to application/json",
                    ));
                }
                let event = registry::header(&headers, "X-GitHub-Event")
                    .ok_or_else(|| Problem::bad_body("the header X-GitHub-Event is missing"))?;
                github::map(event, &body.bytes, config, received)
            }
            Config::Alertmanager(config) => alertmanager::map(&body.bytes, config, received),
        };
        match mapped {
            Ok(mapped) => Ok((bridge, mapped)),
            Err(Unreadable(why)) => Err(Problem::bad_body(why)),
        }
    };
    tokio::task::spawn_blocking(mapping)
        .await
        .unwrap_or_else(|panic| {
            tracing::error!(error = %panic, "the mapping of a webhook failed");
            Err(Problem::internal())
        })
}
fn is_form(headers: &HeaderMap) -> bool {
    registry::header(headers, header::CONTENT_TYPE.as_str())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// Signs what is new and keeps it durably; then hands it to the ledger without making the sender wait for long.
async fn keep(
    state: &state::State,
    bridge: &Arc<Bridge>,
    relays: Vec<Relay>,
    digest: Hash,
    auth: RelayedAuth,
) -> Result<Kept, Problem> {
    let all = relays.len();
    if all > limits::BRIDGE_EVENTS_MAX {
        return Err(Problem::too_many(
            "events",
            limits::BRIDGE_EVENTS_MAX,
            "let the sender group less together: at Alertmanager, group_by or the webhook's max_alerts",
        ));
    }
    let relays = unrecorded(state, bridge, relays).await?;
    let (rows, unusable) = signing::sign(state, bridge, relays, digest, auth).await?;
    let flight = state.in_flight.take(&rows);
    let mut fresh = Vec::with_capacity(rows.len());
    for rows in rows.chunks(limits::BRIDGE_ROWS_AT_ONCE) {
        let stored = state.store.bridge_keep(rows).await?;
        let stored = stored.into_iter().zip(rows);
        let new = stored.filter(|(stored, _)| *stored);
        fresh.extend(new.map(|(_, row)| row.clone()));
    }
    let kept = Kept {
        state: if unusable == all { "counted" } else { "kept" },
        events: fresh.len(),
        known: all - unusable - fresh.len(),
        unusable,
    };
    delivery::at_once(state, fresh).await;
    drop(flight);
    Ok(kept)
}
/// Those whose (source, id) is not an entry yet: neither a lost outbox nor a redelivery years later doubles anything.
async fn unrecorded(
    state: &state::State,
    bridge: &Bridge,
    relays: Vec<Relay>,
) -> Result<Vec<Relay>, Problem> {
    let ids: Vec<(String, String)> = relays
        .iter()
        .map(|relay| (bridge.principal.to_string(), signing::id(bridge, relay)))
        .collect();
    let known = state.store.find(&ids).await?;
    Ok(relays
        .into_iter()
        .zip(known)
        .filter_map(|(relay, known)| known.is_none().then_some(relay))
        .collect())
}
