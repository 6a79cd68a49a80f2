//! A seeded list of messages with their stream times, genesis included: events of several emitters, and among them everything that
//! the ledger does not record: repetitions, other events under a known id, missing grants, unknown keys, wrong signatures, junk.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use piperoll_core::{
    authority::Purpose,
    draft::Draft,
    envelope::Envelope,
    event::{Bind, Digest},
    kind::{
        Alert, ApprovalCreated, ChangeContent, Content, DeploymentFinished, DeploymentStarted,
        Outcome, Repository, RollbackFinished, Trigger,
    },
    name::{Principal, PrincipalKind},
    time::Timestamp,
};
use piperoll_server::{
    projector::{Message, Position},
    receipts::envelope_of,
};
use piperoll_store::{self as store, OpenMode};
use piperoll_tlog::{encoding, hash::sha256, key::SecretKey};

use crate::{crash::Random, ledger::Ledger, signer::Signer};

/// Few enough that a slot sees many deployments, enough that none becomes long.
const SERVICES: u64 = 60;

/// Founds a ledger of its own and gives `count` messages for it, its entry 0 first.
pub(crate) async fn messages(seed: u64, count: usize) -> Vec<Message> {
    let ledger = Ledger::found();
    let store = store::sqlite::open(&ledger.path("data/ledger.db"), OpenMode::ReadOnly)
        .await
        .unwrap();
    let genesis = store.entries(0, 1).await.unwrap().remove(0);
    store.close().await;
    let mut week = Story::new(seed, &ledger, genesis.recorded_at);
    week.keep(envelope_of(&genesis).unwrap().to_json().into_bytes());
    week.register(&ledger);
    while week.messages.len() < count {
        week.step();
    }
    week.messages
}

struct Story {
    random: Random,
    now: Timestamp,
    messages: Vec<Message>,
    pipelines: Vec<Signer>,
    /// May speak of one service only.
    narrow: Signer,
    /// Nobody has registered its key.
    stranger: Signer,
    monitor: Signer,
    /// Events that are to be sent again, or whose id is to be used again.
    sent: Vec<Envelope>,
    drafts: Vec<Draft>,
    /// Events that were sent without their words.
    wordless: Vec<Envelope>,
    number: u64,
}

impl Story {
    fn new(seed: u64, ledger: &Ledger, now: Timestamp) -> Self {
        Self {
            random: Random::new(seed),
            now,
            messages: Vec::new(),
            pipelines: (0..4)
                .map(|n| Signer::named(ledger, &format!("pipeline-{n}")))
                .collect(),
            narrow: Signer::named(ledger, "narrow"),
            stranger: Signer::named(ledger, "stranger"),
            monitor: Signer {
                principal: Principal::named(PrincipalKind::Monitor, "monitor").unwrap(),
                key: SecretKey::from_seed([5; 32]),
                ledger: ledger.id,
            },
            sent: Vec::new(),
            drafts: Vec::new(),
            wordless: Vec::new(),
            number: 0,
        }
    }

    fn keep(&mut self, bytes: Vec<u8>) {
        // Mostly forwards, sometimes back: the ledger's own time never goes back.
        let step = i64::try_from(self.random.below(4_000)).unwrap() - 500;
        if !self.messages.is_empty() {
            self.now += SignedDuration::from_millis(step);
        } // the ledger's id depends on the time of entry 0
        self.messages.push(Message {
            bytes,
            stream_time: self.now,
            position: Position::Next,
        });
    }

    fn register(&mut self, ledger: &Ledger) {
        let administrator = ledger.administrator();
        let pipelines = self.pipelines.iter().map(Signer::registration);
        let narrow = self
            .narrow
            .registration_for(Purpose::EventPipeline, "service-0");
        let monitor = self.monitor.registration_for(Purpose::EventMonitor, "*");
        for draft in pipelines.chain([narrow, monitor]).collect::<Vec<_>>() {
            let signed = self.sign(&administrator, &draft);
            self.keep(signed.to_json().into_bytes());
        }
    }

    fn sign(&mut self, signer: &Signer, draft: &Draft) -> Envelope {
        let random = &mut self.random;
        let mut entropy = |buffer: &mut [u8]| {
            for byte in buffer {
                *byte = u8::try_from(random.below(256)).unwrap();
            }
        };
        draft
            .sign(&signer.principal, &signer.key, &mut entropy)
            .unwrap()
    }

    /// One more message.
    fn step(&mut self) {
        let choice = self.random.below(100);
        match choice {
            0..79 => self.event(choice),
            79..85 => {
                let again = self.one_of_the_sent();
                self.keep(again.to_json().into_bytes());
            }
            85..88 => {
                let mut draft = self.deployment(&clone(&self.narrow));
                draft.profile.service = Some("service-1".to_owned());
                self.send(&clone(&self.narrow), &draft);
            }
            88..90 => {
                let draft = self.deployment(&clone(&self.stranger));
                self.send(&clone(&self.stranger), &draft);
            }
            90..92 => self.equivocate(),
            92..94 => {
                let length = usize::try_from(self.random.below(60)).unwrap();
                self.keep(vec![b'{'; length]);
            }
            94..96 => {
                let mut forged = self.one_of_the_sent();
                forged.signature[7] ^= 1;
                self.keep(forged.to_json().into_bytes());
            }
            96..98 => self.change_words(),
            _ => self.late_words(),
        }
    }

    fn event(&mut self, choice: u64) {
        let which = usize::try_from(self.random.below(4)).unwrap();
        let pipeline = clone(&self.pipelines[which]);
        let (signer, draft) = match choice {
            0..60 => {
                let draft = self.deployment(&pipeline);
                (pipeline, draft)
            }
            60..64 => {
                let mut draft = self.deployment(&pipeline);
                draft.content = Content::RollbackFinished(RollbackFinished {
                    trigger: Trigger::Manual,
                    outcome: Outcome::Success,
                });
                (pipeline, draft)
            }
            64..70 => {
                let draft = self.merged(&pipeline);
                (pipeline, draft)
            }
            70..75 => {
                let draft = self.asked(&pipeline);
                (pipeline, draft)
            }
            _ => {
                let monitor = clone(&self.monitor);
                let draft = self.alert(&monitor);
                (monitor, draft)
            }
        };
        self.send(&signer, &draft);
        self.drafts.push(draft);
    }
    fn send(&mut self, signer: &Signer, draft: &Draft) {
        let envelope = self.sign(signer, draft);
        self.keep(envelope.to_json().into_bytes());
        self.sent.push(envelope);
    }

    fn draft(&mut self, signer: &Signer, subject: String, content: Content) -> Draft {
        self.number += 1;
        let mut draft = Signer::draft(Some(subject), content, signer.profile());
        draft.id = Some(format!("event-{}", self.number));
        draft.timestamp = self.now;
        draft
    }
    /// Starts and ends of runs; about every second one names its commit, which some change has as its own.
    fn deployment(&mut self, signer: &Signer) -> Draft {
        let run = self.number / 2;
        let content = if self.random.below(2) == 0 {
            Content::DeploymentStarted(DeploymentStarted { trigger: None })
        } else {
            let outcome = [Outcome::Success, Outcome::Success, Outcome::Failure]
                [usize::try_from(self.random.below(3)).unwrap()];
            Content::DeploymentFinished(DeploymentFinished {
                outcome,
                trigger: None,
                failure_type: None,
            })
        };
        let mut draft = self.draft(
            signer,
            format!("{}/run-{run}", signer.principal.slug()),
            content,
        );
        draft.profile.service = Some(format!("service-{}", self.random.below(SERVICES)));
        let environment = ["staging", "production"][usize::try_from(self.random.below(2)).unwrap()];
        draft.profile.environment = Some(environment.to_owned());
        let mut binds = vec![image(self.random.below(400))];
        if self.random.below(2) == 0 {
            binds.push(commit("commit", self.random.below(300)));
        }
        draft.profile.binds = Some(binds);
        if self.random.below(5) == 0 {
            draft
                .texts
                .insert("actor".to_owned(), "somebody".to_owned());
        }
        draft
    }
    fn merged(&mut self, signer: &Signer) -> Draft {
        let change = self.random.below(300);
        let id = format!("github:acme/shop#{change}");
        let content = Content::ChangeMerged(ChangeContent {
            repository: Repository {
                id: "acme/shop".to_owned(),
                source: "https://code.example".to_owned(),
            },
            description: None,
        });
        let mut draft = self.draft(signer, id.clone(), content);
        draft.profile.change = Some(id);
        draft.profile.service = Some(format!("service-{}", change % SERVICES));
        draft.profile.binds = Some(vec![commit("head", change), commit("merge", change + 1000)]);
        draft
    }
    fn asked(&mut self, signer: &Signer) -> Draft {
        let bind = image(self.random.below(400));
        let Digest::Sha256(digest) = &bind.digest else {
            unreachable!("an image has a sha256")
        };
        let id = format!("event-{}", self.number + 1);
        let content = Content::ApprovalCreated(ApprovalCreated {
            approval_details_url: format!("urn:piperoll:approval:{id}"),
            resource_target_url: format!("urn:sha256:{}", digest.to_hex()),
            requestor: signer.principal.as_str().to_owned(),
        });
        let mut draft = self.draft(signer, id, content);
        draft.profile.service = Some(format!("service-{}", self.random.below(SERVICES)));
        draft.profile.environment = Some("production".to_owned());
        draft.profile.binds = Some(vec![bind]);
        draft
            .texts
            .insert("summary".to_owned(), format!("May we? {}", self.number));
        draft
    }
    fn alert(&mut self, signer: &Signer) -> Draft {
        let (key, starts_at) = (
            format!("alert-{}", self.random.below(50)),
            self.now.to_string(),
        );
        let content = Content::AlertFired(Alert {
            alert_key: key.clone(),
            starts_at: starts_at.clone(),
            ends_at: None,
            name: Some("HighErrorRate".to_owned()),
            severity: None,
            labels: Some(BTreeMap::from([("n".to_owned(), self.number.to_string())])),
            generator_url: None,
        });
        let mut draft = self.draft(signer, format!("{key}@{starts_at}"), content);
        draft.profile.service = Some(format!("service-{}", self.random.below(SERVICES)));
        draft.profile.environment = Some("production".to_owned());
        draft
    }

    fn one_of_the_sent(&mut self) -> Envelope {
        if self.sent.is_empty() {
            self.event(0);
        }
        let which = self.random.below(self.sent.len() as u64);
        self.sent[usize::try_from(which).unwrap()].clone()
    }
    /// Another event under an id that is taken.
    fn equivocate(&mut self) {
        if self.drafts.is_empty() {
            self.event(0);
        }
        let which = usize::try_from(self.random.below(self.drafts.len() as u64)).unwrap();
        let mut draft = self.drafts[which].clone();
        draft.timestamp += SignedDuration::from_secs(1);
        let signer = clone(&self.pipelines[which % 4]);
        if let Content::DeploymentStarted(_) | Content::DeploymentFinished(_) = draft.content {
            let envelope = self.sign(&signer, &draft);
            self.keep(envelope.to_json().into_bytes());
        }
    }
    /// Words that are not those whose hash was signed.
    fn change_words(&mut self) {
        let signer = clone(&self.pipelines[0]);
        let draft = self.asked(&signer);
        let mut envelope = self.sign(&signer, &draft);
        for text in envelope.texts.values_mut() {
            text.body.push('!');
        }
        self.keep(envelope.to_json().into_bytes());
    }
    /// An event without its words, or the words of an earlier one.
    fn late_words(&mut self) {
        if let Some(whole) = self.wordless.pop() {
            return self.keep(whole.to_json().into_bytes());
        }
        let signer = clone(&self.pipelines[0]);
        let draft = self.asked(&signer);
        let whole = self.sign(&signer, &draft);
        let mut bare = whole.clone();
        bare.texts.clear();
        self.keep(bare.to_json().into_bytes());
        self.wordless.push(whole);
    }
}

fn clone(signer: &Signer) -> Signer {
    Signer {
        principal: signer.principal.clone(),
        key: signer.key.clone(),
        ledger: signer.ledger,
    }
}
fn image(number: u64) -> Bind {
    Bind {
        name: "image".to_owned(),
        digest: Digest::Sha256(sha256(&number.to_le_bytes())),
    }
}
fn commit(name: &str, number: u64) -> Bind {
    let hash = sha256(&[&b"commit"[..], &number.to_le_bytes()].concat());
    Bind {
        name: name.to_owned(),
        digest: Digest::GitCommit(encoding::hex(&hash.0[..20])),
    }
}
