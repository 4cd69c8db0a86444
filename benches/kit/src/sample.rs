//! What one round of one contender yields.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// One round's result, in the unit of its contender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The number that counts.
    pub value: f64,
    /// The 50th, 99th and 99.9th percentile of a call in nanoseconds, where calls were timed.
    pub percentiles: Option<[f64; 3]>,
}

impl Sample {
    /// A value without percentiles.
    pub fn of(value: f64) -> Self {
        Self {
            value,
            percentiles: None,
        }
    }

    /// The same with percentiles of `times`.
    #[must_use]
    pub fn with(mut self, times: &Histogram<u64>) -> Self {
        if !times.is_empty() {
            let at = |percentile| times.value_at_percentile(percentile) as f64;
            self.percentiles = Some([at(50.0), at(99.0), at(99.9)]);
        }
        self
    }

    /// The same with the median of its calls as the value.
    #[must_use]
    pub fn median_counts(mut self) -> Self {
        if let Some([median, _, _]) = self.percentiles {
            self.value = median;
        }
        self
    }
}

/// A histogram of nanoseconds up to a minute, to 3 digits.
pub fn times() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("3 digits are possible")
}
