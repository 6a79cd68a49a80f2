//! Somebody who signs events for tests, without the command.

use std::sync::atomic::{AtomicU64, Ordering};

use piperoll_core::{
    authority::{Grants, Purpose, Scheme, keyid, possession_message},
    draft::Draft,
    envelope::Envelope,
    event::{Bind, Digest, Profile},
    kind::{Content, Custody, DeploymentFinished, DeploymentStarted, KeyRegistered, Outcome},
    name::{LedgerId, Principal, PrincipalKind},
    time::Timestamp,
};
use piperoll_tlog::{encoding, hash::sha256, key::SecretKey};

use crate::ledger::Ledger;

/// Somebody who signs events for tests: times and random bytes are numbers that count up.
pub(crate) struct Signer {
    pub(crate) principal: Principal,
    pub(crate) key: SecretKey,
    pub(crate) ledger: LedgerId,
}

/// Random enough for ids and salts of a test: no two draws are the same within one run.
pub(crate) fn draw(buffer: &mut [u8]) {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let seed = DRAWN.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id().to_le_bytes();
    for (block, chunk) in buffer.chunks_mut(32).enumerate() {
        let bytes = sha256(&[&seed.to_le_bytes()[..], &process, &block.to_le_bytes()].concat());
        chunk.copy_from_slice(&bytes.0[..chunk.len()]);
    }
}

impl Signer {
    /// A pipeline whose key no entry registers yet.
    pub(crate) fn named(ledger: &Ledger, slug: &str) -> Self {
        Self {
            principal: Principal::named(PrincipalKind::Pipeline, slug).unwrap(),
            key: SecretKey::from_seed(sha256(slug.as_bytes()).0),
            ledger: ledger.id,
        }
    }
    pub(crate) fn sign(&self, draft: &Draft) -> Envelope {
        draft.sign(&self.principal, &self.key, &mut draw).unwrap()
    }

    pub(crate) fn profile(&self) -> Profile {
        Profile {
            ledger: Some(self.ledger),
            ..Profile::default()
        }
    }

    /// What an administrator signs to register this signer's key for everything.
    pub(crate) fn registration(&self) -> Draft {
        self.registration_for(Purpose::EventPipeline, "*")
    }

    /// The same for another purpose, or for some services only.
    pub(crate) fn registration_for(&self, purpose: Purpose, services: &str) -> Draft {
        let public = *self.key.public().as_bytes();
        let message = possession_message(
            &self.ledger,
            &self.principal,
            purpose,
            Scheme::Ed25519,
            &public,
        );
        let everything = vec!["*".to_owned()];
        let content = KeyRegistered {
            key: encoding::base64(&public),
            scheme: Scheme::Ed25519,
            principal: self.principal.clone(),
            purpose,
            custody: Custody::File,
            possession: encoding::base64(&self.key.sign(&message)),
            grants: Some(Grants {
                kinds: everything.clone(),
                services: vec![services.to_owned()],
                environments: everything,
            }),
            until: None,
            established: None,
        };
        Self::draft(
            Some(keyid(&public)),
            Content::KeyRegistered(content),
            self.profile(),
        )
    }

    pub(crate) fn draft(subject: Option<String>, content: Content, profile: Profile) -> Draft {
        let timestamp: Timestamp = "2026-11-10T12:00:00Z".parse().unwrap();
        Draft {
            id: None,
            timestamp,
            subject,
            content,
            profile,
            texts: std::collections::BTreeMap::new(),
        }
    }

    /// The `n`th event of a stream of deployments: odd ones start, even ones finish.
    pub(crate) fn deployment(&self, n: u64) -> Envelope {
        let run = n / 2;
        let mut profile = self.profile();
        profile.service = Some(format!("service-{}", run % 7));
        profile.environment = Some(
            if run.is_multiple_of(3) {
                "production"
            } else {
                "staging"
            }
            .to_owned(),
        );
        let image = sha256(&run.to_le_bytes());
        profile.binds = Some(vec![Bind {
            name: "image".to_owned(),
            digest: Digest::Sha256(image),
        }]);
        let content = if n.is_multiple_of(2) {
            Content::DeploymentStarted(DeploymentStarted { trigger: None })
        } else {
            let outcome = if run.is_multiple_of(11) {
                Outcome::Failure
            } else {
                Outcome::Success
            };
            Content::DeploymentFinished(DeploymentFinished {
                outcome,
                trigger: None,
                failure_type: None,
            })
        };
        let subject = format!("{}/run-{run}", self.principal.slug());
        self.sign(&Self::draft(Some(subject), content, profile))
    }
}
