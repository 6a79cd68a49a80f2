//! An emitter's client against a real server: from the first use of its address to a verified receipt.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use piperoll_client::{
    courier::{Courier, Fate, Patience, Why},
    delivery::Wait,
    ledger::{self, Identified, Ledger},
    outbox::{Counts, Outbox},
    server::Server,
    state,
};
use piperoll_core::{
    authority::{self, Grants, Purpose, Scheme},
    draft::Draft,
    envelope::Envelope,
    event::Profile,
    key_file,
    kind::{Content, Custody, DeploymentStarted, KeyRegistered},
    name::{LedgerId, Origin, Principal, PrincipalKind},
};
use piperoll_server::{clock, engine, entropy, found, serve};
use piperoll_tlog::{encoding, key::SecretKey};
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_mins(1);
const PATIENT: Patience = Patience {
    unavailable: MINUTE,
    unreachable: MINUTE,
};

/// A folder with a ledger in it.
async fn found(folder: &Path) -> found::Founded {
    let founding = found::Founding {
        data: folder.join("data"),
        database: None,
        origin: Origin::parse("piperoll.acme.example/log/main").unwrap(),
        recovery_key: folder.join("recovery"),
        clock: Arc::new(clock::System),
        entropy: entropy::system,
    };
    found::found(founding).await.unwrap()
}
async fn serve(folder: &Path, listen: SocketAddr) -> serve::Running {
    let engine = engine::Config {
        data: folder.join("data"),
        database: None,
        state: folder.join("state"),
        nats: None,
        clock: Arc::new(clock::System),
        entropy: entropy::system,
    };
    serve::start(serve::Config {
        engine,
        listen,
        public_url: None,
    })
    .await
    .unwrap()
}
fn sign(draft: &Draft, source: &Principal, key: &SecretKey) -> Envelope {
    draft
        .sign(source, key, &mut |bytes| entropy::system(bytes))
        .unwrap()
}
fn draft(ledger: LedgerId, subject: &str, content: Content) -> Draft {
    Draft {
        id: None,
        timestamp: clock::Clock::now(&clock::System),
        subject: Some(subject.to_owned()),
        content,
        profile: Profile {
            ledger: Some(ledger),
            ..Profile::default()
        },
        texts: BTreeMap::new(),
    }
}
/// An administrator registers a pipeline's key.
fn registration(
    folder: &Path,
    ledger: LedgerId,
    pipeline: &Principal,
    key: &SecretKey,
) -> Envelope {
    let admin = std::fs::read_to_string(folder.join("data/keys/admin")).unwrap();
    let (admin, administrator) = key_file::read(&admin).unwrap();
    let public = *key.public().as_bytes();
    let purpose = Purpose::EventPipeline;
    let message =
        authority::possession_message(&ledger, pipeline, purpose, Scheme::Ed25519, &public);
    let everything = || vec!["*".to_owned()];
    let content = KeyRegistered {
        key: encoding::base64(&public),
        scheme: Scheme::Ed25519,
        principal: pipeline.clone(),
        purpose,
        custody: Custody::File,
        possession: encoding::base64(&key.sign(&message)),
        grants: Some(Grants {
            kinds: everything(),
            services: everything(),
            environments: everything(),
        }),
        until: None,
        established: None,
    };
    let draft = draft(
        ledger,
        &authority::keyid(&public),
        Content::KeyRegistered(content),
    );
    sign(&draft, &Principal::parse(&administrator).unwrap(), &admin)
}
fn deployment(ledger: LedgerId, pipeline: &Principal, key: &SecretKey) -> Envelope {
    let mut draft = draft(
        ledger,
        "run-1",
        Content::DeploymentStarted(DeploymentStarted { trigger: None }),
    );
    draft.profile.service = Some("checkout".to_owned());
    draft.profile.environment = Some("production".to_owned());
    draft.profile.binds = Some(Vec::new());
    sign(&draft, pipeline, key)
}

/// A ledger, its server and one emitter whose key nobody has registered yet.
struct Scene {
    folder: TempDir,
    state: state::Folder,
    server: Server,
    ledger: Ledger,
    outbox: Outbox,
    pipeline: Principal,
    key: SecretKey,
}
impl Scene {
    async fn new() -> (Self, serve::Running) {
        let folder = tempfile::tempdir().unwrap();
        let founded = found(folder.path()).await;
        let running = serve(folder.path(), "127.0.0.1:0".parse().unwrap()).await;
        let state = state::Folder::open(&folder.path().join("emitter")).unwrap();
        let server = Server::new(&format!("http://{}", running.address()), None).unwrap();
        let Identified { ledger, first_use } =
            ledger::identify(&state, &server, None).await.unwrap();
        assert!(first_use);
        assert_eq!(
            (ledger.id, ledger.verifier.encode()),
            (founded.ledger, founded.vkey)
        );
        let scene = Self {
            outbox: Outbox::open(&state.outbox(ledger.id)).unwrap(),
            pipeline: Principal::named(PrincipalKind::Pipeline, "checkout-deploy").unwrap(),
            key: SecretKey::from_seed(entropy::take(entropy::system)),
            folder,
            state,
            server,
            ledger,
        };
        (scene, running)
    }
    fn courier(&self, patience: Patience) -> Courier<'_> {
        Courier {
            outbox: &self.outbox,
            folder: &self.state,
            server: &self.server,
            ledger: &self.ledger,
            wait: Wait::Published,
            patience,
        }
    }
    async fn send(&self, event: Envelope) -> Fate {
        let claim = self
            .outbox
            .keep(event, clock::Clock::now(&clock::System))
            .unwrap();
        self.courier(PATIENT).send(claim).await.unwrap()
    }
    fn registration(&self) -> Envelope {
        registration(
            self.folder.path(),
            self.ledger.id,
            &self.pipeline,
            &self.key,
        )
    }
    fn deployment(&self) -> Envelope {
        deployment(self.ledger.id, &self.pipeline, &self.key)
    }
}

#[tokio::test]
async fn an_event_waits_for_its_key_and_for_its_server_and_is_then_recorded_once() {
    let (scene, running) = Scene::new().await;
    let fate = scene.send(scene.deployment()).await;
    let Fate::Waiting(Why::Retry(problem)) = fate else {
        panic!("{fate:?}")
    };
    assert_eq!(
        (problem.status, problem.reason.as_deref()),
        (425, Some("unknown key"))
    );
    let fate = scene.send(scene.registration()).await;
    assert!(
        matches!(
            fate,
            Fate::Recorded {
                index: 1,
                again: false
            }
        ),
        "{fate:?}"
    );

    let address = running.address();
    running.shutdown().await;
    let report = scene
        .courier(Patience::default())
        .flush(MINUTE)
        .await
        .unwrap();
    assert!(
        matches!(report.fates[..], [(_, Fate::Waiting(Why::Unreachable(_)))]),
        "{report:?}"
    );
    let running = serve(scene.folder.path(), address).await;
    let report = scene.courier(PATIENT).flush(MINUTE).await.unwrap();
    assert!(
        matches!(
            report.fates[..],
            [(
                _,
                Fate::Recorded {
                    index: 2,
                    again: false
                }
            )]
        ),
        "{report:?}"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn an_event_sent_twice_is_one_entry_and_its_receipt_verifies() {
    let (scene, running) = Scene::new().await;
    scene.send(scene.registration()).await;
    let event = scene.deployment();
    let first = scene.send(event.clone()).await;
    assert!(
        matches!(
            first,
            Fate::Recorded {
                index: 2,
                again: false
            }
        ),
        "{first:?}"
    );
    let second = scene.send(event).await;
    assert!(
        matches!(
            second,
            Fate::Recorded {
                index: 2,
                again: true
            }
        ),
        "{second:?}"
    );

    let mut report = scene.courier(PATIENT).fetch_receipts(MINUTE).await.unwrap();
    report.receipts.sort_unstable();
    assert_eq!(report.receipts, [1, 2, 2]);
    assert!(
        report.alarms.is_empty() && report.stopped.is_none(),
        "{report:?}"
    );
    assert_eq!(scene.outbox.counts().unwrap(), Counts::default());
    assert!(scene.outbox.receipt_path(2).exists());
    assert_eq!(scene.state.seen(scene.ledger.id).unwrap().unwrap().size, 3);
    running.shutdown().await;
}
