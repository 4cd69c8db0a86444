//! How far an entity is at least and at most, at an instant, for whoever looks from outside.

use std::collections::BTreeMap;

use statefn_store::{PersistenceId, SequenceNumber};

use super::attempt::{Attempt, Saw};
use super::written::Written;

/// Instants and sequence numbers of one entity, both rising.
type Steps = Vec<(u64, SequenceNumber)>;

/// What was known and what was committed, by entity.
pub(super) struct Bounds {
    known: BTreeMap<PersistenceId, Steps>,
    committed: BTreeMap<PersistenceId, Steps>,
}

impl Bounds {
    pub(super) fn of(attempts: &[Attempt], journal: &[Written]) -> Self {
        let mut known: BTreeMap<PersistenceId, Steps> = BTreeMap::new();
        for attempt in attempts {
            let seen = match &attempt.saw {
                Saw::Applied { last, .. } => Some(*last),
                Saw::Decided { at } => at.first().copied(),
                _ => None,
            };
            if let (Some(answered), Some(seen)) = (attempt.answered, seen) {
                let steps = known.entry(attempt.entity.clone()).or_default();
                steps.push((answered, seen));
            }
        }
        let mut committed: BTreeMap<PersistenceId, Steps> = BTreeMap::new();
        for written in journal.iter().filter(|written| written.is_event) {
            // Without an instant it counts as committed from the beginning.
            let at = written.committed.unwrap_or(0);
            let steps = committed.entry(written.entity.clone()).or_default();
            steps.push((at, written.sequence));
        }
        known.values_mut().for_each(rising);
        committed.values_mut().for_each(rising);
        Self { known, committed }
    }

    /// The highest sequence number that an answer before `instant` has shown.
    pub(super) fn known(&self, entity: &PersistenceId, instant: u64) -> SequenceNumber {
        highest(self.known.get(entity), |at| at < instant)
    }

    /// The highest sequence number that was committed by `instant`; in the end, without one.
    pub(super) fn committed(&self, entity: &PersistenceId, instant: Option<u64>) -> SequenceNumber {
        highest(self.committed.get(entity), |at| {
            instant.is_none_or(|instant| at <= instant)
        })
    }
}

/// Sorts by instant, and makes each number the highest so far.
fn rising(steps: &mut Steps) {
    steps.sort_unstable();
    let mut highest = SequenceNumber::ZERO;
    for (_, sequence) in steps {
        highest = highest.max(*sequence);
        *sequence = highest;
    }
}

fn highest(steps: Option<&Steps>, counts: impl Fn(u64) -> bool) -> SequenceNumber {
    let steps = steps.map_or(&[][..], Vec::as_slice);
    let end = steps.partition_point(|(at, _)| counts(*at));
    let last = end.checked_sub(1).and_then(|last| steps.get(last));
    last.map_or(SequenceNumber::ZERO, |(_, sequence)| *sequence)
}
