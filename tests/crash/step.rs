//! The steps at which a process dies to the instruction.

use serde::{Deserialize, Serialize};
use statefn_store::testing::Dice;

/// A step of what a store is asked. Half of them are just before the store is asked, so that it never hears of
/// it; half just after it has answered, before anybody else knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Step {
    /// A command with effects commits ..
    Sending,
    /// .. and has committed.
    Sent,
    /// An effect was dispatched, and its target commits ..
    Delivering,
    /// .. and has committed: the row has left the outbox.
    Delivered,
    /// A timer is set or cancelled ..
    Scheduling,
    /// .. and that has committed.
    Scheduled,
    /// Timers were found to be due.
    Due,
    /// A timer's call has run, and commits ..
    Firing,
    /// .. and has committed: the timer has ended or moved on.
    Fired,
    /// An entity's deletion commits ..
    Deleting,
    /// .. and has committed.
    Deleted,
    /// A purge erases ..
    Erasing,
    /// .. and has erased.
    Erased,
}

impl Step {
    const ALL: [Self; 13] = [
        Self::Sending,
        Self::Sent,
        Self::Delivering,
        Self::Delivered,
        Self::Scheduling,
        Self::Scheduled,
        Self::Due,
        Self::Firing,
        Self::Fired,
        Self::Deleting,
        Self::Deleted,
        Self::Erasing,
        Self::Erased,
    ];

    pub(super) fn pick(dice: &mut Dice) -> Self {
        let step = Self::ALL.get(dice.index(Self::ALL.len()));
        step.copied().unwrap_or(Self::Sent)
    }

    /// How often a process gets there at most before it dies: some steps are rare.
    pub(super) fn reach(self) -> u64 {
        match self {
            Self::Sending | Self::Sent | Self::Delivering | Self::Delivered => 80,
            Self::Scheduling | Self::Scheduled | Self::Due | Self::Firing | Self::Fired => 20,
            Self::Deleting | Self::Deleted | Self::Erasing | Self::Erased => 6,
        }
    }
}

/// Where a process waits to be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Halt {
    pub(super) step: Step,
    /// At the how many-th time.
    pub(super) after: u64,
    /// Whether the store stays there until the end, or goes on, so that the process dies a little later.
    pub(super) stays: bool,
}
