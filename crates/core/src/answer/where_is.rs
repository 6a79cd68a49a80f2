//! What is where: services × environments.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Need, Reading,
    agreement::{self, Agreement, Standing},
    asked::Asked,
    environment, gather, names,
    part::{AsOf, ChangeRef, DigestRef, Mark, Moment, Sentence, Tone, Who},
    picture, say,
};
use crate::{
    fold::{
        aggregate::{Change, Deployment, Holding, Slot, slot_key},
        contents::between,
    },
    kind::Outcome,
};

/// A row of the store's slot table that is in force at the size asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRead {
    pub service: String,
    pub environment: String,
    /// What is there; `None` when it is known that nothing is any more.
    pub holding: Option<Holding>,
}
impl SlotRead {
    /// From the row's JSON, as the fold wrote it.
    pub fn read(
        service: String,
        environment: String,
        body: &str,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            holding: serde_json::from_str(body)?,
            service,
            environment,
        })
    }
}
/// Which part of the matrix is asked for; `None` means all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Narrowed<'a> {
    pub service: Option<&'a str>,
    pub environment: Option<&'a str>,
}

/// The matrix of services and environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Where {
    pub as_of: AsOf,
    /// One sentence, such as `Production is 4 changes behind staging.`; says so when nothing is recorded.
    pub lead: Sentence,
    /// Columns, least production-like first: test environments, then staging-like ones, then production-like ones; within each,
    /// by name. An environment is production-like when its name is or begins with `prod` or `live`.
    pub environments: Vec<String>,
    /// By service name.
    pub rows: Vec<WhereRow>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhereRow {
    pub service: String,
    /// How far the last environment is behind the one before it, where both hold something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// One for each of [`Where::environments`], `None` where nothing was recorded.
    pub cells: Vec<Option<Cell>>,
}
/// What one environment has and a later one does not have yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Behind {
    pub ahead: String,
    pub behind: String,
    /// Changes, oldest first; commits that no change claims are counted in `other_commits`. `None`: unknown.
    #[serde(default)]
    pub changes: Option<Vec<ChangeRef>>,
    #[serde(default)]
    pub other_commits: u64,
    /// `production is 3 changes behind`, `same as staging`, `how far production is behind is unknown`
    pub sentence: Sentence,
}
/// The last success in a service and environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub service: String,
    pub environment: String,
    /// The change that was deployed (its commit is what runs); absent where no change or commit is known.
    #[serde(default)]
    pub change: Option<ChangeRef>,
    /// What came with it.
    pub contents: Contents,
    /// sha256 digests that run, then the commit.
    pub digests: Vec<DigestRef>,
    #[serde(default)]
    pub commit: Option<String>,
    /// Entry and time from which it runs there.
    pub since: Moment,
    /// It ran there before and came back.
    pub again: bool,
    /// Id of the deployment (or rollback) that put it there.
    pub deployment: String,
    pub by: Who,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Decisions on exactly this content for this place, oldest first.
    pub agreements: Vec<Agreement>,
    /// Who decided about it: `approved by Ines Okafor and Ravi Menon`; empty where nobody did.
    #[serde(default)]
    pub deciders: Sentence,
    /// States as sign and word: `↶ rolled back from #418`, `! override, review owed`, `✕ deployed without approval`,
    /// `✓ approved, exact content`, `! a later attempt failed`.
    pub marks: Vec<Mark>,
}
/// What a deployment contains, computed from pushes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "lowercase")]
pub enum Contents {
    /// To be shown as `contents unknown`, never as none.
    Unknown,
    Known {
        /// Oldest first.
        commits: Vec<String>,
        /// Changes that claim one of the commits, in order of their first commit.
        changes: Vec<ChangeRef>,
    },
    /// A rollback goes back and has no contents of its own.
    Rollback,
}

/// The matrix from the slot rows in force. Needs no entries but those that name people and changes.
pub fn where_is(
    slots: &[SlotRead],
    narrowed: Narrowed<'_>,
    reading: &Reading,
) -> Result<Where, Need> {
    let asked = Asked::new(reading);
    let mut held: BTreeMap<&str, BTreeMap<&str, &Holding>> = BTreeMap::new();
    for slot in slots {
        if let Some(holding) = &slot.holding
            && narrowed.service.is_none_or(|name| name == slot.service)
        {
            let service = held.entry(&slot.service).or_default();
            service.insert(&slot.environment, holding);
        }
    }
    let names: BTreeSet<&str> = held.values().flat_map(BTreeMap::keys).copied().collect();
    let mut environments: Vec<String> = names.into_iter().map(str::to_owned).collect();
    environment::sort(&mut environments);
    let shown: Vec<String> = environments
        .iter()
        .filter(|name| narrowed.environment.is_none_or(|own| own == *name))
        .cloned()
        .collect();
    // How far one environment is behind another is told of those that are not shown too.
    let rows: Vec<WhereRow> = held
        .iter()
        .map(|(service, held)| WhereRow {
            service: (*service).to_owned(),
            behind: behind(held, &environments, &asked),
            cells: shown
                .iter()
                .map(|environment| {
                    let holding = held.get(environment.as_str())?;
                    cell(service, environment, holding, &asked)
                })
                .collect(),
        })
        .collect();
    let answer = Where {
        as_of: asked.as_of(),
        lead: match absent(narrowed, &rows, &shown) {
            Some(absent) => absent,
            None => lead(&rows, &shown),
        },
        rows: if shown.is_empty() { Vec::new() } else { rows },
        environments: shown,
    };
    asked.finish(answer)
}

fn cell(service: &str, environment: &str, holding: &Holding, asked: &Asked<'_>) -> Option<Cell> {
    let deployment = gather::deployment(&holding.deployment, asked)?;
    let entry = asked.entry(holding.since.index);
    let change = picture::change_of(&deployment, asked).map(|change| names::change(&change, asked));
    let signer = names::principal(&deployment.source, asked);
    let by = entry
        .and_then(|entry| names::author(entry, asked))
        .unwrap_or(signer);
    let standing = agreement::standing(&deployment, asked);
    Some(Cell {
        service: service.to_owned(),
        environment: environment.to_owned(),
        contents: contents(&deployment, asked),
        digests: names::digests(&deployment.binds),
        commit: holding.commit.clone(),
        since: names::moment_at(holding.since, asked),
        again: holding.again,
        by,
        via: entry.and_then(names::via),
        agreements: agreement::of_deployment(&holding.deployment, &deployment, asked),
        deciders: agreement::deciders(&standing, asked),
        marks: marks(service, environment, holding, &deployment, &standing, asked),
        deployment: deployment.id,
        change,
    })
}
fn contents(deployment: &Deployment, asked: &Asked<'_>) -> Contents {
    if deployment.rollback {
        return Contents::Rollback;
    }
    match &deployment.contents {
        None => Contents::Unknown,
        Some(contents) => Contents::Known {
            commits: contents.commits.clone(),
            changes: contents
                .changes()
                .into_iter()
                .map(|change| names::change(change, asked))
                .collect(),
        },
    }
}

/// What is to be known of what runs, beside what it is.
fn marks(
    service: &str,
    environment: &str,
    holding: &Holding,
    deployment: &Deployment,
    standing: &Standing,
    asked: &Asked<'_>,
) -> Vec<Mark> {
    let mut marks = Vec::new();
    if is_disputed(deployment, asked) {
        marks.push(Mark::new('!', Tone::Warn, "cannot be judged"));
    }
    if deployment.rollback {
        let from: Vec<String> = holding
            .undid
            .iter()
            .filter_map(|key| gather::deployment(key, asked))
            .filter_map(|undone| picture::change_of(&undone, asked))
            .map(|change| names::label(&change))
            .collect();
        marks.push(Mark::new(
            '↶',
            Tone::Bad,
            if from.is_empty() {
                "rolled back".to_owned()
            } else {
                format!("rolled back from {}", from.join(", "))
            },
        ));
    }
    marks.extend(agreement::marks(deployment, standing));
    let slot: Slot = asked
        .find(&slot_key(service, environment))
        .unwrap_or_default();
    let later = slot.attempts.iter().rev().find(|attempt| {
        attempt.place.counts()
            && attempt.finished.is_some_and(|(at, outcome)| {
                at > holding.since && outcome != Outcome::Success && asked.has(at.index)
            })
    });
    if later.is_some() {
        marks.push(Mark::new('!', Tone::Warn, "a later attempt failed"));
    }
    marks
}

/// Whether the change that runs claims a name that another change claims too.
fn is_disputed(deployment: &Deployment, asked: &Asked<'_>) -> bool {
    let change = picture::change_of(deployment, asked);
    let kept = change.and_then(|change| asked.find_ref::<Change>(&change));
    kept.is_some_and(|kept| kept.disputed.values().any(|index| asked.has(*index)))
}

/// How far the most production-like environment is behind the one before it that holds this service.
fn behind(
    held: &BTreeMap<&str, &Holding>,
    environments: &[String],
    asked: &Asked<'_>,
) -> Option<Behind> {
    let mut own = environments
        .iter()
        .rev()
        .filter_map(|name| Some((name, held.get(name.as_str())?)));
    let ((late, runs), (early, comes)) = (own.next()?, own.next()?);
    if environment::rank(late) == environment::rank(early) {
        return None;
    }
    let commits = match (&runs.commit, &comes.commit) {
        _ if !runs.sha256.is_empty() && runs.sha256 == comes.sha256 => Some(Vec::new()),
        (Some(runs), Some(comes)) => asked.walked(between(runs, comes, asked)).flatten(),
        _ => None,
    };
    let mut other_commits = 0;
    let changes = commits.map(|commits| {
        let mut seen = BTreeSet::new();
        let mut changes = Vec::new();
        for commit in commits {
            match names::holder(&commit, asked) {
                Some(change) if seen.insert(change.clone()) => {
                    changes.push(names::change(&change, asked));
                }
                Some(_) => {}
                None => other_commits += 1,
            }
        }
        changes
    });
    let sentence = match &changes {
        None => format!("how far {late} is behind is unknown"),
        Some(changes) if changes.is_empty() && other_commits == 0 => format!("same as {early}"),
        Some(changes) if changes.is_empty() => format!(
            "{late} is {} behind",
            plural(other_commits, "commit", "commits")
        ),
        Some(changes) => format!(
            "{late} is {} behind",
            plural(changes.len() as u64, "change", "changes")
        ),
    };
    Some(Behind {
        ahead: early.clone(),
        behind: late.clone(),
        changes,
        other_commits,
        sentence: Sentence::plain_text(sentence),
    })
}
/// `No deployment is recorded of checkout in production.`, where that was asked for.
fn absent(narrowed: Narrowed<'_>, rows: &[WhereRow], shown: &[String]) -> Option<Sentence> {
    if !rows.is_empty() && !shown.is_empty() {
        return None;
    }
    let of = narrowed.service.map(|name| format!(" of {name}"));
    let to = narrowed.environment.map(|name| format!(" to {name}"));
    if of.is_none() && to.is_none() {
        return None;
    }
    let place = say::one_line(&[of, to].into_iter().flatten().collect::<String>());
    Some(Sentence::plain_text(format!(
        "No deployment {place} is recorded."
    )))
}
fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `Production is 4 changes behind staging.`
fn lead(rows: &[WhereRow], environments: &[String]) -> Sentence {
    if rows.is_empty() {
        return Sentence::plain_text("No deployment is recorded yet.");
    }
    let known: Vec<&Behind> = rows.iter().filter_map(|row| row.behind.as_ref()).collect();
    let count = |count: usize, one: &str, many: &str| say::count(count, one, many);
    let Some(first) = known.first() else {
        return Sentence::plain_text(format!(
            "{} in {}.",
            say::capital(&count(rows.len(), "service", "services")),
            count(environments.len(), "environment", "environments")
        ));
    };
    let pair = (&first.behind, &first.ahead);
    let same_pair = known.iter().all(|one| (&one.behind, &one.ahead) == pair);
    let (late, early) = if same_pair {
        (first.behind.as_str(), first.ahead.as_str())
    } else {
        ("production", "what comes before it")
    };
    let changes: usize = known
        .iter()
        .filter_map(|behind| behind.changes.as_ref())
        .map(Vec::len)
        .sum();
    let unknown = known.iter().filter(|one| one.changes.is_none()).count();
    let unclaimed: u64 = known.iter().map(|one| one.other_commits).sum();
    let mut text = match (changes, unclaimed) {
        _ if unknown == known.len() => {
            return Sentence::plain_text(format!("How far {late} is behind {early} is unknown."));
        }
        (0, 0) => format!("{} has what {early} has", say::capital(late)),
        (0, commits) => format!(
            "{} is {} behind {early}",
            say::capital(late),
            plural(commits, "commit", "commits")
        ),
        (changes, _) => format!(
            "{} is {} behind {early}",
            say::capital(late),
            plural(changes as u64, "change", "changes")
        ),
    };
    if unknown > 0 {
        text.push_str("; for ");
        text.push_str(&count(unknown, "service", "services"));
        text.push_str(" that is unknown");
    }
    text.push('.');
    Sentence::plain_text(text)
}
