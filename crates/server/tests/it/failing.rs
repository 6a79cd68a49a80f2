//! Each step of the projector failed-and-lost and failed-but-kept: nothing that was answered is lost, nothing is recorded twice.

use std::sync::Arc;

use piperoll_server::{
    audit::audit,
    intake::{Answer, Intake, Unavailable, Wait},
    projector::Writer,
    status::{self, Projecting, Streaming},
    stop::Stop,
    stream::embedded::{self, Embedded},
};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    faulty::{Fault, Faulty},
    support::{Home, until},
};

/// A projector behind the embedded stream, on a store that fails when told to.
struct Works {
    home: Home,
    store: Arc<Faulty>,
    status: status::Handle,
    intake: Embedded,
    switches: [watch::Sender<bool>; 2],
    tasks: [JoinHandle<()>; 2],
}
impl Works {
    async fn start() -> Self {
        let home = Home::new().await;
        let store = Faulty::new(home.store().await, home.path()).await.shared();
        let status = status::Handle::new(Streaming::Embedded);
        let (writer_switch, stop) = Stop::new();
        let clock = home.clock.clone();
        let (writer, door) = Writer::open(store.clone(), clock.clone(), status.clone(), stop, None)
            .await
            .unwrap();
        let (feed_switch, stop) = Stop::new();
        let (intake, feed) = embedded::open(door, clock, status.clone(), stop);
        Self {
            home,
            store,
            status,
            intake,
            switches: [feed_switch, writer_switch],
            tasks: [tokio::spawn(feed.run()), tokio::spawn(writer.run())],
        }
    }
    async fn submit(&self, number: u8) -> Result<Answer, Unavailable> {
        let message = self.home.person(number);
        self.intake.submit(message, Wait::Recorded).await
    }
    async fn until_running(&self) {
        until(&self.status, |now| now.projecting == Projecting::Running).await;
    }
    /// Stops all, and finds the ledger sound.
    async fn end(self) -> u64 {
        for (switch, task) in self.switches.into_iter().zip(self.tasks) {
            switch.send_replace(true);
            task.await.unwrap();
        }
        self.store.heal();
        audit(&*self.store, None).await.unwrap().entries
    }
}
fn index(answer: &Result<Answer, Unavailable>) -> Option<u64> {
    match answer {
        Ok(Answer::Recorded { index, .. } | Answer::Duplicate { index, .. }) => Some(*index),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

#[tokio::test]
async fn any_step_may_fail_once_and_nothing_is_lost_or_doubled() {
    let steps = [
        "find",
        "aggregates",
        "commit",
        "head",
        "leaf_hashes",
        "indexes_of_kinds",
    ];
    for step in steps {
        for fault in [Fault::Lost, Fault::Kept] {
            // The commit fails too, so that the steps of finding the way back are taken at all.
            let works = Works::start().await;
            assert_eq!(index(&works.submit(1).await), Some(1));
            works.store.fail("commit", 0, Fault::Lost, 1);
            works.store.fail(step, 0, fault, 1);
            let first = index(&works.submit(2).await);
            works.until_running().await;
            works.store.heal();
            let again = works.submit(2).await;
            assert_eq!(index(&again), Some(2), "{step} {fault:?}");
            if first.is_some() {
                assert!(
                    matches!(again, Ok(Answer::Duplicate { .. })),
                    "{step} {fault:?}"
                );
            }
            assert_eq!(works.end().await, 3, "{step} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_database_that_keeps_no_batch_is_said_and_tried_again_later_each_time() {
    let works = Works::start().await;
    works.store.fail("commit", 0, Fault::Lost, 3);
    for _ in 0..3 {
        let refused = works.submit(1).await.unwrap_err();
        assert!(refused.why.contains("keeps no events"), "{refused:?}");
        works.until_running().await;
    }
    works.store.fail("commit", 0, Fault::Lost, 1);
    works.submit(1).await.unwrap_err();
    // By now it waits for most of a second.
    let now = works.status.now();
    assert!(matches!(now.projecting, Projecting::Lost { .. }), "{now:?}");
    assert!(!now.is_ready());
    works.until_running().await;
    assert_eq!(index(&works.submit(1).await), Some(1));
    assert_eq!(works.end().await, 2);
}

#[tokio::test]
async fn a_commit_whose_answer_got_lost_is_answered_as_recorded() {
    let works = Works::start().await;
    works.store.fail("commit", 0, Fault::Kept, 1);
    let answer = works.submit(1).await;
    assert!(
        matches!(answer, Ok(Answer::Recorded { index: 1, .. })),
        "{answer:?}"
    );
    assert_eq!(works.end().await, 2);
}

#[tokio::test]
async fn a_commit_that_was_lost_is_answered_503_and_can_come_again() {
    let works = Works::start().await;
    works.store.fail("commit", 0, Fault::Lost, 1);
    let answer = works.submit(1).await;
    assert!(answer.is_err(), "{answer:?}");
    works.until_running().await;
    let answer = works.submit(1).await;
    assert!(
        matches!(answer, Ok(Answer::Recorded { index: 1, .. })),
        "{answer:?}"
    );
    assert_eq!(works.end().await, 2);
}

#[tokio::test]
async fn a_duplicate_whose_leaf_cannot_be_read_is_answered_503() {
    let works = Works::start().await;
    assert_eq!(index(&works.submit(1).await), Some(1));
    works.store.fail("entries_at", 0, Fault::Lost, 1);
    assert_eq!(index(&works.submit(1).await), None);
    assert_eq!(index(&works.submit(1).await), Some(1));
    assert_eq!(works.end().await, 2);
}

#[tokio::test]
async fn the_projector_goes_on_by_itself_when_the_database_is_back() {
    let works = Works::start().await;
    works.store.fail("commit", 0, Fault::Kept, 1);
    works.store.fail("head", 0, Fault::Lost, u32::MAX);
    assert_eq!(index(&works.submit(1).await), None);
    let is_lost = |now: &status::Snapshot| matches!(now.projecting, Projecting::Lost { .. });
    until(&works.status, is_lost).await;
    let refused = works.submit(2).await.unwrap_err();
    assert!(refused.why.contains("database"), "{refused}");
    works.store.heal();
    works.until_running().await;
    let first = works.submit(1).await;
    assert!(
        matches!(first, Ok(Answer::Duplicate { index: 1, .. })),
        "{first:?}"
    );
    assert_eq!(index(&works.submit(2).await), Some(2));
    assert_eq!(works.end().await, 3);
}

#[tokio::test]
async fn a_projector_that_was_taken_over_stops() {
    let works = Works::start().await;
    assert_eq!(index(&works.submit(1).await), Some(1));
    let (_switch, stop) = Stop::new();
    let other = status::Handle::new(Streaming::Embedded);
    let (_writer, _door) = Writer::open(
        works.store.clone(),
        works.home.clock.clone(),
        other,
        stop,
        None,
    )
    .await
    .unwrap();
    assert_eq!(index(&works.submit(2).await), None);
    let halted = |now: &status::Snapshot| matches!(now.projecting, Projecting::Halted { .. });
    until(&works.status, halted).await;
    assert_eq!(index(&works.submit(2).await), None);
    assert_eq!(works.end().await, 2);
}

#[tokio::test]
async fn many_senders_at_once_each_get_the_answer_to_their_own_message() {
    let works = Works::start().await;
    let submissions = (0..200_u32).map(|n| works.submit(u8::try_from(n % 100).unwrap()));
    let answers = futures_util::future::join_all(submissions).await;
    let mut recorded = 0;
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(index(answer), index(&answers[n % 100]));
        recorded += u64::from(matches!(answer, Ok(Answer::Recorded { .. })));
    }
    assert_eq!(recorded, 100);
    assert!(
        works.store.calls("commit") < 100,
        "messages share transactions"
    );
    assert_eq!(works.end().await, 101);
}

#[tokio::test]
async fn a_clock_that_steps_back_keeps_the_order_of_recorded_times_and_is_flagged() {
    let works = Works::start().await;
    works.home.clock.set("2026-11-16T09:00:00Z");
    assert_eq!(index(&works.submit(1).await), Some(1));
    works.home.clock.set("2026-11-16T08:59:58Z");
    assert_eq!(index(&works.submit(2).await), Some(2));
    assert_eq!(works.status.now().steps_back, 1);
    assert_eq!(works.end().await, 3);
}
