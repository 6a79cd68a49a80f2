//! The same ledger behind JetStream, on a real server: taking up, waiting, dying, losing, and what must not be there.

use std::{path::PathBuf, sync::Arc};

use async_nats::jetstream;
use futures_util::TryStreamExt as _;
use piperoll_server::{
    audit::audit,
    clock::System,
    engine::{self, Engine},
    intake::{Answer, Wait},
    receipts,
    status::{Projecting, Snapshot, Streaming},
    stream::jetstream as ours,
};

use crate::{
    nats::{Nats, program},
    support::{Home, until},
};

/// A founded ledger and a NATS server.
struct House {
    home: Home,
    nats: Nats,
}
impl House {
    async fn new(test: &str) -> Option<Self> {
        let program = program(test)?;
        let home = Home::new().await;
        Some(Self {
            nats: Nats::start(&program),
            home,
        })
    }
    fn config(&self) -> engine::Config {
        engine::Config {
            nats: Some(ours::Config::new(self.nats.url())),
            // NATS stamps by the system's clock.
            clock: Arc::new(System),
            ..self.home.engine()
        }
    }
    async fn start(&self) -> Engine {
        Engine::start(self.config()).await.unwrap()
    }
    async fn stream(&self) -> jetstream::stream::Stream {
        self.nats
            .client()
            .await
            .get_stream("piperoll-main")
            .await
            .unwrap()
    }
    /// Publishes on NATS itself, as a pipeline does.
    async fn publish(&self, message: Vec<u8>) -> u64 {
        let context = self.nats.client().await;
        let subject = "piperoll.v1.in.main.pipeline-build";
        context
            .publish(subject, message.into())
            .await
            .unwrap()
            .await
            .unwrap()
            .sequence
    }
}
fn index(answer: &Answer) -> u64 {
    match answer {
        Answer::Recorded { index, .. } | Answer::Duplicate { index, .. } => *index,
        other => panic!("{other:?}"),
    }
}
fn is_connected(now: &Snapshot) -> bool {
    matches!(
        now.streaming,
        Streaming::JetStream {
            connected: true,
            ..
        }
    )
}
fn halted(now: &Snapshot) -> Option<&str> {
    match &now.projecting {
        Projecting::Halted { why, .. } => Some(why),
        _ => None,
    }
}

#[tokio::test]
async fn the_first_start_with_nats_records_that_the_stream_is_followed() {
    let Some(house) = House::new("the_first_start_with_nats").await else {
        return;
    };
    let engine = house.start().await;
    let entries = engine.store.entries(0, 10).await.unwrap();
    assert_eq!(entries[1].kind, "stream.adopted");
    let answer = engine
        .intake
        .submit(house.home.person(1), Wait::Recorded)
        .await;
    assert_eq!(index(&answer.unwrap()), 2);
    let twice = engine
        .intake
        .submit(house.home.person(1), Wait::Recorded)
        .await;
    assert!(
        matches!(twice, Ok(Answer::Duplicate { index: 2, .. })),
        "{twice:?}"
    );
    engine.shutdown().await;

    // The second start only compares, and the stream goes on where it was.
    let engine = house.start().await;
    let answer = engine
        .intake
        .submit(house.home.person(2), Wait::Published)
        .await;
    assert_eq!(index(&answer.unwrap()), 3);
    let report = audit(&*engine.store, Some(house.home.founded.ledger))
        .await
        .unwrap();
    assert_eq!((report.entries, report.messages), (4, [4, 1, 0, 0]));
    engine.shutdown().await;

    // Without NATS the ledger would read another stream than it follows.
    let error = Engine::start(house.home.engine()).await.err().unwrap();
    assert!(matches!(error, engine::Error::NatsNeeded(_)), "{error}");
}

#[tokio::test]
async fn what_is_stored_is_answered_at_once_and_its_receipt_follows() {
    let Some(house) = House::new("what_is_stored").await else {
        return;
    };
    let engine = house.start().await;
    let answer = engine
        .intake
        .submit(house.home.person(1), Wait::Stored)
        .await;
    let Ok(Answer::Accepted { payload_hash }) = answer else {
        panic!("{answer:?}");
    };
    until(&engine.status, |now| now.published == 3).await;
    let receipt = engine.receipts.of_payload(payload_hash).await.unwrap();
    assert_eq!(receipt.state, receipts::State::Published);
    engine.shutdown().await;
}

#[tokio::test]
async fn what_goes_past_the_intake_is_judged_all_the_same() {
    let Some(house) = House::new("what_goes_past_the_intake").await else {
        return;
    };
    let engine = house.start().await;
    house.publish(b"no envelope".to_vec()).await;
    house.publish(house.home.person(1)).await;
    let control = house.home.gap("nowhere", 1, 2);
    let last = house.publish(control).await;
    until(&engine.status, |now| now.sequence == last).await;
    assert_eq!(engine.status.now().size, 3);
    let junk = engine.store.junk(10).await.unwrap();
    assert_eq!(junk[0].subject, "pipeline-build");
    let refused = engine.store.refused(None, 10).await.unwrap();
    assert!(
        refused[0].detail.contains("control entry"),
        "{:?}",
        refused[0]
    );
    let shape = engine
        .intake
        .submit(b"no envelope".to_vec(), Wait::Stored)
        .await;
    assert!(matches!(shape, Ok(Answer::Refused { .. })), "{shape:?}");
    audit(&*engine.store, None).await.unwrap();
    engine.shutdown().await;
}

#[tokio::test]
async fn the_servers_death_in_the_middle_loses_and_doubles_nothing() {
    let Some(mut house) = House::new("the_servers_death").await else {
        return;
    };
    let engine = house.start().await;
    let mut waiting: Vec<u8> = (0..120).collect();
    for round in 0..3 {
        let sent = waiting.split_off(waiting.len() - 40);
        let submissions = sent.iter().map(|number| {
            let message = house.home.person(*number);
            engine.intake.submit(message, Wait::Stored)
        });
        let submissions = futures_util::future::join_all(submissions);
        let answers = if round == 1 {
            // Killed while publishing; whoever was not told "stored" sends again.
            let mut submissions = Box::pin(submissions);
            let early = tokio::select! {
                biased;
                answers = &mut submissions => Some(answers),
                () = std::future::ready(()) => None,
            };
            house.nats.kill();
            let lost = |now: &Snapshot| !is_connected(now);
            until(&engine.status, lost).await;
            let refused = engine
                .intake
                .submit(house.home.person(200), Wait::Stored)
                .await;
            assert!(refused.unwrap_err().why.contains("NATS"));
            house.nats.restart();
            match early {
                Some(answers) => answers,
                None => submissions.await,
            }
        } else {
            submissions.await
        };
        until(&engine.status, is_connected).await;
        for (number, answer) in sent.iter().zip(answers) {
            if answer.is_err() {
                let again = engine
                    .intake
                    .submit(house.home.person(*number), Wait::Recorded);
                index(&again.await.unwrap());
            }
        }
    }
    until(&engine.status, |now| now.size == 122).await;
    let report = audit(&*engine.store, None).await.unwrap();
    assert_eq!(report.entries, 122);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_hole_in_the_stream_halts_until_an_administrator_accepts_it() {
    let Some(house) = House::new("a_hole_in_the_stream").await else {
        return;
    };
    let engine = house.start().await;
    let answer = engine
        .intake
        .submit(house.home.person(1), Wait::Recorded)
        .await;
    assert_eq!(index(&answer.unwrap()), 2);
    engine.shutdown().await;

    // While nobody reads, three messages come and the first two vanish.
    for number in 2..5 {
        house.publish(house.home.person(number)).await;
    }
    let stream = house.stream().await;
    let mut config = stream.cached_info().config.clone();
    let context = house.nats.client().await;
    // Deleting and purging are denied for good, but a limit does it.
    config.max_messages = 1;
    config.discard = jetstream::stream::DiscardPolicy::Old;
    context.update_stream(&config).await.unwrap();

    let engine = house.start().await;
    let changed = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("discard"));
    until(&engine.status, changed).await;
    config.max_messages = -1;
    config.discard = jetstream::stream::DiscardPolicy::New;
    context.update_stream(&config).await.unwrap();
    let missing = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("2 to 3"));
    until(&engine.status, missing).await;
    let refused = engine
        .intake
        .submit(house.home.person(9), Wait::Stored)
        .await;
    assert!(refused.is_err());

    let incarnation = engine
        .store
        .head()
        .await
        .unwrap()
        .unwrap()
        .cursor
        .incarnation;
    let wrong = house.home.gap(&incarnation, 3, 3);
    let wrong = engine.intake.submit(wrong, Wait::Stored).await.unwrap();
    assert!(matches!(wrong, Answer::Refused { .. }), "{wrong:?}");
    let accepted = house.home.gap(&incarnation, 2, 3);
    let accepted = engine.intake.submit(accepted, Wait::Stored).await.unwrap();
    assert_eq!(index(&accepted), 3);
    until(&engine.status, |now| now.sequence == 4 && now.size == 5).await;
    audit(&*engine.store, None).await.unwrap();
    engine.shutdown().await;
}

#[tokio::test]
async fn a_control_entry_that_is_not_recorded_does_not_disturb_the_reading() {
    let Some(house) = House::new("a_control_entry_that_is_not_recorded").await else {
        return;
    };
    let engine = house.start().await;
    let readers = async || -> Vec<String> {
        let stream = house.stream().await;
        stream.consumer_names().try_collect().await.unwrap()
    };
    let first = engine.intake.submit(house.home.person(1), Wait::Recorded);
    assert_eq!(index(&first.await.unwrap()), 2);
    let before = readers().await;
    assert_eq!(before.len(), 1);
    let incarnation = engine
        .store
        .head()
        .await
        .unwrap()
        .unwrap()
        .cursor
        .incarnation;
    for message in [
        house.home.gap_by_a_stranger(),
        house.home.gap(&incarnation, 7, 9),
        house.home.gap(&incarnation, 7, 9),
    ] {
        let answer = engine.intake.submit(message, Wait::Recorded).await.unwrap();
        assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
    }
    assert_eq!(readers().await, before, "nothing is read anew");
    // One that is recorded has the stream read anew, and leaves no reader behind.
    let ahead = house.home.correction(&incarnation, 50, house.home.now());
    let answer = engine.intake.submit(ahead, Wait::Recorded).await.unwrap();
    assert_eq!(index(&answer), 3);
    let second = engine.intake.submit(house.home.person(2), Wait::Recorded);
    assert_eq!(index(&second.await.unwrap()), 4);
    assert_eq!(readers().await.len(), 1);
    audit(&*engine.store, None).await.unwrap();
    engine.shutdown().await;
}

#[tokio::test]
async fn another_stream_of_the_same_name_halts_until_it_is_adopted() {
    let Some(house) = House::new("another_stream").await else {
        return;
    };
    let engine = house.start().await;
    let answer = engine
        .intake
        .submit(house.home.person(1), Wait::Recorded)
        .await;
    assert_eq!(index(&answer.unwrap()), 2);
    let context = house.nats.client().await;
    context.delete_stream("piperoll-main").await.unwrap();
    let gone = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("is gone"));
    until(&engine.status, gone).await;
    engine.shutdown().await;

    let mut config = house.config();
    if let Some(nats) = &mut config.nats {
        nats.adopt = true;
    }
    let engine = Engine::start(config).await.unwrap();
    let twice = engine
        .intake
        .submit(house.home.person(1), Wait::Recorded)
        .await;
    assert!(
        matches!(twice, Ok(Answer::Duplicate { index: 2, .. })),
        "{twice:?}"
    );
    let entries = engine.store.entries(0, 10).await.unwrap();
    assert_eq!(entries[3].kind, "stream.adopted");
    audit(&*engine.store, None).await.unwrap();
    engine.shutdown().await;
}

#[tokio::test]
async fn a_message_from_the_future_halts_until_its_time_is_corrected() {
    let Some(house) = House::new("a_message_from_the_future").await else {
        return;
    };
    // To this clock, NATS is days ahead.
    house.home.clock.set("2026-11-17T00:00:00Z");
    let config = engine::Config {
        clock: house.home.clock.clone(),
        ..house.config()
    };
    let engine = Engine::start(config).await.unwrap();
    let stored = engine
        .intake
        .submit(house.home.person(1), Wait::Stored)
        .await;
    assert!(matches!(stored, Ok(Answer::Accepted { .. })), "{stored:?}");
    let ahead = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("ahead"));
    let now = until(&engine.status, ahead).await;
    assert_eq!(now.size, 2, "nothing of it is recorded");
    let stream = house.stream().await;
    let message = stream.get_raw_message(1).await.unwrap();
    let stamped = jiff::Timestamp::from_nanosecond(message.time.unix_timestamp_nanos());
    let cursor = engine.store.head().await.unwrap().unwrap().cursor;
    let correction = house
        .home
        .correction(&cursor.incarnation, 1, stamped.unwrap());
    let answer = engine
        .intake
        .submit(correction, Wait::Stored)
        .await
        .unwrap();
    assert_eq!(index(&answer), 2);
    until(&engine.status, |now| now.sequence == 1).await;
    let entry = engine.store.entries_at(&[3]).await.unwrap().pop().unwrap();
    assert_eq!(entry.recorded_at, house.home.now());
    engine.shutdown().await;
}

#[tokio::test]
async fn nats_that_does_not_answer_at_the_start_is_said_with_its_address_and_no_password() {
    let home = Home::new().await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = engine::Config {
        nats: Some(ours::Config::new(format!(
            "nats://user:secret@127.0.0.1:{port}"
        ))),
        ..home.engine()
    };
    let error = Engine::start(config).await.err().unwrap().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.contains("--nats"), "{error}");
    assert!(!error.contains("secret"), "{error}");

    let config = ours::Config {
        credentials: Some(PathBuf::from("/nowhere/creds")),
        ..ours::Config::new("nats://127.0.0.1:1")
    };
    let config = engine::Config {
        nats: Some(config),
        ..home.engine()
    };
    let error = Engine::start(config).await.err().unwrap().to_string();
    assert!(error.contains("/nowhere/creds"), "{error}");
}

#[tokio::test]
async fn a_stream_that_lost_its_tail_or_was_rewritten_halts() {
    let Some(mut house) = House::new("a_stream_that_lost_its_tail").await else {
        return;
    };
    let engine = house.start().await;
    for number in 1..5 {
        let answer = engine
            .intake
            .submit(house.home.person(number), Wait::Recorded)
            .await;
        index(&answer.unwrap());
    }
    engine.shutdown().await;
    house.nats.kill();
    house.nats.truncate("piperoll-main");
    house.nats.restart();

    let engine = house.start().await;
    let shorter = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("has read up to 4"));
    until(&engine.status, shorter).await;
    engine.shutdown().await;

    // Others take the sequences that were lost.
    for number in 11..15 {
        house.publish(house.home.person(number)).await;
    }
    let engine = house.start().await;
    let other = |now: &Snapshot| halted(now).is_some_and(|why| why.contains("is not the one"));
    until(&engine.status, other).await;
    assert_eq!(engine.status.now().size, 6);
    engine.shutdown().await;
}
