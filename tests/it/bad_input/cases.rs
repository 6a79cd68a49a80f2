//! The bad messages, and what must come of each.

use piperoll_tlog::encoding;
use serde_json::{Value, json};

use crate::signer::Signer;

use super::{
    Case,
    Kept::{Count, Event, Nothing},
    Scene, padded, payload, signed,
};

/// Puts a value at a place that is there, or whose parent is.
fn put(pointer: &str, new: Value) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = new;
    }
}
fn take_out(pointer: &str) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        assert!(parent.as_object_mut().unwrap().remove(name).is_some());
    }
}
/// Writes a member of the envelope anew.
fn rewrite(pointer: &str, how: impl FnOnce(&str) -> String) -> impl FnOnce(&mut Value) {
    move |document| {
        let place = document.pointer_mut(pointer).unwrap();
        *place = how(place.as_str().unwrap()).into();
    }
}
fn unreadable(
    what: &'static str,
    message: Vec<u8>,
    field: Option<&'static str>,
    remedy: &'static str,
) -> Case {
    Case {
        what,
        message,
        status: 400,
        reason: "shape",
        field,
        remedy,
        kept: Count,
    }
}

/// Messages that are no envelope.
pub(super) fn shapes(scene: &Scene) -> Vec<Case> {
    let text = String::from_utf8(scene.around(|_| ())).unwrap();
    let strict = "strict JSON";
    let cut = text[..text.len() - 1].into();
    let half_a_character = text.replace("keyid", "key\u{fffd}d").into_bytes();
    let half_a_character: Vec<u8> = half_a_character
        .into_iter()
        .filter(|byte| *byte != 0xbf)
        .collect();
    let twice = text.replacen('{', "{\"payloadType\":\"x\",", 1).into();
    let two = |envelope: &mut Value| {
        let signatures = envelope["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    };
    let one_each = "one event for each signer";
    vec![
        unreadable("not JSON", cut, None, strict),
        unreadable("nothing at all", Vec::new(), None, strict),
        unreadable("not UTF-8", half_a_character, None, strict),
        unreadable(
            "an array",
            format!("[{text}]").into(),
            None,
            "payload, payloadType, signatures",
        ),
        unreadable("a member twice", twice, Some("payloadType"), strict),
        unreadable(
            "a member nobody knows",
            scene.around(put("/comment", json!("hello"))),
            Some("comment"),
            "leave it out",
        ),
        unreadable(
            "a payloadType that is not ours",
            scene.around(put("/payloadType", json!("application/vnd.in-toto+json"))),
            Some("payloadType"),
            "application/vnd.piperoll.event.v1+json",
        ),
        unreadable(
            "two signatures",
            scene.around(two),
            Some("signatures"),
            one_each,
        ),
        unreadable(
            "no signature",
            scene.around(put("/signatures", json!([]))),
            Some("signatures"),
            one_each,
        ),
    ]
}
/// Base64 that is not the one way to write its bytes.
pub(super) fn base64(scene: &Scene) -> Vec<Case> {
    let sig = |how: fn(&str) -> String| scene.around(rewrite("/signatures/0/sig", how));
    let field = Some("signatures[0].sig");
    let space = |payload: &str| format!("{} {}", &payload[..76], &payload[76..]);
    vec![
        unreadable(
            "base64 without its padding",
            sig(|sig| sig.trim_end_matches('=').to_owned()),
            field,
            "pad it",
        ),
        unreadable(
            "base64 with loose bits",
            sig(with_loose_bits),
            field,
            "leave no bits over",
        ),
        unreadable(
            "base64 with a space",
            scene.around(rewrite("/payload", space)),
            Some("payload"),
            "one alphabet",
        ),
    ]
}
/// Payloads that are no document.
pub(super) fn payloads(scene: &Scene) -> Vec<Case> {
    let text = scene.payload().to_string();
    let written = |from: &str, to: &str| {
        let text = text.replacen(from, to, 1);
        signed(&scene.pipeline, text).to_json().into_bytes()
    };
    let service = "/customData/piperoll/service";
    vec![
        unreadable(
            "a payload that is not JSON",
            written("{", ""),
            Some("payload"),
            "strict JSON",
        ),
        unreadable(
            "a payload with a member twice",
            written("\"context\":{", "\"context\":{\"id\":\"x\","),
            Some("context.id"),
            "no member twice",
        ),
        unreadable(
            "U+0000",
            scene.with(put(service, json!("check\0out"))),
            Some("customData.piperoll.service"),
            "no control characters",
        ),
        unreadable(
            "a fraction",
            written("\"profile\":1", "\"profile\":1.0"),
            Some("payload"),
            "whole numbers only",
        ),
        unreadable(
            "no id",
            scene.with(take_out("/context/id")),
            Some("context.id"),
            "CDEvents",
        ),
    ]
}

/// One byte too large.
pub(super) fn sizes(scene: &Scene) -> Vec<Case> {
    let payload = padded(scene.payload().to_string().into_bytes(), 64 * 1024 + 1);
    let payload = signed(&scene.pipeline, String::from_utf8(payload).unwrap());
    let case = |what, message, field, remedy, kept| Case {
        what,
        message,
        status: 413,
        reason: "too large",
        field,
        remedy,
        kept,
    };
    vec![
        case(
            "a payload",
            payload.to_json().into_bytes(),
            Some("payload"),
            "cite it by its digest",
            Count,
        ),
        case(
            "an envelope",
            padded(scene.around(|_| ()), 160 * 1024 + 1),
            None,
            "fewer or shorter texts",
            Count,
        ),
        case(
            "a body",
            padded(scene.around(|_| ()), 1024 * 1024 + 1),
            None,
            "several requests",
            Nothing,
        ),
    ]
}

/// Good JSON, wrongly signed.
pub(super) fn signatures(scene: &Scene) -> Vec<Case> {
    let stranger = Signer::named(&scene.ledger, "stranger");
    let unknown = signed(&stranger, payload(&stranger, &scene.finished()).to_string());
    let claimed = signed(&scene.narrow, scene.payload().to_string());
    vec![
        Case {
            what: "a bad signature",
            message: scene.around(|envelope| envelope["signatures"][0]["sig"] = json!(encoding::base64(&[7; 64]))),
            status: 403,
            reason: "bad signature",
            field: Some("signatures[0].sig"),
            remedy: "the exact payload bytes",
            kept: Count,
        },
        Case {
            what: "a principal that is not the key's",
            message: claimed.to_json().into_bytes(),
            status: 403,
            reason: "principal not the key's",
            field: Some("context.source"),
            remedy: "urn:piperoll:pipeline:narrow",
            kept: Count,
        },
        Case {
            what: "an unknown key",
            message: unknown.to_json().into_bytes(),
            status: 425,
            reason: "unknown key",
            field: Some("signatures[0].keyid"),
            remedy: "administrator register the key",
            kept: Count,
        },
        Case {
            what: "a text without a hash in the payload",
            message: scene.around(|envelope| envelope["texts"] = json!({"reason": {"salt": encoding::base64url(&[1; 16]), "body": "because"}})),
            status: 422,
            reason: "text does not match",
            field: Some("texts.reason"),
            remedy: "the words and the salt",
            kept: Count,
        },
    ]
}

fn wrong(what: &'static str, message: Vec<u8>, field: &'static str, remedy: &'static str) -> Case {
    Case {
        what,
        message,
        status: 422,
        reason: "content or profile wrong",
        field: Some(field),
        remedy,
        kept: Event,
    }
}
/// Signed by whom it says, and not what its kind requires.
pub(super) fn contents(scene: &Scene) -> Vec<Case> {
    let with = |pointer: &str, new: Value| scene.with(put(pointer, new));
    let (kind, outcome) = ("/context/type", "/subject/content/outcome");
    let other_version = "dev.cdeventsx.piperoll-deployment.finished.9.0.0";
    let needs = "deployment.finished needs";
    vec![
        wrong(
            "for another ledger",
            with("/customData/piperoll/ledger", json!("0".repeat(64))),
            "customData.piperoll.ledger",
            "this ledger's id is",
        ),
        wrong(
            "an unknown kind",
            with(kind, json!("dev.cdevents.taskrun.paused.0.1.0")),
            "context.type",
            "piperoll kinds",
        ),
        wrong(
            "a kind in another version",
            with(kind, json!(other_version)),
            "context.type",
            "dev.cdeventsx.piperoll-deployment.finished.0.1.0",
        ),
        wrong(
            "no outcome",
            scene.with(take_out(outcome)),
            "subject.content.outcome",
            needs,
        ),
        wrong(
            "no environment",
            scene.with(take_out("/customData/piperoll/environment")),
            "customData.piperoll.environment",
            needs,
        ),
        wrong(
            "an outcome that is a number",
            with(outcome, json!(7)),
            "subject.content.outcome",
            "success",
        ),
        wrong(
            "a service that is a list",
            with("/customData/piperoll/service", json!(["checkout"])),
            "customData.piperoll.service",
            "",
        ),
        wrong(
            "a member of the content nobody knows",
            with("/subject/content/colour", json!("red")),
            "subject.content.colour",
            "",
        ),
    ]
}
/// Keys that an administrator is made to register, and that are not good.
pub(super) fn registrations(scene: &Scene) -> Vec<Case> {
    let mut point = [0; 32];
    point[0] = 1; // the neutral element, of order 1
    let small_order = put("/subject/content/key", json!(encoding::base64(&point)));
    let somebody_elses = put(
        "/subject/content/possession",
        json!(encoding::base64(&[7; 64])),
    );
    vec![
        wrong(
            "a small-order key",
            scene.registration("small", small_order),
            "subject.content.key",
            "make another key",
        ),
        wrong(
            "a key that somebody else holds",
            scene.registration("borrowed", somebody_elses),
            "subject.content.possession",
            "piperoll key new",
        ),
    ]
}

/// Whom no grant covers; it may come again.
pub(super) fn grants(scene: &Scene) -> Vec<Case> {
    let narrow = |n: u64, service: &str, environment: &str| {
        let mut payload: Value =
            serde_json::from_slice(&scene.narrow.deployment(n).payload).unwrap();
        payload["customData"]["piperoll"]["service"] = json!(service);
        payload["customData"]["piperoll"]["environment"] = json!(environment);
        signed(&scene.narrow, payload.to_string())
            .to_json()
            .into_bytes()
    };
    let case = |what, message, field| Case {
        what,
        message,
        status: 425,
        reason: "grant or role missing",
        field: Some(field),
        remedy: "with a grant that covers it",
        kept: Event,
    };
    vec![
        case(
            "another service",
            narrow(0, "payments", "staging"),
            "customData.piperoll.service",
        ),
        case(
            "another environment",
            narrow(0, "checkout", "production"),
            "customData.piperoll.environment",
        ),
        case(
            "another kind",
            narrow(1, "checkout", "staging"),
            "context.type",
        ),
    ]
}

/// The last character before the padding holds bits that belong to no byte; this sets one of them.
fn with_loose_bits(base64: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let end = base64.find('=').expect("64 bytes end in padding");
    let last = base64.as_bytes()[end - 1];
    let value = ALPHABET.iter().position(|byte| *byte == last).unwrap();
    let loose = char::from(ALPHABET[value | 1]);
    assert_ne!(char::from(last), loose);
    format!("{}{loose}{}", &base64[..end - 1], &base64[end..])
}
