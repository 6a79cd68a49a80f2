//! Founding a ledger, starting a server on it, and the ways in which that is refused.

use std::{fs, os::unix::fs::PermissionsExt};

use piperoll_core::Hash;
use piperoll_server::{
    engine,
    engine::Engine,
    folder, found,
    found::found,
    intake::{Answer, Wait},
    receipts, serve,
};
use piperoll_tlog::{note::VerifierKey, receipt::Receipt};

use crate::support::{Home, founding, until};

#[tokio::test]
async fn a_founded_ledger_is_served_and_its_receipts_hold() {
    let home = Home::new().await;
    let running = serve::start(home.serving()).await.unwrap();
    assert_eq!(running.state().ledger.id, home.founded.ledger);
    let intake = &running.state().intake;
    let answer = intake
        .submit(home.person(1), Wait::Published)
        .await
        .unwrap();
    let Answer::Recorded {
        index,
        payload_hash,
        ..
    } = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(index, 1);
    let receipts = &running.state().receipts;
    let receipt = receipts.of_payload(payload_hash).await.unwrap();
    assert_eq!(receipt.state, receipts::State::Published);
    let proof = Receipt::parse(&receipt.proof.unwrap()).unwrap();
    let key = VerifierKey::parse(&home.founded.vkey).unwrap();
    assert_eq!(proof.verify(&key).unwrap().size, 2);
    assert_eq!(proof.index, 1);
    running.shutdown().await;
}

#[tokio::test]
async fn what_was_recorded_is_a_duplicate_after_a_restart() {
    let home = Home::new().await;
    let message = home.person(1);
    let engine = Engine::start(home.engine()).await.unwrap();
    let first = engine.intake.submit(message.clone(), Wait::Recorded).await;
    engine.shutdown().await;
    let engine = Engine::start(home.engine()).await.unwrap();
    let second = engine.intake.submit(message, Wait::Recorded).await;
    let (Ok(Answer::Recorded { leaf, .. }), Ok(Answer::Duplicate { leaf: again, .. })) =
        (&first, &second)
    else {
        panic!("{first:?} {second:?}");
    };
    assert_eq!(leaf, again);
    until(&engine.status, |now| now.published == 2).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_receipt_says_how_far_a_payload_has_come() {
    let home = Home::new().await;
    let engine = Engine::start(home.engine()).await.unwrap();
    let unseen = engine.receipts.of_payload(Hash([7; 32])).await.unwrap();
    assert_eq!(unseen.state, receipts::State::NotSeen);
    let genesis = engine.receipts.genesis().await.unwrap();
    assert_eq!(genesis.ledger, home.founded.ledger.0.to_hex());
    let leaf = piperoll_tlog::hash::sha256(genesis.leaf.as_bytes());
    assert_eq!(leaf.to_hex(), genesis.ledger);
    assert!(genesis.envelope["payload"].is_string());
    engine.shutdown().await;
}

#[tokio::test]
async fn founding_leaves_keys_that_only_their_owner_reads_and_nothing_else() {
    let home = Home::new().await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    for name in ["event", "checkpoint", "admin"] {
        assert_eq!(mode(&home.data().join("keys").join(name)), 0o600);
    }
    assert_eq!(mode(&home.data().join("ledger.db")), 0o600);
    assert_eq!(mode(&home.path().join("recovery")), 0o600);
    let mut names: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ledger", "recovery"]);
}

#[tokio::test]
async fn founding_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let home = Home::new().await;
    let again = found(founding(home.path(), &home.clock)).await;
    assert!(
        matches!(again, Err(found::Error::HoldsLedger(_))),
        "{again:?}"
    );

    let mut other = founding(home.path(), &home.clock);
    other.data = home.path().join("other");
    let there = found(other).await;
    assert!(
        matches!(there, Err(found::Error::RecoveryThere(_))),
        "{there:?}"
    );

    let mut inside = founding(home.path(), &home.clock);
    inside.data = home.path().join("other");
    inside.recovery_key = inside.data.join("keys/recovery");
    let inside = found(inside).await;
    assert!(
        matches!(inside, Err(found::Error::RecoveryInside)),
        "{inside:?}"
    );

    let mut taken = founding(home.path(), &home.clock);
    taken.data = home.path().join("taken");
    taken.recovery_key = home.path().join("second");
    fs::create_dir(&taken.data).unwrap();
    fs::write(taken.data.join("notes"), "mine").unwrap();
    let taken = found(taken).await;
    assert!(matches!(taken, Err(found::Error::NotEmpty(_))), "{taken:?}");
    assert!(!home.path().join("other").exists());
    assert!(!home.path().join("second").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_served_is_refused_with_its_reason() {
    let home = Home::new().await;
    let start = async |data: std::path::PathBuf| {
        let config = engine::Config {
            data,
            ..home.engine()
        };
        match Engine::start(config).await {
            Err(engine::Error::Folder(error)) => error,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("the engine started"),
        }
    };
    let missing = start(home.path().join("nowhere")).await;
    assert!(missing.to_string().contains("piperoll init"), "{missing}");
    let foreign = start(home.path().to_owned()).await;
    assert!(
        matches!(foreign, folder::Error::NotOurs { .. }),
        "{foreign}"
    );

    let running = Engine::start(home.engine()).await.unwrap();
    let locked = start(home.data()).await;
    assert!(matches!(locked, folder::Error::Locked(_)), "{locked}");
    running.shutdown().await;

    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o500)).unwrap();
    let sealed = start(home.data()).await;
    assert!(matches!(sealed, folder::Error::ReadOnly(_)), "{sealed}");
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_refused_before_anything_is_touched() {
    let home = Home::new().await;
    let first = serve::start(home.serving()).await.unwrap();
    let other = Home::new().await;
    let mut config = other.serving();
    config.listen = first.address();
    let second = serve::start(config).await.err().unwrap();
    assert!(matches!(second, serve::Error::PortInUse { .. }), "{second}");
    assert!(!other.data().join("lock").exists());
    first.shutdown().await;
}

#[tokio::test]
async fn keys_of_another_ledger_are_refused() {
    let home = Home::new().await;
    let other = Home::new().await;
    let key = "keys/checkpoint";
    fs::copy(other.data().join(key), home.data().join(key)).unwrap();
    let error = Engine::start(home.engine()).await.err().unwrap();
    assert!(matches!(error, engine::Error::WrongKey(_)), "{error}");
}
