//! Envelopes and genesis events that are not as they must be: which member is named.

use std::collections::BTreeMap;

use piperoll_core::{
    authority::{self, Authority},
    envelope::Envelope,
    judge::{self, Reason},
    kind::Kind,
};
use piperoll_tlog::encoding;
use serde_json::{Value, json};

use crate::{
    payload::{CONTENT, PROFILE, at, refusal, refused, set},
    world::{self, Who, World, is_recorded, parsed, sign_value},
};

/// What is wrong, the change that makes it so, the member named.
type Case = (&'static str, fn(&mut Value), &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("two signatures", |e| { let one = e["signatures"][0].clone(); e["signatures"] = json!([one.clone(), one]); }, "signatures"),
    ("no signature", |e| e["signatures"] = json!([]), "signatures"),
    ("signatures that are no list", |e| e["signatures"] = json!("x"), "signatures"),
    ("no keyid", |e| { e["signatures"][0].as_object_mut().unwrap().remove("keyid"); }, "signatures[0].keyid"),
    ("a keyid that is no string", |e| e["signatures"][0]["keyid"] = json!(1), "signatures[0].keyid"),
    ("a line feed in the keyid", |e| e["signatures"][0]["keyid"] = json!("a\nb"), "signatures[0].keyid"),
    ("a member too many", |e| e["signatures"][0]["alg"] = json!("none"), "signatures[0].alg"),
    ("no payload", |e| { e.as_object_mut().unwrap().remove("payload"); }, "payload"),
    ("another payloadType", |e| e["payloadType"] = json!("application/json"), "payloadType"),
    ("an unknown member", |e| e["headers"] = json!({}), "headers"),
    ("a payload that is not base64", |e| e["payload"] = json!("a b="), "payload"),
    ("a payload that is not JSON", |e| e["payload"] = json!(encoding::base64(b"{")), "payload"),
    ("a payload that is no document", |e| e["payload"] = json!(encoding::base64(b"[]")), "context.id"),
    ("U+0000 in the payload", |e| e["payload"] = json!(encoding::base64(br#"{"context":{"id":"\u0000"}}"#)), "context.id"),
    ("a signature with loose bits", |e| e["signatures"][0]["sig"] = json!("eB=="), "signatures[0].sig"),
    ("texts that are no object", |e| e["texts"] = json!([]), "texts"),
    ("a text without salt", |e| e["texts"] = json!({"a": {"body": "x"}}), "texts.a.salt"),
    ("a padded salt", |e| e["texts"] = json!({"a": {"salt": "AAAAAAAAAAAAAAAAAAAAAA==", "body": "x"}}), "texts.a.salt"),
    ("an escape sequence in a text", |e| e["texts"] = json!({"a": {"salt": "AAAAAAAAAAAAAAAAAAAAAA", "body": "\u{1b}[31m"}}), "texts.a.body"),
];

#[rustfmt::skip]
const GENESIS: &[Case] = &[
    ("an unknown admission", |p| set(p, CONTENT, "admission", json!(1)), "subject.content.admission"),
    ("a threshold nobody can reach", |p| set(p, CONTENT, "threshold", json!(2)), "subject.content.threshold"),
    ("a threshold of none", |p| set(p, CONTENT, "threshold", json!(0)), "subject.content.threshold"),
    ("no administrator", |p| { at(p, "/subject/content/keys").as_array_mut().unwrap().pop(); }, "subject.content.keys"),
    ("keys in another order", |p| at(p, "/subject/content/keys").as_array_mut().unwrap()[1..].reverse(), "subject.content.keys"),
    ("a key twice", |p| { let keys = at(p, "/subject/content/keys"); keys[2]["key"] = keys[1]["key"].clone(); }, "subject.content.keys"),
    ("a key that is no point", |p| set(p, "/subject/content/keys/2", "key", json!(encoding::base64(&[2; 32]))), "subject.content.keys[2].key"),
    ("an origin with a scheme", |p| { set(p, CONTENT, "origin", json!("https://a/main")); set(p, "/subject", "id", json!("https://a/main")); }, "subject.content.origin"),
    ("the origin of another", |p| { set(p, CONTENT, "origin", json!("a.example/other")); set(p, "/subject", "id", json!("a.example/other")); }, "context.source"),
    ("a subject that is not the origin", |p| set(p, "/subject", "id", json!("main")), "subject.id"),
    ("a ledger id", |p| set(p, PROFILE, "ledger", json!("0".repeat(64))), "customData.piperoll.ledger"),
];

#[test]
fn an_envelope_of_the_wrong_shape_says_which_member() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::DeploymentStarted);
    let good: Value = serde_json::from_str(&world.sign(who, &draft).unwrap().to_json()).unwrap();
    for (what, change, field) in CASES {
        let mut envelope = good.clone();
        change(&mut envelope);
        let (refusal, kept) = refused(envelope.to_string().as_bytes(), &mut world);
        assert_eq!(
            (refusal.reason, kept),
            (Reason::Shape, false),
            "{what}: {refusal:?}"
        );
        assert_eq!(refusal.field.as_deref(), Some(*field), "{what}");
        assert!(refusal.remedy.is_some(), "{what}");
    }
    for message in ["", "[]", "null", "\u{feff}{}", "{} {}"] {
        let (refusal, _) = refused(message.as_bytes(), &mut world);
        assert_eq!(refusal.reason, Reason::Shape, "{message:?}");
    }
    let twice = good.to_string().replacen('{', r#"{"payload":"","#, 1);
    let (refusal, _) = refused(twice.as_bytes(), &mut world);
    assert_eq!(refusal.field.as_deref(), Some("payload"));
    assert!(refusal.detail.contains("stands twice"));
    let url_safe = good["payload"]
        .as_str()
        .unwrap()
        .replace('+', "-")
        .replace('/', "_");
    let mut either = good.clone();
    either["payload"] = json!(url_safe);
    assert!(is_recorded(&world.give(either.to_string().as_bytes())));
}

#[test]
fn before_genesis_only_a_genesis_by_its_own_event_key_is_recorded() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::DeploymentStarted);
    let event = world.sign(who, &draft).unwrap();
    let genesis = world.sign(Who::Ledger, &world::genesis()).unwrap();
    let by_another = Envelope {
        signature: Who::Admin.key().sign(&genesis.pae()).to_vec(),
        keyid: authority::keyid(Who::Admin.key().public().as_bytes()),
        ..genesis.clone()
    };
    let empty = Authority::new();
    let judge = |envelope: &Envelope| {
        let checked = judge::check(envelope.to_json().as_bytes(), &empty);
        judge::judge(checked, &empty, 0, None, world::at(0), None)
    };
    assert_eq!(refusal(judge(&event)).0.reason, Reason::UnknownKey);
    assert_eq!(refusal(judge(&by_another)).0.reason, Reason::UnknownKey);
    assert!(is_recorded(&judge(&genesis)));

    for (what, change, field) in GENESIS {
        let mut payload = parsed(&genesis);
        change(&mut payload);
        let (refusal, kept) = refusal(judge(&sign_value(Who::Ledger, &payload, BTreeMap::new())));
        assert_eq!(
            (refusal.reason, kept),
            (Reason::Content, false),
            "{what}: {refusal:?}"
        );
        assert_eq!(
            refusal.field.as_deref(),
            Some(*field),
            "{what}: {refusal:?}"
        );
    }
}
