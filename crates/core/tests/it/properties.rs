//! Properties of what is written and read back, and of what no change to a message may do.

use std::collections::BTreeMap;

use piperoll_core::{
    Hash,
    authority::{KeyPlace, Scheme},
    draft::Draft,
    envelope::{Envelope, Text},
    event::{Bind, Digest},
    judge::Verdict,
    kind::Kind,
    leaf::Leaf,
    time::Timestamp,
    words,
};
use proptest::{prelude::*, sample};
use serde_json::Value;

use crate::world::{World, is_recorded};

fn words() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| words::clean_text(&text))
}
fn id() -> impl Strategy<Value = String> {
    "\\PC{1,40}".prop_map(|text| words::clean_string(&text))
}
fn bind() -> impl Strategy<Value = Bind> {
    let digest = prop_oneof![
        any::<[u8; 32]>().prop_map(|bytes| Digest::Sha256(Hash(bytes))),
        "[0-9a-f]{40}".prop_map(Digest::GitCommit),
        "[0-9a-f]{64}".prop_map(Digest::GitCommit),
    ];
    (id(), digest).prop_map(|(name, digest)| Bind { name, digest })
}
fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-z][a-z0-9_]{0,31}", words(), 0..8)
}

proptest! {
    #[test]
    fn an_envelope_is_read_as_it_was_written(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        keyid in id(),
        signature in prop::collection::vec(any::<u8>(), 0..200),
        texts in prop::collection::btree_map(id(), (any::<[u8; 16]>(), words()), 0..4),
    ) {
        let texts = texts
            .into_iter()
            .map(|(name, (salt, body))| (name, Text { salt, body }))
            .collect();
        let envelope = Envelope { payload, keyid, signature, texts };
        prop_assert_eq!(Envelope::parse(envelope.to_json().as_bytes()).unwrap(), envelope);
    }

    #[test]
    fn a_leaf_is_read_as_it_was_written(
        millisecond in 0_i64..253_402_300_799_999,
        payload in any::<[u8; 32]>(),
        index in any::<u64>(),
        ordinal in any::<u32>(),
        is_ssh in any::<bool>(),
        signature in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let leaf = Leaf {
            recorded_at: Timestamp::from_millisecond(millisecond).unwrap(),
            payload_hash: Hash(payload),
            key: KeyPlace { index, ordinal },
            scheme: if is_ssh { Scheme::SshsigEd25519 } else { Scheme::Ed25519 },
            signature,
        };
        let bytes = leaf.to_bytes();
        prop_assert_eq!(std::str::from_utf8(&bytes).unwrap().lines().count(), 6);
        prop_assert_eq!(Leaf::parse(&bytes), Some(leaf));
    }

    #[test]
    fn bytes_are_a_leaf_only_if_writing_it_again_gives_them(
        position in any::<sample::Index>(),
        byte in any::<u8>(),
    ) {
        let leaf = Leaf {
            recorded_at: Timestamp::from_millisecond(1_794_000_000_000).unwrap(),
            payload_hash: Hash([7; 32]),
            key: KeyPlace { index: 12, ordinal: 3 },
            scheme: Scheme::Ed25519,
            signature: vec![1; 64],
        };
        let mut bytes = leaf.to_bytes();
        let length = bytes.len();
        bytes[position.index(length)] = byte;
        if let Some(read) = Leaf::parse(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_drafted_and_granted_is_recorded(
        kind in sample::select(&[Kind::DeploymentStarted, Kind::DeploymentFinished, Kind::AlertFired, Kind::OverrideDeclared]),
        service in id(),
        binds in prop::collection::vec(bind(), 0..20),
        aliases in prop::collection::vec("ticket:[A-Z]{1,9}-[0-9]{1,5}|run:\\PC{1,40}|tag:[a-z/]{1,9}@[^@\\p{C}]{1,20}", 0..4),
        more in texts(),
        second in 0_i64..4_000_000_000,
        nanosecond in 0_i32..1_000_000_000,
    ) {
        let mut world = World::new();
        let (who, draft) = world.of(kind);
        let mut draft = Draft {
            timestamp: Timestamp::new(second, nanosecond).unwrap(),
            ..draft
        };
        draft.profile.service = Some(service);
        draft.profile.binds = Some(binds);
        draft.profile.aliases = aliases.iter().map(|alias| words::clean_string(alias)).collect();
        draft.texts.extend(more);
        let envelope = world.sign(who, &draft).unwrap();
        match world.give(envelope.to_json().as_bytes()) {
            Verdict::Recorded(recorded) => {
                prop_assert_eq!(recorded.event.timestamp, draft.timestamp);
                prop_assert_eq!(recorded.event.profile.binds, draft.profile.binds);
                prop_assert_eq!(recorded.event.profile.aliases, draft.profile.aliases);
                prop_assert_eq!(recorded.event.profile.service, draft.profile.service);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_flipped_bit_is_never_recorded(
        part in 0..4_usize,
        position in any::<sample::Index>(),
        bit in 0..8_u32,
    ) {
        let mut world = World::new();
        let (who, draft) = world.of(Kind::ApprovalUpdated);
        let mut envelope = world.sign(who, &draft).unwrap();
        let flip = |bytes: &mut [u8]| {
            let length = bytes.len();
            bytes[position.index(length)] ^= 1 << bit;
        };
        match part {
            0 => flip(&mut envelope.payload),
            1 => flip(&mut envelope.signature),
            2 => flip(&mut envelope.texts.get_mut("shown").unwrap().salt),
            _ => {
                let text = envelope.texts.get_mut("shown").unwrap();
                let mut body = text.body.clone().into_bytes();
                flip(&mut body);
                // Words that are no longer UTF-8 cannot even be sent.
                let Ok(body) = String::from_utf8(body) else { return Ok(()) };
                text.body = body;
            }
        }
        let verdict = world.give(envelope.to_json().as_bytes());
        prop_assert!(!is_recorded(&verdict), "{:?}", verdict);
    }

    #[test]
    fn no_bytes_make_the_reader_fall_over(message in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut world = World::new();
        prop_assert!(!is_recorded(&world.give(&message)));
    }
}

#[test]
fn a_payload_says_its_members_in_the_order_of_the_formats() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::ChangeReviewed);
    let envelope = world.sign(who, &draft).unwrap();
    let text = String::from_utf8(envelope.payload.clone()).unwrap();
    let positions: Vec<usize> = [
        "\"context\"",
        "\"specversion\"",
        "\"id\"",
        "\"source\"",
        "\"type\"",
        "\"timestamp\"",
        "\"subject\"",
        "\"content\"",
        "\"customData\"",
        "\"profile\"",
        "\"ledger\"",
        "\"salt\"",
        "\"change\"",
        "\"service\"",
        "\"binds\"",
        "\"actor\"",
        "\"verdict\"",
        "\"relayed\"",
    ]
    .iter()
    .map(|name| {
        text.find(name)
            .unwrap_or_else(|| panic!("{name} is not in {text}"))
    })
    .collect();
    assert!(positions.is_sorted(), "{text}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value["customData"]["piperoll"]["verdict"],
        "changes_requested"
    );
}
