//! Every order of arrival gives one story and the same end (`formats.md` section 9).

use std::collections::BTreeSet;

use jiff::SignedDuration;
use piperoll_core::{
    answer::{self, Narrowed, Story},
    fold::aggregate::Change,
    kind::Kind,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    fold::conclusions,
    models::{Models, Told, example},
    tell::{BRIDGE, INES, PIPELINE, RAVI, Teller, at, commit},
};

/// The same events, recorded in another order and all of them later than anything in them; but for decisions, which count from when
/// they were recorded.
fn shuffled(told: &[Told], fixed: usize, order: &[usize]) -> Vec<Told> {
    let mut shuffled: Vec<Told> = told[..fixed].to_vec();
    shuffled.extend(order.iter().map(|place| told[fixed + place].clone()));
    for (index, one) in shuffled.iter_mut().enumerate() {
        if matches!(
            one.event.kind(),
            Kind::ApprovalUpdated | Kind::OverrideDeclared
        ) {
            continue;
        }
        let later = i64::try_from(index).unwrap();
        one.recorded_at = at(60 * 24 * 30) + SignedDuration::from_millis(later);
    }
    shuffled
}

/// Everything that is concluded and told, without record numbers.
fn told_of(models: &Models) -> Value {
    let mut conclusions = conclusions(models);
    forget_numbers(models, &mut conclusions);
    let size = models.size();
    let stories: Vec<Value> = models
        .all::<Change>()
        .keys()
        .filter_map(|change| models.ask(size, |reading| answer::story(change, reading)))
        .map(|story| story_told(&story))
        .collect();
    let slots = models.slots_at(size);
    let matrix = models.ask(size, |reading| {
        answer::where_is(&slots, Narrowed::default(), reading)
    });
    let mut matrix = serde_json::to_value(matrix).unwrap();
    without_numbers(&mut matrix);
    json!({"conclusions": conclusions, "stories": stories, "where": matrix})
}
/// Entries become the ids of their events.
fn forget_numbers(models: &Models, conclusions: &mut Value) {
    let id = |index: &Value| {
        let index = index.as_u64().unwrap();
        json!(models.entry(index).event.id)
    };
    for slot in conclusions["where"].as_array_mut().unwrap() {
        slot["since_entry"] = id(&slot["since_entry"]);
    }
    let lists = ["entries", "approvals"];
    for question in ["changes", "deployments"] {
        let rows = conclusions[question].as_array_mut().unwrap();
        for row in rows.iter_mut() {
            for list in lists {
                if let Some(indexes) = row.get(list).and_then(Value::as_array) {
                    let ids: BTreeSet<String> = indexes
                        .iter()
                        .map(|index| id(index).as_str().unwrap().to_owned())
                        .collect();
                    row[list] = json!(ids);
                }
            }
        }
        rows.sort_by_key(Value::to_string);
    }
}
fn story_told(story: &Story) -> Value {
    let mut known: Vec<&String> = story.also_known_as.iter().collect();
    known.sort();
    let mut lines: Vec<Value> = story
        .lines
        .iter()
        .map(|line| {
            json!([
                line.at.time.to_string(),
                line.sign,
                line.plain(),
                line.details,
                line.also.len()
            ])
        })
        .collect();
    lines.sort_by_key(Value::to_string);
    let mut told = serde_json::to_value(story).unwrap();
    told["also_known_as"] = json!(known);
    told["lines"] = json!(lines);
    told["entries"] = json!(story.entries.len());
    without_numbers(&mut told);
    told
}
fn without_numbers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["index", "recorded_at", "as_of"] {
                members.remove(name);
            }
            members.values_mut().for_each(without_numbers);
        }
        Value::Array(items) => items.iter_mut().for_each(without_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A merge request and what becomes of it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that may happen"
)]
#[derive(Clone, Debug)]
struct Step {
    /// Commits pushed together, the last of them merging a request of its own.
    commits: usize,
    approved: [bool; 2],
    staged: bool,
    deployed: bool,
    succeeds: bool,
    relayed: bool,
    alert: bool,
    rolled_back: bool,
    /// Its deployment finishes only while the next one goes on.
    slow: bool,
}
prop_compose! {
    fn step()(
        commits in 1_usize..4,
        approved in any::<[bool; 2]>(),
        staged in any::<bool>(),
        deployed in any::<bool>(),
        succeeds in prop::bool::weighted(0.8),
        relayed in any::<bool>(),
        alert in any::<bool>(),
        rolled_back in prop::bool::weighted(0.3),
        slow in prop::bool::weighted(0.2),
    ) -> Step {
        Step { commits, approved, staged, deployed, succeeds, relayed, alert, rolled_back, slow }
    }
}
/// Tells a story, each minute one thing.
struct World {
    teller: Teller,
    minute: u64,
    /// The last merged.
    tip: String,
    /// What production ran, one after the other.
    runs: Vec<String>,
    /// Finishes that are still to come: id and content.
    slow: Vec<(String, String)>,
}
impl World {
    fn next(&mut self) -> u64 {
        self.minute += 1;
        self.minute
    }
    fn happens(&mut self, source: &str, what: &str, id: &str, environment: &str, content: &str) {
        let minute = self.next();
        self.teller
            .deploy(source, what, minute, id, environment, content);
    }
    fn merge(&mut self, number: u64, what: &str, step: &Step) {
        let (head, merge) = (commit(&format!("head {number}")), commit(what));
        let minute = self.next();
        let binds = [("head", head.as_str()), ("merge", merge.as_str())];
        self.teller
            .change("change.created", minute, number, &binds[..1], Some(what));
        let minute = self.next();
        self.teller
            .change("change.merged", minute, number, &binds, Some(what));
        let mut commits: Vec<String> = (1..step.commits)
            .map(|part| commit(&format!("{what} part {part}")))
            .collect();
        commits.push(merge);
        let minute = self.next();
        self.teller.push(minute, &commit(&self.tip), &commits);
        what.clone_into(&mut self.tip);
    }
    fn decide(&mut self, what: &str, step: &Step) {
        for (person, approves) in [INES, RAVI].iter().zip(step.approved) {
            if approves {
                let minute = self.next();
                self.teller.decide(person, minute, what, "approved");
            }
        }
    }
    fn deploy(&mut self, number: u64, what: &str, step: &Step) {
        let id = format!("d-{number}");
        let finished = if step.succeeds {
            "deployment.finished success"
        } else {
            "deployment.finished failure"
        };
        self.happens(PIPELINE, "deployment.started", &id, "production", what);
        for (id, what) in std::mem::take(&mut self.slow) {
            self.happens(
                PIPELINE,
                "deployment.finished success",
                &id,
                "production",
                &what,
            );
        }
        if step.slow {
            self.slow.push((id, what.to_owned()));
            return;
        }
        self.happens(PIPELINE, finished, &id, "production", what);
        if step.relayed {
            let id = format!("github:acme/shop/deployments/{number}");
            self.happens(BRIDGE, finished, &id, "production", what);
        }
        if step.alert {
            let from = self.next();
            self.teller.alert(from, from, false);
            let over = self.next();
            self.teller.alert(over, from, true);
        }
        if !step.succeeds {
            return;
        }
        if step.rolled_back {
            let id = format!("r-{number}");
            let back = self.runs.last().unwrap().clone();
            self.happens(PIPELINE, "rollback.started", &id, "production", &back);
            self.happens(
                PIPELINE,
                "rollback.finished success",
                &id,
                "production",
                &back,
            );
        } else {
            self.runs.push(what.to_owned());
        }
    }
}
/// Two persons, then a first deployment, then what the steps say.
fn story(steps: &[Step]) -> Vec<Told> {
    let mut world = World {
        teller: Teller::default(),
        minute: 1,
        tip: "root".to_owned(),
        runs: vec!["root".to_owned()],
        slow: Vec::new(),
    };
    world.teller.person(INES, "Ines Okafor");
    world.teller.person(RAVI, "Ravi Menon");
    let success = "deployment.finished success";
    world.happens(PIPELINE, success, "d-root", "production", "root");
    for (number, step) in (1..).zip(steps) {
        let what = format!("merge {number}");
        world.merge(number, &what, step);
        if step.staged {
            world.happens(PIPELINE, success, &format!("s-{number}"), "staging", &what);
        }
        world.decide(&what, step);
        if step.deployed {
            world.deploy(number, &what, step);
        }
    }
    world.teller.told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_generated_story_is_the_same_in_every_order(
        steps in prop::collection::vec(step(), 1..6),
        keys in prop::collection::vec(any::<u64>(), 200),
        batch in 1_usize..20,
    ) {
        let told = story(&steps);
        let fixed = 2;
        let in_order: Vec<usize> = (0..told.len() - fixed).collect();
        let mut order = in_order.clone();
        order.sort_by_key(|place| keys[*place]);
        let expected = Models::of(&shuffled(&told, fixed, &in_order), 7);
        let found = Models::of(&shuffled(&told, fixed, &order), batch);
        prop_assert_eq!(told_of(&found), told_of(&expected));
    }
}

/// Key and role entries hold from their own position on, so they stay where they are: before everything else.
fn example_with_its_authority_first() -> (Vec<Told>, usize) {
    let is_authority = |told: &Told| {
        let kind = told.event.kind().name();
        let starts = [
            "ledger.", "key.", "person.", "account.", "role.", "stream.", "time.",
        ];
        starts.iter().any(|start| kind.starts_with(start))
    };
    let (mut told, rest): (Vec<Told>, Vec<Told>) = example().into_iter().partition(is_authority);
    let fixed = told.len();
    told.extend(rest);
    (told, fixed)
}

#[test]
fn the_examples_story_is_the_same_in_every_order() {
    let (told, fixed) = example_with_its_authority_first();
    let in_order: Vec<usize> = (0..told.len() - fixed).collect();
    let expected = told_of(&Models::of(&shuffled(&told, fixed, &in_order), 7));
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let orders = Just(in_order).prop_shuffle();
    proptest!(config, |(order in orders)| {
        let found = Models::of(&shuffled(&told, fixed, &order), 7);
        prop_assert_eq!(told_of(&found), expected.clone());
    });
}
