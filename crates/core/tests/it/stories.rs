//! Rules of `formats.md` section 9, each as given, when, then.

use piperoll_core::{
    answer::{
        self, Narrowed, Story, Where,
        part::{Mark, Sentence},
    },
    fold::aggregate::{Change, Deployment, deployment_key},
};
use serde_json::json;

use crate::{
    models::Models,
    tell::{INES, PIPELINE, RAVI, Teller, at, commit, image},
};

pub(crate) fn models(teller: &Teller) -> Models {
    Models::of(&teller.told, 3)
}
pub(crate) fn story(models: &Models, number: u64) -> Story {
    let change = format!("github:acme/shop#{number}");
    models
        .ask(models.size(), |reading| answer::story(&change, reading))
        .unwrap()
}
pub(crate) fn matrix(models: &Models) -> Where {
    let slots = models.slots_at(models.size());
    models.ask(models.size(), |reading| {
        answer::where_is(&slots, Narrowed::default(), reading)
    })
}
pub(crate) fn deployment(models: &Models, id: &str) -> Deployment {
    models
        .get(&deployment_key("shop", "production", id))
        .unwrap()
}
pub(crate) fn chips(story: &Story) -> Vec<String> {
    story.chips.iter().map(Mark::plain).collect()
}
/// Production runs `root`, and merge requests 1 to `count` are merged and pushed one by one as `m1`, `m2`, ….
pub(crate) fn merged(count: u64) -> Teller {
    let mut teller = Teller::default();
    teller.person(INES, "Ines Okafor");
    teller.person(RAVI, "Ravi Menon");
    deploy(&mut teller, 1, "d-root", "root");
    for number in 1..=count {
        let minute = 1 + number * 2;
        let merge = commit(&format!("m{number}"));
        let title = format!("Title {number}");
        teller.change(
            "change.merged",
            minute,
            number,
            &[("merge", &merge)],
            Some(&title),
        );
        let before = match number {
            1 => commit("root"),
            _ => commit(&format!("m{}", number - 1)),
        };
        teller.push(minute + 1, &before, &[merge]);
    }
    teller
}
pub(crate) fn deploy(teller: &mut Teller, minute: u64, id: &str, what: &str) {
    teller.deploy(
        PIPELINE,
        "deployment.finished success",
        minute,
        id,
        "production",
        what,
    );
}

#[test]
fn a_deployment_of_seven_merge_requests_lists_seven() {
    let mut teller = merged(7);
    deploy(&mut teller, 100, "d", "m7");
    let models = models(&teller);
    let contents = deployment(&models, "d").contents.unwrap();
    let expected: Vec<String> = (1..=7).map(|n| format!("github:acme/shop#{n}")).collect();
    assert_eq!(contents.changes(), expected);
    assert_eq!(
        story(&models, 3).lead[1].plain(),
        "It went to production on Mon 9 Nov at 09:40 with six other changes."
    );
}

#[test]
fn contents_are_unknown_where_a_push_is_missing_and_known_when_it_comes() {
    let mut teller = merged(3);
    deploy(&mut teller, 100, "d", "m3");
    let missing = teller
        .told
        .iter()
        .rposition(|told| told.event.kind().name() == "branch.pushed")
        .unwrap();
    let late = teller.told.remove(missing);
    let before = Models::of(&teller.told, 3);
    assert_eq!(deployment(&before, "d").contents, None);
    assert!(
        story(&before, 3)
            .lines
            .iter()
            .any(|line| line.plain().ends_with("contents unknown")),
        "never none"
    );
    teller.told.push(late);
    let after = models(&teller);
    let contents = deployment(&after, "d").contents.unwrap();
    assert_eq!(contents.changes().len(), 3);
    assert_eq!(
        contents.index,
        after.size() - 1,
        "known from its own index on"
    );
}

#[test]
fn contents_are_unknown_after_a_forced_or_truncated_push() {
    for (forced, truncated) in [(true, false), (false, true)] {
        let mut teller = merged(1);
        let how = (forced, truncated);
        teller.push_so(50, &commit("m1"), &[commit("m2")], how);
        deploy(&mut teller, 100, "d", "m2");
        assert_eq!(deployment(&models(&teller), "d").contents, None);
    }
}

#[test]
fn at_most_500_commits_are_contents_more_are_unknown() {
    for (count, known) in [(500, true), (501, false)] {
        let mut teller = Teller::default();
        deploy(&mut teller, 1, "d-root", "root");
        let commits: Vec<String> = (0..count).map(|n| commit(&format!("c{n}"))).collect();
        teller.push(2, &commit("root"), &commits);
        deploy(&mut teller, 100, "d", &format!("c{}", count - 1));
        let contents = deployment(&models(&teller), "d").contents;
        assert_eq!(
            contents.map(|contents| contents.commits.len()),
            known.then_some(count)
        );
    }
}

#[test]
fn a_second_claim_moves_nothing_and_makes_the_standing_unjudgeable() {
    let mut teller = merged(1);
    let taken = commit("m1");
    teller.change("change.merged", 50, 2, &[("merge", &taken)], Some("Other"));
    deploy(&mut teller, 100, "d", "m1");
    let models = models(&teller);
    assert_eq!(
        deployment(&models, "d").contents.unwrap().changes(),
        ["github:acme/shop#1"]
    );
    for number in [1, 2] {
        let story = story(&models, number);
        assert_eq!(story.disputed, std::slice::from_ref(&taken));
        assert_eq!(chips(&story)[0], "! cannot be judged");
    }
}

#[test]
fn a_digest_bound_by_two_changes_is_an_alias_of_none_and_spoils_no_standing() {
    let mut teller = merged(2);
    let bind = json!([{"name": "image", "digest": {"sha256": image("shared")}}]);
    for (minute, number) in [(50, 1), (51, 2)] {
        let request = format!("r{number}");
        teller.say(
            ("approval.created", PIPELINE),
            minute,
            &request,
            &json!({
                "approvalDetailsUrl": format!("urn:piperoll:approval:{request}"),
                "resourceTargetUrl": format!("urn:sha256:{}", image("shared")),
                "requestor": PIPELINE,
            }),
            &json!({"service": "shop", "change": format!("github:acme/shop#{number}"), "binds": bind}),
            &[("summary", "Please")],
        );
        let models = Models::of(&teller.told, 3);
        let first: Change = models.get("github:acme/shop#1").unwrap();
        assert_eq!(first.aliases.contains_key(&image("shared")), number == 1);
        assert!(first.disputed.is_empty());
    }
}

#[test]
fn an_approval_signed_after_the_deployment_is_told_as_such() {
    let mut teller = merged(1);
    deploy(&mut teller, 100, "d", "m1");
    teller.decide(INES, 101, "m1", "approved");
    let late = story(&models(&teller), 1);
    assert_eq!(chips(&late)[0], "! approved only afterwards");
    assert_eq!(
        late.agreements[0].mark.plain(),
        "! exactly what ran, but signed afterwards"
    );
}

#[test]
fn an_approval_of_other_content_covers_nothing_that_ran() {
    let mut teller = merged(1);
    teller.decide(INES, 50, "something else", "approved");
    deploy(&mut teller, 100, "d", "m1");
    let story = story(&models(&teller), 1);
    assert_eq!(chips(&story)[0], "✕ deployed without approval");
    assert!(story.agreements.is_empty());
}

#[test]
fn of_each_person_the_last_decision_before_the_deployment_counts() {
    let mut teller = merged(1);
    teller.decide(INES, 50, "m1", "approved");
    teller.decide(RAVI, 51, "m1", "approved");
    teller.decide(INES, 52, "m1", "rejected");
    deploy(&mut teller, 100, "d", "m1");
    let story = story(&models(&teller), 1);
    assert_eq!(
        chips(&story)[..2],
        ["✕ rejected", "✓ approved, exact content"]
    );
    assert_eq!(
        story.lead[0].plain(),
        "One person approved exactly what was deployed."
    );
    assert_eq!(story.lead[1].plain(), "One person rejected it.");
    assert_eq!(story.agreements.len(), 3, "all of them are shown");
}

#[test]
fn of_each_person_the_last_decision_after_the_deployment_is_told_too() {
    let mut teller = merged(1);
    teller.decide(RAVI, 51, "m1", "approved");
    deploy(&mut teller, 100, "d", "m1");
    teller.decide(INES, 110, "m1", "approved");
    teller.decide(INES, 111, "m1", "rejected");
    teller.decide(RAVI, 112, "m1", "rejected");
    let story = story(&models(&teller), 1);
    assert_eq!(
        chips(&story)[..2],
        ["✕ rejected afterwards", "✓ approved, exact content"]
    );
    let lead: Vec<String> = story.lead[..2].iter().map(Sentence::plain).collect();
    assert_eq!(
        lead,
        [
            "One person approved exactly what was deployed.",
            "Two people rejected it afterwards."
        ]
    );
    let row = story.agreements.last().unwrap();
    assert_eq!(row.mark.plain(), "✕ exactly what ran, signed afterwards");
}

#[test]
fn whoever_deploys_by_digest_alone_deploys_the_change_of_its_commit() {
    for digest_first in [false, true] {
        let mut teller = merged(1);
        let image = json!({"name": "image", "digest": {"sha256": image("m1")}});
        let alone = json!({"service": "shop", "environment": "production", "binds": [image]});
        let done = json!({"outcome": "success"});
        let said = ("deployment.finished", PIPELINE);
        let in_staging = |teller: &mut Teller| {
            let success = "deployment.finished success";
            teller.deploy(PIPELINE, success, 50, "s", "staging", "m1");
        };
        if !digest_first {
            in_staging(&mut teller);
        }
        teller.say(said, 60, "p", &done, &alone, &[]);
        if digest_first {
            in_staging(&mut teller);
        }
        let models = models(&teller);
        let cells = &matrix(&models).rows[0].cells;
        let named = cells
            .iter()
            .flatten()
            .map(|cell| cell.change.as_ref().unwrap());
        assert!(named.clone().all(|change| change.label == "#1"));
        assert_eq!(named.count(), 2, "staging and production");
        let story = story(&models, 1);
        let lead: Vec<String> = story.lead.iter().map(Sentence::plain).collect();
        let lead = lead.join(" ");
        assert!(lead.contains("It went to production"), "{lead}");
        assert!(!lead.contains("has not gone"), "{lead}");
    }
}

#[test]
fn a_part_rejected_after_the_deployment_takes_no_approval_away() {
    let mut teller = merged(1);
    let second = image("second");
    let binds = json!([
        {"name": "a", "digest": {"sha256": image("m1")}},
        {"name": "b", "digest": {"sha256": second}},
        {"name": "commit", "digest": {"gitCommit": commit("m1")}},
    ]);
    teller.decide(RAVI, 50, "m1", "approved");
    deploy(&mut teller, 90, "before", "m1");
    let profile = json!({"service": "shop", "environment": "production", "binds": binds});
    let done = json!({"outcome": "success"});
    let said = ("deployment.finished", PIPELINE);
    teller.say(said, 100, "both", &done, &profile, &[]);
    teller.decide_about(INES, 110, &second, "rejected");
    let chips = chips(&story(&models(&teller), 1));
    assert!(
        chips.contains(&"✕ rejected afterwards".to_owned()),
        "{chips:?}"
    );
}

#[test]
fn a_commit_nobody_described_is_titled_by_what_was_asked_for_it() {
    let mut teller = Teller::default();
    let digest = json!({"gitCommit": commit("x")});
    let content = json!({
        "approvalDetailsUrl": "urn:piperoll:approval:asked",
        "resourceTargetUrl": format!("urn:git:{}", commit("x")),
        "requestor": PIPELINE,
    });
    let binds = json!([{"name": "commit", "digest": digest}]);
    let profile = json!({"service": "shop", "environment": "production", "binds": binds});
    let words = [("summary", "Larger pictures")];
    let said = ("approval.created", PIPELINE);
    teller.say(said, 1, "asked", &content, &profile, &words);
    deploy(&mut teller, 2, "d", "x");
    let models = models(&teller);
    let change = format!("commit:{}", commit("x"));
    let story = models.ask(models.size(), |reading| answer::story(&change, reading));
    let told = story.unwrap().change.title;
    assert_eq!(told.as_deref(), Some("Larger pictures"));
}

#[test]
fn words_of_people_stay_on_one_line() {
    let mut teller = Teller::default();
    teller.person(INES, "Ines\n\tOkafor  \n");
    teller.change("change.created", 1, 1, &[], Some("Two\nlines\tand a tab"));
    teller.decide(INES, 2, "x", "approved");
    let models = models(&teller);
    let story = story(&models, 1);
    assert_eq!(story.change.title.as_deref(), Some("Two lines and a tab"));
    let row = models.ask(models.size(), |reading| answer::log_row(2, reading));
    assert_eq!(row.summary, "approved by Ines Okafor, technical approver");
}

#[test]
fn one_push_completes_hundreds_of_deployments_in_few_rounds_of_loading() {
    let mut teller = Teller::default();
    let services: Vec<String> = (0..300).map(|n| format!("service-{n}")).collect();
    for (minute, what) in [(1, "root"), (2, "m1")] {
        for service in &services {
            let binds = json!([{"name": "commit", "digest": {"gitCommit": commit(what)}}]);
            teller.say(
                ("deployment.finished", PIPELINE),
                minute,
                &format!("{what}-{service}"),
                &json!({"outcome": "success"}),
                &json!({"service": service, "environment": "production", "binds": binds}),
                &[],
            );
        }
    }
    teller.push(3, &commit("root"), &[commit("m1")]);
    // Each batch starts with nothing loaded, so that every round shows.
    let models = Models::of(&teller.told, 1);
    assert!(models.rounds_max <= 12, "{} rounds", models.rounds_max);
    let known = models
        .all::<Deployment>()
        .values()
        .filter(|deployment| deployment.contents.is_some())
        .count();
    assert_eq!(known, 300);
}

#[test]
fn a_history_pushed_backwards_commit_by_commit_is_walked_in_bounded_rounds() {
    let mut teller = Teller::default();
    deploy(&mut teller, 1, "d-root", "c0");
    for n in (0..120).rev() {
        teller.push(
            2,
            &commit(&format!("c{n}")),
            &[commit(&format!("c{}", n + 1))],
        );
    }
    deploy(&mut teller, 3, "d", "c120");
    let models = Models::of(&teller.told, 1);
    assert!(models.rounds_max < 60, "{} rounds", models.rounds_max);
}

#[test]
fn a_date_of_another_year_than_the_last_entrys_says_its_year() {
    const YEAR: u64 = 366 * 24 * 60;
    let mut teller = merged(1);
    deploy(&mut teller, 100, "d", "m1");
    let lead = |teller: &Teller| story(&models(teller), 1).lead.last().unwrap().plain();
    let now = "It went to production on Mon 9 Nov at 09:40 with no other change.";
    assert_eq!(lead(&teller), now);
    deploy(&mut teller, YEAR, "later", "other");
    assert_eq!(lead(&teller), now.replace("Nov at", "Nov 2026 at"));
    let told = story(&models(&teller), 1);
    let dates: Vec<String> = told
        .lines
        .iter()
        .map(|line| told.as_of.date(line.at.time))
        .collect();
    assert!(
        dates.contains(&"Mon 9 Nov 2026 09:40".to_owned()),
        "{dates:?}"
    );
    assert_eq!(told.as_of.date(at(YEAR)), "Wed 10 Nov 08:00");
}
