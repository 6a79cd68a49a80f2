//! What happened in a window of time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    EntryRead, Need, Reading,
    asked::Asked,
    gather, lead,
    line::{self, Telling},
    part::{AsOf, Line, Sentence},
    say,
};
use crate::{
    fold::{aggregate::deployment_key, deployment},
    kind::Kind,
};

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    #[serde(default)]
    pub since: Option<Timestamp>,
    #[serde(default)]
    pub until: Option<Timestamp>,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
}
/// Lines by the emitters' times, oldest first, and what is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub as_of: AsOf,
    pub window: Window,
    pub lead: Sentence,
    pub lines: Vec<Line>,
    /// `Alerts: none recorded in this window.` and the like, one for each sort of event that is absent.
    pub absent: Vec<Sentence>,
    /// More entries matched than were given; the window should be narrowed.
    pub more: bool,
}

/// The timeline of the entries that the store found for this window (`Store::log` with the same filter, any order).
/// `more`: the store had further ones.
pub fn timeline(
    window: &Window,
    indexes: &[u64],
    more: bool,
    reading: &Reading,
) -> Result<Timeline, Need> {
    let asked = Asked::new(reading);
    let entries: Vec<&EntryRead> = indexes
        .iter()
        .filter_map(|index| asked.entry(*index))
        .collect();
    let lines = lines(&entries, &asked);
    let groups = groups(&entries, &lines);
    let timeline = Timeline {
        as_of: asked.as_of(),
        window: window.clone(),
        lead: leading(&groups, &lines),
        absent: groups
            .iter()
            .filter(|group| group.count == 0)
            .map(|group| {
                Sentence::plain_text(format!(
                    "{}{}: none recorded in this window.",
                    say::capital(group.many),
                    naming(window)
                ))
            })
            .collect(),
        lines,
        more,
    };
    asked.finish(timeline)
}

/// ` that name payments`: other events may be about it all the same, such as an approval of a bundle.
fn naming(window: &Window) -> String {
    let named: Vec<&str> = [&window.service, &window.environment]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" that name {}", named.join(" and "))
    }
}

/// A sort of event whose absence is worth saying.
struct Group {
    one: &'static str,
    many: &'static str,
    count: usize,
}
const GROUPS: [(&str, &str, &[Kind]); 6] = [
    (
        "deployment",
        "deployments",
        &[
            Kind::DeploymentStarted,
            Kind::DeploymentFinished,
            Kind::ServiceDeployed,
            Kind::ServiceUpgraded,
        ],
    ),
    (
        "rollback",
        "rollbacks",
        &[
            Kind::RollbackStarted,
            Kind::RollbackFinished,
            Kind::ServiceRolledback,
        ],
    ),
    ("decision", "decisions", &[Kind::ApprovalUpdated]),
    ("override", "overrides", &[Kind::OverrideDeclared]),
    ("alert", "alerts", &[Kind::AlertFired, Kind::AlertResolved]),
    (
        "incident",
        "incidents",
        &[Kind::IncidentDetected, Kind::IncidentResolved],
    ),
];
/// How many there are of each, counted by subject: a start and a finish are one.
fn groups(entries: &[&EntryRead], lines: &[Line]) -> Vec<Group> {
    let told: BTreeSet<u64> = lines.iter().map(|line| line.at.index).collect();
    GROUPS
        .iter()
        .map(|(one, many, kinds)| {
            let subjects: BTreeSet<_> = entries
                .iter()
                .filter(|entry| told.contains(&entry.index))
                .filter(|entry| kinds.contains(&entry.event.kind()))
                .map(|entry| {
                    let profile = &entry.event.profile;
                    // Decisions share the subject of their request.
                    let own = (entry.event.kind() == Kind::ApprovalUpdated).then_some(entry.index);
                    (
                        &entry.event.subject,
                        &profile.service,
                        &profile.environment,
                        own,
                    )
                })
                .collect();
            Group {
                one,
                many,
                count: subjects.len(),
            }
        })
        .collect()
}
fn leading(groups: &[Group], lines: &[Line]) -> Sentence {
    if lines.is_empty() {
        return Sentence::plain_text("Nothing is recorded in this window.");
    }
    let counted: Vec<String> = groups
        .iter()
        .filter(|group| group.count > 0)
        .map(|group| say::count(group.count, group.one, group.many))
        .collect();
    let text = match counted.split_last() {
        None => say::count(lines.len(), "record", "records"),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    };
    Sentence::plain_text(format!("{} in this window.", say::capital(&text)))
}

/// A deployment is one line where its finish lies in the window; reports that join a signed one go with it.
fn lines(entries: &[&EntryRead], asked: &Asked<'_>) -> Vec<Line> {
    let there: BTreeSet<u64> = entries.iter().map(|entry| entry.index).collect();
    let mut also: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut within = BTreeSet::new();
    for entry in entries {
        let Some(main) = told_by(entry, asked).filter(|main| there.contains(main)) else {
            continue;
        };
        if main != entry.index {
            within.insert(entry.index);
            also.entry(main).or_default().push(entry.index);
        }
    }
    let telling = Telling {
        story_of: None,
        services: true,
    };
    let mut lines: Vec<Line> = entries
        .iter()
        .filter(|entry| !within.contains(&entry.index))
        .map(|entry| {
            let mut line = line::line(entry, telling, asked);
            line.also = also.remove(&entry.index).unwrap_or_default();
            line.also.sort_unstable();
            line
        })
        .collect();
    lines.sort_by_key(|line| (line.at.time, line.at.index));
    lines
}
/// The entry that tells the deployment an entry is about.
fn told_by(entry: &EntryRead, asked: &Asked<'_>) -> Option<u64> {
    if !deployment::concerns(entry.event.kind()) {
        return None;
    }
    let profile = &entry.event.profile;
    let (service, environment) = (profile.service.as_ref()?, profile.environment.as_ref()?);
    let id = deployment::id(&entry.event);
    let own = gather::deployment(&deployment_key(service, environment, &id), asked)?;
    let telling = match &own.place.joins {
        Some(signed) => gather::deployment(signed, asked)?,
        None => own,
    };
    Some(lead::last(&telling)?.index)
}
