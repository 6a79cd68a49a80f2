//! Differential tests: what others made of the same formats.

use dsse::Verifier as _;
use piperoll_core::{
    draft, envelope,
    event::{Event, Payload},
    json::{self, Strings},
    judge::Reason,
    kind::{Content, Kind},
    words,
};
use piperoll_tlog::{hash, key::SecretKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    support::{read_json, test_data},
    world::{Who, World},
};

proptest! {
    #[test]
    fn the_bytes_that_are_signed_are_those_of_an_independent_dsse(
        payload_type in "\\PC{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert_eq!(envelope::pae(&payload_type, &body), dsse::pae(&payload_type, &body));
    }

    #[test]
    fn an_independent_dsse_verifies_our_envelopes(
        seed in any::<[u8; 32]>(),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let key = SecretKey::from_seed(seed);
        let ours = draft::sign_payload(payload.clone(), std::collections::BTreeMap::new(), &key);
        let theirs = dsse::Envelope::from_json(ours.to_json().as_bytes()).unwrap();
        let verifier = dsse::Ed25519Verifier::from_bytes(key.public().as_bytes())
            .unwrap()
            .with_key_id(ours.keyid.clone());
        prop_assert_eq!(verifier.key_id(), Some(ours.keyid.clone()));
        let verified = dsse::verify(&theirs, &[&verifier], 1).unwrap();
        prop_assert_eq!(&verified.payload, &payload);
        prop_assert_eq!(verified.payload_type, envelope::PAYLOAD_TYPE);
        // And the other way round: what they write, we read.
        let signer = dsse::Ed25519Signer::from_bytes(&seed).unwrap().with_key_id(ours.keyid.clone());
        let written = dsse::sign(envelope::PAYLOAD_TYPE, &payload, &signer).unwrap().to_json().unwrap();
        prop_assert_eq!(envelope::Envelope::parse(&written).unwrap(), ours);
    }

    #[test]
    fn valid_json_is_read_as_serde_json_reads_it(value in value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        prop_assert_eq!(json::read(text.as_bytes(), Strings::Payload).unwrap(), value.clone());
        prop_assert_eq!(json::read(text.as_bytes(), Strings::Envelope).unwrap(), value);
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in "[\\[\\]{}\",:0-9eE.+\\-tfnul\\\\ ]{0,24}") {
        match (json::read(text.as_bytes(), Strings::Payload), serde_json::from_str::<Value>(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert!(ours == theirs || text.contains('-'), "{}", text),
            (Ok(ours), Err(error)) => prop_assert!(false, "{text} was read as {ours}, serde_json says {error}"),
            (Err(_), _) => {}
        }
    }
}
/// JSON that obeys every rule: integers only, clean strings, few levels.
fn value() -> impl Strategy<Value = Value> {
    let text = any::<String>().prop_map(|text| words::clean_string(&text));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        let name = any::<String>().prop_map(|text| words::clean_string(&text));
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn every_standard_content_of_a_kind_we_know_is_accepted() {
    let mut known = Vec::new();
    for folder in [
        "cdevents/v0.5.1/conformance",
        "cdevents/v0.6.0-draft/conformance",
    ] {
        for file in std::fs::read_dir(test_data(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let document = read_json(&path);
            let name = path.file_name().unwrap().display().to_string();
            let Some(kind) = Kind::from_type(document["context"]["type"].as_str().unwrap()) else {
                continue;
            };
            let content = &document["subject"]["content"];
            let ours = Content::from_value(kind, content);
            let ours = ours.unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert_eq!(ours.to_value(), *content, "{name}: something was lost");
            known.push(kind);
        }
    }
    let standard = Kind::ALL
        .iter()
        .filter(|kind| kind.family() != piperoll_core::kind::Family::Own);
    for kind in standard {
        assert!(known.contains(kind), "no file speaks of {}", kind.name());
    }
}

#[test]
fn a_standard_event_needs_nothing_but_our_profile() {
    let world = World::new();
    for (file, change, target) in [
        ("change_created.json", true, false),
        ("change_merged.json", true, false),
        ("service_deployed.json", false, false),
        ("service_upgraded.json", false, false),
        ("incident_detected.json", false, false),
        ("artifact_published.json", false, false),
        ("approval_created.json", false, true),
        ("approval_updated.json", false, true),
    ] {
        let folder = if target {
            "cdevents/v0.6.0-draft/conformance"
        } else {
            "cdevents/v0.5.1/conformance"
        };
        let mut document = read_json(&test_data(folder).join(file));
        let bare = Payload::parse(document.to_string().as_bytes()).unwrap();
        assert_eq!(
            Event::read(&bare).unwrap_err().reason,
            Reason::Content,
            "{file}"
        );
        profiled(&mut document, &world, change, target);
        let payload = Payload::parse(document.to_string().as_bytes()).unwrap();
        Event::read(&payload).unwrap_or_else(|refusal| panic!("{file}: {refusal:?}"));
    }
}
/// What our profile demands of a standard document, and what it makes of the approval draft.
fn profiled(document: &mut Value, world: &World, is_change: bool, is_approval: bool) {
    let who = match () {
        () if is_change => Who::Bridge,
        () if is_approval => Who::Person,
        () if document["context"]["type"]
            .as_str()
            .unwrap()
            .contains("incident") =>
        {
            Who::Monitor
        }
        () => Who::Pipeline,
    };
    let source = json!(who.principal().as_str());
    document["context"]["source"] = source.clone();
    let mut profile = json!({
        "profile": 1,
        "ledger": world.id.to_string(),
        "salt": "AAAAAAAAAAAAAAAAAAAAAA",
    });
    let content = &document["subject"]["content"];
    let copy = |profile: &mut Value, name: &str, value: &Value| {
        if value.is_string() {
            profile[name] = value.clone();
        }
    };
    copy(&mut profile, "environment", &content["environment"]["id"]);
    copy(&mut profile, "service", &content["service"]["id"]);
    if document["context"]["type"]
        .as_str()
        .unwrap()
        .contains("service.")
    {
        copy(&mut profile, "service", &document["subject"]["id"]);
    }
    if is_change {
        copy(&mut profile, "change", &document["subject"]["id"]);
        profile["relayed"] = json!({
            "system": "github.com", "digest": {"sha256": "0".repeat(64)}, "auth": "hmac",
        });
    }
    if let Some(artifact) = content["artifactId"].as_str() {
        let digest = artifact.rsplit_once("%3A").unwrap().1;
        profile["binds"] = json!([{"name": "image", "digest": {"sha256": digest}}]);
    }
    if is_approval {
        let digest = hash::sha256(b"x").to_hex();
        profile["binds"] = json!([{"name": "image", "digest": {"sha256": digest}}]);
        profile["texts"] = json!({"summary": "0".repeat(64), "shown": "0".repeat(64)});
        let is_answer = content["decision"].is_string();
        document["subject"]["id"] = document["context"]["id"].clone();
        let id = document["subject"]["id"].as_str().unwrap();
        let details = format!("urn:piperoll:approval:{id}");
        let content = &mut document["subject"]["content"];
        content["approvalDetailsUrl"] = json!(details);
        content["resourceTargetUrl"] = json!(format!("urn:sha256:{digest}"));
        content[if is_answer { "responder" } else { "requestor" }] = source;
        if is_answer {
            profile["role"] = json!("owner");
            profile["approval"] = json!({"request": "0".repeat(64), "shown": "shown", "from": []});
        }
    }
    document["customData"] = json!({"piperoll": profile});
    document
        .as_object_mut()
        .unwrap()
        .remove("customDataContentType");
}
