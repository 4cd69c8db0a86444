//! How long to wait before something that failed is tried again.

use std::time::Duration;

/// The first wait before another attempt, doubled with each failure ..
const WAIT_MIN: Duration = Duration::from_millis(250);
/// .. up to this.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Exponential, so that a target that is down costs little and one that is busy waits little.
pub(super) fn backoff(failures: u32) -> Duration {
    let factor = 1_u32
        .checked_shl(failures.saturating_sub(1))
        .unwrap_or(u32::MAX);
    WAIT_MIN.saturating_mul(factor).min(WAIT_MAX)
}
