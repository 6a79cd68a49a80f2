//! Fifty emitters and their enrolment: the first entries of the ledger, recorded before the clock runs.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use jiff::Timestamp;
use piperoll_core::{
    authority::{self, Grants, Purpose, Scheme},
    draft::Draft,
    event::{Profile, Seen},
    kind::{Content, Custody, Empty, KeyRegistered, RoleGranted},
    name::{LedgerId, Principal, PrincipalKind},
};
use piperoll_server::{
    clock::{Clock, System},
    engine::Engine,
    intake::{Answer, Wait},
};
use piperoll_tlog::{
    encoding, hash,
    key::{PublicKey, SecretKey},
};

use super::shop::Shop;
use crate::rim;

const PIPELINES: usize = 28;
const PEOPLE: usize = 16;
const MONITORS: usize = 4;
const BRIDGES: [&str; 2] = ["github", "argo-cd"];
/// All of them.
pub(super) const COUNT: usize = PIPELINES + PEOPLE + MONITORS + BRIDGES.len();

pub(super) const BUSINESS: &str = "business-approver";
pub(super) const TECHNICAL: &str = "technical-approver";

/// Who signs, and with what.
pub(super) struct Emitter {
    pub(super) principal: Principal,
    pub(super) key: SecretKey,
    pub(super) public: PublicKey,
}
impl Emitter {
    fn new(principal: Principal) -> Self {
        let key = SecretKey::from_seed(rim::random());
        let public = key.public();
        Self {
            principal,
            key,
            public,
        }
    }
    fn purpose(&self) -> Purpose {
        match self.principal.kind() {
            PrincipalKind::Pipeline => Purpose::EventPipeline,
            PrincipalKind::Person => Purpose::EventPerson,
            PrincipalKind::Monitor => Purpose::EventMonitor,
            PrincipalKind::Bridge => Purpose::EventBridge,
            PrincipalKind::Ledger => Purpose::EventLedger,
        }
    }
}
/// Everybody, by what they do.
pub(super) struct Emitters {
    pub(super) pipelines: Vec<Emitter>,
    pub(super) people: Vec<Emitter>,
    pub(super) monitors: Vec<Emitter>,
    pub(super) bridges: Vec<Emitter>,
}
impl Emitters {
    pub(super) fn new() -> anyhow::Result<Self> {
        let named = |kind, slug: &str| Ok(Emitter::new(Principal::named(kind, slug)?));
        let numbered = |kind, stem: &str, count: usize| {
            (0..count)
                .map(|number| named(kind, &format!("{stem}-{number:02}")))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        Ok(Self {
            pipelines: numbered(PrincipalKind::Pipeline, "deploy", PIPELINES)?,
            people: (0..PEOPLE)
                .map(|_| Emitter::new(Principal::person(rim::random())))
                .collect(),
            monitors: numbered(PrincipalKind::Monitor, "alerts", MONITORS)?,
            bridges: BRIDGES
                .iter()
                .map(|slug| named(PrincipalKind::Bridge, slug))
                .collect::<anyhow::Result<_>>()?,
        })
    }
    pub(super) fn all(&self) -> impl Iterator<Item = &Emitter> {
        self.pipelines
            .iter()
            .chain(&self.people)
            .chain(&self.monitors)
            .chain(&self.bridges)
    }
}

/// Registers fifty keys, describes the people and grants them their roles; gives the shop they work in.
pub(super) async fn enrol(engine: &Engine) -> anyhow::Result<Shop> {
    let emitters = Emitters::new()?;
    let (admin_key, urn) = engine.folder.read_key("admin")?;
    let admin = Principal::parse(&urn)?;
    let ledger = engine.ledger.id;
    let mut drafts = Vec::new();
    for emitter in emitters.all() {
        drafts.push(registration(ledger, emitter));
    }
    for (number, person) in emitters.people.iter().enumerate() {
        drafts.push(description(person, number));
        drafts.extend([BUSINESS, TECHNICAL].map(|role| granted(person, role)));
    }
    for mut draft in drafts {
        draft.profile.ledger = Some(ledger);
        let signed = draft
            .sign(&admin, &admin_key, &mut rim::fill)
            .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        let message = signed.to_json().into_bytes();
        match engine.intake.submit(message, Wait::Recorded).await? {
            Answer::Recorded { .. } => {}
            other => bail!("an emitter could not be enrolled: {other:?}"),
        }
    }
    let genesis = engine.receipts.genesis().await?;
    let seen = Seen {
        size: 1,
        root: hash::leaf_hash(genesis.leaf.as_bytes()),
    };
    Shop::new(emitters, ledger, seen, System.now()).context("the shop's week")
}

fn registration(ledger: LedgerId, emitter: &Emitter) -> Draft {
    let key = emitter.public.as_bytes();
    let possession = authority::possession_message(
        &ledger,
        &emitter.principal,
        emitter.purpose(),
        Scheme::Ed25519,
        key,
    );
    let all = || vec!["*".to_owned()];
    let content = KeyRegistered {
        key: encoding::base64(key),
        scheme: Scheme::Ed25519,
        principal: emitter.principal.clone(),
        purpose: emitter.purpose(),
        custody: Custody::File,
        possession: encoding::base64(&emitter.key.sign(&possession)),
        grants: Some(Grants {
            kinds: all(),
            services: all(),
            environments: all(),
        }),
        until: None,
        established: None,
    };
    draft(authority::keyid(key), Content::KeyRegistered(content))
}
fn description(person: &Emitter, number: usize) -> Draft {
    let name = format!("Person {number:02}");
    Draft {
        texts: BTreeMap::from([("name".to_owned(), name)]),
        ..draft(
            person.principal.to_string(),
            Content::PersonDescribed(Empty {}),
        )
    }
}
fn granted(person: &Emitter, role: &str) -> Draft {
    let content = RoleGranted {
        role: role.to_owned(),
        services: None,
        environments: None,
    };
    draft(person.principal.to_string(), Content::RoleGranted(content))
}
fn draft(subject: String, content: Content) -> Draft {
    Draft {
        id: None,
        timestamp: now(),
        subject: Some(subject),
        content,
        profile: Profile::default(),
        texts: BTreeMap::new(),
    }
}
fn now() -> Timestamp {
    System.now()
}
