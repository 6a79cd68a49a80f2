//! What may be concluded from the example's entries, to the last member.

use std::collections::{BTreeMap, BTreeSet};

use piperoll_core::{
    event::Digest,
    fold::aggregate::{Change, Decided, Decision, Deployment},
    kind::Outcome,
};
use serde_json::{Value, json};

use crate::{
    models::{Models, example},
    support::{read_json, test_data},
};

fn expected() -> Value {
    read_json(&test_data("example").join("answers.json"))
}
fn strings(values: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    values.into_iter().map(Into::into).collect()
}
/// `where`, `changes` and `deployments` as `answers.json` writes them.
pub(crate) fn conclusions(models: &Models) -> Value {
    json!({
        "where": whereabouts(models),
        "changes": changes(models),
        "deployments": deployments(models),
    })
}
fn whereabouts(models: &Models) -> Value {
    let mut slots = Vec::new();
    for slot in models.slots_at(models.size()) {
        let holding = slot.holding.expect("nothing was taken away");
        let deployment: Deployment = models.get(&holding.deployment).unwrap();
        let sha256 = deployment.binds.iter().find_map(|bind| match &bind.digest {
            Digest::Sha256(hash) => Some(hash.to_hex()),
            Digest::GitCommit(_) => None,
        });
        let digest = match (sha256, &holding.commit) {
            (Some(hex), _) => json!({ "sha256": hex }),
            (None, commit) => json!({ "gitCommit": commit }),
        };
        slots.push(json!({
            "service": slot.service,
            "environment": slot.environment,
            "digest": digest,
            "commit": holding.commit,
            "since_entry": holding.since.index,
        }));
    }
    Value::Array(slots)
}
fn changes(models: &Models) -> Value {
    let mut changes = Vec::new();
    for (id, change) in models.all::<Change>() {
        let deployed_by: BTreeSet<String> = change
            .deployments
            .keys()
            .map(|key| models.get::<Deployment>(key).unwrap().id)
            .collect();
        changes.push(json!({
            "change": id,
            "aliases": strings(change.aliases.into_keys()),
            "entries": change.entries,
            "deployed_by": deployed_by,
        }));
    }
    Value::Array(changes)
}
fn deployments(models: &Models) -> Value {
    let mut by_first_entry = BTreeMap::new();
    for (_, deployment) in models.all::<Deployment>() {
        if deployment.report {
            continue;
        }
        let first = *deployment.entries.first().unwrap();
        let outcome = deployment.finished.map(|(_, outcome)| match outcome {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
            Outcome::Cancel => "cancel",
            Outcome::Error => "error",
        });
        let mut shown = json!({
            "deployment": deployment.id,
            "service": deployment.service,
            "environment": deployment.environment,
            "entries": deployment.entries,
            "outcome": outcome,
        });
        let joins = deployment
            .place
            .joins
            .as_ref()
            .map(|key| models.get::<Deployment>(key).unwrap().id);
        if let Some(joins) = joins {
            shown["joins"] = json!(joins);
        } else {
            shown["approvals"] = json!(approvals(models, &deployment));
            if !deployment.rollback {
                shown["contents"] = match &deployment.contents {
                    Some(contents) => json!({
                        "commits": contents.commits,
                        "changes": contents.changes(),
                    }),
                    None => json!("unknown"),
                };
            }
        }
        by_first_entry.insert(first, shown);
    }
    by_first_entry.into_values().collect()
}
fn approvals(models: &Models, deployment: &Deployment) -> Vec<u64> {
    let decided = |index: &&u64| {
        let decision: Decision = models.get(&index.to_string()).unwrap();
        decision.decided == Decided::Approved
    };
    deployment
        .decisions
        .keys()
        .filter(decided)
        .copied()
        .collect()
}

#[test]
fn the_example_is_concluded_from_to_the_last_member() {
    let expected = expected();
    let models = Models::of(&example(), 7);
    assert_eq!(models.size(), expected["as_of"]["size"].as_u64().unwrap());
    let concluded = conclusions(&models);
    for question in ["where", "changes", "deployments"] {
        assert_eq!(
            concluded[question], expected[question],
            "{question}: {:#}",
            concluded[question]
        );
    }
}

#[test]
fn nothing_depends_on_where_a_batch_ends() {
    let one = Models::of(&example(), 1);
    for batch in [7, 512] {
        let other = Models::of(&example(), batch);
        assert_eq!(one.aggregates, other.aggregates, "batches of {batch}");
        assert_eq!(one.aliases, other.aliases, "batches of {batch}");
        assert_eq!(one.changes, other.changes, "batches of {batch}");
        assert_eq!(one.slots, other.slots, "batches of {batch}");
    }
}
