//! What a code host sends: a body with its name, its signature over the raw bytes, and the number of its delivery.

use piperoll_tlog::{encoding, mac::HmacSha256};

use crate::{http, server::Bridge};

pub(crate) const SIGNATURE: &str = "x-hub-signature-256";

/// `sha256=` and the HMAC of these bytes, as GitHub writes it.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = HmacSha256::new(secret.as_bytes());
    mac.update(body);
    format!("sha256={}", encoding::hex(&mac.tag()))
}

/// Delivers a body as GitHub would.
pub(crate) async fn deliver(bridge: &Bridge, event: &str, body: &[u8]) -> http::Answer {
    let tag = signature(&bridge.secret, body);
    deliver_with(bridge, event, body, &[(SIGNATURE, &tag)]).await
}

/// Delivers a body with these headers in place of its signature.
pub(crate) async fn deliver_with(
    bridge: &Bridge,
    event: &str,
    body: &[u8],
    proof: &[(&str, &str)],
) -> http::Answer {
    let told = [
        ("x-github-event", event),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("user-agent", "GitHub-Hookshot/044aadd"),
    ];
    let headers = [&told[..], proof].concat();
    http::post(&bridge.url, "application/json", &headers, body.to_vec()).await
}
