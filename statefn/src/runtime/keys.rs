//! Idempotency keys of one entity in memory: what is under way, and where committed ones lie.

use std::collections::HashMap;
use std::sync::Arc;

use statefn_store::{Offset, RecordRef, Timestamp};

use crate::runtime::place::Place;

/// With fewer keys in memory nobody looks for expired ones.
const PRUNED_MIN: usize = 64;

/// The keys of an entity.
#[derive(Default)]
pub(super) struct Keys {
    known: HashMap<Box<str>, Known>,
    /// Where the records begin that were not loaded; zero when all unexpired ones are known.
    older: Offset,
    /// How many keys were left when expired ones were last forgotten.
    pruned: usize,
}

/// What is known of a key.
struct Known {
    fingerprint: u128,
    time: Timestamp,
    place: KeyPlace,
}

/// Where a key's outcome is.
enum KeyPlace {
    /// In the pipeline at this place: the encoded outcome waits for its commit.
    Speculated(Arc<[u8]>, Place),
    /// In the journal.
    Stored(Offset),
}

/// What a key means for a command that carries it.
pub(super) enum Verdict {
    /// Never seen within its retention.
    Free,
    /// Its command waits for its commit.
    UnderWay {
        fingerprint: u128,
        outcome: Arc<[u8]>,
        place: Place,
    },
    /// Seen, or perhaps seen: the store must be asked, from this record on.
    Ask(Offset),
}

impl Keys {
    /// Notes a stored record; of two under one key the first noted (the newest) stays.
    pub(super) fn load(&mut self, record: RecordRef<'_>) {
        self.known.entry(record.key.into()).or_insert(Known {
            fingerprint: record.fingerprint,
            time: record.time,
            place: KeyPlace::Stored(record.offset),
        });
    }

    /// Notes that records from this one on were not loaded.
    pub(super) fn truncated(&mut self, older: Offset) {
        self.older = older;
    }

    /// How many keys are in memory.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// What `key` means now; keys written before `cutoff` have expired.
    pub(super) fn look_up(&self, key: &str, cutoff: Timestamp) -> Verdict {
        match self.known.get(key) {
            Some(known) if known.time < cutoff => Verdict::Free,
            Some(known) => match &known.place {
                KeyPlace::Stored(offset) => Verdict::Ask(*offset),
                KeyPlace::Speculated(..) if planted!(DuplicateRunsTwice) => Verdict::Free,
                KeyPlace::Speculated(outcome, place) => Verdict::UnderWay {
                    fingerprint: known.fingerprint,
                    outcome: Arc::clone(outcome),
                    place: *place,
                },
            },
            None if self.older == Offset::ZERO || planted!(OldKeysForgotten) => Verdict::Free,
            None => Verdict::Ask(self.older),
        }
    }

    /// Notes the outcome of a command that joined the pipeline.
    pub(super) fn speculate(
        &mut self,
        key: &str,
        fingerprint: u128,
        time: Timestamp,
        outcome: Arc<[u8]>,
    ) {
        let place = KeyPlace::Speculated(outcome, Place::default());
        self.known.insert(
            key.into(),
            Known {
                fingerprint,
                time,
                place,
            },
        );
    }

    /// The command under `key` lies in the pipeline at this place now.
    pub(super) fn placed(&mut self, key: &str, at: Place) {
        if let Some(KeyPlace::Speculated(_, place)) =
            self.known.get_mut(key).map(|known| &mut known.place)
        {
            *place = at;
        }
    }

    /// The outcome under `key` lies in the journal now.
    pub(super) fn committed(&mut self, key: &str, position: Offset) {
        if let Some(known) = self.known.get_mut(key) {
            known.place = KeyPlace::Stored(position);
        }
    }

    /// Makes room for one more key when that is due: forgets expired ones whenever the keys have
    /// doubled, so that they are never many more than the unexpired ones, and the oldest committed
    /// ones beyond `limit`.
    pub(super) fn make_room(&mut self, cutoff: Timestamp, limit: usize) {
        let due = (2 * self.pruned).max(PRUNED_MIN).min(limit);
        if self.known.len() < due {
            return;
        }
        self.known.retain(|_, known| {
            known.time >= cutoff || matches!(known.place, KeyPlace::Speculated(..))
        });
        if self.known.len() > limit {
            self.drop_oldest(limit);
        }
        self.pruned = self.known.len();
    }

    fn drop_oldest(&mut self, limit: usize) {
        let mut stored: Vec<Offset> = self
            .known
            .values()
            .filter_map(|known| match known.place {
                KeyPlace::Stored(offset) => Some(offset),
                KeyPlace::Speculated(..) => None,
            })
            .collect();
        stored.sort_unstable();
        // Half of the limit goes at once, so that pruning is not a cost of every command.
        let surplus = self.known.len() - limit / 2;
        let Some(&newest_gone) = stored.get(surplus.saturating_sub(1)).or(stored.last()) else {
            return;
        };
        self.known.retain(
            |_, known| !matches!(known.place, KeyPlace::Stored(offset) if offset <= newest_gone),
        );
        self.older = self.older.max(newest_gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that come one a millisecond and live for `retention` of them: the most that were in
    /// memory after the first `limit`.
    fn most_in_memory(retention: i64, limit: usize) -> usize {
        let mut keys = Keys::default();
        let mut most = 0;
        for now in 0..5_000 {
            let (key, time) = (now.to_string(), Timestamp::from_millis(now));
            let cutoff = Timestamp::from_millis(now - retention);
            keys.make_room(cutoff, limit);
            keys.speculate(&key, 7, time, Arc::from([0]));
            keys.committed(&key, Offset::new(now.cast_unsigned() + 1));
            assert!(!matches!(keys.look_up(&key, cutoff), Verdict::Free));
            most = most.max(keys.len());
        }
        most
    }

    #[test]
    fn p8_expired_keys_leave_memory_long_before_the_limit() {
        assert!(most_in_memory(5, 10_000) <= PRUNED_MIN);
        assert!(most_in_memory(400, 10_000) <= 2 * 402);
    }

    #[test]
    fn p8_unexpired_keys_beyond_the_limit_leave_memory() {
        assert!(most_in_memory(4_000, 1_000) <= 1_001);
    }
}
