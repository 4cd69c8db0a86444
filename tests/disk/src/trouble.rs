//! What is wrong with a disk, and what callers were told of it.

use crate::disk::{Failure, Plan};

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// An operation fails.
    Planned(Plan),
    /// There is room for this many bytes.
    Full(usize),
}

impl Trouble {
    /// Whether there is no room.
    pub fn is_full(self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Planned(plan) => plan.failure == Failure::Full,
        }
    }

    /// Whether only writing suffers.
    pub fn spares_reads(self) -> bool {
        let Self::Planned(plan) = self else {
            return true;
        };
        matches!(
            plan.failure,
            Failure::Write
                | Failure::ShortWrite
                | Failure::Full
                | Failure::Sync
                | Failure::Truncate
        )
    }
}

/// What callers were told in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How often the fault struck.
    pub struck: u64,
    /// Batches that were acknowledged.
    pub acknowledged: u64,
    /// Batches that were not applied.
    pub not_applied: u64,
    /// Batches of which nobody knew.
    pub unknown: u64,
    /// Those that turned out to be there.
    pub applied: u64,
    /// Openings that failed.
    pub unopened: u64,
}

impl Told {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.struck += other.struck;
        self.acknowledged += other.acknowledged;
        self.not_applied += other.not_applied;
        self.unknown += other.unknown;
        self.applied += other.applied;
        self.unopened += other.unopened;
    }
}
