//! The demo's clock tells the story's time until the story ends, then the system's. `serve` has no such switch.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use piperoll_server::clock::{Clock, System};

use super::story::Day;

/// Stands at a moment of the story and goes on from there at life's pace, so that no two readings are the same.
#[derive(Debug)]
pub(crate) struct StoryClock(Mutex<Option<(Timestamp, Instant)>>);
impl StoryClock {
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self(Mutex::new(Some((moment, Instant::now()))))
    }
    /// Moves to a moment; never back.
    pub(crate) fn set(&self, moment: Timestamp) {
        let moment = moment.max(self.now());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((moment, Instant::now()));
    }
    /// From now on the system's time.
    pub(crate) fn hand_over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((moment, since)) => {
                let elapsed = i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX);
                moment
                    .saturating_add(elapsed.microseconds())
                    .unwrap_or(moment)
            }
            None => System.now(),
        }
    }
}

/// The week that ends with the last Saturday before `now`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Week {
    monday: Date,
}
impl Week {
    pub(super) fn before(now: Timestamp) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        // Sunday is 0 days after Sunday; a Saturday counts only once it is over.
        let since_saturday = match today.weekday().to_sunday_zero_offset() {
            6 => 7,
            days => days + 1,
        };
        let saturday = today.saturating_sub(i64::from(since_saturday).days());
        Self {
            monday: saturday.saturating_sub(5.days()),
        }
    }
    /// A moment of the week, such as Thursday `20:04`.
    pub(super) fn at(self, day: Day, clock: &str) -> Timestamp {
        let date = self.monday.saturating_add((day as i64).days());
        let (hour, minute) = clock
            .split_once(':')
            .expect("the story writes HH:MM; a test looks");
        let number = |text: &str| text.parse().expect("the story writes HH:MM; a test looks");
        date.at(number(hour), number(minute), 0, 0)
            .to_zoned(TimeZone::UTC)
            .expect("UTC knows every moment of a day")
            .timestamp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thursday_evening(now: &str) -> String {
        Week::before(now.parse().unwrap())
            .at(Day::Thu, "20:04")
            .to_string()
    }

    #[test]
    fn the_story_is_the_week_to_the_last_saturday_that_is_over() {
        assert_eq!(
            thursday_evening("2026-11-15T00:00:00Z"),
            "2026-11-12T20:04:00Z"
        );
        assert_eq!(
            thursday_evening("2026-11-20T23:59:59Z"),
            "2026-11-12T20:04:00Z"
        );
        assert_eq!(
            thursday_evening("2026-11-21T12:00:00Z"),
            "2026-11-12T20:04:00Z"
        );
        assert_eq!(
            thursday_evening("2026-11-22T00:00:00Z"),
            "2026-11-19T20:04:00Z"
        );
        assert_eq!(
            thursday_evening("2026-01-01T10:00:00Z"),
            "2025-12-25T20:04:00Z"
        );
    }

    #[test]
    fn the_clock_goes_on_from_where_it_was_set_and_never_back() {
        let moment: Timestamp = "2026-11-12T20:04:00Z".parse().unwrap();
        let clock = StoryClock::at(moment);
        let first = clock.now();
        clock.set(moment.saturating_sub(1.hour()).unwrap());
        assert!(first >= moment && clock.now() >= first);
        clock.hand_over();
        assert!(clock.now() > first);
    }

    #[test]
    fn every_moment_of_the_story_is_a_time_of_day() {
        let week = Week::before("2026-11-21T12:00:00Z".parse().unwrap());
        for moment in super::super::story::WEEK {
            week.at(moment.day, moment.clock);
        }
    }
}
