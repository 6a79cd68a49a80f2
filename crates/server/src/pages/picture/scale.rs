//! The time axis: busy hours get room, quiet days get little, and where the scale changes there is a seam.

use std::ops::Range;

use jiff::Timestamp;

use super::{
    Text,
    placing::{Area, Box},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Below this a story needs only one scale.
const ONE_SCALE_MAX: i64 = 8 * HOUR;
/// Times closer than this belong together.
const BUSY_GAP_MAX: i64 = 2 * HOUR;
/// So many times make a busy stretch.
const BUSY_TIMES_MIN: usize = 3;
/// More seams than these confuse; the busiest stretches win.
const BUSY_STRETCHES_MAX: usize = 3;
/// Room between two ticks, pixels.
const TICK_ROOM: i64 = 74;
/// Steps between ticks, seconds.
const STEPS: [i64; 16] = [
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    364 * DAY,
];

/// From seconds to pixels.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    segments: Vec<Segment>,
}
/// A stretch of one scale. Seconds since 1970, pixels.
#[derive(Clone, Debug)]
struct Segment {
    from: i64,
    to: i64,
    left: i64,
    right: i64,
    busy: bool,
}

impl Scale {
    /// A scale from `left` to `right` that shows all `times`; `None` when there are none.
    pub(super) fn over(times: &[i64], left: i64, right: i64) -> Option<Self> {
        let mut times = times.to_vec();
        times.sort_unstable();
        times.dedup();
        let (first, last) = (*times.first()?, *times.last()?);
        let margin = ((last - first) / 24).clamp(2 * MINUTE, DAY);
        let whole = first - margin..last + margin;
        let stretches = if last - first <= ONE_SCALE_MAX {
            vec![(whole, true)]
        } else {
            stretches(&times, &whole)
        };
        Some(Self {
            segments: share_room(&stretches, &times, left, right),
        })
    }
    /// Where a time stands; times outside stand at the edge.
    pub(super) fn x(&self, at: i64) -> i64 {
        let segment = self
            .segments
            .iter()
            .find(|segment| at < segment.to)
            .or(self.segments.last());
        segment.map_or(0, |segment| segment.x(at))
    }
    /// Where the scale changes.
    pub(super) fn seams(&self) -> impl Iterator<Item = i64> {
        self.segments.iter().skip(1).map(|segment| segment.left)
    }
    pub(super) fn ticks(&self) -> impl Iterator<Item = i64> {
        self.segments
            .iter()
            .flat_map(|segment| segment.ticks().map(|at| segment.x(at)))
    }
    /// Days in the first row, hours in the second. What would touch another label is left out; the busy stretches come first.
    pub(super) fn labels(&self) -> Vec<Text> {
        let mut area = Area::new(0, i64::MAX);
        let mut texts = Vec::new();
        let mut put = |x: i64, row: i64, edge: i64, text: String| {
            let place = Box::of_line(x, row * 17, &text);
            if place.right <= edge && area.takes(&place) {
                area.occupy(place);
                texts.push(Text {
                    x,
                    y: row * 17 + 14,
                    class: "s",
                    line: text,
                });
            }
        };
        let edge = self.segments.last().map_or(0, |segment| segment.right);
        let mut in_order: Vec<&Segment> = self.segments.iter().collect();
        in_order.sort_by_key(|segment| !segment.busy);
        for segment in &in_order {
            if segment.step() < DAY {
                put(segment.left + 4, 0, edge, day(segment.from));
            }
        }
        for segment in &in_order {
            for at in segment.ticks() {
                let x = segment.x(at) + 4;
                if at % DAY == 0 {
                    put(x, 0, edge, day(at));
                } else {
                    put(x, 1, segment.right, format_at(at, "%H:%M"));
                }
            }
        }
        for segment in &in_order {
            put(segment.left + 4, 0, edge, day(segment.from));
        }
        texts
    }
}

impl Segment {
    fn x(&self, at: i64) -> i64 {
        let at = at.clamp(self.from, self.to);
        self.left + (at - self.from) * (self.right - self.left) / (self.to - self.from).max(1)
    }
    /// Seconds between two ticks.
    fn step(&self) -> i64 {
        let span = (self.to - self.from).max(1);
        let width = self.right - self.left;
        STEPS
            .into_iter()
            .find(|step| step * width / span >= TICK_ROOM)
            .unwrap_or(STEPS[STEPS.len() - 1])
    }
    fn ticks(&self) -> impl Iterator<Item = i64> + use<> {
        let step = self.step();
        let first = (self.from / step + 1) * step;
        let to = self.to;
        (0..)
            .map(move |count| first + count * step)
            .take_while(move |at| *at < to)
    }
}

/// Cuts `whole` into quiet and busy stretches, in order of time.
fn stretches(times: &[i64], whole: &Range<i64>) -> Vec<(Range<i64>, bool)> {
    let mut busy: Vec<Range<usize>> = runs(times)
        .into_iter()
        .filter(|run| run.len() >= BUSY_TIMES_MIN && times[run.end - 1] > times[run.start])
        .collect();
    busy.sort_by_key(|run| std::cmp::Reverse(run.len()));
    busy.truncate(BUSY_STRETCHES_MAX);
    busy.sort_by_key(|run| run.start);

    let mut cut = Vec::new();
    let mut at = whole.start;
    for run in busy {
        let (first, last) = (times[run.start], times[run.end - 1]);
        let margin = ((last - first) / 8).clamp(5 * MINUTE, HOUR);
        let before = run
            .start
            .checked_sub(1)
            .map_or(whole.start, |place| times[place]);
        let after = times.get(run.end).copied().unwrap_or(whole.end);
        // Half of the way to the neighbours at most; at the very edge nothing else is to be shown.
        let from = if run.start == 0 {
            whole.start.max(first - margin)
        } else {
            first - margin.min((first - before) / 2)
        };
        let to = if run.end == times.len() {
            last + margin
        } else {
            last + margin.min((after - last) / 2)
        };
        if run.start > 0 && from > at {
            cut.push((at..from, false));
        }
        cut.push((from..to, true));
        at = to;
    }
    if times.last().is_some_and(|last| *last >= at) {
        cut.push((at..whole.end, false));
    }
    cut
}
/// Runs of times that follow each other closely, as ranges of places.
fn runs(times: &[i64]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for place in 1..=times.len() {
        if place == times.len() || times[place] - times[place - 1] > BUSY_GAP_MAX {
            runs.push(start..place);
            start = place;
        }
    }
    runs
}
/// Gives each stretch room by what it has to show.
fn share_room(
    stretches: &[(Range<i64>, bool)],
    times: &[i64],
    left: i64,
    right: i64,
) -> Vec<Segment> {
    let weight = |(range, busy): &(Range<i64>, bool)| {
        let shown = times.iter().filter(|at| range.contains(at)).count();
        let shown = i64::try_from(shown).unwrap_or(i64::MAX).min(12);
        if *busy {
            110 + 45 * shown
        } else {
            60 + 60 * shown.min(5)
        }
    };
    let sum: i64 = stretches.iter().map(weight).sum();
    let mut used = 0;
    stretches
        .iter()
        .map(|stretch| {
            let from = left + (right - left) * used / sum.max(1);
            used += weight(stretch);
            Segment {
                from: stretch.0.start,
                to: stretch.0.end,
                left: from,
                right: left + (right - left) * used / sum.max(1),
                busy: stretch.1,
            }
        })
        .collect()
}
fn day(at: i64) -> String {
    format_at(at, "%a %-d %b")
}
fn format_at(at: i64, format: &str) -> String {
    Timestamp::from_second(at).map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
}
