//! `/healthz`: the process answers. `/readyz`: events are taken and checkpoints signed.
//!
//! Both are open, for whoever keeps the server running; why something stands still is told to readers only.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde::Serialize;

use crate::{
    api::access::Reading,
    state,
    status::{Projecting, Publishing, Snapshot, Streaming},
};

pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// One word for each part, and to readers why.
#[derive(Serialize)]
pub(super) struct Readiness {
    ready: bool,
    projector: Part,
    publisher: Part,
    stream: Part,
    /// Number of entries.
    size: u64,
    /// Size of the latest checkpoint.
    published: u64,
}
#[derive(Serialize)]
struct Part {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

pub(super) async fn ready(
    State(state): State<state::State>,
    uri: Uri,
    headers: HeaderMap,
) -> (StatusCode, Json<Readiness>) {
    let snapshot = state.status.now();
    let reads = Reading::of_listener(state.web.address)
        .permits(&uri, &headers)
        .is_ok();
    let status = if snapshot.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness(&snapshot, reads)))
}
fn readiness(snapshot: &Snapshot, reads: bool) -> Readiness {
    let part = |state, why: Option<&String>, remedy: Option<&String>| Part {
        state,
        why: why.filter(|_| reads).cloned(),
        remedy: remedy.filter(|_| reads).cloned(),
    };
    Readiness {
        ready: snapshot.is_ready(),
        projector: match &snapshot.projecting {
            Projecting::Starting => part("starting", None, None),
            Projecting::Running => part("running", None, None),
            Projecting::Lost { why } => part("lost", Some(why), None),
            Projecting::Elsewhere { why, remedy, .. } => part("elsewhere", Some(why), Some(remedy)),
            Projecting::Halted { why, remedy } => part("halted", Some(why), Some(remedy)),
        },
        publisher: match &snapshot.publishing {
            Publishing::Starting => part("starting", None, None),
            Publishing::Running => part("running", None, None),
            Publishing::Elsewhere => part("elsewhere", None, None),
            Publishing::Failing { why } => part("failing", Some(why), None),
            Publishing::Refusing { why, remedy } => part("refusing", Some(why), Some(remedy)),
        },
        stream: match &snapshot.streaming {
            Streaming::Embedded => part("embedded", None, None),
            Streaming::JetStream {
                connected: false, ..
            } => part("not connected", None, None),
            Streaming::JetStream {
                unread: Some(why), ..
            } => part("not read", Some(why), None),
            Streaming::JetStream { unread: None, .. } => part("connected", None, None),
        },
        size: snapshot.size,
        published: snapshot.published,
    }
}
