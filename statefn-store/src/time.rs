//! The instant that a stored entry carries.

use std::fmt;

/// Milliseconds since the Unix epoch (UTC), negative before it.
///
/// Stored with every entry for people and retention; it never decides an order. Order is the
/// business of [`SequenceNumber`](crate::SequenceNumber) and [`Offset`](crate::Offset).
///
/// ```
/// use statefn_store::Timestamp;
///
/// let later = Timestamp::from_millis(1_500);
/// assert_eq!(later.as_millis(), 1_500);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
