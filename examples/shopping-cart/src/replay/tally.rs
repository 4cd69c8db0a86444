//! What became of the lines, counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::print::Plain;

/// How many numbers of malformed lines, and how many failed lines, are remembered; more are
/// counted only, so that memory stays bounded.
const MALFORMED_MAX: usize = 1_000_000;
const FAILED_MAX: usize = 1_000;

/// How many of them people are shown.
const SHOWN_MAX: usize = 20;

/// The longest latency that is told apart, and its significant digits. No command is waited for
/// that long.
const LATENCY_MICROS_MAX: u64 = 3_600_000_000;
const DIGITS: u8 = 3;

/// Counts of one run.
pub(super) struct Tally {
    accepted: u64,
    rejected: BTreeMap<&'static str, u64>,
    malformed: Vec<u64>,
    malformed_count: u64,
    /// The first few, with reasons.
    malformed_examples: Vec<(u64, String)>,
    failed: Vec<Failed>,
    failed_count: u64,
    /// Microseconds to the durable reply; `None` if it could not be made.
    latency: Option<Histogram<u64>>,
    /// Why the run ended before its input did.
    stopped: Option<String>,
}

/// A line on which the machinery, not the cart, said no.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub(super) line: u64,
    pub(super) error: String,
    /// `no` or `unknown`.
    pub(super) applied: &'static str,
}

/// The summary as `--json` prints it. What is usually empty is left out then.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    accepted: u64,
    rejected: &'a BTreeMap<&'static str, u64>,
    malformed: &'a [u64],
    seconds: f64,
    commands_per_second: f64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    #[serde(skip_serializing_if = "is_zero")]
    malformed_left_out: u64,
    #[serde(skip_serializing_if = "<[Failed]>::is_empty")]
    failed: &'a [Failed],
    #[serde(skip_serializing_if = "is_zero")]
    failed_left_out: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            accepted: 0,
            rejected: BTreeMap::new(),
            malformed: Vec::new(),
            malformed_count: 0,
            malformed_examples: Vec::new(),
            failed: Vec::new(),
            failed_count: 0,
            latency: Histogram::new_with_max(LATENCY_MICROS_MAX, DIGITS).ok(),
            stopped: None,
        }
    }

    pub(super) fn accepted(&mut self, latency: Duration) {
        self.accepted += 1;
        self.answered(latency);
    }

    pub(super) fn rejected(&mut self, reason: &'static str, latency: Duration) {
        *self.rejected.entry(reason).or_default() += 1;
        self.answered(latency);
    }

    pub(super) fn malformed(&mut self, line: u64, reason: &str) {
        self.malformed_count += 1;
        if self.malformed.len() < MALFORMED_MAX {
            self.malformed.push(line);
        }
        if self.malformed_examples.len() < SHOWN_MAX {
            self.malformed_examples.push((line, reason.to_owned()));
        }
    }

    pub(super) fn failed(&mut self, failed: Failed) {
        self.failed_count += 1;
        if self.failed.len() < FAILED_MAX {
            self.failed.push(failed);
        }
    }

    /// The run ends early; the first reason stays.
    pub(super) fn stopped(&mut self, reason: String) {
        self.stopped.get_or_insert(reason);
    }

    fn answered(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(histogram) = &mut self.latency {
            histogram.saturating_record(micros);
        }
    }

    /// Whether every line was accepted or rejected by its cart.
    pub(super) fn is_clean(&self) -> bool {
        self.malformed_count == 0 && self.failed_count == 0 && self.stopped.is_none()
    }

    fn rejected_count(&self) -> u64 {
        self.rejected.values().sum()
    }

    fn percentile(&self, percentile: f64) -> u64 {
        let histogram = self.latency.as_ref();
        histogram.map_or(0, |latency| latency.value_at_percentile(percentile))
    }

    pub(super) fn summary(&self, elapsed: Duration) -> Summary<'_> {
        let answered = self.accepted + self.rejected_count();
        let seconds = elapsed.as_secs_f64();
        Summary {
            accepted: self.accepted,
            rejected: &self.rejected,
            malformed: &self.malformed,
            seconds,
            commands_per_second: rate(answered, seconds),
            p50_us: self.percentile(50.0),
            p99_us: self.percentile(99.0),
            p999_us: self.percentile(99.9),
            malformed_left_out: self.malformed_count - self.malformed.len() as u64,
            failed: &self.failed,
            failed_left_out: self.failed_count - self.failed.len() as u64,
            stopped: self.stopped.as_deref(),
        }
    }

    /// The summary for people.
    pub(super) fn page(&self, elapsed: Duration) -> String {
        let summary = self.summary(elapsed);
        let mut page = format!("{:>9} accepted\n", self.accepted);
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{:>9} rejected", self.rejected_count());
        for (reason, count) in &self.rejected {
            let _ = writeln!(page, "{count:>18} {}", reason.replace('_', " "));
        }
        let _ = writeln!(page, "{:>9} malformed", self.malformed_count);
        for (line, reason) in &self.malformed_examples {
            let _ = writeln!(page, "{:>18} {line}: {}", "line", Plain(reason));
        }
        self.further_malformed(&mut page);
        if self.failed_count > 0 {
            let _ = writeln!(page, "{:>9} failed", self.failed_count);
        }
        for Failed {
            line,
            error,
            applied,
        } in self.failed.iter().take(SHOWN_MAX)
        {
            let error = Plain(error);
            let _ = writeln!(page, "{:>18} {line}: {error} (applied: {applied})", "line");
        }
        if let Some(reason) = &self.stopped {
            let _ = writeln!(
                page,
                "The run stopped before the end of its input: {}",
                Plain(reason)
            );
        }
        let _ = write!(
            page,
            "{:.2} s, {:.0} commands/s; latency to the durable reply: p50 {}, p99 {}, p99.9 {}",
            summary.seconds,
            summary.commands_per_second,
            millis(summary.p50_us),
            millis(summary.p99_us),
            millis(summary.p999_us),
        );
        page
    }

    /// The numbers of the malformed lines that were not shown with a reason.
    fn further_malformed(&self, page: &mut String) {
        let further = self
            .malformed
            .get(self.malformed_examples.len()..)
            .unwrap_or_default();
        if further.is_empty() {
            return;
        }
        let numbers: Vec<String> = further.iter().map(u64::to_string).collect();
        let _ = writeln!(page, "{:>18} {}", "lines", numbers.join(", "));
        let left_out = self.malformed_count - self.malformed.len() as u64;
        if left_out > 0 {
            let _ = writeln!(page, "{:>18} {left_out} more", "and");
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate for people; 2^53 commands are far away"
)]
fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

fn millis(micros: u64) -> String {
    format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_summary_has_exactly_the_promised_fields_when_nothing_failed() {
        let mut tally = Tally::new();
        for micros in 1..=1000 {
            tally.accepted(Duration::from_micros(micros));
        }
        tally.rejected("not_in_cart", Duration::from_micros(1));
        tally.malformed(7, "no");
        let summary = serde_json::to_string(&tally.summary(2 * SECOND)).unwrap();
        assert_eq!(
            summary,
            r#"{"accepted":1000,"rejected":{"not_in_cart":1},"malformed":[7],"seconds":2.0,"#
                .to_owned()
                + r#""commands_per_second":500.5,"p50_us":500,"p99_us":990,"p999_us":999}"#
        );
        assert!(!tally.is_clean());
    }

    #[test]
    fn long_latencies_are_told_apart_too() {
        let mut tally = Tally::new();
        for millis in 1..=1000 {
            tally.accepted(Duration::from_millis(millis));
        }
        let within = |micros: u64, expected: u64| micros.abs_diff(expected) <= expected / 500;
        assert!(within(tally.percentile(50.0), 500_000));
        assert!(within(tally.percentile(99.0), 990_000));
        tally.accepted(Duration::MAX);
        assert!(within(tally.percentile(100.0), LATENCY_MICROS_MAX));
    }

    #[test]
    fn rejections_alone_are_clean() {
        let mut tally = Tally::new();
        tally.rejected("not_in_cart", SECOND);
        assert!(tally.is_clean());
    }

    #[test]
    fn nothing_at_all_is_a_summary_too() {
        let tally = Tally::new();
        let summary = serde_json::to_value(tally.summary(Duration::ZERO)).unwrap();
        assert_eq!(summary["commands_per_second"], 0.0);
        assert_eq!(summary["p999_us"], 0);
        assert!(tally.page(Duration::ZERO).contains("0 accepted"));
    }

    #[test]
    fn memory_stays_bounded_and_nothing_goes_uncounted() {
        let mut tally = Tally::new();
        let count = MALFORMED_MAX as u64 + 5;
        (1..=count).for_each(|line| tally.malformed(line, "no"));
        let failed = FAILED_MAX as u64 + 3;
        for line in 1..=failed {
            let error = "quarantined".to_owned();
            tally.failed(Failed {
                line,
                error,
                applied: "no",
            });
        }
        let summary = tally.summary(SECOND);
        assert_eq!(
            (summary.malformed.len(), summary.malformed_left_out),
            (MALFORMED_MAX, 5)
        );
        assert_eq!(
            (summary.failed.len(), summary.failed_left_out),
            (FAILED_MAX, 3)
        );
    }
}
