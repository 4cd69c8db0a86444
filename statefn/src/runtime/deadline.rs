//! Until when a caller waits, in eight bytes: it is in every request.

use std::time::Duration;

/// Longer than any machine runs.
const NONE: u64 = u64::MAX;

/// An instant by [`Env::now`](crate::env::Env::now), or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(u64);

impl Deadline {
    /// The instant, to the nanosecond for the first 584 years.
    pub(crate) fn new(at: Option<Duration>) -> Self {
        let nanos = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(NONE);
        Self(at.map_or(NONE, |at| nanos(at).min(NONE - 1)))
    }

    /// The instant, if there is one.
    pub(crate) fn get(self) -> Option<Duration> {
        (self.0 != NONE).then(|| Duration::from_nanos(self.0))
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self(NONE)
    }
}
