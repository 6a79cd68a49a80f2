//! The whole story of a change.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Need, Reading, Words,
    agreement::{self, Agreement},
    asked::Asked,
    environment,
    gather::{self, Material},
    lead,
    line::{self, Telling},
    names,
    part::{AsOf, ChangeRef, DigestRef, Line, Mark, Sentence, Who},
    picture::{self, Picture},
    say,
};
use crate::{
    fold::{
        aggregate::{Chain, Stated},
        people,
    },
    kind::Kind,
    name::PrincipalKind,
};

/// Everything the ledger knows of one change, in the order a reader wants it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    pub as_of: AsOf,
    pub change: ChangeRef,
    /// The latest title, or why there is none.
    pub title: Words,
    pub state: State,
    /// Who proposed it, and through which system.
    #[serde(default)]
    pub proposer: Option<Who>,
    #[serde(default)]
    pub via: Option<String>,
    /// Commits, tickets, runs and tags it is also known as: what to show, oldest first.
    pub also_known_as: Vec<String>,
    /// Digests it was deployed as.
    pub deployed_as: Vec<DigestRef>,
    /// Two to four sentences that may be all that is read.
    pub lead: Vec<Sentence>,
    /// States as sign and word.
    pub chips: Vec<Mark>,
    /// Who agreed, and to what; oldest first.
    pub agreements: Vec<Agreement>,
    pub picture: Picture,
    /// The record, oldest first.
    pub lines: Vec<Line>,
    /// Every entry the story rests on (what `log --change` lists), ascending.
    pub entries: Vec<u64>,
    /// `Nothing missing: …`, or which numbers of which run are absent, and how many records were relayed.
    pub completeness: Vec<Sentence>,
    /// Names that more than one change claims: while there are any, its standing cannot be judged.
    pub disputed: Vec<String>,
}
/// What the merge request's own system says last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Merged,
    Abandoned,
    /// Nobody said (a bare commit, or named only by others).
    Unknown,
}
/// One change in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeLine {
    pub change: ChangeRef,
    pub state: State,
    #[serde(default)]
    pub proposer: Option<Who>,
    /// The last entry that touched it.
    pub last_index: u64,
    /// Environments it went to and was not rolled back from, least production-like first.
    pub running_in: Vec<String>,
    pub chips: Vec<Mark>,
}

/// The story of the change with this exact id; `None` if the ledger knows no such change. A commit that another change claims
/// gives that change's story.
pub fn story(change: &str, reading: &Reading) -> Result<Option<Story>, Need> {
    let asked = Asked::new(reading);
    let story = gather::gather(change, &asked).map(|material| tell(&material, &asked));
    asked.finish(story)
}
/// Every entry that belongs to the story of a change: those that name it, and the pushes, requests, decisions, deployments,
/// rollbacks, overrides, alerts and incidents found through its commits and digests.
pub fn entries_of_change(change: &str, reading: &Reading) -> Result<Option<BTreeSet<u64>>, Need> {
    let asked = Asked::new(reading);
    let entries = gather::gather(change, &asked).map(|material| material.entries);
    asked.finish(entries)
}
/// One line for each change of a page of the store's list: (change, last entry that touched it).
pub fn changes(rows: &[(String, u64)], reading: &Reading) -> Result<Vec<ChangeLine>, Need> {
    let asked = Asked::new(reading);
    let lines = rows
        .iter()
        .filter_map(|(change, last_index)| {
            let material = gather::gather(change, &asked)?;
            Some(change_line(&material, *last_index, &asked))
        })
        .collect();
    asked.finish(lines)
}

fn tell(material: &Material, asked: &Asked<'_>) -> Story {
    let proposal = proposal(material, asked);
    let main = lead::main_deployment(material).map(|(key, _)| key);
    let mut all = material.deployments.clone();
    all.extend(material.rollbacks.clone());
    Story {
        as_of: asked.as_of(),
        change: reference(material, asked),
        title: names::title(&material.id, &material.change, asked),
        state: state(material, asked),
        proposer: proposal.and_then(|entry| names::author(entry, asked)),
        via: proposal.and_then(names::via),
        also_known_as: material
            .names
            .iter()
            .filter(|name| !material.digests.contains(*name))
            .map(|name| lead::shown_name(name))
            .collect(),
        deployed_as: deployed_as(material),
        lead: lead::sentences(material, asked),
        chips: lead::chips(material, asked),
        agreements: agreement::agreements(&material.decisions, &all, main, asked),
        picture: picture::picture(material, asked),
        lines: lines(material, asked),
        entries: material.entries.iter().copied().collect(),
        completeness: completeness(material, asked),
        disputed: material.change.disputed.keys().cloned().collect(),
    }
}
fn reference(material: &Material, asked: &Asked<'_>) -> ChangeRef {
    let mut change = names::change(&material.id, asked);
    if change.service.is_none() {
        let mut deployments = material.deployments.values();
        change.service = deployments.next().map(|first| first.service.clone());
    }
    change
}
fn state(material: &Material, asked: &Asked<'_>) -> State {
    match gather::state(&material.change, asked) {
        Some((_, Stated::Open)) => State::Open,
        Some((_, Stated::Merged)) => State::Merged,
        Some((_, Stated::Abandoned)) => State::Abandoned,
        None => State::Unknown,
    }
}
/// The entry that proposed the change.
fn proposal<'a>(material: &Material, asked: &Asked<'a>) -> Option<&'a super::EntryRead> {
    let created = material.change.created?;
    asked.entry(created.index)
}
fn deployed_as(material: &Material) -> Vec<DigestRef> {
    let mut seen = BTreeSet::new();
    material
        .deployments
        .values()
        .flat_map(|deployment| names::digests(&deployment.binds))
        .filter(|digest| material.digests.contains(&digest.hex))
        .filter(|digest| seen.insert(digest.hex.clone()))
        .collect()
}

fn change_line(material: &Material, last_index: u64, asked: &Asked<'_>) -> ChangeLine {
    let mut running_in: Vec<String> = material
        .deployments
        .values()
        .filter(|deployment| lead::is_success(deployment) && deployment.place.undone_by.is_none())
        .map(|deployment| deployment.environment.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    environment::sort(&mut running_in);
    ChangeLine {
        change: reference(material, asked),
        state: state(material, asked),
        proposer: proposal(material, asked).and_then(|entry| names::author(entry, asked)),
        last_index,
        running_in,
        chips: lead::chips(material, asked),
    }
}

/// The record, oldest first. A deployment is one line; its start and the reports that join it go with it.
fn lines(material: &Material, asked: &Asked<'_>) -> Vec<Line> {
    let mut also = merged(material);
    // Where the merge request speaks for itself, its pushes say nothing new.
    let own = gather::state(&material.change, asked)
        .map(|(at, _)| at)
        .or(material.change.created)
        .filter(|at| material.entries.contains(&at.index));
    if let Some(own) = own {
        also.entry(own.index)
            .or_default()
            .extend(pushes(material, asked));
    }
    let within: BTreeSet<u64> = also.values().flatten().copied().collect();
    let telling = Telling {
        story_of: Some(&material.id),
        services: false,
    };
    let mut lines: Vec<Line> = material
        .entries
        .iter()
        .filter(|index| !within.contains(index))
        .filter_map(|index| asked.entry(*index))
        .map(|entry| {
            let mut line = line::line(entry, telling, asked);
            line.also = also.remove(&entry.index).unwrap_or_default();
            line
        })
        .collect();
    lines.sort_by_key(|line| (line.at.time, line.at.index));
    lines
}
fn pushes(material: &Material, asked: &Asked<'_>) -> Vec<u64> {
    let entries = material
        .entries
        .iter()
        .filter_map(|index| asked.entry(*index));
    entries
        .filter(|entry| entry.event.kind() == Kind::BranchPushed)
        .map(|entry| entry.index)
        .collect()
}
/// For each deployment the entry that tells it, with the other entries it speaks for.
fn merged(material: &Material) -> BTreeMap<u64, Vec<u64>> {
    let mut merged = BTreeMap::new();
    for (key, deployment) in material.deployments.iter().chain(&material.rollbacks) {
        let Some(main) = lead::last(deployment) else {
            continue;
        };
        let mut also: BTreeSet<u64> = deployment.entries.clone();
        for report in material.reports.values() {
            if report.place.joins.as_ref() == Some(key) {
                also.extend(&report.entries);
            }
        }
        also.remove(&main.index);
        merged.insert(main.index, also.into_iter().collect());
    }
    merged
}

/// Whether anything is missing, and who vouches for what.
fn completeness(material: &Material, asked: &Asked<'_>) -> Vec<Sentence> {
    let entries: Vec<_> = material
        .entries
        .iter()
        .filter_map(|index| asked.entry(*index))
        .collect();
    let mut numbered = BTreeSet::new();
    let mut unnumbered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut chains = BTreeSet::new();
    let mut relayed = 0;
    for entry in &entries {
        let event = &entry.event;
        if event.profile.relayed.is_some() {
            relayed += 1;
        }
        if event.source.kind() != PrincipalKind::Pipeline {
            continue;
        }
        match &event.profile.chain {
            Some(chain) => {
                numbered.insert(event.source.slug());
                let key = people::chain_key(event.source.as_str(), &chain.id);
                chains.insert((event.source.slug(), key));
            }
            None => {
                *unnumbered.entry(event.source.slug()).or_default() += 1;
            }
        }
    }
    let mut sentences = absent(&chains, asked);
    if sentences.is_empty() && !numbered.is_empty() {
        sentences.push(Sentence::plain_text(format!(
            "Nothing missing: each run of {} numbered its events, and none is absent.",
            and(&numbered)
        )));
    }
    for (slug, records) in unnumbered {
        sentences.push(Sentence::plain_text(format!(
            "{} of {slug} {} no number: one missing beside {} would not show.",
            say::capital(&say::count(records, "record", "records")),
            if records == 1 { "bears" } else { "bear" },
            if records == 1 { "it" } else { "them" }
        )));
    }
    if relayed > 0 {
        let count = say::capital(&say::number(relayed));
        sentences.push(Sentence::plain_text(if relayed == 1 {
            format!("{count} of the records behind these lines was relayed by a bridge, which vouches for it.")
        } else {
            format!("{count} of the records behind these lines were relayed by bridges, which vouch for them.")
        }));
    }
    let more = material.change.entries_more;
    if more > 0 {
        sentences.push(Sentence::plain_text(format!(
            "{more} further entries name this change and are not listed here."
        )));
    }
    sentences.extend(beyond(material));
    sentences
}
/// What is beyond the limits of what is kept and compared.
fn beyond(material: &Material) -> Vec<Sentence> {
    let change = &material.change;
    let mut sentences = Vec::new();
    for (more, what) in [
        (change.aliases_more, "further names of this change"),
        (change.disputed_more, "further claims to disputed names"),
        (change.deployments_more, "further deployments of it"),
        (change.services_more, "entries for further services"),
    ] {
        if more > 0 {
            let said = format!("There are more {what} than can be listed: {more} are left out.");
            sentences.push(Sentence::plain_text(said));
        }
    }
    let deployments = material.deployments.values();
    for late in deployments.clone().filter(|one| one.place.late) {
        sentences.push(Sentence::plain_text(format!(
            "A deployment to {} came after so many later ones that it is not known what it brought, or what ran before and after it.",
            late.environment
        )));
    }
    if deployments.clone().any(|one| one.uncompared)
        || material.decisions.values().any(|one| one.uncompared)
    {
        sentences.push(Sentence::plain_text(
            "There are more decisions and deployments of the same content than can be compared: some decisions may be left out.",
        ));
    }
    sentences
}
/// The numbers that are absent from these chains.
fn absent(chains: &BTreeSet<(&str, String)>, asked: &Asked<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for (slug, key) in chains {
        let chain: Chain = asked.find(key).unwrap_or_default();
        for (from, to) in chain.absent() {
            let numbers = if from == to {
                format!("Number {from}")
            } else {
                format!("Numbers {from} to {to}")
            };
            sentences.push(Sentence::plain_text(format!(
                "{numbers} of a run of {slug} never arrived."
            )));
        }
        if chain.broken {
            sentences.push(Sentence::plain_text(format!(
                "A run of {slug} has too many gaps to list."
            )));
        }
    }
    sentences
}
/// `a`, `a and b`, `a, b and c`
fn and(names: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
