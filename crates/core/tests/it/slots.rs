//! What is in a service and environment, whatever came late or failed, and what followed it.

use piperoll_core::answer::part::{Line, Mark, Sentence};

use crate::{
    stories::{chips, deploy, deployment, matrix, merged, models, story},
    tell::{BRIDGE, PIPELINE, Teller, at},
};

#[test]
fn a_relayed_deployment_joins_the_signed_one_whichever_comes_first() {
    for signed_first in [true, false] {
        let mut teller = merged(1);
        let relayed = |teller: &mut Teller| {
            teller.deploy(
                BRIDGE,
                "deployment.finished success",
                101,
                "github:acme/shop/deployments/1",
                "production",
                "m1",
            );
        };
        if !signed_first {
            relayed(&mut teller);
        }
        deploy(&mut teller, 100, "d", "m1");
        if signed_first {
            relayed(&mut teller);
        }
        let models = models(&teller);
        let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
        assert_eq!(cell.deployment, "d");
        assert_eq!(cell.since.time, at(100));
        let story = story(&models, 1);
        let lines = story
            .lines
            .iter()
            .filter(|line| line.kind.starts_with("deployment"));
        assert_eq!(
            lines.count(),
            1,
            "two reports of one deployment are one line"
        );
    }
}

#[test]
fn a_relayed_deployment_with_no_signed_one_stands_for_itself() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "d1", "m1");
    deploy(&mut teller, 200, "d2", "m2");
    let id = "github:acme/shop/deployments/9";
    // Much later somebody puts m1 back by another way: that is not the deployment of minute 100.
    teller.deploy(
        BRIDGE,
        "deployment.finished success",
        900,
        id,
        "production",
        "m1",
    );
    let models = models(&teller);
    assert_eq!(deployment(&models, id).place.joins, None);
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.deployment, id);
    assert!(cell.again);
}

#[test]
fn an_older_success_that_arrives_late_is_history_only() {
    let mut teller = merged(3);
    deploy(&mut teller, 300, "d3", "m3");
    deploy(&mut teller, 200, "d2", "m2");
    let models = models(&teller);
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.deployment, "d3");
    let later = deployment(&models, "d3").contents.unwrap();
    assert_eq!(later.changes(), ["github:acme/shop#3"], "worked out again");
}

#[test]
fn of_two_deployments_at_once_the_one_that_finished_last_is_there() {
    let mut teller = merged(2);
    let (start, finish) = ("deployment.started", "deployment.finished success");
    teller.deploy(PIPELINE, start, 100, "slow", "production", "m1");
    teller.deploy(PIPELINE, start, 101, "quick", "production", "m2");
    teller.deploy(PIPELINE, finish, 102, "quick", "production", "m2");
    teller.deploy(PIPELINE, finish, 110, "slow", "production", "m1");
    let models = models(&teller);
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.deployment, "slow");
    assert_eq!(
        deployment(&models, "quick")
            .contents
            .unwrap()
            .changes()
            .len(),
        2,
        "the quick one came first and brought both"
    );
}

#[test]
fn a_rollback_undoes_everything_since_what_it_goes_back_to() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "d1", "m1");
    deploy(&mut teller, 200, "d2", "m2");
    teller.deploy(
        PIPELINE,
        "rollback.finished success",
        230,
        "back",
        "production",
        "root",
    );
    let models = models(&teller);
    for number in [1, 2] {
        let story = story(&models, number);
        assert!(chips(&story).contains(&"↶ rolled back in production".to_owned()));
    }
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.marks[0].plain(), "↶ rolled back from #1, #2");
}

#[test]
fn a_later_attempt_that_failed_is_named_beside_what_runs() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "d1", "m1");
    teller.deploy(
        PIPELINE,
        "deployment.finished failure",
        200,
        "d2",
        "production",
        "m2",
    );
    let models = models(&teller);
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.deployment, "d1");
    let marks: Vec<String> = cell.marks.iter().map(Mark::plain).collect();
    assert_eq!(
        marks,
        ["✕ deployed without approval", "! a later attempt failed"]
    );
    let failed = story(&models, 2);
    assert_eq!(
        failed.lead[0].plain(),
        "Deploying it to production failed on Mon 9 Nov at 11:20."
    );
}

#[test]
fn a_rollback_after_a_failed_deployment_belongs_to_its_story_though_nothing_moves() {
    let mut teller = merged(1);
    let failed = "deployment.finished failure";
    teller.deploy(PIPELINE, failed, 100, "d", "production", "m1");
    let back = "rollback.finished success";
    teller.deploy(PIPELINE, back, 105, "back", "production", "root");
    let models = models(&teller);
    let cell = matrix(&models).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.deployment, "d-root", "the same digest adds nothing");
    let told: Vec<String> = story(&models, 1).lines.iter().map(Line::plain).collect();
    assert!(
        told.iter().any(|line| line.starts_with("rolled back to")),
        "{told:?}"
    );
    let lead: Vec<String> = story(&models, 1).lead.iter().map(Sentence::plain).collect();
    assert_eq!(
        lead,
        [
            "Deploying it to production failed on Mon 9 Nov at 09:40.",
            "It was rolled back at 09:45.",
        ]
    );
}

#[test]
fn a_success_recorded_late_counts_however_much_failed_since() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "first", "m1");
    for number in 0..40 {
        let (id, failed) = (format!("f{number}"), "deployment.finished failure");
        teller.deploy(PIPELINE, failed, 200 + number, &id, "production", "m2");
    }
    deploy(&mut teller, 150, "late", "m2");
    let models = models(&teller);
    let slots = models.slots_at(models.size());
    assert_eq!(slots.len(), 1);
    let holding = format!("{:?}", slots[0].holding);
    assert!(holding.contains("late"), "{holding}");
}

#[test]
fn every_alert_of_a_storm_follows_a_deployment_recorded_late() {
    let told = |late: bool| {
        let mut teller = merged(1);
        if !late {
            deploy(&mut teller, 100, "d", "m1");
        }
        for number in 1..=50 {
            teller.alert(100 + number, 100 + number, false);
        }
        if late {
            deploy(&mut teller, 100, "d", "m1");
        }
        teller.alert(100, 100, false);
        deployment(&models(&teller), "d").place.followed_by
    };
    assert_eq!(told(true).len(), 51);
    assert_eq!(told(true), told(false));
}

#[test]
fn an_alert_follows_a_deployment_only_within_the_hour() {
    for (minute, follows) in [(160, true), (161, false)] {
        let mut teller = merged(1);
        deploy(&mut teller, 100, "d", "m1");
        teller.alert(minute, minute, false);
        let models = models(&teller);
        let followed = !deployment(&models, "d").place.followed_by.is_empty();
        assert_eq!(followed, follows);
        let told = story(&models, 1)
            .lead
            .iter()
            .any(|said| said.plain().contains("caused"));
        assert!(!told);
    }
}

#[test]
fn a_report_goes_with_what_it_is_about_and_a_success_that_failed_after_all_leaves_the_one_before() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "x", "m1");
    deploy(&mut teller, 110, "y", "m2");
    let success = "deployment.finished success";
    teller.deploy(BRIDGE, success, 101, "status", "production", "m1");
    for number in 0..40 {
        let (id, failed) = (format!("f{number}"), "deployment.finished failure");
        teller.deploy(PIPELINE, failed, 200 + number, &id, "production", "m2");
    }
    let holding = |teller: &Teller| {
        let models = models(teller);
        format!("{:?}", models.slots_at(models.size())[0].holding)
    };
    let held = holding(&teller);
    assert!(held.contains("\\ny\""), "{held}");
    let failed = "deployment.finished failure";
    teller.deploy(PIPELINE, failed, 300, "y", "production", "m2");
    let held = holding(&teller);
    assert!(held.contains("\\nx\""), "{held}");
}
