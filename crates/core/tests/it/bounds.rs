//! Folding an entry is little work, whatever one emitter sends.

use std::collections::BTreeSet;

use piperoll_core::{
    answer,
    fold::aggregate::{
        Account, COMPARED_MAX, Change, Commit, Content, Decision, Deployment, LIST_MAX, Person,
        SAYINGS_MAX,
    },
};
use serde_json::{Value, json};

use crate::{
    models::Models,
    tell::{ADMIN, INES, PIPELINE, Teller, commit, image},
};

const BINDS: usize = 200;
const CHANGE: &str = "github:acme/shop#1";

fn binds(count: usize) -> Value {
    (0..count)
        .map(|n| json!({"name": format!("i{n}"), "digest": {"sha256": image(&n.to_string())}}))
        .collect()
}
fn deploy(teller: &mut Teller, number: usize, binds: &Value) {
    let profile =
        json!({"service": "shop", "environment": format!("e{}", number % 50), "binds": binds});
    let said = ("deployment.finished", PIPELINE);
    let content = json!({"outcome": "success"});
    teller.say(said, 1, &format!("d{number}"), &content, &profile, &[]);
}
fn declare(teller: &mut Teller, number: usize, profile: &Value) {
    teller.say(
        ("override.declared", PIPELINE),
        1,
        &format!("o{number}"),
        &json!({"expiresAt": "2027-01-01T00:00:00Z"}),
        profile,
        &[("reason", "x")],
    );
}
/// So many deployments and overrides, one after the other or in two blocks, that bind the same digests.
fn crowd(count: usize, binds: &Value, mixed: bool) -> Models {
    let mut teller = Teller::default();
    let profile = json!({"service": "shop", "binds": binds});
    for number in 0..count {
        deploy(&mut teller, number, binds);
        if mixed {
            declare(&mut teller, number, &profile);
        }
    }
    for number in 0..if mixed { 0 } else { count } {
        declare(&mut teller, number, &profile);
    }
    // The last ones, which meet all others, are measured one by one.
    let (most, last) = teller.told.split_at(teller.told.len() - 4);
    let mut models = Models::of(most, 64);
    models.go_on(last, 1);
    models
}

#[test]
fn no_entry_is_compared_with_more_than_its_budget_however_many_bind_the_same() {
    let binds = binds(BINDS);
    let models = crowd(COMPARED_MAX + 10, &binds, true);
    // Its digests, what it is compared with, and a handful of its own.
    let most = BINDS + COMPARED_MAX + 16;
    assert!(models.read_max <= most, "{} read", models.read_max);
    assert!(models.written_max <= most, "{} written", models.written_max);
    let bytes = models.written_bytes_max;
    assert!(bytes < 5_000_000, "{bytes} bytes written");
    assert!(models.rounds_max < 10, "{} rounds", models.rounds_max);
    for content in models.all::<Content>().values() {
        assert_eq!(content.overrides.len(), COMPARED_MAX);
        assert_eq!(content.deployments.len(), COMPARED_MAX);
        assert!(content.more_decisions);
    }
    for deployment in models.all::<Deployment>().values() {
        assert!(deployment.overrides.len() <= COMPARED_MAX);
    }
}

#[test]
fn many_overrides_and_bundles_keep_no_decision_from_being_found() {
    let mut teller = Teller::default();
    teller.person(INES, "Ines Okafor");
    let bundle = |teller: &mut Teller, name: &str, others: &[String]| {
        let mut elements = vec![image("m1")];
        elements.extend(others.iter().cloned());
        teller.bundle(name, &elements);
    };
    bundle(&mut teller, "release", &[image("m2")]);
    let release = teller.manifests["release"].clone();
    let place = json!({"service": "shop", "environment": "e0"});
    teller.decide_for(INES, 2, &release, "approved", &place);
    for n in 0..COMPARED_MAX + 5 {
        let profile = json!({"binds": [{"name": "image", "digest": {"sha256": image("m1")}}]});
        declare(&mut teller, n, &profile);
        bundle(&mut teller, &format!("junk{n}"), &[image(&format!("j{n}"))]);
    }
    let bound = json!([{"name": "image", "digest": {"sha256": image("m1")}}]);
    deploy(&mut teller, 0, &bound);
    let models = Models::of(&teller.told, 7);
    let deployments = models.all::<Deployment>();
    let deployment = deployments.values().next().unwrap();
    assert_eq!(deployment.decisions.len(), 1, "the bundle's approval");
    assert_eq!(deployment.overrides.len(), COMPARED_MAX);
    assert!(deployment.uncompared, "overrides were left out");
    let content: Content = models.get(&image("m1")).unwrap();
    assert!(content.bundles[&release].noted);
    assert!(!content.more_bundles);
}

#[test]
fn what_was_not_compared_says_so_and_what_came_first_stays() {
    let count = COMPARED_MAX + 5;
    let models = crowd(count, &binds(1), false);
    for (key, deployment) in models.all::<Deployment>() {
        let number: usize = deployment.id[1..].parse().unwrap();
        let full = deployment.overrides.len() == COMPARED_MAX;
        assert_eq!(full, number < COMPARED_MAX, "{key}");
        assert!(deployment.uncompared, "{key}");
        let first = u64::try_from(count).unwrap();
        if full {
            assert_eq!(deployment.overrides.keys().next(), Some(&first));
        }
    }
    let few = crowd(COMPARED_MAX, &binds(1), false);
    for deployment in few.all::<Deployment>().values() {
        assert_eq!(deployment.overrides.len(), COMPARED_MAX);
        assert!(!deployment.uncompared);
    }
    assert!(few.all::<Decision>().values().all(|one| !one.uncompared));
}

#[test]
fn a_change_keeps_its_first_names_and_services_counts_the_rest_and_says_it() {
    let mut teller = Teller::default();
    let events = 4;
    for event in 0..events {
        let names: BTreeSet<String> = (0..200)
            .map(|n| format!("ticket:{:04}", event * 200 + n))
            .collect();
        let profile = json!({"service": "shop", "change": CHANGE, "aliases": names, "binds": []});
        declare(&mut teller, event, &profile);
    }
    for service in 0..LIST_MAX {
        let profile = json!({"service": format!("s{service}"), "change": CHANGE, "binds": []});
        declare(&mut teller, events + service, &profile);
    }
    let models = Models::of(&teller.told, 7);
    let change: Change = models.get(CHANGE).unwrap();
    let kept: Vec<String> = (0..LIST_MAX).map(|n| format!("ticket:{n:04}")).collect();
    assert!(change.aliases.keys().eq(&kept));
    assert_eq!(change.aliases_more, 300);
    assert_eq!(change.services.len(), LIST_MAX);
    assert_eq!(change.services["shop"], 0);
    assert_eq!(change.services_more, 1);
    assert_eq!(
        models.find("ticket:0799"),
        [CHANGE],
        "it is found all the same"
    );
    let story = models.ask(models.size(), |reading| answer::story(CHANGE, reading));
    let said = serde_json::to_string(&story).unwrap();
    assert!(said.contains("300 are left out"), "{said}");
}

#[test]
fn a_push_onto_a_knot_of_pushes_and_waiting_deployments_is_bounded_work() {
    let mut teller = Teller::default();
    let chain: Vec<String> = (0..470).map(|n| commit(&format!("c{n}"))).collect();
    let start = commit("start");
    teller.push(1, &start, &chain);
    for n in 0..400 {
        teller.push(1, &commit(&format!("x{n}")), std::slice::from_ref(&start));
    }
    for place in 0..60 {
        for (minute, what) in [(2, commit("other")), (3, chain[469].clone())] {
            let bound = json!([{"name": "commit", "digest": {"gitCommit": what}}]);
            let place =
                json!({"service": "shop", "environment": format!("e{place}"), "binds": bound});
            let content = json!({"outcome": "success"});
            let said = ("deployment.finished", PIPELINE);
            teller.say(said, minute, &format!("d{minute}"), &content, &place, &[]);
        }
    }
    let mut models = Models::of(&teller.told, 64);
    let mut more = Teller::default();
    more.push(4, &commit("y"), &[commit("x0")]);
    models.go_on(&more.told, 1);
    assert!(models.read_max < 2_500, "{} read", models.read_max);
    assert!(models.written_max < 500, "{} written", models.written_max);
    assert!(models.rounds_max < 24, "{} rounds", models.rounds_max);
    let start: Commit = models.get(&start).unwrap();
    assert!(start.runs.len() < 40, "{} runs", start.runs.len());
}

#[test]
fn a_person_keeps_the_latest_descriptions_and_an_account_the_latest_links() {
    let mut teller = Teller::default();
    let account = &piperoll_core::name::account_urn([1; 16]);
    for _ in 0..=SAYINGS_MAX {
        teller.person(INES, "Ines Okafor");
        let content = json!({"account": account, "system": "github.com"});
        teller.say(
            ("account.linked", ADMIN),
            0,
            INES,
            &content,
            &json!({}),
            &[("login", "ines")],
        );
    }
    let models = Models::of(&teller.told, 7);
    let person: Person = models.get(INES).unwrap();
    assert_eq!(
        (person.described.len(), person.described_before),
        (SAYINGS_MAX, 1)
    );
    let account: Account = models.get(account.as_str()).unwrap();
    assert_eq!(
        (account.linked.len(), account.linked_before),
        (SAYINGS_MAX, 1)
    );
    assert_eq!(account.linked.last_key_value().unwrap().1, INES);
}
