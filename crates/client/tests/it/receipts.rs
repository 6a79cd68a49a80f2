//! Receipts: verified before an event is let go, and what does not verify is an alarm.

use std::{fs, time::Duration};

use piperoll_client::{
    courier::{Alarm, Fate, Report},
    receipts::{self, State},
    state,
};
use piperoll_tlog::{checkpoint::Checkpoint, encoding, receipt::Receipt};
use serde_json::{Value, json};

use crate::{
    Machine,
    double::{Double, Reply},
    envelope,
};

const LONG: Duration = Duration::from_mins(1);

/// A machine with one event that the ledger says it has recorded as entry 1.
async fn with_one_recorded(double: &Double) -> Machine {
    let machine = Machine::new(double).await;
    machine.keep(1);
    machine.courier().flush(LONG).await.unwrap();
    assert_eq!(machine.counts(), (0, 1, 0));
    machine
}
/// Changes what the double answers about the receipt of event 1, then fetches it.
async fn fetch_changed(
    double: &Double,
    machine: &Machine,
    change: impl FnOnce(&mut Value),
) -> Report {
    let answer = receipts::ask(&machine.server, envelope(1).payload_hash())
        .await
        .unwrap();
    let mut body = json!({"state": "published", "index": answer.index, "leaf": answer.leaf, "proof": answer.proof});
    change(&mut body);
    double.page(
        &format!("/v1/receipts/{}", envelope(1).payload_hash()),
        Reply::json(200, &body),
    );
    machine.courier().fetch_receipts(LONG).await.unwrap()
}

#[tokio::test]
async fn a_verified_receipt_is_kept_the_event_goes_and_the_checkpoint_is_seen() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    assert_eq!(machine.state.seen(machine.ledger.id).unwrap(), None);
    let report = machine.courier().fetch_receipts(LONG).await.unwrap();
    assert_eq!(report.receipts, [1]);
    assert!(report.alarms.is_empty() && report.stopped.is_none());
    assert_eq!(machine.counts(), (0, 0, 0));
    let text = fs::read_to_string(machine.outbox.receipt_path(1)).unwrap();
    let checkpoint = Receipt::parse(&text)
        .unwrap()
        .verify(&machine.ledger.verifier)
        .unwrap();
    let seen = machine.state.seen(machine.ledger.id).unwrap().unwrap();
    assert_eq!((seen.size, seen.root), (2, checkpoint.root));
}

#[tokio::test]
async fn before_a_checkpoint_covers_it_the_event_stays_and_nobody_is_alarmed() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    double.lock().published = false;
    let report = machine.courier().fetch_receipts(LONG).await.unwrap();
    assert!(report.receipts.is_empty() && report.alarms.is_empty());
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn with_nobody_there_recorded_events_stay() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    drop(double);
    let report = machine.courier().fetch_receipts(LONG).await.unwrap();
    assert!(report.stopped.is_some() && report.alarms.is_empty());
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn an_entry_that_vanished_is_an_alarm() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    for (name, state, counts) in [
        ("refused", State::Refused, (0, 1, 0)),
        ("waiting", State::Waiting, (0, 1, 0)),
        ("not seen", State::NotSeen, (1, 0, 0)),
    ] {
        let page = format!("/v1/receipts/{}", envelope(1).payload_hash());
        double.page(&page, Reply::json(200, &json!({"state": name})));
        let report = machine.courier().fetch_receipts(LONG).await.unwrap();
        assert!(
            matches!(report.alarms[..], [Alarm::Vanished { index: 1, now }] if now == state),
            "{:?}",
            report.alarms
        );
        assert_eq!(machine.counts(), counts, "{name}");
    }
    // What the ledger does not have is sent again, and recorded.
    let report = machine.courier().flush(LONG).await.unwrap();
    assert!(
        matches!(report.fates[..], [(_, Fate::Recorded { .. })]),
        "{report:?}"
    );
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn an_entry_that_moved_is_an_alarm() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    let report = fetch_changed(&double, &machine, |body| body["index"] = json!(2)).await;
    assert!(
        matches!(report.alarms[..], [Alarm::Moved { index: 1, now: 2 }]),
        "{:?}",
        report.alarms
    );
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn a_proof_that_does_not_verify_is_an_alarm_and_the_event_stays() {
    let change_line = |proof: &str, number: usize, with: &str| -> String {
        let mut lines: Vec<&str> = proof.split('\n').collect();
        lines[number] = with;
        lines.join("\n")
    };
    let other_leaf = format!("extra {}", encoding::base64(b"another leaf\n"));
    for (number, with) in [
        (0, "c2sp.org/tlog-proof@v2"),
        (1, other_leaf.as_str()),
        (2, "index 0"),
        (6, "3"),
    ] {
        let double = Double::start();
        let machine = with_one_recorded(&double).await;
        let report = fetch_changed(&double, &machine, |body| {
            body["proof"] = json!(change_line(body["proof"].as_str().unwrap(), number, with));
        })
        .await;
        assert!(
            matches!(report.alarms[..], [Alarm::Receipt(_)]),
            "{with}: {:?}",
            report.alarms
        );
        assert!(report.receipts.is_empty() && !machine.outbox.receipt_path(1).exists());
        assert_eq!(machine.counts(), (0, 1, 0), "{with}");
    }
}

#[tokio::test]
async fn two_signed_trees_of_one_size_are_an_alarm() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    let signed = double.lock().checkpoint();
    let seen = Checkpoint::open(&signed, &machine.ledger.verifier).unwrap();
    machine
        .state
        .keep_seen(machine.ledger.id, &machine.ledger.verifier, &seen, &signed)
        .unwrap();
    // The ledger now shows another history of the same length, in which our event stands too.
    double.lock().leaves[0].push_str("changed\n");
    let report = machine.courier().fetch_receipts(LONG).await.unwrap();
    assert!(matches!(
        report.alarms[..],
        [Alarm::Contradiction(state::Error::Contradiction {
            size: 2,
            ..
        })]
    ));
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn an_earlier_checkpoint_does_not_take_the_place_of_a_later_one() {
    let double = Double::start();
    let machine = with_one_recorded(&double).await;
    let (id, verifier) = (machine.ledger.id, &machine.ledger.verifier);
    let keep = |signed: &str| {
        let checkpoint = Checkpoint::open(signed, verifier).unwrap();
        machine
            .state
            .keep_seen(id, verifier, &checkpoint, signed)
            .unwrap();
        machine.state.seen(id).unwrap().unwrap().size
    };
    let earlier = double.lock().checkpoint();
    double.lock().leaves.push("a leaf\n".to_owned());
    let later = double.lock().checkpoint();
    assert_eq!((keep(&earlier), keep(&later), keep(&earlier)), (2, 3, 3));
    fs::write(
        machine.state.root().join("seen").join(id.0.to_hex()),
        later.replace("\n3\n", "\n4\n"),
    )
    .unwrap();
    assert!(matches!(
        machine.state.seen(id),
        Err(state::Error::Corrupt { .. })
    ));
}
