//! What becomes of events, answer by answer.

use std::time::Duration;

use piperoll_client::{
    courier::{Courier, Fate, Patience, Report, Why},
    delivery::Wait,
    outbox::Outbox,
    server::{Server, Timeouts, Unreachable},
};

use crate::{
    Machine,
    double::{Double, Reply, Scripted},
    envelope, now,
};

const LONG: Duration = Duration::from_mins(1);

fn problem(status: u16, reason: &str) -> Scripted {
    Scripted::Answer(Reply::problem(status, reason))
}
/// The fates in short.
fn fates(report: &Report) -> Vec<String> {
    let short = |fate: &Fate| match fate {
        Fate::Recorded {
            index,
            again: false,
        } => format!("recorded {index}"),
        Fate::Recorded { index, again: true } => format!("recorded {index} before"),
        Fate::Waiting(Why::OnItsWay) => "on its way".to_owned(),
        Fate::Waiting(Why::Retry(problem)) => format!("retry {}", problem.status),
        Fate::Waiting(Why::Unavailable(problem)) => format!("unavailable {}", problem.status),
        Fate::Waiting(Why::Unreachable(Unreachable::NoConnection { .. })) => {
            "no connection".to_owned()
        }
        Fate::Waiting(Why::Unreachable(Unreachable::BrokenOff { .. })) => "broken off".to_owned(),
        Fate::Waiting(Why::Unreachable(Unreachable::NotALedger { .. })) => {
            "not a ledger".to_owned()
        }
        Fate::Waiting(Why::Contradiction(_)) => "contradiction".to_owned(),
        Fate::Refused(problem) => format!("refused {}", problem.status),
    };
    report.fates.iter().map(|(_, fate)| short(fate)).collect()
}

#[tokio::test]
async fn a_fresh_event_goes_out_in_one_request_as_the_api_wants_it() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    let claim = machine.outbox.keep(envelope(1), now()).unwrap();
    let fate = machine.courier().send(claim).await.unwrap();
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
    let asked = double.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "POST /v1/events?wait=recorded");
    assert_eq!(
        asked[0].headers["content-type"],
        "application/vnd.dsse.envelope.v1+json"
    );
    assert_eq!(asked[0].body, envelope(1).to_json().as_bytes());
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn with_nobody_there_events_wait_and_the_run_ends_after_one_attempt() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(3);
    drop(double);
    let report = machine.courier().flush(LONG).await.unwrap();
    assert_eq!(fates(&report), ["no connection"]);
    assert!(report.stopped.is_some());
    assert_eq!(machine.counts(), (3, 0, 0));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_and_the_event_is_not_sent_again() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(1);
    double.script([Scripted::RecordAndBreakOff]);
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["broken off"]
    );
    assert_eq!(machine.counts(), (1, 0, 0));
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["recorded 1 before"]
    );
    assert_eq!((double.posts(), double.recorded()), (1, 1));
    assert_eq!(machine.counts(), (0, 1, 0));
}

#[tokio::test]
async fn a_request_that_breaks_off_before_it_arrived_is_sent_again() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(2);
    double.script([Scripted::BreakOff]);
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["broken off", "recorded 1"]
    );
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["recorded 2"]
    );
    assert_eq!(double.recorded(), 2);
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_event_waiting() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let timeouts = Timeouts {
        connect: LONG,
        request: Duration::from_millis(100),
    };
    let address = format!("http://{}", silent.local_addr().unwrap());
    let server = Server::with_timeouts(&address, None, timeouts).unwrap();
    machine.keep(1);
    let courier = Courier {
        server: &server,
        ..machine.courier()
    };
    assert_eq!(fates(&courier.flush(LONG).await.unwrap()), ["broken off"]);
    assert_eq!(machine.counts(), (1, 0, 0));
}

#[tokio::test]
async fn any_number_of_stuck_events_block_none_behind_them() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(6);
    double.script([
        Scripted::BreakOff,
        problem(500, "stumbled"),
        problem(408, "too slow"),
        Scripted::BreakOff,
    ]);
    let report = machine.courier().flush(LONG).await.unwrap();
    assert_eq!(
        fates(&report),
        [
            "broken off",
            "unavailable 500",
            "not a ledger",
            "broken off",
            "recorded 1",
            "recorded 2"
        ]
    );
    assert!(report.stopped.is_none());
    assert_eq!(machine.counts(), (4, 2, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_passed_over() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    for state in ["waiting", "recorded"] {
        let folder = machine.outbox.root().join(state);
        std::fs::create_dir(folder.join("00000000000001-folder.json")).unwrap();
    }
    machine.keep(2);
    let report = machine.courier().flush(LONG).await.unwrap();
    assert_eq!(fates(&report), ["recorded 1", "recorded 2"]);
    let unusable: Vec<String> = report.unusable.iter().map(ToString::to_string).collect();
    assert!(
        matches!(&unusable[..], [only] if only.contains("waiting/00000000000001-folder.json")),
        "{unusable:?}"
    );
    let report = machine.courier().fetch_receipts(LONG).await.unwrap();
    assert_eq!((report.receipts.len(), report.unusable.len()), (2, 1));
}

#[tokio::test]
async fn a_leaf_that_is_not_ours_does_not_count_as_recorded() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(1);
    double.script([Scripted::RecordAndShowAnother]);
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["contradiction"]
    );
    assert_eq!(machine.counts(), (1, 0, 0));
}

#[tokio::test]
async fn an_answer_about_another_payload_does_not_count_as_recorded() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    let other = machine.outbox.keep(envelope(1), now()).unwrap();
    machine.courier().send(other).await.unwrap();
    let leaf = double.lock().leaves[1].clone();
    let body = serde_json::json!({
        "state": "recorded", "index": 1, "leaf": leaf, "payload_hash": envelope(1).payload_hash().to_hex()
    });
    double.script([Scripted::Answer(Reply::json(201, &body))]);
    let claim = machine.outbox.keep(envelope(2), now()).unwrap();
    let fate = machine.courier().send(claim).await.unwrap();
    assert!(
        matches!(fate, Fate::Waiting(Why::Contradiction(_))),
        "{fate:?}"
    );
    assert_eq!(machine.counts(), (1, 1, 0));
}

#[tokio::test]
async fn a_retry_refusal_waits_and_blocks_nothing_behind_it() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(3);
    double.script([
        problem(425, "grant or role missing"),
        problem(425, "unknown key"),
    ]);
    let report = machine.courier().flush(LONG).await.unwrap();
    assert_eq!(fates(&report), ["retry 425", "retry 425", "recorded 1"]);
    assert!(report.stopped.is_none());
    assert_eq!(machine.counts(), (2, 1, 0));
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["recorded 2", "recorded 3"]
    );
}

#[tokio::test]
async fn a_ledger_that_takes_nothing_is_asked_again_when_it_says() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(1);
    let busy = || {
        Scripted::Answer(Reply::problem(503, "the projector is behind").with("retry-after", "0"))
    };
    double.script([busy(), busy()]);
    let patience = Patience {
        unavailable: LONG,
        ..Patience::default()
    };
    let report = machine.patient(patience).flush(LONG).await.unwrap();
    assert_eq!(fates(&report), ["recorded 1"]);
    assert_eq!(double.posts(), 3);
}

#[tokio::test]
async fn a_ledger_that_asks_for_more_time_than_there_is_gets_no_further_request() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(3);
    double.script([Scripted::Answer(
        Reply::problem(503, "another server projects").with("retry-after", "3600"),
    )]);
    let patience = Patience {
        unavailable: LONG,
        unreachable: LONG,
    };
    let report = machine.patient(patience).flush(LONG).await.unwrap();
    assert_eq!(fates(&report), ["unavailable 503"]);
    assert!(report.stopped.unwrap().contains("another server projects"));
    assert_eq!((machine.counts(), double.posts()), ((3, 0, 0), 1));
}

#[tokio::test]
async fn a_run_whose_time_is_up_begins_with_no_further_event() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(2);
    let report = machine.courier().flush(Duration::ZERO).await.unwrap();
    assert!(report.fates.is_empty() && report.stopped.is_some());
    assert!(double.asked().is_empty());
}

#[tokio::test]
async fn final_refusals_are_put_aside_with_their_reason() {
    for (status, reason) in [
        (400, "shape"),
        (403, "bad signature"),
        (409, "equivocation"),
        (413, "too large"),
        (422, "content or profile wrong"),
    ] {
        let double = Double::start();
        let machine = Machine::new(&double).await;
        machine.keep(2);
        double.script([problem(status, reason)]);
        let report = machine.courier().flush(LONG).await.unwrap();
        assert_eq!(
            fates(&report),
            [format!("refused {status}"), "recorded 1".to_owned()]
        );
        assert_eq!(machine.counts(), (0, 1, 1));
        let refused = machine.outbox.refused().unwrap();
        assert_eq!(
            refused[0].problem.as_ref().unwrap().reason.as_deref(),
            Some(reason)
        );
    }
}

#[tokio::test]
async fn a_status_without_a_problem_document_is_no_verdict() {
    for (status, fate) in [
        (403, "not a ledger"),
        (404, "not a ledger"),
        (413, "not a ledger"),
        (200, "not a ledger"),
        (302, "not a ledger"),
        (502, "unavailable 502"),
    ] {
        let double = Double::start();
        let machine = Machine::new(&double).await;
        machine.keep(1);
        double.script([Scripted::Answer(Reply::html(status))]);
        assert_eq!(fates(&machine.courier().flush(LONG).await.unwrap()), [fate]);
        assert_eq!(machine.counts(), (1, 0, 0), "{status}");
    }
}

#[tokio::test]
async fn a_refusal_by_another_ledger_puts_nothing_aside() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    machine.keep(1);
    let mut genesis = double.lock().genesis();
    genesis.body = genesis
        .body
        .replace("piperoll-entry/v1", "piperoll-entry/v2");
    double.page("/v1/genesis", genesis);
    double.script([problem(422, "content or profile wrong")]);
    assert_eq!(
        fates(&machine.courier().flush(LONG).await.unwrap()),
        ["contradiction"]
    );
    assert_eq!(machine.counts(), (1, 0, 0));
}

#[tokio::test]
async fn an_event_on_the_stream_waits_until_its_receipt_says_that_it_is_recorded() {
    let double = Double::start();
    let machine = Machine::new(&double).await;
    let hash = envelope(1).payload_hash();
    let body = serde_json::json!({"state": "waiting", "payload_hash": hash.to_hex()});
    double.script([Scripted::Answer(Reply::json(202, &body))]);
    let courier = Courier {
        wait: Wait::Stored,
        ..machine.courier()
    };
    let fate = courier
        .send(machine.outbox.keep(envelope(1), now()).unwrap())
        .await
        .unwrap();
    assert!(matches!(fate, Fate::Waiting(Why::OnItsWay)), "{fate:?}");
    assert_eq!(double.asked()[0].line, "POST /v1/events");

    let page = format!("/v1/receipts/{hash}");
    double.page(
        &page,
        Reply::json(200, &serde_json::json!({"state": "waiting"})),
    );
    assert_eq!(fates(&courier.flush(LONG).await.unwrap()), ["on its way"]);
    assert_eq!(double.posts(), 1);

    // The stream lost it: not seen, so it is sent again.
    double.page(
        &page,
        Reply::json(200, &serde_json::json!({"state": "not seen"})),
    );
    assert_eq!(fates(&courier.flush(LONG).await.unwrap()), ["recorded 1"]);
    assert_eq!(double.posts(), 2);
}

#[test]
fn two_processes_at_once_send_each_event_once_and_lose_none() {
    let double = Double::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let machine = runtime.block_on(Machine::new(&double));
    machine.keep(40);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let outbox = Outbox::open(machine.outbox.root()).unwrap();
                let courier = Courier {
                    outbox: &outbox,
                    ..machine.courier()
                };
                for number in 0..5 {
                    let fresh = outbox.keep(envelope(100 + number), now()).unwrap();
                    runtime.block_on(courier.send(fresh)).unwrap();
                    runtime.block_on(courier.flush(LONG)).unwrap();
                    runtime.block_on(courier.fetch_receipts(LONG)).unwrap();
                }
            });
        }
    });
    // Both kept 100 to 104, each on its own: the ledger told them apart by nothing.
    assert_eq!(double.recorded(), 45);
    assert!(double.posts() <= 50, "{}", double.posts());
    runtime
        .block_on(machine.courier().fetch_receipts(LONG))
        .unwrap();
    assert_eq!(machine.counts(), (0, 0, 0));
    assert!((1..=45).all(|index| machine.outbox.receipt_path(index).exists()));
}
