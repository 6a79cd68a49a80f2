//! Names for people, accounts, changes and contents, as of the entries the answer speaks of.

use std::collections::BTreeSet;

use super::{
    EntryRead, Words,
    asked::Asked,
    part::{ChangeRef, DigestRef, Moment, Who},
    say,
};
use crate::{
    event::{Bind, Digest, binds},
    fold::{
        aggregate::{
            Account, Alias, At, Change, Commit, Content, Deployment, Person, commit_change,
        },
        naming,
    },
    key::Purpose,
    name::{Principal, PrincipalKind},
    time::RULE_WITHIN,
};

pub(super) fn moment(entry: &EntryRead) -> Moment {
    let time = entry.event.timestamp;
    let apart = entry.recorded_at.duration_since(time).abs() > RULE_WITHIN;
    Moment {
        index: entry.index,
        time,
        recorded_at: apart.then_some(entry.recorded_at),
    }
}
/// The moment of an entry that may not be loaded yet.
pub(super) fn moment_at(at: At, asked: &Asked<'_>) -> Moment {
    asked.entry(at.index).map_or(
        Moment {
            index: at.index,
            time: at.time,
            recorded_at: None,
        },
        moment,
    )
}

/// An answer that names a change is not worth more lookups than this.
const DIGESTS_MAX: usize = 10;
/// A principal by its URN.
pub(super) fn principal(urn: &str, asked: &Asked<'_>) -> Who {
    let who = |name: &str, sort: &str| Who {
        name: name.to_owned(),
        urn: Some(urn.to_owned()),
        sort: sort.to_owned(),
    };
    let Ok(principal) = Principal::parse(urn) else {
        return who(&say::one_line(urn), "unknown");
    };
    match principal.kind() {
        PrincipalKind::Ledger => who("the ledger", "ledger"),
        PrincipalKind::Pipeline => who(principal.slug(), "pipeline"),
        PrincipalKind::Bridge => who(principal.slug(), "bridge"),
        PrincipalKind::Monitor => who(principal.slug(), "monitor"),
        PrincipalKind::Person => who(&person(urn, asked), "person"),
    }
}
const NOBODY_DESCRIBED: &str = "a person nobody described";

/// What a person is called.
fn person(urn: &str, asked: &Asked<'_>) -> String {
    let person: Person = asked.find(urn).unwrap_or_default();
    let described = person.described.iter().rfind(|index| asked.has(**index));
    let Some(described) = described else {
        return NOBODY_DESCRIBED.to_owned();
    };
    let name = asked
        .entry(*described)
        .and_then(|entry| entry.texts.get("name"));
    match name {
        Some(Words::Said(name)) => say::one_line(name),
        Some(Words::Erased) => "a person whose name was erased".to_owned(),
        Some(Words::NotSupplied) | None => "a person whose name was not supplied".to_owned(),
    }
}
/// Who did what an entry says, where that is not the signer: a linked person, else the login that came as a text.
pub(super) fn actor(entry: &EntryRead, asked: &Asked<'_>) -> Option<Who> {
    let said = match entry.texts.get("actor") {
        Some(Words::Said(login)) => Some(say::one_line(login)),
        Some(Words::NotSupplied | Words::Erased) | None => None,
    };
    let Some(urn) = &entry.event.profile.actor else {
        return said.map(|name| Who {
            name,
            urn: None,
            sort: "unknown".to_owned(),
        });
    };
    if Principal::parse(urn).is_ok() {
        return Some(principal(urn, asked));
    }
    let account: Account = asked.find(urn).unwrap_or_default();
    let linked = account
        .linked
        .iter()
        .rfind(|(index, _)| asked.has(**index))
        .map(|(_, person)| principal(person, asked));
    Some(linked.unwrap_or_else(|| Who {
        sort: if said.is_some() { "unknown" } else { "account" }.to_owned(),
        name: said.unwrap_or_else(|| "an account nobody is linked to".to_owned()),
        urn: Some(urn.clone()),
    }))
}
/// Who an entry's act is told of: the actor of a relayed event, the signer of any other.
pub(super) fn author(entry: &EntryRead, asked: &Asked<'_>) -> Option<Who> {
    if entry.event.profile.relayed.is_some() {
        return actor(entry, asked);
    }
    let mut who = principal(entry.event.source.as_str(), asked);
    if who.name == NOBODY_DESCRIBED && entry.event.kind().signers() == [Purpose::Admin] {
        "an administrator nobody described".clone_into(&mut who.name);
    }
    Some(who)
}
/// The system an entry was relayed from.
pub(super) fn via(entry: &EntryRead) -> Option<String> {
    let relayed = entry.event.profile.relayed.as_ref()?;
    Some(say::system(&relayed.system))
}

/// A change where it is mentioned.
pub(super) fn change(id: &str, asked: &Asked<'_>) -> ChangeRef {
    let change: Change = asked.find(id).unwrap_or_default();
    ChangeRef {
        id: id.to_owned(),
        label: label(id),
        service: service(&change, asked),
        title: match title(id, &change, asked) {
            Words::Said(title) => Some(say::one_line(&title)).filter(|title| !title.is_empty()),
            Words::NotSupplied | Words::Erased => None,
        },
    }
}
/// The only change whose commit one of these digests (or an element of a bundle) was deployed from.
pub(super) fn deployed_from(digests: &BTreeSet<String>, asked: &Asked<'_>) -> Option<String> {
    let mut found = BTreeSet::new();
    for digest in digests.iter().take(DIGESTS_MAX) {
        let content: Content = asked.find(digest).unwrap_or_default();
        let mut keys = content.deployments;
        for element in content.elements.iter().take(DIGESTS_MAX) {
            let element: Content = asked.find(element).unwrap_or_default();
            keys.extend(element.deployments);
        }
        for key in keys.iter().take(DIGESTS_MAX) {
            let deployment: Deployment = asked.find(key).unwrap_or_default();
            let commit = binds::commit_of(&deployment.binds);
            found
                .extend(commit.map(|commit| {
                    holder(&commit, asked).unwrap_or_else(|| commit_change(&commit))
                }));
        }
    }
    if found.len() == 1 {
        found.pop_first()
    } else {
        None
    }
}
/// The service a change was first filed under.
pub(super) fn service(change: &Change, asked: &Asked<'_>) -> Option<String> {
    change
        .services
        .iter()
        .filter(|(_, index)| asked.has(**index))
        .min_by_key(|(_, index)| **index)
        .map(|(service, _)| service.clone())
}
/// The latest title; of a change nobody described, what the request for approval of it or of its commit says.
pub(super) fn title(id: &str, change: &Change, asked: &Asked<'_>) -> Words {
    let of_commit = || asked.find::<Commit>(id.strip_prefix("commit:")?)?.asked;
    let latest = change.titled.or(change.asked).or_else(of_commit);
    let entry = match latest {
        Some(at) if !asked.has(at.index) => change
            .entries
            .iter()
            .filter_map(|index| asked.entry(*index))
            .filter(|entry| entry.texts.contains_key("summary"))
            .max_by_key(|entry| (entry.event.timestamp.min(entry.recorded_at), entry.index)),
        latest => latest.and_then(|at| asked.entry(at.index)),
    };
    entry
        .and_then(|entry| entry.texts.get("summary"))
        .cloned()
        .unwrap_or(Words::NotSupplied)
}
/// `#418`, `commit 4be1c09`, or the name itself.
pub(super) fn label(id: &str) -> String {
    if let Some(number) = naming::number(id) {
        return number.to_owned();
    }
    match id.strip_prefix("commit:") {
        Some(commit) => format!("commit {}", commit.get(..7).unwrap_or(commit)),
        None => id.to_owned(),
    }
}
/// The change that holds a commit, digest or other name, as of the size.
pub(super) fn holder(name: &str, asked: &Asked<'_>) -> Option<String> {
    let mut alias: Alias = asked.find(name)?;
    alias.claims.retain(|_, index| asked.has(*index));
    alias.binds.retain(|_, index| asked.has(*index));
    alias.holder().map(str::to_owned)
}

/// sha256 digests first, then commits; each once.
pub(super) fn digests(binds: &[Bind]) -> Vec<DigestRef> {
    let mut seen = BTreeSet::new();
    let mut digests: Vec<DigestRef> = binds
        .iter()
        .filter(|bind| seen.insert(&bind.digest))
        .map(digest)
        .collect();
    digests.sort_by_key(|digest| digest.algorithm == "gitCommit");
    digests
}
pub(super) fn digest(bind: &Bind) -> DigestRef {
    let (algorithm, hex) = match &bind.digest {
        Digest::Sha256(hash) => ("sha256", hash.to_hex()),
        Digest::GitCommit(commit) => ("gitCommit", commit.clone()),
    };
    DigestRef {
        algorithm: algorithm.to_owned(),
        hex,
        name: Some(bind.name.clone()),
    }
}
