//! Positions: one entity's sequence, the whole store's offset, and the owner's epoch.

use std::fmt;

/// Position of an event in the journal of *one* entity, from 1, without gaps.
///
/// [`ZERO`](Self::ZERO) means "before the first event": the sequence number of a new entity.
///
/// ```
/// use statefn_store::SequenceNumber;
///
/// let first = SequenceNumber::ZERO.next();
/// assert_eq!(first.get(), 1);
/// assert_eq!(first.plus(4).get(), 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceNumber(u64);

impl SequenceNumber {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The sequence number with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one; saturates at `u64::MAX`.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// This number moved on by `count` events; saturates at `u64::MAX`.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Position of a journal entry in the *whole store*, from 1, in commit order, without gaps.
///
/// Never mixed with [`SequenceNumber`]: the two are different types on purpose.
///
/// ```
/// use statefn_store::Offset;
///
/// assert_eq!(Offset::ZERO.next(), Offset::new(1));
/// assert_eq!(Offset::new(41).next().get(), 42);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(u64);

impl Offset {
    /// Before the first entry; also "no entry".
    pub const ZERO: Self = Self(0);

    /// The offset with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The offset after this one; saturates at `u64::MAX`.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of the ownership under which a runtime writes; each claim of a store takes the next one.
///
/// A commit with an older epoch than the store's is refused as
/// [`CommitError::Fenced`](crate::CommitError::Fenced), so that a runtime that lost its store
/// without noticing can no longer write.
///
/// ```
/// use statefn_store::OwnerEpoch;
///
/// assert!(OwnerEpoch::new(2) > OwnerEpoch::new(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerEpoch(u64);

impl OwnerEpoch {
    /// The epoch with this value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for OwnerEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
