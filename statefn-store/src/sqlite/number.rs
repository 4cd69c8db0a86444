//! Positions as SQLite keeps them: signed, never negative.

/// For storing. Nothing reaches 2^63 entries; what claims to is met by a value that matches nothing.
pub(super) fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// From a stored value; `None` if it is negative.
pub(super) fn from_sql(value: i64) -> Option<u64> {
    u64::try_from(value).ok()
}
