//! Medians, spread, and how numbers read.

use statefn_bench_kit::Sample;

use super::{Row, Target, Unit};

/// Samples of all rounds in one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
    pub(crate) percentiles: Option<[f64; 3]>,
}

impl Summary {
    /// Nothing for no samples.
    pub(crate) fn of(samples: &[Sample]) -> Option<Self> {
        let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        let at = |index: usize| {
            let of_one = |sample: &Sample| sample.percentiles.map(|all| all[index]);
            let values: Vec<f64> = samples.iter().filter_map(of_one).collect();
            median(&values)
        };
        let percentiles = at(0).zip(at(1)).zip(at(2)).map(|((a, b), c)| [a, b, c]);
        Some(Self {
            median: median(&values)?,
            smallest: values.iter().copied().fold(f64::INFINITY, f64::min),
            largest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            percentiles,
        })
    }

    /// The farthest sample's distance from the median, as a part of it.
    pub(crate) fn spread(&self) -> f64 {
        let farthest = (self.largest - self.median).max(self.median - self.smallest);
        farthest / self.median
    }
}

/// The middle of the values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[middle - 1], upper))
}

impl Row {
    /// Our median by the peer's, or our median where there is no peer.
    pub(crate) fn ratio(&self, summaries: &[Option<Summary>]) -> Option<f64> {
        let of = |index: usize| summaries.get(index)?.map(|summary| summary.median);
        match self.peer {
            None => of(self.ours),
            Some(peer) => Some(of(self.ours)? / of(peer)?),
        }
    }
}

impl Target {
    /// What to say of a ratio.
    pub(crate) fn verdict(self, ratio: f64) -> &'static str {
        match self.met(ratio) {
            None => "(for information)",
            Some((_, true)) => "goal reached",
            Some((true, _)) => "first target met",
            Some((false, _)) => "NOT met",
        }
    }

    /// Whether a ratio reaches the first and the second column.
    pub(crate) fn met(self, ratio: f64) -> Option<(bool, bool)> {
        match self {
            Self::AtMost { first, goal } => Some((ratio <= first, ratio <= goal)),
            Self::AtLeast { first, goal } => Some((ratio >= first, ratio >= goal)),
            Self::None => None,
        }
    }
}

/// A number with its unit, as a person reads it.
pub(crate) fn reads(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => duration(value),
        Unit::Seconds => duration(value * 1e9),
        Unit::PerSecond => format!("{}/s", scaled(value)),
        Unit::Bytes => format!("{} B", digits(value)),
    }
}

/// Nanoseconds in a unit that fits.
pub(crate) fn duration(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

fn scaled(value: f64) -> String {
    match value {
        v if v < 1e3 => digits(v),
        v if v < 1e6 => format!("{} k", digits(v / 1e3)),
        v => format!("{} M", digits(v / 1e6)),
    }
}

/// Three digits that count.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[test]
fn medians_are_in_the_middle() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[]), None);
}

#[test]
fn numbers_read_well() {
    assert_eq!(reads(1234.0, Unit::Nanoseconds), "1.23 µs");
    assert_eq!(reads(250_400.0, Unit::PerSecond), "250 k/s");
    assert_eq!(reads(0.42, Unit::Seconds), "420 ms");
}
