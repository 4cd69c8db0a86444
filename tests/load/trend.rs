//! Whether a measure rises: a straight line through it, by least squares.

/// A line through measures over time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trend {
    pub(super) mean: f64,
    /// How much higher the line ends than it begins.
    pub(super) rise: f64,
}

impl Trend {
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory")]
    pub(super) fn of(points: impl Iterator<Item = (f64, u64)>) -> Self {
        let points: Vec<(f64, f64)> = points.map(|(at, value)| (at, value as f64)).collect();
        let count = points.len().max(1) as f64;
        let middle = points.iter().map(|(at, _)| at).sum::<f64>() / count;
        let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|(at, _)| (at - middle).powi(2)).sum();
        let both = points
            .iter()
            .map(|(at, value)| (at - middle) * (value - mean));
        let slope = both.sum::<f64>() / spread.max(1e-9);
        let span = match (points.first(), points.last()) {
            (Some((first, _)), Some((last, _))) => last - first,
            _ => 0.0,
        };
        Self {
            mean,
            rise: slope * span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_seen_through_noise_and_noise_is_none() {
        let noise = |n: u32| 100_000 + u64::from(n) * 7_919 % 500;
        let line = |slope| (0..1_000).map(move |n| (f64::from(n), noise(n) + slope * u64::from(n)));
        let rise = Trend::of(line(10)).rise;
        assert!((9_000.0..11_000.0).contains(&rise), "{rise}");
        let rise = Trend::of(line(0)).rise;
        assert!(rise.abs() < 100.0, "{rise}");
    }
}
