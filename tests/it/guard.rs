//! The guard of a real server: where it is missing or does not fit, recording goes on, nothing more is signed, and everybody is told.

use std::{fs, path::PathBuf};

use piperoll_tlog::encoding;
use serde_json::Value;

use crate::{http, ledger::Ledger, server::Server, signer::Signer};

struct Scene {
    ledger: Ledger,
    pipeline: Signer,
    /// Events sent so far.
    sent: u64,
}
impl Scene {
    /// A ledger of three entries, all of them published.
    async fn new() -> (Self, Server) {
        let ledger = Ledger::found();
        let server = ledger.serve();
        let pipeline = ledger.pipeline(&server, "checkout-deploy").await;
        let mut scene = Self {
            ledger,
            pipeline,
            sent: 0,
        };
        scene.post(&server).await;
        server.wait_for_checkpoint(3).await;
        (scene, server)
    }
    /// One more event, which is recorded; gives its payload's hash.
    async fn post(&mut self, server: &Server) -> String {
        let event = self.pipeline.deployment(self.sent);
        self.sent += 1;
        let (status, body) = server.post(&event.to_json()).await;
        assert_eq!(status, 201, "{body}");
        event.payload_hash().to_hex()
    }
    fn guard(&self) -> PathBuf {
        let id = encoding::hex(&self.ledger.id.0.0);
        self.ledger.path("state/piperoll").join(id).join("guard")
    }
    fn last_checkpoint(&self) -> String {
        self.ledger.sql("select max(size) from checkpoint")
    }

    /// Serves with the guard as it is: nothing is signed, and readiness, standard error and receipts say so.
    async fn signs_nothing(&mut self, why: &[&str], remedy: &str) {
        let signed = self.last_checkpoint();
        let server = self.ledger.serve();
        let publisher = server
            .wait("/readyz", |ready| {
                let publisher = &ready["publisher"];
                (publisher["state"] == "refusing").then(|| publisher.clone())
            })
            .await;
        let told = |member: &str| publisher[member].as_str().unwrap().to_owned();
        for words in why {
            assert!(told("why").contains(words), "{words:?}: {publisher}");
        }
        assert!(
            told("why").contains(self.guard().to_str().unwrap()),
            "{publisher}"
        );
        assert!(told("remedy").contains(remedy), "{publisher}");
        let (status, ready) = server.get("/readyz").await;
        assert_eq!(
            (status, &ready["ready"]),
            (503, &Value::Bool(false)),
            "{ready}"
        );
        assert_eq!(ready["projector"]["state"], "running", "{ready}");
        assert_eq!(
            http::get(&format!("{}/healthz", server.url))
                .await
                .unwrap()
                .0,
            200
        );

        let hash = self.post(&server).await;
        let (_, receipt) = server.get(&format!("/v1/receipts/{hash}")).await;
        assert_eq!(receipt["state"], "recorded", "{receipt}");
        assert_eq!(self.last_checkpoint(), signed, "a checkpoint was signed");
        let log = server.kill();
        let complaint = log
            .lines()
            .find(|line| line.contains("no checkpoint is signed"));
        assert!(
            complaint.is_some_and(|line| line.contains(remedy) && line.contains("ERROR")),
            "{log}"
        );
        assert_eq!(self.last_checkpoint(), signed, "a checkpoint was signed");
    }
    /// With the right guard back, signing goes on where it ended.
    async fn signs_again(&mut self) {
        let server = self.ledger.serve();
        server.wait_for_checkpoint(self.sent + 2).await;
        assert_eq!(server.get("/readyz").await.0, 200);
        server.kill();
        let verify = self.ledger.run(&["verify", "--data", "data"], &[]);
        assert!(verify.status.success(), "{verify:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_is_missing_damaged_or_of_another_history_stops_signing_and_nothing_else() {
    let (mut scene, server) = Scene::new().await;
    server.kill();
    let guard = scene.guard();
    let good = fs::read_to_string(&guard).unwrap();
    assert_eq!(good.lines().nth(1), Some("3"), "{good}");

    fs::remove_file(&guard).unwrap();
    scene
        .signs_nothing(
            &["is missing", "a checkpoint of 3 entries"],
            "put the guard back",
        )
        .await;
    fs::write(&guard, "piperoll-guard/v1\n3\n").unwrap();
    scene
        .signs_nothing(&["cannot be read"], "put the guard back")
        .await;
    let root = good.lines().nth(2).unwrap();
    fs::write(&guard, good.replace(root, &"7".repeat(64))).unwrap();
    scene
        .signs_nothing(
            &["the first 3 entries are not those that were signed"],
            "piperoll verify",
        )
        .await;
    fs::write(&guard, good).unwrap();
    scene.signs_again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_a_backup_is_behind_its_guard_and_is_not_signed() {
    let (mut scene, server) = Scene::new().await;
    let backup = scene.ledger.path("backup.db");
    scene.ledger.sql(&format!(".backup '{}'", backup.display()));
    let at_backup = scene.sent;
    scene.post(&server).await;
    scene.post(&server).await;
    server.wait_for_checkpoint(5).await;
    server.kill();
    let data = scene.ledger.path("data");
    let newest = scene.ledger.path("newest.db");
    scene.ledger.sql(&format!(".backup '{}'", newest.display()));
    let put = |file: &PathBuf| {
        for ending in ["", "-wal", "-shm"] {
            let _absent = fs::remove_file(data.join(format!("ledger.db{ending}")));
        }
        fs::copy(file, data.join("ledger.db")).unwrap();
    };

    put(&backup);
    let newest_sent = scene.sent;
    scene.sent = at_backup + 10; // what is sent now was not sent before
    scene
        .signs_nothing(
            &["says that 5 entries were signed", "the database holds 3"],
            "put back the newest one",
        )
        .await;
    put(&newest);
    scene.sent = newest_sent;
    scene.signs_again().await;
}
