//! What is said of decisions that are late, for another place, for other content or disputed; and of what came too late to be placed.

use piperoll_core::{
    answer::{self, Narrowed, part::Mark},
    fold::aggregate::{Trouble, incident_key, slot_key},
};
use serde_json::json;

use crate::{
    models::Models,
    stories::{chips, deploy, matrix, merged, models, story},
    tell::{INES, MONITOR, PIPELINE, RAVI, Teller, commit, image},
};

#[test]
fn nobody_approves_in_the_past() {
    for (recorded, chip, mark) in [
        (54, "✓ approved, exact content", "✓ exactly what ran"),
        (90, "✓ approved, exact content", "✓ exactly what ran"),
        (
            101,
            "! approved only afterwards",
            "! exactly what ran, but recorded only afterwards",
        ),
    ] {
        let mut teller = merged(1);
        deploy(&mut teller, 100, "d", "m1");
        teller.decide(INES, 50, "m1", "approved");
        teller.recorded_at(recorded);
        let late = story(&models(&teller), 1);
        assert_eq!(chips(&late)[0], chip, "recorded at {recorded}");
        assert_eq!(late.agreements[0].mark.plain(), mark);
    }
}

#[test]
fn who_names_no_place_decides_only_where_they_may() {
    let everywhere = json!({});
    let in_production = json!({"environment": "production"});
    for (services, place, chip, mark) in [
        (
            &["shop"][..],
            &everywhere,
            "✓ approved, exact content",
            "✓ exactly what ran",
        ),
        (
            &["sh*"],
            &in_production,
            "✓ approved, exact content",
            "✓ exactly what ran",
        ),
        (
            &["web"],
            &in_production,
            "✕ deployed without approval",
            "✕ they may not decide for this place",
        ),
    ] {
        let mut teller = merged(1);
        teller.role(INES, services);
        teller.decide_for(INES, 50, &image("m1"), "approved", place);
        deploy(&mut teller, 100, "d", "m1");
        let told = story(&models(&teller), 1);
        assert_eq!(chips(&told)[0], chip, "{services:?}");
        assert_eq!(told.agreements[0].mark.plain(), mark);
    }
}

#[test]
fn what_is_decided_for_production_stands_before_where_the_change_is_until_then() {
    let mut teller = merged(1);
    teller.deploy(
        PIPELINE,
        "deployment.finished success",
        60,
        "s",
        "staging",
        "m1",
    );
    let told = |teller: &Teller| {
        let story = story(&models(teller), 1);
        (story.lead[0].plain(), chips(&story)[0].clone())
    };
    assert_eq!(told(&teller).1, "went to staging");
    let words = |sentence: &str, chip: &str| (sentence.to_owned(), chip.to_owned());
    teller.decide(INES, 70, "m1", "rejected");
    assert_eq!(
        told(&teller),
        words(
            "It was rejected for production by Ines Okafor, technical approver.",
            "✕ rejected for production"
        )
    );
    teller.decide(RAVI, 71, "m1", "requestChanges");
    assert_eq!(told(&teller).0, "Two people rejected it for production.");
    teller.decide(RAVI, 72, "m1", "approved");
    teller.decide(INES, 73, "m1", "approved");
    assert_eq!(
        told(&teller),
        words(
            "Two people approved it for production.",
            "✓ approved for production"
        ),
        "the last word of each person counts"
    );
    deploy(&mut teller, 100, "d", "m1");
    assert_eq!(
        told(&teller).0,
        "Two people approved exactly what was deployed."
    );
}

#[test]
fn a_cell_of_the_matrix_names_who_decided_about_what_is_there() {
    let mut teller = merged(1);
    let cell = |teller: &Teller| {
        let matrix = matrix(&models(teller));
        matrix.rows[0].cells[0].clone().unwrap().deciders.plain()
    };
    assert_eq!(cell(&teller), "");
    teller.decide(INES, 50, "m1", "approved");
    teller.decide(RAVI, 51, "m1", "approved");
    teller.decide(INES, 52, "m1", "approved");
    deploy(&mut teller, 100, "d", "m1");
    assert_eq!(cell(&teller), "approved by Ravi Menon and Ines Okafor");
    teller.decide(RAVI, 53, "m1", "rejected");
    assert_eq!(
        cell(&teller),
        "approved by Ines Okafor; rejected by Ravi Menon"
    );
}

#[test]
fn a_decision_whose_request_is_not_there_or_asked_for_something_else_says_so() {
    let doubt = |teller: &Teller| story(&models(teller), 1).agreements[0].doubt.clone();
    let mut teller = merged(1);
    teller.decide(INES, 50, "m1", "approved");
    deploy(&mut teller, 100, "d", "m1");
    let missing = "the request it answers is not recorded";
    assert_eq!(doubt(&teller).as_deref(), Some(missing));
    for (what, expected) in [
        ("m1", None),
        ("m2", Some("the request it answers is for other content")),
    ] {
        let mut teller = merged(1);
        let request = teller.request(40, what);
        teller.answer(INES, 50, &request, &image("m1"));
        deploy(&mut teller, 100, "d", "m1");
        assert_eq!(doubt(&teller).as_deref(), expected, "{what}");
    }
}

#[test]
fn an_override_stands_among_those_who_agreed_with_its_reason_and_its_end() {
    let mut teller = merged(1);
    let profile = json!({
        "service": "shop",
        "environment": "production",
        "role": "technical-approver",
        "binds": [{"name": "image", "digest": {"sha256": image("m1")}}],
    });
    let content = json!({"expiresAt": "2026-11-09T12:00:00Z"});
    let reason = [("reason", "The bank asked for it.")];
    teller.say(
        ("override.declared", RAVI),
        50,
        "o1",
        &content,
        &profile,
        &reason,
    );
    deploy(&mut teller, 100, "d", "m1");
    let told = story(&models(&teller), 1);
    let row = &told.agreements[0];
    assert_eq!(row.decision, "override");
    assert_eq!(row.shown, None);
    assert_eq!(
        row.comment,
        Some(answer::Words::Said("The bank asked for it.".to_owned()))
    );
    assert_eq!(row.until.unwrap().to_string(), "2026-11-09T12:00:00Z");
    assert_eq!(row.mark.plain(), "! for what ran, review owed");
}

#[test]
fn the_matrix_says_where_a_standing_cannot_be_judged() {
    let mut teller = merged(1);
    let taken = commit("m1");
    teller.change("change.merged", 50, 2, &[("merge", &taken)], Some("Other"));
    deploy(&mut teller, 100, "d", "m1");
    let matrix = matrix(&models(&teller));
    let cell = matrix.rows[0].cells[0].as_ref().unwrap();
    let marks: Vec<String> = cell.marks.iter().map(Mark::plain).collect();
    assert_eq!(marks[0], "! cannot be judged");
}

#[test]
fn the_matrix_is_narrowed_before_anything_is_said_of_it() {
    let mut teller = merged(2);
    deploy(&mut teller, 100, "d", "m1");
    let success = "deployment.finished success";
    teller.deploy(PIPELINE, success, 110, "s", "staging", "m2");
    let models = models(&teller);
    let slots = models.slots_at(models.size());
    let ask = |service, environment| {
        let narrowed = Narrowed {
            service,
            environment,
        };
        models.ask(models.size(), |reading| {
            answer::where_is(&slots, narrowed, reading)
        })
    };
    let whole = ask(None, None);
    assert_eq!(whole.environments, ["staging", "production"]);
    let one = ask(Some("shop"), Some("production"));
    assert_eq!(one.environments, ["production"]);
    assert_eq!(one.rows[0].cells.len(), 1);
    assert_eq!(one.rows[0].behind, whole.rows[0].behind);
    for (service, environment, said) in [
        (Some("web"), None, "No deployment of web is recorded."),
        (None, Some("moon"), "No deployment to moon is recorded."),
        (
            Some("shop"),
            Some("moon"),
            "No deployment of shop to moon is recorded.",
        ),
    ] {
        let none = ask(service, environment);
        assert_eq!((none.rows.len(), none.lead.plain().as_str()), (0, said));
    }
}

#[test]
fn a_deployment_that_came_too_late_to_be_placed_says_so() {
    let mut teller = merged(1);
    for number in 0..40 {
        deploy(
            &mut teller,
            100 + number,
            &format!("d{number}"),
            &format!("x{number}"),
        );
    }
    deploy(&mut teller, 90, "late", "m1");
    let told = story(&models(&teller), 1);
    let said = told.completeness.iter().any(|said| {
        said.plain()
            .starts_with("A deployment to production came after so many later ones")
    });
    assert!(said, "{:?}", told.completeness);
}

#[test]
fn an_incident_in_two_services_follows_a_deployment_in_each_in_every_order() {
    let tell = |order: [usize; 3]| {
        let mut teller = merged(1);
        deploy(&mut teller, 100, "d", "m1");
        let web = json!({"service": "web", "environment": "production", "binds": []});
        let success = json!({"outcome": "success"});
        teller.say(
            ("deployment.finished", PIPELINE),
            101,
            "w",
            &success,
            &web,
            &[],
        );
        for step in order {
            let (minute, service) = [(110, "shop"), (112, "web"), (105, "web")][step];
            let place = json!({"service": service, "environment": "production"});
            let content = json!({"environment": {"id": "production"}});
            teller.say(
                ("incident.detected", MONITOR),
                minute,
                "INC-7",
                &content,
                &place,
                &[],
            );
        }
        let models = Models::of(&teller.told, 3);
        let trouble: Trouble = models.get(&incident_key("production", "INC-7")).unwrap();
        (trouble.from, trouble.followed, trouble.places)
    };
    let expected = tell([0, 1, 2]);
    assert_eq!(expected.1.len(), 2);
    assert!(expected.1.contains_key(&slot_key("web", "production")));
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(tell(order), expected, "{order:?}");
    }
}
