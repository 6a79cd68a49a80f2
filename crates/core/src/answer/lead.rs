//! The sentences that may be all somebody reads, and the marks beside them.

use std::collections::BTreeMap;

use super::{
    agreement::{self, Standing},
    asked::Asked,
    environment,
    gather::{self, Material},
    line, names,
    part::{Mark, Sentence, TimeForm, Tone},
    say,
};
use crate::{
    fold::aggregate::{At, Decided, Deployment, Stated, Trouble},
    kind::{Kind, Outcome},
};

/// The deployment that the first sentences speak of: the latest success in the most production-like environment, else the latest
/// attempt there.
pub(super) fn main_deployment(material: &Material) -> Option<(&str, &Deployment)> {
    material
        .deployments
        .iter()
        .filter(|(_, deployment)| !deployment.rollback)
        .max_by_key(|(key, deployment)| {
            let success = is_success(deployment);
            let rank = environment::rank(&deployment.environment);
            (success, rank, last(deployment), (*key).clone())
        })
        .map(|(key, deployment)| (key.as_str(), deployment))
}
pub(super) fn is_success(deployment: &Deployment) -> bool {
    deployment
        .finished
        .is_some_and(|(_, outcome)| outcome == Outcome::Success)
}
/// Its finish, else its start.
pub(super) fn last(deployment: &Deployment) -> Option<At> {
    deployment.finished.map(|(at, _)| at).or(deployment.started)
}
fn moment(at: At, asked: &Asked<'_>) -> jiff::Timestamp {
    names::moment_at(at, asked).time
}

pub(super) fn sentences(material: &Material, asked: &Asked<'_>) -> Vec<Sentence> {
    let mut lead = Vec::new();
    if let Some(name) = material.change.disputed.keys().next() {
        lead.push(Sentence::plain_text(format!(
            "Its standing cannot be judged: another change claims {} too.",
            shown_name(name)
        )));
    }
    let Some((_, main)) = main_deployment(material) else {
        lead.extend(decided(material, asked));
        lead.push(undeployed(material, asked));
        return lead;
    };
    let standing = agreement::standing(main, asked);
    lead.extend(agreed(main, &standing, asked));
    let further = Further::of(material, main, asked);
    lead.extend(further.as_ref().map(|further| further.sentence(asked)));
    lead.push(went(material, main, asked));
    lead.extend(followed(material, main, asked));
    lead.extend(failed_further(material, main, asked));
    lead
}

/// `Two people approved exactly what was deployed.`
fn agreed(main: &Deployment, standing: &Standing, asked: &Asked<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let people = |indexes: &[u64]| {
        say::capital(&say::count(
            agreement::people(indexes, asked),
            "person",
            "people",
        ))
    };
    let verb = if is_success(main) {
        "was deployed"
    } else {
        "was to be deployed"
    };
    let mut add = |text: String| sentences.push(Sentence::plain_text(text));
    if !standing.approved.is_empty() {
        add(format!(
            "{} approved exactly what {verb}.",
            people(&standing.approved)
        ));
    } else if !standing.overrides.is_empty() {
        // Said below.
    } else if !standing.part.is_empty() {
        add(format!(
            "{} approved only part of what {verb}.",
            people(&standing.part)
        ));
    } else if !standing.afterwards.is_empty() {
        add(format!(
            "{} approved exactly what {verb}, but only afterwards.",
            people(&standing.afterwards)
        ));
    } else if !standing.expired.is_empty() {
        add("The approval had expired when it was deployed.".to_owned());
    } else if agreement::is_unapproved(main) {
        add("No approval of what was deployed is recorded.".to_owned());
    }
    if !standing.rejected.is_empty() {
        add(format!("{} rejected it.", people(&standing.rejected)));
    }
    if !standing.rejected_afterwards.is_empty() {
        add(format!(
            "{} rejected it afterwards.",
            people(&standing.rejected_afterwards)
        ));
    }
    if let Some(entry) = standing
        .overrides
        .first()
        .and_then(|index| asked.entry(*index))
    {
        let who = names::principal(entry.event.source.as_str(), asked);
        sentences.push(
            Sentence::plain_text("It was deployed under an override declared by ")
                .who(who)
                .text("; a review is owed."),
        );
    }
    sentences
}

/// `It went to production on Thu 12 Nov at 20:04 with two other changes.`
fn went(material: &Material, main: &Deployment, asked: &Asked<'_>) -> Sentence {
    let environment = &main.environment;
    let Some((at, outcome)) = main.finished else {
        let sentence = Sentence::plain_text(format!("It is being deployed to {environment}"));
        return match main.started {
            Some(at) => sentence
                .text(" since ")
                .day(moment(at, asked), asked)
                .text("."),
            None => sentence.text("."),
        };
    };
    let time = moment(at, asked);
    if outcome != Outcome::Success {
        return Sentence::plain_text(format!("Deploying it to {environment} failed on "))
            .day(time, asked)
            .text(".");
    }
    let sentence = Sentence::plain_text(format!("It went to {environment} on "))
        .day(time, asked)
        .text(with(material, main));
    if environment::is_production(environment) {
        sentence.text(".")
    } else {
        sentence.text(", and has not gone to production.")
    }
}
/// A later attempt at a more production-like environment failed.
fn failed_further(material: &Material, main: &Deployment, asked: &Asked<'_>) -> Option<Sentence> {
    let rank = environment::rank(&main.environment);
    let further = material.deployments.values().filter(|deployment| {
        !deployment.rollback
            && deployment.finished.is_some()
            && !is_success(deployment)
            && environment::rank(&deployment.environment) > rank
    });
    let latest = further.max_by_key(|deployment| last(deployment))?;
    let (at, _) = latest.finished?;
    Some(
        Sentence::plain_text(format!("Deploying it to {} failed on ", latest.environment))
            .day(moment(at, asked), asked)
            .text("."),
    )
}
/// ` with two other changes`
fn with(material: &Material, main: &Deployment) -> String {
    let Some(contents) = &main.contents else {
        return "; what came with it is unknown".to_owned();
    };
    let changes = contents.changes();
    let others = changes
        .iter()
        .filter(|change| **change != material.id)
        .count();
    match others {
        0 => " with no other change".to_owned(),
        others => format!(
            " with {}",
            say::count(others, "other change", "other changes")
        ),
    }
}

/// `An alert followed 13 minutes later, and the deployment was rolled back at 20:31.`
fn followed(material: &Material, main: &Deployment, asked: &Asked<'_>) -> Option<Sentence> {
    let troubles: Vec<&Trouble> = main
        .place
        .followed_by
        .iter()
        .filter_map(|key| material.troubles.get(key))
        .collect();
    let undone = main
        .place
        .undone_by
        .as_ref()
        .and_then(|key| material.rollbacks.get(key))
        .and_then(|rollback| rollback.finished)
        .map(|(at, _)| moment(at, asked));
    let back = |sentence: Sentence, time: jiff::Timestamp| {
        let same_day = last(main).is_some_and(|at| {
            moment(at, asked).strftime("%F").to_string() == time.strftime("%F").to_string()
        });
        if same_day {
            sentence.text(" at ").time(time, TimeForm::Clock).text(".")
        } else {
            sentence.text(" on ").day(time, asked).text(".")
        }
    };
    let first = troubles.iter().min_by_key(|trouble| trouble.from);
    match (first, undone) {
        (None, None) => None,
        (None, Some(time)) => Some(back(Sentence::plain_text("It was rolled back"), time)),
        (Some(first), undone) => {
            let mut text = say::capital(&counted(&troubles));
            text.push_str(" followed");
            text.push_str(if troubles.len() > 1 {
                ", the first "
            } else {
                " "
            });
            text.push_str(&match line::minutes_since(first, main) {
                Some(minutes) => say::minutes_later(minutes),
                None => "while it was being deployed".to_owned(),
            });
            let sentence = Sentence::plain_text(text);
            Some(match undone {
                Some(time) => back(sentence.text(", and the deployment was rolled back"), time),
                None => sentence.text("."),
            })
        }
    }
}
/// `an alert`, `two alerts and an incident`
fn counted(troubles: &[&Trouble]) -> String {
    let incidents = troubles.iter().filter(|trouble| trouble.incident).count();
    let alerts = troubles.len() - incidents;
    let some = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("an {one}")),
        count => Some(format!("{} {many}", say::number(count))),
    };
    let parts: Vec<String> = [
        some(alerts, "alert", "alerts"),
        some(incidents, "incident", "incidents"),
    ]
    .into_iter()
    .flatten()
    .collect();
    parts.join(" and ")
}

/// The sentence goes on with who decided, as what.
fn by(sentence: Sentence, index: u64, asked: &Asked<'_>) -> Sentence {
    let Some(entry) = asked.entry(index) else {
        return sentence.text("somebody.");
    };
    let sentence = sentence.who(names::principal(entry.event.source.as_str(), asked));
    sentence.text(match entry.event.profile.role.as_deref().map(say::role) {
        Some(role) => format!(", {role}."),
        None => ".".to_owned(),
    })
}

/// What stands about going on to an environment that is more production-like than where the change is: the last word of each
/// person, or that nobody has decided.
struct Further<'a> {
    environment: &'a str,
    approved: Vec<u64>,
    rejected: Vec<u64>,
}
impl<'a> Further<'a> {
    fn of(material: &'a Material, main: &Deployment, asked: &Asked<'a>) -> Option<Self> {
        let here = environment::rank(&main.environment);
        let decided = material
            .decisions
            .values()
            .filter_map(|decision| decision.environment.as_deref());
        let requested = requests(material, asked)
            .filter_map(|entry| entry.event.profile.environment.as_deref());
        let environment = decided
            .chain(requested)
            .filter(|name| environment::rank(name) > here)
            .max_by_key(|name| (environment::rank(name), *name))?;
        let mut last: BTreeMap<&str, (jiff::Timestamp, u64, Decided)> = BTreeMap::new();
        for (index, decision) in &material.decisions {
            if decision.environment.as_deref() != Some(environment) {
                continue;
            }
            let said = (decision.at.time, *index, decision.decided);
            let kept = last.entry(&decision.by).or_insert(said);
            *kept = (*kept).max(said);
        }
        let of = |wanted: &[Decided]| -> Vec<u64> {
            let indexes = last.values().filter(|(.., what)| wanted.contains(what));
            indexes.map(|(_, index, _)| *index).collect()
        };
        Some(Self {
            environment,
            approved: of(&[Decided::Approved]),
            rejected: of(&[Decided::Rejected, Decided::ChangesRequested]),
        })
    }
    /// `It was rejected for production by Ines Okafor, business approver.`
    fn sentence(&self, asked: &Asked<'_>) -> Sentence {
        let people = |indexes: &[u64]| say::capital(&say::count(indexes.len(), "person", "people"));
        let environment = self.environment;
        Sentence::plain_text(match (self.rejected.as_slice(), self.approved.as_slice()) {
            ([index], _) => {
                let begun = format!("It was rejected for {environment} by ");
                return by(Sentence::plain_text(begun), *index, asked);
            }
            ([], []) => format!("Approval for {environment} is asked for, and nobody has decided."),
            ([], approved) => format!("{} approved it for {environment}.", people(approved)),
            (rejected, _) => format!("{} rejected it for {environment}.", people(rejected)),
        })
    }
    fn mark(&self) -> Option<Mark> {
        let environment = self.environment;
        if !self.rejected.is_empty() {
            let word = format!("rejected for {environment}");
            return Some(Mark::new('✕', Tone::Bad, word));
        }
        let word = format!("approved for {environment}");
        (!self.approved.is_empty()).then(|| Mark::new('✓', Tone::Good, word))
    }
}
fn requests<'a>(
    material: &'a Material,
    asked: &Asked<'a>,
) -> impl Iterator<Item = &'a super::EntryRead> {
    let entries = material.entries.iter();
    entries
        .filter_map(|index| asked.entry(*index))
        .filter(|entry| entry.event.kind() == Kind::ApprovalCreated)
}

/// What was decided about a change that is not deployed.
fn decided(material: &Material, asked: &Asked<'_>) -> Option<Sentence> {
    let of = |wanted: Decided| -> Vec<u64> {
        material
            .decisions
            .iter()
            .filter(|(_, decision)| decision.decided == wanted)
            .map(|(index, _)| *index)
            .collect()
    };
    let (approved, rejected) = (of(Decided::Approved), of(Decided::Rejected));
    if let Some(index) = rejected.last() {
        return Some(by(
            Sentence::plain_text("It was rejected by "),
            *index,
            asked,
        ));
    }
    if !approved.is_empty() {
        let people = say::count(agreement::people(&approved, asked), "person", "people");
        return Some(Sentence::plain_text(format!(
            "{} approved it.",
            say::capital(&people)
        )));
    }
    let is_asked = requests(material, asked).next().is_some();
    (is_asked && material.decisions.is_empty())
        .then(|| Sentence::plain_text("Approval is asked for, and nobody has decided."))
}
fn undeployed(material: &Material, asked: &Asked<'_>) -> Sentence {
    match gather::state(&material.change, asked) {
        Some((at, Stated::Merged)) => Sentence::plain_text("It was merged on ")
            .day(moment(at, asked), asked)
            .text(" and is not deployed anywhere, as far as is recorded."),
        Some((at, Stated::Abandoned)) => Sentence::plain_text("It was closed on ")
            .day(moment(at, asked), asked)
            .text(" without being merged, and never deployed, as far as is recorded."),
        Some((_, Stated::Open)) => {
            Sentence::plain_text("It is open and not deployed anywhere, as far as is recorded.")
        }
        None => Sentence::plain_text("It is not deployed anywhere, as far as is recorded."),
    }
}

/// States as sign and word.
pub(super) fn chips(material: &Material, asked: &Asked<'_>) -> Vec<Mark> {
    let mut chips = Vec::new();
    if !material.change.disputed.is_empty() {
        chips.push(Mark::new('!', Tone::Warn, "cannot be judged"));
    }
    let Some((_, main)) = main_deployment(material) else {
        chips.extend(undecided(material));
        chips.push(match gather::state(&material.change, asked) {
            Some((_, Stated::Merged)) => Mark::soft("merged"),
            Some((_, Stated::Abandoned)) => Mark::soft("closed, not merged"),
            Some((_, Stated::Open)) => Mark::soft("open"),
            None => Mark::soft("not deployed"),
        });
        return chips;
    };
    chips.extend(agreement::marks(main, &agreement::standing(main, asked)));
    chips.extend(Further::of(material, main, asked).and_then(|further| further.mark()));
    if main.place.undone_by.is_some() {
        let word = format!("rolled back in {}", main.environment);
        chips.push(Mark::new('↶', Tone::Bad, word));
    } else if is_success(main) {
        chips.push(Mark::soft(format!("went to {}", main.environment)));
    } else if main.finished.is_some() {
        let word = format!("deployment to {} failed", main.environment);
        chips.push(Mark::new('✕', Tone::Bad, word));
    } else {
        let word = format!("being deployed to {}", main.environment);
        chips.push(Mark::new('…', Tone::Step, word));
    }
    let followed: Vec<&Trouble> = main
        .place
        .followed_by
        .iter()
        .filter_map(|key| material.troubles.get(key))
        .collect();
    for incident in [false, true] {
        let count = followed
            .iter()
            .filter(|trouble| trouble.incident == incident)
            .count();
        if count > 0 {
            let (one, many) = if incident {
                ("incident", "incidents")
            } else {
                ("alert", "alerts")
            };
            let word = format!("{} followed", say::count(count, one, many));
            chips.push(Mark::new('!', Tone::Warn, word));
        }
    }
    chips
}
/// What is decided about something that is not deployed.
fn undecided(material: &Material) -> Option<Mark> {
    let has = |wanted: Decided| {
        material
            .decisions
            .values()
            .any(|decision| decision.decided == wanted)
    };
    if has(Decided::Rejected) {
        Some(Mark::new('✕', Tone::Bad, "rejected"))
    } else if has(Decided::Approved) {
        Some(Mark::new('✓', Tone::Good, "approved"))
    } else {
        None
    }
}
/// A name as people read it: commits short.
pub(super) fn shown_name(name: &str) -> String {
    if gather::is_digest(name) {
        return name.get(..7).unwrap_or(name).to_owned();
    }
    name.strip_prefix("ticket:").unwrap_or(name).to_owned()
}
