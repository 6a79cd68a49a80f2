//! A small ledger of our own: principals of every sort, and a good draft of every kind.

use std::collections::BTreeMap;

use piperoll_core::{
    Hash,
    authority::{self, Grants, Purpose, Scheme},
    draft::{self, Draft},
    envelope::{Envelope, Text},
    event::{Profile, Relayed, RelayedAuth},
    judge::{Refusal, Verdict},
    kind::{self, Content, Custody, Kind},
    name::{LedgerId, Principal, PrincipalKind},
    time::{self, Timestamp},
};
use piperoll_tlog::{encoding, hash, key::SecretKey};

use crate::{
    drafts::{
        of_approval, of_bundle, of_deployment, of_monitor, of_override, of_person, of_repository,
        of_stream,
    },
    support::Ledger,
};

pub(crate) const ORIGIN: &str = "piperoll.shop.example/log/main";
pub(crate) const ROLE: &str = "business-approver";

/// Who signs in these tests; every one of them has a key whose seed is its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    Ledger = 1,
    Checkpoint = 2,
    Admin = 3,
    Pipeline = 4,
    Person = 5,
    Bridge = 6,
    Monitor = 7,
    /// Registered for nothing but `bundle.defined` of one service in one environment.
    Narrow = 8,
    /// Never registered.
    Stranger = 9,
}
impl Who {
    pub(crate) fn key(self) -> SecretKey {
        SecretKey::from_seed([self as u8; 32])
    }
    pub(crate) fn principal(self) -> Principal {
        let named = |kind, slug| Principal::named(kind, slug).unwrap();
        match self {
            Self::Ledger | Self::Checkpoint => named(PrincipalKind::Ledger, "main"),
            Self::Admin => Principal::person([3; 16]),
            Self::Person => Principal::person([5; 16]),
            Self::Pipeline => named(PrincipalKind::Pipeline, "checkout-deploy"),
            Self::Narrow => named(PrincipalKind::Pipeline, "narrow"),
            Self::Stranger => named(PrincipalKind::Pipeline, "stranger"),
            Self::Bridge => named(PrincipalKind::Bridge, "github"),
            Self::Monitor => named(PrincipalKind::Monitor, "uptime"),
        }
    }
    fn purpose(self) -> Purpose {
        match self {
            Self::Ledger => Purpose::EventLedger,
            Self::Checkpoint => Purpose::Checkpoint,
            Self::Admin => Purpose::Admin,
            Self::Person => Purpose::EventPerson,
            Self::Pipeline | Self::Narrow | Self::Stranger => Purpose::EventPipeline,
            Self::Bridge => Purpose::EventBridge,
            Self::Monitor => Purpose::EventMonitor,
        }
    }
}

/// Random bytes that are the same in every run.
pub(crate) fn entropy(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut counter = 0_u64;
    move |buffer| {
        for chunk in buffer.chunks_mut(32) {
            counter += 1;
            let block = hash::sha256_parts(&[&[seed], &counter.to_be_bytes()]);
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_794_000_000 + second).unwrap()
}
pub(crate) fn draft(content: Content, profile: Profile) -> Draft {
    Draft {
        id: None,
        timestamp: at(0),
        subject: None,
        content,
        profile,
        texts: BTreeMap::new(),
    }
}
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) id: LedgerId,
    seed: u8,
    second: i64,
}
impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            ledger: Ledger::default(),
            id: LedgerId(Hash([0; 32])),
            seed: 0,
            second: 0,
        };
        world.must_record(Who::Ledger, &genesis());
        world.id = world.ledger.authority.genesis().unwrap().ledger;
        for who in [Who::Pipeline, Who::Person, Who::Bridge, Who::Monitor] {
            let all = vec!["*".to_owned()];
            let grants = Grants {
                kinds: all.clone(),
                services: all.clone(),
                environments: all,
            };
            let registration = world.registration(who, grants);
            world.must_record(Who::Admin, &registration);
        }
        let narrow = Grants {
            kinds: vec!["bundle.*".to_owned(), "deployment.started".to_owned()],
            services: vec!["checkout".to_owned()],
            environments: vec!["production".to_owned()],
        };
        let registration = world.registration(Who::Narrow, narrow);
        world.must_record(Who::Admin, &registration);
        let role = world.of(Kind::RoleGranted).1;
        world.must_record(Who::Admin, &role);
        world
    }
    pub(crate) fn profile(&self) -> Profile {
        Profile {
            ledger: Some(self.id),
            ..Profile::default()
        }
    }
    pub(crate) fn registration(&self, who: Who, grants: Grants) -> Draft {
        let key = who.key();
        let message = authority::possession_message(
            &self.id,
            &who.principal(),
            who.purpose(),
            Scheme::Ed25519,
            key.public().as_bytes(),
        );
        let content = kind::KeyRegistered {
            key: encoding::base64(key.public().as_bytes()),
            scheme: Scheme::Ed25519,
            principal: who.principal(),
            purpose: who.purpose(),
            custody: Custody::File,
            possession: encoding::base64(&key.sign(&message)),
            grants: Some(grants),
            until: None,
            established: None,
        };
        Draft {
            subject: Some(authority::keyid(key.public().as_bytes())),
            ..draft(Content::KeyRegistered(content), self.profile())
        }
    }
    pub(crate) fn sign(&mut self, who: Who, draft: &Draft) -> Result<Envelope, Refusal> {
        self.seed = self.seed.wrapping_add(1);
        draft.sign(&who.principal(), &who.key(), &mut entropy(self.seed))
    }
    pub(crate) fn give(&mut self, message: &[u8]) -> Verdict {
        self.second += 1;
        self.ledger.give(message, None, at(self.second))
    }
    fn must_record(&mut self, who: Who, draft: &Draft) {
        let envelope = self.sign(who, draft).unwrap();
        let verdict = self.give(envelope.to_json().as_bytes());
        assert!(
            matches!(verdict, Verdict::Recorded(_)),
            "{:?}: {verdict:?}",
            draft.content.kind()
        );
    }
    /// A good draft of a kind and who may sign it (genesis is a draft that this ledger refuses).
    pub(crate) fn of(&self, kind: Kind) -> (Who, Draft) {
        let profile = self.profile();
        let relayed = Profile {
            relayed: Some(Relayed {
                system: "github.com".to_owned(),
                digest: Hash([7; 32]),
                auth: RelayedAuth::Hmac,
            }),
            ..self.profile()
        };
        let texts = |draft: Draft| Draft {
            texts: kind
                .texts_required()
                .iter()
                .map(|name| ((*name).to_owned(), "words\tof\npeople é".to_owned()))
                .collect(),
            ..draft
        };
        let (who, draft) = match kind {
            Kind::LedgerCreated => (Who::Ledger, genesis()),
            Kind::KeyRegistered => (
                Who::Admin,
                self.registration(Who::Monitor, Grants::default()),
            ),
            Kind::PersonDescribed | Kind::AccountLinked | Kind::RoleGranted => {
                (Who::Admin, of_person(kind, profile))
            }
            Kind::ChangeCreated
            | Kind::ChangeUpdated
            | Kind::ChangeReviewed
            | Kind::ChangeMerged
            | Kind::ChangeAbandoned
            | Kind::BranchPushed => (Who::Bridge, of_repository(kind, relayed)),
            Kind::ApprovalCreated | Kind::ApprovalUpdated => {
                (Who::Person, of_approval(kind, profile))
            }
            Kind::BundleDefined => (Who::Pipeline, of_bundle(profile)),
            Kind::DeploymentStarted
            | Kind::DeploymentFinished
            | Kind::RollbackStarted
            | Kind::RollbackFinished
            | Kind::ServiceDeployed
            | Kind::ServiceUpgraded
            | Kind::ServiceRolledback
            | Kind::ArtifactPublished => (Who::Pipeline, of_deployment(kind, profile)),
            Kind::OverrideDeclared => (Who::Person, of_override(profile)),
            Kind::AlertFired
            | Kind::AlertResolved
            | Kind::IncidentDetected
            | Kind::IncidentResolved => (Who::Monitor, of_monitor(kind, profile)),
            Kind::StreamAdopted => (Who::Ledger, of_stream(kind, profile)),
            Kind::StreamGapAccepted | Kind::TimeCorrected => (Who::Admin, of_stream(kind, profile)),
        };
        (who, texts(draft))
    }
}

pub(crate) fn genesis() -> Draft {
    let listed = |who: Who, custody| kind::GenesisKey {
        key: encoding::base64(who.key().public().as_bytes()),
        scheme: Scheme::Ed25519,
        principal: who.principal(),
        purpose: who.purpose(),
        custody,
    };
    let content = kind::LedgerCreated {
        origin: ORIGIN.to_owned(),
        admission: 0,
        threshold: 1,
        keys: vec![
            listed(Who::Ledger, Custody::Server),
            listed(Who::Checkpoint, Custody::Server),
            listed(Who::Admin, Custody::File),
        ],
    };
    Draft {
        subject: Some(ORIGIN.to_owned()),
        ..draft(Content::LedgerCreated(content), Profile::default())
    }
}
/// Payload JSON signed as it is, right or wrong.
pub(crate) fn sign_value(
    who: Who,
    payload: &serde_json::Value,
    texts: BTreeMap<String, Text>,
) -> Envelope {
    draft::sign_payload(serde_json::to_vec(payload).unwrap(), texts, &who.key())
}
pub(crate) fn parsed(envelope: &Envelope) -> serde_json::Value {
    serde_json::from_slice(&envelope.payload).unwrap()
}
pub(crate) fn is_recorded(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Recorded(_))
}
pub(crate) fn parse_time(text: &str) -> Timestamp {
    time::parse(text).unwrap()
}
