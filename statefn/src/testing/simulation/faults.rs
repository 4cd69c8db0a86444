//! What may go wrong in a simulation, and what one seed makes of it.

use std::time::Duration;

use statefn_store::testing::{Dice, FaultRates};

use crate::limits::Limits;

/// What may go wrong in a [`Simulation`](super::Simulation), each thing up to its measure.
///
/// A seed draws a measure of its own for each fault, and leaves about a third of them out: faults
/// that are always there hide each other ("swarm testing"; Groce, Zhang, Eide, Chen, Regehr, ISSTA
/// 2012).
///
/// ```
/// use statefn::testing::Faults;
///
/// let gentle = Faults { outage_every: None, ..Faults::ALL };
/// assert_ne!(gentle, Faults::NONE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Faults of the store.
    pub store: FaultRates,
    /// About how much virtual time lies between two crashes, kills or takeovers. `None`: none.
    pub outage_every: Option<Duration>,
    /// How far the wall clock may jump, in both directions. Less than the retention of keys, or
    /// keys expire.
    pub clock_jump_max: Duration,
    /// Calls whose caller goes away, of 1,000.
    pub dropped: u32,
    /// Calls with a deadline, of 1,000.
    pub deadlines: u32,
    /// Commands with a key, of 1,000: sent again until their outcome is known, now and then twice
    /// at the same time.
    pub keyed: u32,
    /// Runs with little room, of 1,000: few entities in memory, short mailboxes, small batches, a
    /// narrow window, few keys, early passivation.
    pub pressure: u32,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        store: FaultRates::NONE,
        outage_every: None,
        clock_jump_max: Duration::ZERO,
        dropped: 0,
        deadlines: 0,
        keyed: 0,
        pressure: 0,
    };

    /// Everything goes wrong.
    pub const ALL: Self = Self {
        store: FaultRates {
            commit_fails: 60,
            commit_unknown_applied: 60,
            commit_unknown_not_applied: 60,
            commit_refused: 60,
            commit_repeated: 60,
            load_fails: 100,
            find_record_fails: 100,
            claim_fails: 300,
            delayed: 700,
            delay_max: Duration::from_millis(40),
        },
        outage_every: Some(Duration::from_millis(300)),
        clock_jump_max: Duration::from_secs(4 * 60 * 60),
        dropped: 60,
        deadlines: 100,
        keyed: 500,
        pressure: 500,
    };

    /// What a seed makes of them.
    pub(super) fn draw(&self, dice: &mut Dice) -> Self {
        let store = self.store;
        let mut rate = |max: u32| match dice.below(3) {
            0 => 0,
            _ => u32::try_from(dice.between(0..=u64::from(max))).unwrap_or(max),
        };
        let rates = FaultRates {
            commit_fails: rate(store.commit_fails),
            commit_unknown_applied: rate(store.commit_unknown_applied),
            commit_unknown_not_applied: rate(store.commit_unknown_not_applied),
            commit_refused: rate(store.commit_refused),
            commit_repeated: rate(store.commit_repeated),
            load_fails: rate(store.load_fails),
            find_record_fails: rate(store.find_record_fails),
            claim_fails: rate(store.claim_fails),
            delayed: rate(store.delayed),
            delay_max: store.delay_max,
        };
        let (dropped, deadlines, keyed) =
            (rate(self.dropped), rate(self.deadlines), rate(self.keyed));
        // Once in a while a store that is slower than callers are patient.
        let slowness = if dice.chance(50) { 200 } else { 1 };
        Self {
            store: FaultRates {
                delay_max: rates.delay_max * slowness,
                ..rates
            },
            outage_every: self.outage_every.filter(|_| dice.below(3) > 0),
            clock_jump_max: self.clock_jump_max,
            dropped,
            deadlines,
            keyed,
            pressure: if dice.chance(self.pressure) { 1000 } else { 0 },
        }
    }

    /// The limits under these faults, as drawn.
    pub(super) fn limits(&self, limits: &Limits, dice: &mut Dice) -> Limits {
        let mut limits = limits.clone();
        if self.pressure == 0 {
            return limits;
        }
        let mut tight = |limit: &mut usize, max: usize| {
            if dice.chance(500) {
                *limit = (*limit).min(1 + dice.index(max));
            }
        };
        tight(&mut limits.residents_max, 8);
        tight(&mut limits.mailbox_max, 16);
        tight(&mut limits.waiting_max, 64);
        tight(&mut limits.batch_max, 4);
        tight(&mut limits.speculation_max, 4);
        tight(&mut limits.keys_max, 3);
        tight(&mut limits.recoveries_max, 3);
        if dice.chance(500) {
            let soon = Duration::from_millis(dice.between(1..=4) * 250);
            limits.passivate_after = limits.passivate_after.min(soon);
        }
        limits
    }
}
