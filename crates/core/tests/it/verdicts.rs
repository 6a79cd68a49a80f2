//! What becomes of a message, step by step: signature, texts, once, purpose, grants, roles, time.

use std::collections::BTreeMap;

use piperoll_core::{
    authority::{self, Grants},
    envelope::{Envelope, Text},
    event::{Event, Payload},
    judge::{Reason, Verdict},
    kind::{Content, Family, Kind},
};
use piperoll_tlog::encoding;
use serde_json::json;

use crate::{
    payload::{CONTENT, refusal, refused, set},
    world::{Who, World, at, entropy, is_recorded, parse_time, parsed, sign_value},
};

#[test]
fn an_emitter_finds_a_wrong_event_before_it_is_sent() {
    let mut world = World::new();
    let (who, mut draft) = world.of(Kind::DeploymentStarted);
    draft.profile.environment = None;
    let refusal = world.sign(who, &draft).unwrap_err();
    assert_eq!(
        refusal.field.as_deref(),
        Some("customData.piperoll.environment")
    );

    let (who, mut draft) = world.of(Kind::DeploymentStarted);
    draft
        .texts
        .insert("reason".to_owned(), "x".repeat(16 * 1024 + 1));
    assert_eq!(
        world.sign(who, &draft).unwrap_err().reason,
        Reason::TooLarge
    );
    draft
        .texts
        .insert("reason".to_owned(), "a\u{202e}b".to_owned());
    let refusal = world.sign(who, &draft).unwrap_err();
    assert_eq!(refusal.reason, Reason::Shape);
    assert_eq!(refusal.field.as_deref(), Some("texts.reason.body"));
}

#[test]
fn every_kind_has_a_good_event_that_is_recorded() {
    for kind in Kind::ALL.iter().copied() {
        let mut world = World::new();
        let (who, draft) = world.of(kind);
        let envelope = world.sign(who, &draft).unwrap();
        let verdict = world.give(envelope.to_json().as_bytes());
        if kind == Kind::LedgerCreated {
            let (refusal, kept) = refusal(verdict);
            assert_eq!((refusal.reason, kept), (Reason::Content, true));
            assert_eq!(refusal.field.as_deref(), Some("context.type"));
            continue;
        }
        let Verdict::Recorded(recorded) = verdict else {
            panic!("{}: {verdict:?}", kind.name());
        };
        // What was signed is what was meant.
        assert_eq!(recorded.event.content, draft.content);
        assert_eq!(recorded.event.timestamp, draft.timestamp);
        let mut profile = recorded.event.profile;
        assert_eq!(profile.texts.len(), draft.texts.len());
        profile.texts.clear();
        profile.salt = [0; 16];
        assert_eq!(profile, draft.profile, "{}", kind.name());
        // Its type is found again, and help has something to say.
        assert_eq!(Kind::from_type(&kind.type_name()), Some(kind));
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        assert!(kind.needs().contains(kind.name()));
    }
}

#[test]
fn nothing_but_the_exact_type_names_a_kind() {
    for kind in Kind::ALL {
        for type_name in [
            kind.name().to_owned(),
            format!("{}.0", kind.type_name()),
            kind.type_name().to_uppercase(),
            kind.type_name().replacen("dev.", "", 1),
        ] {
            assert_eq!(Kind::from_type(&type_name), None, "{type_name}");
        }
    }
    assert!(Kind::ALL.iter().any(|kind| kind.family() == Family::Draft));
}

#[test]
fn a_signature_decides_before_anything_is_kept() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::DeploymentStarted);
    let good = world.sign(who, &draft).unwrap();

    let stranger = draft.sign(
        &Who::Stranger.principal(),
        &Who::Stranger.key(),
        &mut entropy(1),
    );
    let (refusal, kept) = refused(stranger.unwrap().to_json().as_bytes(), &mut world);
    assert_eq!((refusal.reason, kept), (Reason::UnknownKey, false));
    assert!(refusal.reason.retry());

    let other = world.sign(who, &draft).unwrap();
    let swapped = Envelope {
        signature: other.signature,
        ..good.clone()
    };
    let (refusal, kept) = refused(swapped.to_json().as_bytes(), &mut world);
    assert_eq!((refusal.reason, kept), (Reason::BadSignature, false));

    let claimed = draft.sign(
        &Who::Pipeline.principal(),
        &Who::Narrow.key(),
        &mut entropy(2),
    );
    let (refusal, kept) = refused(claimed.unwrap().to_json().as_bytes(), &mut world);
    assert_eq!((refusal.reason, kept), (Reason::PrincipalNotKeys, false));
    assert_eq!(refusal.field.as_deref(), Some("context.source"));
    assert!(
        refusal
            .remedy
            .unwrap()
            .contains("urn:piperoll:pipeline:narrow")
    );

    // Another key's keyid does not help, and neither does the checkpoint key, which signs no events.
    let misnamed = Envelope {
        keyid: authority::keyid(Who::Monitor.key().public().as_bytes()),
        ..good
    };
    let (refusal, _) = refused(misnamed.to_json().as_bytes(), &mut world);
    assert_eq!(refusal.reason, Reason::BadSignature);
    let (_, adopted) = world.of(Kind::StreamAdopted);
    let signed = world.sign(Who::Checkpoint, &adopted).unwrap();
    let (refusal, kept) = refused(signed.to_json().as_bytes(), &mut world);
    assert_eq!((refusal.reason, kept), (Reason::Content, true));
    assert!(refusal.detail.contains("is not for a key for checkpoint"));
}

#[test]
fn a_text_must_match_its_hash_and_may_come_later() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::PersonDescribed);
    let whole = world.sign(who, &draft).unwrap();
    let name = whole.texts["name"].clone();
    let with = |texts: &[(&str, Text)]| Envelope {
        texts: texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.clone()))
            .collect(),
        ..whole.clone()
    };
    let wrong = Text {
        body: "Ines Okafox".to_owned(),
        ..name.clone()
    };
    for (texts, what) in [
        (vec![("name", wrong)], "other words"),
        (
            vec![(
                "name",
                Text {
                    salt: [0; 16],
                    ..name.clone()
                },
            )],
            "another salt",
        ),
        (
            vec![("name", name.clone()), ("extra", name.clone())],
            "no hash",
        ),
    ] {
        let (refusal, kept) = refused(with(&texts).to_json().as_bytes(), &mut world);
        assert_eq!(
            (refusal.reason, kept),
            (Reason::TextMismatch, false),
            "{what}"
        );
        assert!(refusal.field.unwrap().starts_with("texts."));
    }
    assert!(is_recorded(&world.give(with(&[]).to_json().as_bytes())));
    match world.give(whole.to_json().as_bytes()) {
        Verdict::Duplicate { texts, .. } => assert_eq!(texts, [("name".to_owned(), name)]),
        other => panic!("not a duplicate: {other:?}"),
    }
}

#[test]
fn the_same_id_with_other_content_is_an_equivocation_and_names_the_first() {
    let mut world = World::new();
    let (who, mut draft) = world.of(Kind::DeploymentStarted);
    draft.id = Some("01a1c9fa-8180-7d07-b358-407d43a950a7".to_owned());
    let first = world.sign(who, &draft).unwrap();
    let index = world.ledger.index();
    assert!(is_recorded(&world.give(first.to_json().as_bytes())));
    draft.profile.environment = Some("staging".to_owned());
    let second = world.sign(who, &draft).unwrap();
    match world.give(second.to_json().as_bytes()) {
        Verdict::Refused {
            refusal,
            first,
            kept,
            ..
        } => {
            assert_eq!(refusal.reason, Reason::Equivocation);
            assert_eq!((first, kept), (Some(index), true));
        }
        other => panic!("not refused: {other:?}"),
    }
    // The same id by another principal is another event.
    let theirs = world.sign(Who::Narrow, &draft).unwrap();
    let (refusal, _) = refused(theirs.to_json().as_bytes(), &mut world);
    assert_eq!(refusal.reason, Reason::Grant);
}

#[test]
fn grants_roles_and_the_end_of_a_key_are_judged_at_the_position() {
    let mut world = World::new();
    let mut give = |who: Who, kind: Kind, change: &dyn Fn(&mut piperoll_core::draft::Draft)| {
        let (_, mut draft) = world.of(kind);
        change(&mut draft);
        let envelope = world.sign(who, &draft).unwrap();
        world.give(envelope.to_json().as_bytes())
    };
    for (kind, service, environment, field) in [
        (
            Kind::DeploymentFinished,
            "checkout",
            "production",
            "context.type",
        ),
        (
            Kind::DeploymentStarted,
            "payments",
            "production",
            "customData.piperoll.service",
        ),
        (
            Kind::DeploymentStarted,
            "checkout",
            "staging",
            "customData.piperoll.environment",
        ),
        (
            Kind::DeploymentStarted,
            "Checkout",
            "production",
            "customData.piperoll.service",
        ),
    ] {
        let verdict = give(Who::Narrow, kind, &|draft| {
            draft.profile.service = Some(service.to_owned());
            draft.profile.environment = Some(environment.to_owned());
        });
        let (refusal, kept) = refusal(verdict);
        assert_eq!((refusal.reason, kept), (Reason::Grant, true), "{refusal:?}");
        assert_eq!(refusal.field.as_deref(), Some(field), "{refusal:?}");
    }
    assert!(is_recorded(&give(
        Who::Narrow,
        Kind::DeploymentStarted,
        &|_| ()
    )));
    // A prefix covers, and what the event does not name is not asked.
    assert!(is_recorded(&give(
        Who::Narrow,
        Kind::BundleDefined,
        &|_| ()
    )));

    // The role was granted for production only.
    let (refused_role, kept) = refusal(give(Who::Person, Kind::ApprovalUpdated, &|draft| {
        draft.profile.environment = Some("staging".to_owned());
    }));
    assert_eq!((refused_role.reason, kept), (Reason::Grant, true));
    assert_eq!(
        refused_role.field.as_deref(),
        Some("customData.piperoll.role")
    );
    let (refused_role, _) = refusal(give(Who::Person, Kind::OverrideDeclared, &|draft| {
        draft.profile.role = Some("owner".to_owned());
    }));
    assert_eq!(refused_role.reason, Reason::Grant);
    // An emergency override by a pipeline has no role.
    assert!(is_recorded(&give(
        Who::Pipeline,
        Kind::OverrideDeclared,
        &|draft| {
            draft.profile.role = None;
        }
    )));
}

#[test]
fn an_administrators_key_administers_and_does_nothing_else() {
    let mut world = World::new();
    let (_, mut draft) = world.of(Kind::ApprovalCreated);
    if let Content::ApprovalCreated(content) = &mut draft.content {
        content.requestor = Who::Admin.principal().as_str().to_owned();
    }
    let envelope = world.sign(Who::Admin, &draft).unwrap();
    let (refusal, kept) = refused(envelope.to_json().as_bytes(), &mut world);
    assert_eq!((refusal.reason, kept), (Reason::Content, true));
    assert!(
        refusal
            .detail
            .contains("approval.created is not for a key for admin")
    );
    assert!(
        refusal
            .remedy
            .unwrap()
            .contains("event.person or event.pipeline")
    );

    let (_, role) = world.of(Kind::RoleGranted);
    let envelope = world.sign(Who::Person, &role).unwrap();
    let (refusal, _) = refused(envelope.to_json().as_bytes(), &mut world);
    assert!(
        refusal
            .detail
            .contains("role.granted is not for a key for event.person")
    );
    // A pipeline is told so before it signs.
    let refusal = world.sign(Who::Pipeline, &role).unwrap_err();
    assert_eq!(refusal.detail, "role.granted is not for a pipeline");
}

#[test]
fn a_key_keeps_its_principal_for_ever_and_its_grants_can_be_replaced() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::DeploymentStarted);
    let narrow = world.sign(Who::Narrow, &draft).unwrap();
    assert!(is_recorded(&world.give(narrow.to_json().as_bytes())));
    let registration = world.registration(Who::Narrow, Grants::default());
    let envelope = world.sign(Who::Admin, &registration).unwrap();
    let index = world.ledger.index();
    assert!(is_recorded(&world.give(envelope.to_json().as_bytes())));
    let keyid = authority::keyid(Who::Narrow.key().public().as_bytes());
    let now = world.ledger.authority.registration(&keyid).unwrap();
    assert_eq!((now.place.index, now.place.ordinal), (index, 0));
    let again = world.sign(Who::Narrow, &draft).unwrap();
    let (refusal, _) = refused(again.to_json().as_bytes(), &mut world);
    assert_eq!(refusal.reason, Reason::Grant);

    // Another principal cannot have the key of this one, even with a good possession.
    let mut payload = parsed(&envelope);
    let ledger = world.id;
    let pipeline = who.principal();
    let key = Who::Narrow.key();
    let message = authority::possession_message(
        &ledger,
        &pipeline,
        authority::Purpose::EventPipeline,
        authority::Scheme::Ed25519,
        key.public().as_bytes(),
    );
    set(&mut payload, CONTENT, "principal", json!(pipeline.as_str()));
    set(
        &mut payload,
        CONTENT,
        "possession",
        json!(encoding::base64(&key.sign(&message))),
    );
    set(&mut payload, "/context", "id", json!("another"));
    let signed = sign_value(Who::Admin, &payload, BTreeMap::new());
    let (refusal, _) = refused(signed.to_json().as_bytes(), &mut world);
    assert_eq!(refusal.reason, Reason::Content);
    assert_eq!(refusal.field.as_deref(), Some("subject.content.key"));
    assert!(
        refusal
            .detail
            .contains("belongs to urn:piperoll:pipeline:narrow already")
    );
}

#[test]
fn a_key_is_live_until_its_end() {
    let mut world = World::new();
    let (_, draft) = world.of(Kind::DeploymentStarted);
    let mut registration = world.registration(
        Who::Stranger,
        Grants {
            kinds: vec!["*".to_owned()],
            services: vec!["*".to_owned()],
            environments: vec!["*".to_owned()],
        },
    );
    let end = at(1000);
    if let Content::KeyRegistered(content) = &mut registration.content {
        content.until = Some(end.to_string());
    }
    let envelope = world.sign(Who::Admin, &registration).unwrap();
    assert!(is_recorded(&world.give(envelope.to_json().as_bytes())));
    let early = world.sign(Who::Stranger, &draft).unwrap();
    let late = world.sign(Who::Stranger, &draft).unwrap();
    let just_before = parse_time(&end.to_string()) - std::time::Duration::from_millis(1);
    assert!(is_recorded(&world.ledger.give(
        early.to_json().as_bytes(),
        None,
        just_before
    )));
    let (refusal, kept) = refusal(world.ledger.give(late.to_json().as_bytes(), None, end));
    assert_eq!((refusal.reason, kept), (Reason::Grant, true));
    assert!(refusal.detail.contains("ended at"));
}

#[test]
fn what_is_not_recorded_leaves_no_trace_in_the_time() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::DeploymentStarted);
    let envelope = world.sign(who, &draft).unwrap();
    let next = world.sign(who, &draft).unwrap();
    let earlier = world.sign(who, &draft).unwrap();
    let recorded_at = |verdict: Verdict| match verdict {
        Verdict::Recorded(recorded) => recorded.recorded_at.to_string(),
        other => panic!("not recorded: {other:?}"),
    };
    let mut give = |envelope: &Envelope, text: &str| {
        world
            .ledger
            .give(envelope.to_json().as_bytes(), None, parse_time(text))
    };
    let first = give(&envelope, "2030-01-01T00:00:00.123999Z");
    assert_eq!(recorded_at(first), "2030-01-01T00:00:00.123Z");
    let duplicate = give(&envelope, "2031-01-01T00:00:00Z");
    assert!(matches!(duplicate, Verdict::Duplicate { .. }));
    assert_eq!(
        recorded_at(give(&next, "2030-01-01T00:00:01Z")),
        "2030-01-01T00:00:01Z"
    );
    // A step back keeps the time where it was.
    assert_eq!(
        recorded_at(give(&earlier, "2029-01-01T00:00:00Z")),
        "2030-01-01T00:00:01Z"
    );
}

#[test]
fn an_event_can_be_read_without_a_ledger() {
    let mut world = World::new();
    let (who, draft) = world.of(Kind::ApprovalUpdated);
    let envelope = world.sign(who, &draft).unwrap();
    let payload = Payload::parse(&envelope.payload).unwrap();
    let event = Event::read(&payload).unwrap();
    assert_eq!(event.kind(), Kind::ApprovalUpdated);
    assert_eq!(event.profile.approval, draft.profile.approval);
}
