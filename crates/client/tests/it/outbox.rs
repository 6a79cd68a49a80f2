//! The states on disk, and what each step leaves behind when a process dies in it.

use std::{fs, path::Path};

use piperoll_client::{
    outbox::{Name, Outbox, Place, Taken},
    problem::Problem,
};
use piperoll_core::{
    authority::{KeyPlace, Scheme},
    envelope::Envelope,
    leaf::Leaf,
};

use crate::{envelope, now};

fn place(envelope: &Envelope, index: u64) -> Place {
    let leaf = Leaf {
        recorded_at: now(),
        payload_hash: envelope.payload_hash(),
        key: KeyPlace {
            index: 0,
            ordinal: 0,
        },
        scheme: Scheme::Ed25519,
        signature: envelope.signature.clone(),
    };
    Place {
        index,
        leaf: String::from_utf8(leaf.to_bytes()).unwrap(),
    }
}
fn held<T: std::fmt::Debug>(taken: Taken<T>) -> T {
    match taken {
        Taken::Held(held) => held,
        other => panic!("not held: {other:?}"),
    }
}
fn files(root: &Path, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
/// An outbox that keeps one event, which nobody works on.
fn with_one(root: &Path) -> (Outbox, Name, Envelope) {
    let outbox = Outbox::open(root).unwrap();
    let name = outbox.keep(envelope(1), now()).unwrap().name().clone();
    (outbox, name, envelope(1))
}

#[test]
fn a_kept_event_stands_as_it_will_be_sent_for_its_owner_only() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().join("outbox");
    let (outbox, name, envelope) = with_one(&root);
    assert_eq!(outbox.waiting().unwrap(), std::slice::from_ref(&name));
    let path = root.join("waiting").join(format!("{}.json", name.as_str()));
    assert_eq!(fs::read_to_string(&path).unwrap(), envelope.to_json());
    assert_eq!(files(&root, "tmp"), [""; 0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(&root).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
    let claim = held(outbox.claim(&name).unwrap());
    assert_eq!(claim.message(), envelope.to_json().as_bytes());
    assert!(!claim.is_fresh());
}

#[test]
fn events_stay_in_their_order_when_the_clock_steps_back_or_stands() {
    let root = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(root.path()).unwrap();
    let earlier = "2026-11-21T09:00:00Z".parse().unwrap();
    let kept: Vec<Name> = [(1, now()), (2, now()), (3, earlier), (4, now())]
        .into_iter()
        .map(|(number, at)| outbox.keep(envelope(number), at).unwrap().name().clone())
        .collect();
    assert_eq!(outbox.waiting().unwrap(), kept);
}

#[test]
fn a_claimed_event_is_nobody_else_s_until_the_claim_ends() {
    let root = tempfile::tempdir().unwrap();
    let (outbox, other) = (
        Outbox::open(root.path()).unwrap(),
        Outbox::open(root.path()).unwrap(),
    );
    let fresh = outbox.keep(envelope(1), now()).unwrap();
    let name = fresh.name().clone();
    assert!(fresh.is_fresh());
    assert!(matches!(other.claim(&name).unwrap(), Taken::Elsewhere));
    drop(fresh);
    let claim = held(other.claim(&name).unwrap());
    assert!(matches!(outbox.claim(&name).unwrap(), Taken::Elsewhere));
    let place = place(claim.envelope(), 7);
    claim.recorded(&place).unwrap();
    assert!(
        matches!(outbox.claim(&name).unwrap(), Taken::Elsewhere),
        "it has moved on"
    );
    let recorded = held(outbox.claim_recorded(&name).unwrap());
    assert!(matches!(
        other.claim_recorded(&name).unwrap(),
        Taken::Elsewhere
    ));
    assert_eq!(recorded.place(), &place);
    recorded.confirmed("the receipt").unwrap();
    assert_eq!(
        fs::read_to_string(outbox.receipt_path(7)).unwrap(),
        "the receipt"
    );
    assert_eq!(
        outbox.counts().unwrap(),
        piperoll_client::outbox::Counts::default()
    );
    assert_eq!(files(root.path(), "recorded"), [""; 0]);
}

#[test]
fn a_refused_event_is_put_aside_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let (outbox, name, envelope) = with_one(root.path());
    let problem = Problem {
        title: "no".to_owned(),
        status: 409,
        ..Problem::default()
    };
    held(outbox.claim(&name).unwrap())
        .refused(&problem)
        .unwrap();
    let refused = outbox.refused().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].problem, Some(problem));
    assert_eq!(
        fs::read_to_string(&refused[0].path).unwrap(),
        envelope.to_json()
    );
    assert_eq!(outbox.waiting().unwrap(), []);
}

#[test]
fn an_event_that_cannot_be_read_is_put_aside_and_keeps_its_bytes() {
    let root = tempfile::tempdir().unwrap();
    let (outbox, name, _) = with_one(root.path());
    let path = root
        .path()
        .join("waiting")
        .join(format!("{}.json", name.as_str()));
    fs::write(&path, b"{\"payload\":").unwrap();
    assert!(matches!(outbox.claim(&name).unwrap(), Taken::Unreadable(_)));
    let refused = outbox.refused().unwrap();
    assert_eq!(fs::read(&refused[0].path).unwrap(), b"{\"payload\":");
    assert!(refused[0].problem.is_some());
}

#[test]
fn what_dead_processes_were_writing_goes_and_what_living_ones_write_stays() {
    let root = tempfile::tempdir().unwrap();
    drop(Outbox::open(root.path()).unwrap());
    let tmp = root.path().join("tmp");
    fs::write(tmp.join("77-0"), "half an envel").unwrap();
    fs::write(tmp.join("78-0"), "half").unwrap();
    let living = fs::File::open(tmp.join("78-0")).unwrap();
    living.lock().unwrap();
    drop(Outbox::open(root.path()).unwrap());
    assert_eq!(files(root.path(), "tmp"), ["78-0"]);
}

#[test]
fn death_between_leaf_and_rename_leaves_the_event_waiting() {
    let root = tempfile::tempdir().unwrap();
    let (_, name, envelope) = with_one(root.path());
    let leaf = root
        .path()
        .join("recorded")
        .join(format!("{}.leaf", name.as_str()));
    fs::write(&leaf, "an earlier answer").unwrap();
    let outbox = Outbox::open(root.path()).unwrap();
    assert!(
        leaf.exists(),
        "the leaf of an event that waits may be somebody's at work"
    );
    held(outbox.claim(&name).unwrap())
        .recorded(&place(&envelope, 3))
        .unwrap();
    assert_eq!(held(outbox.claim_recorded(&name).unwrap()).place().index, 3);
}

#[test]
fn death_between_reason_and_rename_leaves_the_event_waiting() {
    let root = tempfile::tempdir().unwrap();
    let (_, name, envelope) = with_one(root.path());
    fs::write(
        root.path()
            .join("refused")
            .join(format!("{}.reason", name.as_str())),
        "{}",
    )
    .unwrap();
    let outbox = Outbox::open(root.path()).unwrap();
    assert_eq!(outbox.refused().unwrap(), []);
    held(outbox.claim(&name).unwrap())
        .recorded(&place(&envelope, 3))
        .unwrap();
    drop(Outbox::open(root.path()).unwrap());
    assert_eq!(files(root.path(), "refused"), [""; 0]);
}

#[test]
fn a_recorded_event_that_lost_its_leaf_waits_again() {
    let root = tempfile::tempdir().unwrap();
    let (outbox, name, envelope) = with_one(root.path());
    held(outbox.claim(&name).unwrap())
        .recorded(&place(&envelope, 3))
        .unwrap();
    fs::remove_file(
        root.path()
            .join("recorded")
            .join(format!("{}.leaf", name.as_str())),
    )
    .unwrap();
    assert!(matches!(
        outbox.claim_recorded(&name).unwrap(),
        Taken::Elsewhere
    ));
    assert_eq!(
        (outbox.waiting().unwrap(), outbox.recorded().unwrap()),
        (vec![name], vec![])
    );
}

#[test]
fn death_after_the_receipt_was_kept_leaves_nothing_that_is_not_finished_next_time() {
    let root = tempfile::tempdir().unwrap();
    let (outbox, name, envelope) = with_one(root.path());
    held(outbox.claim(&name).unwrap())
        .recorded(&place(&envelope, 3))
        .unwrap();
    // After the receipt, before the event went.
    fs::write(outbox.receipt_path(3), "the receipt").unwrap();
    let outbox = Outbox::open(root.path()).unwrap();
    held(outbox.claim_recorded(&name).unwrap())
        .confirmed("the receipt")
        .unwrap();
    assert_eq!(
        outbox.counts().unwrap(),
        piperoll_client::outbox::Counts::default()
    );
    // After the event went, before its leaf.
    fs::write(
        root.path()
            .join("recorded")
            .join(format!("{}.leaf", name.as_str())),
        "{}",
    )
    .unwrap();
    drop(Outbox::open(root.path()).unwrap());
    assert_eq!(files(root.path(), "recorded"), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Outbox::open(&file).unwrap_err();
    assert!(
        error.to_string().contains(file.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn many_at_once_each_claim_an_event_that_nobody_has_moved() {
    let root = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(root.path()).unwrap();
    for number in 0..30 {
        drop(outbox.keep(envelope(number), now()).unwrap());
    }
    let names = outbox.waiting().unwrap();
    let claimed: usize = std::thread::scope(|scope| {
        let work = || {
            // Reaches for an event for as long as it waits, and so also just when another lets go of it.
            let take = |name: &&Name| {
                let path = root
                    .path()
                    .join("waiting")
                    .join(format!("{}.json", name.as_str()));
                while path.exists() {
                    match outbox.claim(name).unwrap() {
                        Taken::Held(claim) => {
                            let place = place(claim.envelope(), 1);
                            claim.recorded(&place).unwrap();
                            return true;
                        }
                        Taken::Elsewhere => {}
                        Taken::Unreadable(problem) => panic!("{problem}"),
                    }
                }
                false
            };
            names.iter().filter(take).count()
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(claimed, names.len());
    assert_eq!(outbox.recorded().unwrap(), names);
}
