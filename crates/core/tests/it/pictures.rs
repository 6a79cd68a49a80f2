//! The picture on top of a story shows what the story and the matrix say.

use piperoll_core::answer::{Lane, Story};

use crate::{
    stories::{deploy, matrix, merged, models, story},
    tell::{INES, PIPELINE, at},
};

fn production(story: &Story) -> &Lane {
    let lanes = &story.picture.lanes;
    lanes
        .iter()
        .find(|lane| lane.environment == "production")
        .unwrap()
}

#[test]
fn what_stayed_through_a_failed_deployment_and_its_rollback_is_one_bar() {
    let mut teller = merged(2);
    deploy(&mut teller, 50, "d1", "m1");
    let failed = "deployment.finished failure";
    teller.deploy(PIPELINE, failed, 60, "d2", "production", "m2");
    let back = "rollback.finished success";
    teller.deploy(PIPELINE, back, 65, "back", "production", "m1");
    let told = models(&teller);
    let cell = matrix(&told).rows[0].cells[0].clone().unwrap();
    assert_eq!(cell.since.time, at(50), "{cell:?}");
    // Then something else replaces it: before that, the picture still shows one bar from 50 on.
    deploy(&mut teller, 90, "d3", "m2");
    let story = story(&models(&teller), 2);
    let bars: Vec<_> = production(&story)
        .bars
        .iter()
        .map(|bar| (bar.from, bar.to, bar.this))
        .collect();
    assert_eq!(
        bars,
        [(at(50), Some(at(90)), false), (at(90), None, true)],
        "{:?}",
        production(&story)
    );
}

#[test]
fn a_deployment_that_failed_or_never_ended_is_in_the_picture() {
    let mut teller = merged(1);
    let failed = "deployment.finished failure";
    teller.deploy(PIPELINE, failed, 60, "d1", "staging", "m1");
    teller.deploy(PIPELINE, "deployment.started", 70, "d2", "production", "m1");
    let story = story(&models(&teller), 1);
    let marks: Vec<_> = story
        .picture
        .lanes
        .iter()
        .flat_map(|lane| {
            let mark = |mark: &piperoll_core::answer::AttemptMark| {
                (lane.environment.clone(), mark.at.time, mark.label.clone())
            };
            lane.attempts.iter().map(mark)
        })
        .collect();
    let mark = |environment: &str, minute, label: &str| {
        (environment.to_owned(), at(minute), label.to_owned())
    };
    assert_eq!(
        marks,
        [
            mark("staging", 60, "failed"),
            mark("production", 70, "began, no end said")
        ]
    );
    let words = story.picture.description.plain();
    assert!(words.contains("in staging failed"), "{words}");
}

#[test]
fn a_mark_of_a_decision_that_is_no_approval_says_its_word() {
    let mut teller = merged(1);
    teller.decide(INES, 70, "m1", "rejected");
    teller.decide(INES, 71, "m1", "approved");
    deploy(&mut teller, 80, "d", "m1");
    let story = story(&models(&teller), 1);
    let labels: Vec<_> = story
        .picture
        .people
        .iter()
        .map(|mark| mark.label.as_str())
        .collect();
    assert_eq!(
        labels[labels.len() - 2..],
        ["rejected, technical approver", "technical approver"]
    );
}
