//! Faults by seed: how often which one happens.

use std::time::Duration;

use super::fault::{Call, CommitFault};
use crate::testing::Dice;

/// How often calls of a store fail, each rate in cases of 1,000; given to
/// [`Faulty::by_seed`](super::Faulty::by_seed).
///
/// ```
/// use statefn_store::testing::{FaultRates, Faulty, block_on};
/// use statefn_store::{Memory, Store};
///
/// let store = Faulty::new(Memory::new());
/// store.by_seed(1, FaultRates { claim_fails: 1000, ..FaultRates::NONE });
/// assert!(block_on(store.claim()).is_err());
/// store.heal();
/// assert!(block_on(store.claim()).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRates {
    /// Commits that are rolled back: [`CommitFault::Unavailable`]; erasures and changes of stored calls that
    /// fail.
    pub commit_fails: u32,
    /// Commits that are applied and answered with an error: [`CommitFault::UnknownApplied`].
    pub commit_unknown_applied: u32,
    /// Commits that are not applied, and nobody can tell: [`CommitFault::UnknownNotApplied`].
    pub commit_unknown_not_applied: u32,
    /// Commits of which one entity's members are refused: [`CommitFault::Refuse`]; changes of
    /// projections that are refused.
    pub commit_refused: u32,
    /// Commits that reach the store twice: [`CommitFault::Repeat`].
    pub commit_repeated: u32,
    /// Loads that fail, and readings of effects and timers.
    pub load_fails: u32,
    /// Searches for a record that fail.
    pub find_record_fails: u32,
    /// Claims that fail.
    pub claim_fails: u32,
    /// Calls that take their time before they reach the store, and as many that take it afterwards.
    pub delayed: u32,
    /// How long at most. Needs [`Faulty::sleep_with`](super::Faulty::sleep_with).
    pub delay_max: Duration,
}

impl FaultRates {
    /// No faults.
    pub const NONE: Self = Self {
        commit_fails: 0,
        commit_unknown_applied: 0,
        commit_unknown_not_applied: 0,
        commit_refused: 0,
        commit_repeated: 0,
        load_fails: 0,
        find_record_fails: 0,
        claim_fails: 0,
        delayed: 0,
        delay_max: Duration::ZERO,
    };
}

/// How often the dice of [`Faulty::by_seed`](super::Faulty::by_seed) said yes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Commits rolled back.
    pub commits_failed: u64,
    /// Commits applied and answered with an error.
    pub commits_unknown_applied: u64,
    /// Commits not applied, without anybody knowing.
    pub commits_unknown_not_applied: u64,
    /// Commits of which a part was refused.
    pub commits_refused: u64,
    /// Commits that reached the store twice.
    pub commits_repeated: u64,
    /// Loads, searches and claims that failed.
    pub calls_failed: u64,
    /// Delays, on the way to the store and back.
    pub delays: u64,
}

impl FaultCounts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            commits_failed: self.commits_failed + other.commits_failed,
            commits_unknown_applied: self.commits_unknown_applied + other.commits_unknown_applied,
            commits_unknown_not_applied: self.commits_unknown_not_applied
                + other.commits_unknown_not_applied,
            commits_refused: self.commits_refused + other.commits_refused,
            commits_repeated: self.commits_repeated + other.commits_repeated,
            calls_failed: self.calls_failed + other.calls_failed,
            delays: self.delays + other.delays,
        }
    }
}

/// Rates, and the dice that decide.
#[derive(Debug)]
pub(super) struct Seeded {
    dice: Dice,
    /// For stored calls and erasures.
    others: Dice,
    rates: FaultRates,
}

impl Seeded {
    pub(super) fn new(seed: u64, rates: FaultRates) -> Self {
        Self {
            dice: Dice::new(seed),
            others: Dice::new(!seed),
            rates,
        }
    }

    /// Whether this call fails. Commits have [`commit`](Self::commit).
    pub(super) fn fails(&mut self, call: Call) -> bool {
        let rate = match call {
            Call::Load => self.rates.load_fails,
            Call::FindRecord => self.rates.find_record_fails,
            Call::Claim => self.rates.claim_fails,
            Call::Effects | Call::Timers => return self.others.chance(self.rates.load_fails),
            Call::Tend | Call::Erase => return self.others.chance(self.rates.commit_fails),
            _ => return false,
        };
        self.dice.chance(rate)
    }

    /// What happens to a commit.
    pub(super) fn commit(&mut self) -> CommitFault {
        let rates = self.rates;
        let faults = [
            (rates.commit_fails, CommitFault::Unavailable),
            (rates.commit_unknown_applied, CommitFault::UnknownApplied),
            (
                rates.commit_unknown_not_applied,
                CommitFault::UnknownNotApplied,
            ),
            (
                rates.commit_refused,
                CommitFault::Refuse {
                    member: self.dice.index(1024),
                },
            ),
            (rates.commit_repeated, CommitFault::Repeat),
        ];
        let happens = faults.into_iter().find(|(rate, _)| self.dice.chance(*rate));
        happens.map_or(CommitFault::Pass, |(_, fault)| fault)
    }

    /// For how long a call stays on its way, in one direction.
    pub(super) fn delay(&mut self) -> Option<Duration> {
        if !self.dice.chance(self.rates.delayed) {
            return None;
        }
        let max = u64::try_from(self.rates.delay_max.as_micros()).unwrap_or(u64::MAX);
        Some(Duration::from_micros(self.dice.between(1..=max.max(1))))
    }
}
