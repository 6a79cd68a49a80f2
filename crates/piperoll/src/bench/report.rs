//! What a run showed.

use std::{fmt::Write, time::Duration};

use serde::Serialize;

use super::{Plan, emitters, load::Recorded};

/// The figures, as `--output json` gives them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) events: usize,
    pub(crate) emitters: usize,
    pub(crate) in_flight: usize,
    pub(crate) cores: usize,
    /// Events recorded in a second.
    pub(crate) events_per_s: f64,
    /// Signatures checked in a second, with nothing else to do.
    pub(crate) ceiling_per_s: f64,
    pub(crate) ratio_to_ceiling: f64,
    /// From handing in to the answer; with many in flight most of it is waiting for one's turn.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Most memory the process held until the last answer; absent where the system does not say.
    pub(crate) peak_rss_mb: Option<f64>,
    /// Of the database when the ledger was closed, shared among all entries.
    pub(crate) bytes_per_event: u64,
}
/// What the ledger took on disk, with the entries that enrolled the emitters.
pub(super) struct Disk {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}
impl Report {
    pub(super) fn new(
        plan: &Plan,
        recorded: &Recorded,
        ceiling_per_s: f64,
        peak_rss_mb: Option<f64>,
        disk: &Disk,
    ) -> Self {
        let count = recorded.waits.len();
        let events_per_s = as_float(count as u64) / recorded.elapsed.as_secs_f64();
        Self {
            events: count,
            emitters: emitters::COUNT,
            in_flight: plan.in_flight,
            cores: rayon::current_num_threads(),
            events_per_s: events_per_s.round(),
            ceiling_per_s: ceiling_per_s.round(),
            ratio_to_ceiling: rounded(events_per_s / ceiling_per_s, 3),
            p50_ms: percentile_ms(&recorded.waits, 50),
            p99_ms: percentile_ms(&recorded.waits, 99),
            peak_rss_mb: peak_rss_mb.map(|mb| rounded(mb, 1)),
            bytes_per_event: disk.bytes / disk.entries.max(1),
        }
    }
    /// For people.
    pub(crate) fn table(&self) -> String {
        let memory = self
            .peak_rss_mb
            .map_or_else(|| "unknown".to_owned(), |mb| format!("{mb:.0} MB"));
        let rows = [
            (
                format!("{:.0} /s", self.events_per_s),
                "events recorded: checked, folded, on disk, answered",
            ),
            (
                format!("{:.0} /s", self.ceiling_per_s),
                "ceiling: their signatures alone, on all cores",
            ),
            (format!("{:.3}", self.ratio_to_ceiling), "of the ceiling"),
            (
                format!("{:.1} ms", self.p50_ms),
                "until half of the answers had come",
            ),
            (
                format!("{:.1} ms", self.p99_ms),
                "until 99 of 100 answers had come",
            ),
            (memory, "memory at its peak"),
            (
                format!("{} bytes", self.bytes_per_event),
                "of database for an event",
            ),
        ];
        let mut text = format!(
            "{} events from {} emitters, {} in flight, {} cores\n",
            self.events, self.emitters, self.in_flight, self.cores
        );
        for (figure, meaning) in rows {
            let _ = writeln!(text, "{figure:>14}  {meaning}");
        }
        text
    }
}

/// The wait that `percent` of all waits do not exceed, in milliseconds to a tenth. `waits` are in order.
fn percentile_ms(waits: &[Duration], percent: usize) -> f64 {
    let place = (waits.len() * percent).div_ceil(100).saturating_sub(1);
    let wait = waits.get(place).copied().unwrap_or_default();
    rounded(wait.as_secs_f64() * 1_000.0, 1)
}
fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
#[expect(
    clippy::cast_precision_loss,
    reason = "a count of events stays far below 2^52"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}

/// Megabytes of memory that the process held at most, as Linux tells (`VmHWM`).
pub(super) fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    parse_peak(&status)
}
fn parse_peak(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kilobytes) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(count: u64) -> Vec<Duration> {
        (1..=count).map(Duration::from_millis).collect()
    }

    #[test]
    fn a_percentile_is_a_wait_that_really_was() {
        assert!((percentile_ms(&waits(100), 50) - 50.0).abs() < f64::EPSILON);
        assert!((percentile_ms(&waits(100), 99) - 99.0).abs() < f64::EPSILON);
        assert!((percentile_ms(&waits(1), 99) - 1.0).abs() < f64::EPSILON);
        assert!((percentile_ms(&waits(3), 50) - 2.0).abs() < f64::EPSILON);
        assert!(percentile_ms(&[], 50).abs() < f64::EPSILON);
    }

    #[test]
    fn the_peak_of_memory_is_read_as_linux_writes_it() {
        let status = "Name:\tpiperoll\nVmPeak:\t  900000 kB\nVmHWM:\t   51200 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(parse_peak(status), Some(50.0));
        assert_eq!(parse_peak("Name:\tpiperoll\n"), None);
    }

    #[test]
    fn the_report_has_the_figures_that_were_promised() {
        let plan = Plan {
            events: 4,
            in_flight: 2,
            data: None,
            database: None,
        };
        let recorded = Recorded {
            elapsed: Duration::from_millis(500),
            waits: waits(4),
        };
        let disk = Disk {
            bytes: 4_002,
            entries: 4,
        };
        let report = Report::new(&plan, &recorded, 32.0, Some(12.34), &disk);
        let json = serde_json::to_value(&report).unwrap();
        for (name, value) in [
            ("events_per_s", 8.0),
            ("ceiling_per_s", 32.0),
            ("ratio_to_ceiling", 0.25),
            ("p50_ms", 2.0),
            ("p99_ms", 4.0),
            ("peak_rss_mb", 12.3),
            ("bytes_per_event", 1000.0),
        ] {
            assert_eq!(json[name].as_f64(), Some(value), "{name}");
        }
        assert!(report.table().lines().all(|line| line.len() <= 80));
    }
}
