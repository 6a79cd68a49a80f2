//! What is in a service and environment, and how the deployments there stand to one another (`formats.md` section 9).
//!
//! Everything here is worked out from the list of attempts, ordered by their times, so that it does not matter in which order
//! they were recorded: which report joins which signed deployment, what came before what, what a rollback undid, which alert
//! followed, and what is there now.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Entry, Missing, Row,
    aggregate::{At, Attempt, Deployment, Holding, Kept, Place, Slot, Trouble, slot_key},
    contents,
    session::{Session, Source},
};
use crate::kind::Outcome;

/// Attempts a slot remembers: enough for joins, rollbacks and alerts; what is older keeps what was worked out for it.
const ATTEMPTS_MAX: usize = 24;
/// Successes that stay however much was tried since: the latest, and what is there again should it turn out to have failed.
const SUCCESSES_KEPT: usize = 2;
/// Alerts and incidents a slot remembers, so that one of a storm is still there when a deployment before it is recorded late.
const TROUBLES_MAX: usize = 200;
/// A report this near to a signed deployment of the same content is about it, even if something else ran in between.
const JOIN_WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// An alert or incident that begins within this time after a deployment is said to have followed it.
pub(crate) const FOLLOWED_WITHIN: SignedDuration = SignedDuration::from_mins(60);

/// Adds or replaces an attempt, and works everything out again.
pub(super) fn put(
    service: &str,
    environment: &str,
    attempt: Attempt,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let place = slot_key(service, environment);
    let mut slot: Slot = session.get(&place)?;
    let touched = attempt.key.clone();
    match slot.attempts.iter_mut().find(|held| held.key == touched) {
        Some(held) => {
            *held = Arc::new(attempt);
            slot.sort();
        }
        None => {
            if !slot.add(attempt) {
                session.change(&touched, |kept: &mut Deployment| kept.place.late = true)?;
            }
        }
    }
    settle(&place, slot, BTreeSet::from([touched]), entry, session)
}

/// Adds an alert or incident that began at `from` to a place (by its key), and works everything out again.
pub(super) fn trouble(
    place: &str,
    key: &str,
    from: Timestamp,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let mut slot: Slot = session.get(place)?;
    slot.troubles.insert(key.to_owned(), from);
    settle(place, slot, BTreeSet::new(), entry, session)
}

/// Works out the places, and tells every deployment and alert for which that is news.
fn settle(
    place: &str,
    mut slot: Slot,
    mut changed: BTreeSet<String>,
    entry: Entry<'_>,
    session: &mut Session<'_>,
) -> Result<(), Missing> {
    let (places, holding) = slot.places();
    let mut news = Vec::new();
    let mut followed: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (attempt, stands) in slot.attempts.iter_mut().zip(places) {
        if attempt.place == stands {
            continue;
        }
        for lost in attempt.place.followed_by.difference(&stands.followed_by) {
            followed.entry(lost.clone()).or_insert(None);
        }
        for won in stands.followed_by.difference(&attempt.place.followed_by) {
            followed.insert(won.clone(), Some(attempt.key.clone()));
        }
        Arc::make_mut(attempt).place = stands;
        changed.insert(attempt.key.clone());
        news.push((attempt.key.clone(), attempt.place.clone()));
    }
    session.want(
        changed
            .iter()
            .map(Deployment::key)
            .chain(followed.keys().map(Trouble::key)),
    )?;
    for (key, stands) in news {
        session.change(&key, |kept: &mut Deployment| kept.place = stands)?;
    }
    for (key, deployment) in followed {
        session.change(&key, |kept: &mut Trouble| {
            match deployment {
                Some(deployment) => kept.followed.insert(place.to_owned(), deployment),
                None => kept.followed.remove(place),
            };
        })?;
    }
    if holding != slot.holding {
        let body = serde_json::to_string(&holding)
            .expect("a holding holds only strings, integers and lists");
        let (service, environment) = place
            .split_once('\n')
            .expect("a slot's key names a service and an environment");
        session.row(Row::Slot {
            service: service.to_owned(),
            environment: environment.to_owned(),
            from_index: entry.index,
            body,
        });
        slot.holding = holding;
    }
    slot.forget_oldest_trouble();
    session.put(place, slot);
    contents::work_out(changed, entry, session)
}

impl Slot {
    /// By time; a deployment that finishes moves behind those that finished while it went on.
    fn sort(&mut self) {
        self.attempts
            .sort_by(|one, other| (one.at(), &one.key).cmp(&(other.at(), &other.key)));
    }
    /// `false`: it is older than all that is remembered, and history only.
    fn add(&mut self, attempt: Attempt) -> bool {
        let key = attempt.key.clone();
        self.attempts.push(Arc::new(attempt));
        self.sort();
        // What is there, and what may be from now on, stay however much was tried since.
        let held = self
            .holding
            .as_ref()
            .map(|holding| holding.deployment.clone());
        let latest = self
            .attempts
            .iter()
            .rev()
            .filter(|one| one.is_success() && one.place.counts())
            .map(|one| one.key.clone());
        let kept: Vec<String> = held
            .into_iter()
            .chain(latest.take(SUCCESSES_KEPT))
            .collect();
        let stays = |key: &String| kept.contains(key);
        if self.cut && self.attempts.first().is_some_and(|first| first.key == key) && !stays(&key) {
            self.attempts.remove(0);
            return false;
        }
        if self.attempts.len() > ATTEMPTS_MAX {
            let oldest = self.attempts.iter().position(|one| !stays(&one.key));
            let gone = self.attempts.remove(oldest.unwrap_or(0));
            // A report goes with what it is about, or it would stand for itself.
            self.attempts
                .retain(|one| one.key == key || one.place.joins.as_ref() != Some(&gone.key));
            self.cut = true;
        }
        self.attempts.iter().any(|attempt| attempt.key == key)
    }

    /// What it follows is worked out by then.
    fn forget_oldest_trouble(&mut self) {
        if self.troubles.len() > TROUBLES_MAX {
            let oldest = self
                .troubles
                .iter()
                .min_by_key(|(key, from)| (**from, key.as_str()));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.troubles.remove(&oldest);
            }
        }
    }

    /// The place of each attempt, and what is in the slot.
    fn places(&self) -> (Vec<Place>, Option<Holding>) {
        let mut places = vec![Place::default(); self.attempts.len()];
        self.join(&mut places);
        let stays = self.stays(&places);
        self.order(&stays, &mut places);
        self.undo(&stays, &mut places);
        self.clear_up(&mut places);
        self.follow(&mut places);
        self.keep_what_was_cut(&mut places);
        let holding = stays.last().and_then(|stay| stay.first()).map(|first| {
            let attempt = &self.attempts[*first];
            Holding {
                deployment: attempt.key.clone(),
                since: attempt.at(),
                sha256: attempt.sha256.clone(),
                commit: attempt.commit.clone(),
                again: places[*first].again,
                undid: places[*first].undid.clone(),
            }
        });
        (places, holding)
    }

    /// Reports join the nearest signed deployment of the same content.
    fn join(&self, places: &mut [Place]) {
        for (at, report) in self.attempts.iter().enumerate() {
            if !report.is_reported() {
                continue;
            }
            let nearest = self
                .attempts
                .iter()
                .enumerate()
                .filter(|(_, signed)| !signed.is_reported() && report.may_be_about(signed))
                .filter(|(_, signed)| !self.is_between(report, signed))
                .min_by_key(|(_, signed)| (report.distance(signed), signed.at(), &signed.key));
            if let Some((signed, _)) = nearest {
                places[at].joins = Some(self.attempts[signed].key.clone());
                places[signed].joined_by.insert(report.key.clone());
            }
            places[at].confirms = report.report
                && self
                    .attempts
                    .iter()
                    .any(|other| !other.is_reported() && other.source == report.source);
        }
    }

    /// Whether something else ran between a report and a signed deployment that are not close to each other.
    fn is_between(&self, report: &Attempt, signed: &Attempt) -> bool {
        if report.distance(signed) <= JOIN_WINDOW {
            return false;
        }
        let (from, to) = (
            report.at().min(signed.at()).time,
            report.at().max(signed.at()).time,
        );
        self.attempts.iter().any(|other| {
            other.is_success()
                && !other.is_same(report)
                && other.at().time > from
                && other.at().time < to
        })
    }

    /// Successes that count, by time, put together while the content stays the same.
    fn stays(&self, places: &[Place]) -> Vec<Vec<usize>> {
        let mut stays: Vec<Vec<usize>> = Vec::new();
        for (at, attempt) in self.attempts.iter().enumerate() {
            if !attempt.is_success() || !places[at].counts() {
                continue;
            }
            match stays.last_mut() {
                Some(stay) if attempt.is_same(&self.attempts[stay[0]]) => stay.push(at),
                _ => stays.push(vec![at]),
            }
        }
        stays
    }

    /// What came before each, and what replaced it.
    fn order(&self, stays: &[Vec<usize>], places: &mut [Place]) {
        for (at, attempt) in self.attempts.iter().enumerate() {
            let is_before =
                |success: &usize| *success != at && self.attempts[*success].at() < attempt.at();
            let stay = stays.iter().rev().find(|stay| stay.iter().any(is_before));
            if let Some(stay) = stay
                && places[at].counts()
            {
                let previous = &self.attempts[stay[0]];
                places[at].previous = Some(previous.key.clone());
                places[at].previous_commit.clone_from(&previous.commit);
            }
        }
        for pair in stays.windows(2) {
            for at in &pair[0] {
                places[*at].replaced_by = Some(self.attempts[pair[1][0]].key.clone());
            }
        }
    }

    /// What was there before comes back; a rollback thereby undoes what came since, or at least what it replaces.
    fn undo(&self, stays: &[Vec<usize>], places: &mut [Place]) {
        for (number, stay) in stays.iter().enumerate() {
            let first = &self.attempts[stay[0]];
            let earlier = stays[..number]
                .iter()
                .rposition(|earlier| first.is_same(&self.attempts[earlier[0]]));
            places[stay[0]].again = earlier.is_some();
            if !first.rollback {
                continue;
            }
            let from = earlier.map_or(number.saturating_sub(1), |earlier| earlier + 1);
            for undone in &stays[from..number] {
                for at in undone {
                    if places[*at].undone_by.is_none() {
                        places[*at].undone_by = Some(first.key.clone());
                        places[stay[0]].undid.push(self.attempts[*at].key.clone());
                    }
                }
            }
        }
    }

    /// A rollback also undoes what failed (or never ended) since the last success before it, though the slot does not move.
    fn clear_up(&self, places: &mut [Place]) {
        for (at, attempt) in self.attempts.iter().enumerate() {
            if attempt.is_success() || !places[at].counts() {
                continue;
            }
            let next = self.attempts[at + 1..]
                .iter()
                .zip(&places[at + 1..])
                .find(|(next, place)| next.is_success() && place.counts());
            if let Some((next, _)) = next.filter(|(next, _)| next.rollback && !attempt.rollback) {
                places[at].undone_by = Some(next.key.clone());
            }
        }
    }

    /// Each alert and incident follows the latest attempt before it, within the window.
    fn follow(&self, places: &mut [Place]) {
        for (key, from) in &self.troubles {
            let latest = self
                .attempts
                .iter()
                .enumerate()
                .filter(|(at, _)| places[*at].counts())
                .filter_map(|(at, attempt)| Some((attempt.last_before(*from)?, at)))
                .max();
            if let Some((time, at)) = latest
                && from.duration_since(time) <= FOLLOWED_WITHIN
            {
                places[at].followed_by.insert(key.clone());
            }
        }
    }

    /// Where older attempts or alerts are no longer remembered, what was worked out from them stays.
    fn keep_what_was_cut(&self, places: &mut [Place]) {
        for (attempt, place) in self.attempts.iter().zip(places) {
            let before = &attempt.place;
            for key in &before.followed_by {
                if !self.troubles.contains_key(key) {
                    place.followed_by.insert(key.clone());
                }
            }
            if !self.cut {
                continue;
            }
            if place.previous.is_none() && place.counts() {
                place.previous.clone_from(&before.previous);
                place.previous_commit.clone_from(&before.previous_commit);
            }
            if before.again && !place.again {
                place.again = true;
                place.undid.clone_from(&before.undid);
            }
        }
    }
}

impl Place {
    /// Whether the attempt stands for itself.
    pub(crate) fn counts(&self) -> bool {
        self.joins.is_none() && !self.confirms
    }
}

impl Attempt {
    /// When it was over, or began if that is all that is known.
    fn at(&self) -> At {
        let never = At {
            time: Timestamp::MIN,
            index: 0,
        };
        self.finished
            .map(|(at, _)| at)
            .or(self.started)
            .unwrap_or(never)
    }
    fn is_success(&self) -> bool {
        self.finished
            .is_some_and(|(_, outcome)| outcome == Outcome::Success)
    }
    fn is_reported(&self) -> bool {
        self.relayed || self.report
    }
    /// The same content: by sets of sha256; by commit where one of them has no sha256.
    fn is_same(&self, other: &Self) -> bool {
        if self.sha256.is_empty() || other.sha256.is_empty() {
            self.commit.is_some() && self.commit == other.commit
        } else {
            self.sha256 == other.sha256
        }
    }
    /// Whether a report can be about a signed deployment: of the same commit or digests, and not contradicting its outcome. A
    /// success stands for itself until the signed deployment is finished.
    fn may_be_about(&self, signed: &Self) -> bool {
        let same = (self.commit.is_some() && self.commit == signed.commit)
            || (!self.sha256.is_empty() && self.sha256 == signed.sha256);
        let agree = match (self.finished, signed.finished) {
            (None, _) => true,
            (Some(_), Some(_)) => self.is_success() == signed.is_success(),
            (Some(_), None) => !self.is_success(),
        };
        same && agree
    }
    /// Time between the two, nothing where they overlap.
    fn distance(&self, other: &Self) -> SignedDuration {
        let (from, to) = self.span();
        let (other_from, other_to) = other.span();
        let gap = other_from
            .duration_since(to)
            .max(from.duration_since(other_to));
        gap.max(SignedDuration::ZERO)
    }
    fn span(&self) -> (Timestamp, Timestamp) {
        let to = self.at().time;
        let from = self.started.map_or(to, |started| started.time.min(to));
        (from, to)
    }
    /// Its last instant that is not after `time`.
    fn last_before(&self, time: Timestamp) -> Option<Timestamp> {
        let (from, to) = self.span();
        [to, from].into_iter().find(|instant| *instant <= time)
    }
}
