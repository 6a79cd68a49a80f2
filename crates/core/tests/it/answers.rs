//! What people are told of the example: sentences, marks and rows, made from its entries.

use piperoll_core::answer::{
    self, Covers, EntryView, Found, LogRow, Narrowed, State, Story, Timeline, Where, Words,
    part::{Line, Mark, Sentence},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::models::{Models, example};

fn models() -> Models {
    Models::of(&example(), 7)
}
fn story(models: &Models, change: &str) -> Story {
    models
        .ask(models.size(), |reading| answer::story(change, reading))
        .unwrap()
}
fn lead(story: &Story) -> Vec<String> {
    story.lead.iter().map(Sentence::plain).collect()
}
fn chips(story: &Story) -> Vec<String> {
    story.chips.iter().map(Mark::plain).collect()
}
fn matrix(models: &Models, size: u64) -> Where {
    let slots = models.slots_at(size);
    models.ask(size, |reading| {
        answer::where_is(&slots, Narrowed::default(), reading)
    })
}
/// As the terminal shows a story.
fn terminal(story: &Story) -> Vec<String> {
    let lines = story.lines.iter();
    lines
        .map(|line| {
            let sign = line.sign.unwrap_or(' ');
            let (index, time) = (line.at.index, line.at.short());
            format!("{index:>4} {time} {sign} {}", line.plain())
        })
        .collect()
}
/// What is sent as JSON reads back as the same.
fn returns<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(answer: &T) {
    let json = serde_json::to_string(answer).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), answer);
}

#[test]
fn the_first_sentences_of_a_story_say_who_agreed_where_it_went_and_what_followed() {
    let models = models();
    let story = story(&models, "github:acme/checkout#418");
    assert_eq!(
        lead(&story),
        [
            "Two people approved exactly what was deployed.",
            "It went to production on Thu 12 Nov at 20:04 with two other changes.",
            "An alert and an incident followed, the first 13 minutes later, and the deployment was rolled back at 20:31.",
        ]
    );
    assert_eq!(
        chips(&story),
        [
            "✓ approved, exact content",
            "↶ rolled back in production",
            "! one alert followed",
            "! one incident followed",
        ]
    );
    assert_eq!(
        story.title,
        Words::Said("Ask for the postcode before the address".to_owned())
    );
    assert_eq!(story.state, State::Merged);
    assert_eq!(story.proposer.as_ref().unwrap().name, "Tomás Lindqvist");
    assert_eq!(story.via.as_deref(), Some("GitHub"));
    returns(&story);
}

#[test]
fn the_record_of_a_story_is_one_line_for_each_thing_that_happened() {
    let models = models();
    let told = terminal(&story(&models, "github:acme/checkout#418"));
    assert_eq!(
        told,
        [
            "  20 Tue 14:02   proposed by Tomás Lindqvist (via GitHub)",
            "  21 Tue 14:10   updated by Tomás Lindqvist, now at b6ea9b9… (via GitHub)",
            "  22 Tue 15:00   updated by Tomás Lindqvist, now at 3facdc4… (via GitHub)",
            "  27 Wed 08:30   reviewed by Tomás Lindqvist: code found good (via GitHub)",
            "  31 Wed 09:00   merged by Tomás Lindqvist as 9000c11… (via GitHub)",
            "  34 Wed 09:10   bundle shop 4.12.0 defined by checkout-deploy, two artifacts",
            "  36 Wed 09:21   deployed to staging by checkout-deploy, contents unknown",
            "  37 Wed 09:40   approval asked for production by checkout-deploy, bundle shop@4.12.0 5f23…",
            "  38 Wed 10:15 ✓ approved by Ines Okafor, business approver",
            "  39 Wed 11:30 ✓ approved by Ravi Menon, technical approver",
            "  44 Thu 20:04   deployed to production by checkout-deploy, with #416 and #417",
            "  50 Thu 20:17 ! alert HighErrorRate, 13 min after the deployment (via Alertmanager)",
            "  51 Thu 20:20 ! incident inc-7 detected by Ines Okafor, 16 min after the deployment",
            "  53 Thu 20:31 ↶ rolled back to c7f1… in production by checkout-deploy",
            "  55 Thu 20:33   alert over HighErrorRate (via Alertmanager)",
            "  56 Thu 20:33   incident over inc-7, as uptime says",
        ]
    );
}

#[test]
fn agreements_name_who_as_what_and_whether_it_covers_exactly_what_ran() {
    let models = models();
    let story = story(&models, "github:acme/checkout#418");
    let rows: Vec<_> = story
        .agreements
        .iter()
        .map(|row| {
            (
                row.who.name.as_str(),
                row.role.as_deref().unwrap(),
                row.decision.as_str(),
                row.covers,
                row.mark.plain(),
            )
        })
        .collect();
    let exactly = "✓ exactly what ran".to_owned();
    assert_eq!(
        rows,
        [
            (
                "Ines Okafor",
                "business approver",
                "approved",
                Covers::Exactly,
                exactly.clone()
            ),
            (
                "Ravi Menon",
                "technical approver",
                "approved",
                Covers::Exactly,
                exactly
            ),
        ]
    );
    assert!(
        matches!(&story.agreements[0].shown, Some(Words::Said(shown)) if shown.contains("timing"))
    );
    assert_eq!(
        story.agreements[0].comment,
        Some(Words::Said("Fine.\n\tPlease not on Friday.".to_owned()))
    );
    assert_eq!(story.agreements[1].comment, None);
}

#[test]
fn the_picture_has_a_lane_for_each_environment_with_what_ran_before_and_after() {
    let models = models();
    let picture = story(&models, "github:acme/checkout#418").picture;
    let bars: Vec<_> = picture
        .lanes
        .iter()
        .flat_map(|lane| lane.bars.iter().map(|bar| (lane.environment.as_str(), bar)))
        .map(|(lane, bar)| (lane, bar.label.as_str(), bar.this, bar.to.is_some()))
        .collect();
    assert_eq!(
        bars,
        [
            ("staging", "this change; contents unknown", true, false),
            ("production", "commit 951dd34", false, true),
            ("production", "with #416, #417", true, true),
            ("production", "back", false, false),
        ]
    );
    let alerts: Vec<&str> = picture
        .alerts
        .iter()
        .map(|bar| bar.label.as_str())
        .collect();
    assert_eq!(
        alerts,
        ["HighErrorRate, 13 min after", "inc-7, 16 min after"]
    );
    assert!(picture.alerts.iter().all(|bar| bar.to.is_some()));
}

#[test]
fn a_rejected_change_says_so_and_that_it_never_ran() {
    let models = models();
    let story = story(&models, "github:acme/checkout#419");
    assert_eq!(
        lead(&story),
        [
            "It was rejected by Ravi Menon, technical approver.",
            "It was closed on Wed 11 Nov at 13:30 without being merged, and never deployed, as far as is recorded.",
        ]
    );
    assert_eq!(chips(&story), ["✕ rejected", "closed, not merged"]);
    assert_eq!(story.agreements[0].covers, Covers::NotDeployed);
    assert_eq!(story.also_known_as, ["e5efe3a", "SHOP-77"]);
}

#[test]
fn each_record_of_a_story_is_behind_exactly_one_of_its_lines() {
    let models = models();
    let mut stories = 0;
    for number in 410..=425 {
        let change = format!("github:acme/checkout#{number}");
        let told = models.ask(models.size(), |reading| answer::story(&change, reading));
        let Some(story) = told else { continue };
        stories += 1;
        let mut shown: Vec<u64> = story
            .lines
            .iter()
            .flat_map(|line| std::iter::once(line.at.index).chain(line.also.clone()))
            .collect();
        shown.sort_unstable();
        assert_eq!(shown, story.entries, "{change}");
    }
    assert!(stories > 2, "{stories}");
}

#[test]
fn a_commit_nobody_claims_has_a_story_of_its_own_and_a_claimed_one_has_its_changes() {
    let models = models();
    let own = story(&models, "commit:3e94a97e1ac3f1f52c943daa330bf6f01a71daad");
    assert_eq!(own.change.label, "commit 3e94a97");
    assert_eq!(
        lead(&own),
        [
            "It was deployed under an override declared by Ravi Menon; a review is owed.",
            "It went to production on Fri 13 Nov at 14:09 with no other change.",
        ]
    );
    let merged = story(&models, "commit:9000c117777a825081a4a8c7055fe6b7de97f48a");
    assert_eq!(merged.change.id, "github:acme/checkout#418");
    let unknown = models.ask(models.size(), |reading| {
        answer::story("github:acme/checkout#999", reading)
    });
    assert_eq!(unknown, None);
}

#[test]
fn a_story_states_that_no_number_is_absent_and_who_vouches_for_what() {
    let models = models();
    let story = story(&models, "github:acme/checkout#418");
    let said: Vec<String> = story.completeness.iter().map(Sentence::plain).collect();
    assert_eq!(
        said,
        [
            "Nothing missing: each run of checkout-deploy numbered its events, and none is absent.",
            "Three records of checkout-deploy bear no number: one missing beside them would not show.",
            "Nine of the records behind these lines were relayed by bridges, which vouch for them.",
        ]
    );
}

#[test]
fn the_matrix_says_what_is_where_since_when_and_how_far_production_is_behind() {
    let models = models();
    let matrix = matrix(&models, models.size());
    assert_eq!(
        matrix.lead.plain(),
        "Production is 3 changes behind staging; for one service that is unknown."
    );
    assert_eq!(matrix.environments, ["staging", "production"]);
    let rows: Vec<_> = matrix
        .rows
        .iter()
        .map(|row| {
            let behind = row.behind.as_ref().map(|behind| behind.sentence.plain());
            (row.service.as_str(), behind.unwrap())
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("checkout", "production is 3 changes behind".to_owned()),
            (
                "payments",
                "how far production is behind is unknown".to_owned()
            ),
        ]
    );
    let cell = matrix.rows[0].cells[1].as_ref().unwrap();
    let marks: Vec<String> = cell.marks.iter().map(Mark::plain).collect();
    assert_eq!(marks, ["↶ rolled back from #418"]);
    assert!(cell.again);
    assert_eq!(cell.since.index, 53);
    let paid = matrix.rows[1].cells[1].as_ref().unwrap();
    let marks: Vec<String> = paid.marks.iter().map(Mark::plain).collect();
    assert_eq!(marks, ["! override, review owed"]);
    returns(&matrix);
}

#[test]
fn the_matrix_can_be_asked_as_of_an_earlier_entry() {
    let models = models();
    let before = matrix(&models, 50);
    let cell = before.rows[0].cells[1].as_ref().unwrap();
    assert_eq!(cell.since.index, 44);
    assert_eq!(cell.change.as_ref().unwrap().label, "#418");
    let marks: Vec<String> = cell.marks.iter().map(Mark::plain).collect();
    assert_eq!(marks, ["✓ approved, exact content"]);
    let story = models
        .ask(50, |reading| {
            answer::story("github:acme/checkout#418", reading)
        })
        .unwrap();
    assert!(story.entries.iter().all(|index| *index < 50));
    assert_eq!(
        chips(&story),
        ["✓ approved, exact content", "went to production"]
    );
    let none = matrix_is_empty(&models);
    assert_eq!(none, "No deployment is recorded yet.");
}
fn matrix_is_empty(models: &Models) -> String {
    matrix(models, 14).lead.plain()
}

#[test]
fn a_story_is_answered_as_of_every_size() {
    let models = models();
    for size in 0..=models.size() {
        for change in models.changes.keys() {
            let story = models.ask(size, |reading| answer::story(change, reading));
            if let Some(story) = story {
                assert!(story.entries.iter().all(|index| *index < size));
                returns(&story);
            }
        }
        matrix(&models, size);
    }
}

#[test]
fn every_entry_is_one_line_of_the_log_with_the_change_that_was_learnt() {
    let models = models();
    let size = models.size();
    let rows: Vec<LogRow> = (0..size)
        .map(|index| models.ask(size, |reading| answer::log_row(index, reading)))
        .collect();
    for row in &rows {
        assert!(!row.summary.contains(['\n', '\t']), "{}", row.summary);
        assert!(!row.summary.is_empty());
        assert_eq!(row.recorded_at.len(), "2026-11-09T08:00:00.150Z".len());
        returns(row);
    }
    let change = |index: usize| rows[index].change.as_deref();
    assert_eq!(change(20), Some("github:acme/checkout#418"), "named");
    assert_eq!(
        change(44),
        Some("github:acme/checkout#418"),
        "by its commit"
    );
    assert_eq!(
        change(38),
        Some("github:acme/checkout#418"),
        "by its bundle"
    );
    assert_eq!(change(26), None);
    assert_eq!(
        rows[16].summary,
        "deployed to production by checkout-deploy"
    );
    assert_eq!(
        rows[38].summary,
        "approved by Ines Okafor, business approver"
    );
    assert_eq!(
        rows[19].summary,
        "proposed by an account nobody is linked to (via GitHub)"
    );
    assert_eq!(
        rows[48].summary,
        "deployment to production failed (dependency), by checkout-deploy"
    );
    let view: EntryView = models.ask(size, |reading| answer::entry(38, reading));
    returns(&view);
}

#[test]
fn a_timeline_tells_what_happened_and_what_did_not() {
    let models = models();
    let ask = |indexes: &[u64]| -> Timeline {
        models.ask(models.size(), |reading| {
            answer::timeline(&answer::Window::default(), indexes, false, reading)
        })
    };
    let evening = ask(&(43..57).rev().collect::<Vec<u64>>());
    assert_eq!(
        evening.lead.plain(),
        "Two deployments, one rollback, one alert and one incident in this window."
    );
    let told: Vec<String> = evening.lines.iter().map(Line::plain).collect();
    assert_eq!(
        told[0],
        "deployed checkout to production by checkout-deploy, bringing #416, #417 and #418"
    );
    assert_eq!(evening.lines[0].also, [43, 45, 46]);
    let absent: Vec<String> = evening.absent.iter().map(Sentence::plain).collect();
    assert_eq!(
        absent,
        [
            "Decisions: none recorded in this window.",
            "Overrides: none recorded in this window.",
        ]
    );
    returns(&evening);
    let nothing = ask(&[]);
    assert_eq!(nothing.lead.plain(), "Nothing is recorded in this window.");
    assert_eq!(nothing.absent.len(), 6);
}

#[test]
fn people_find_a_change_by_whatever_they_know_of_it() {
    let models = models();
    let find = |typed: &str| {
        let rows = answer::lookups(typed)
            .iter()
            .map(|text| models.find(text))
            .find(|rows| !rows.is_empty());
        answer::find_change(typed, &rows.unwrap_or_default())
    };
    for typed in [
        "418",
        "#418",
        "checkout#418",
        "acme/checkout#418",
        "github:acme/checkout#418",
        "9000c117777a825081a4a8c7055fe6b7de97f48a",
        "9000c1",
        "3fac",
        "sha256:dbaff69a",
        "https://github.com/acme/checkout/pull/418",
        "https://github.com/acme/checkout/actions/runs/7005",
    ] {
        assert_eq!(
            find(typed),
            Found::One {
                change: "github:acme/checkout#418".to_owned()
            },
            "{typed}"
        );
    }
    assert!(matches!(find("SHOP-77"), Found::One { change } if change.ends_with("#419")));
    assert!(matches!(find("3e94"), Found::One { change } if change.starts_with("commit:3e94")));
    assert!(
        matches!(find("github:acme/checkout"), Found::Several { changes } if changes.len() == 4)
    );
    assert!(matches!(find("no such thing"), Found::None { .. }));
}
