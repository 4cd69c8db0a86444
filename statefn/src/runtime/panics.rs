//! Entities that panic again and again are refused for a while.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use statefn_store::PersistenceId;

/// So many panics ..
const PANICS_MAX: usize = 5;
/// .. within this time refuse the entity ..
const WINDOW: Duration = Duration::from_secs(10);
/// .. for this long, doubled with each further panic ..
const BACKOFF_MIN: Duration = Duration::from_secs(1);
/// .. up to this.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// So many entities are counted in one shard: beyond them a panic goes unnoted.
const ENTITIES_MAX: usize = 4096;

/// Recent panics of one shard's entities.
#[derive(Default)]
pub(super) struct Panics {
    entities: HashMap<PersistenceId, Recent>,
}

#[derive(Default)]
struct Recent {
    times: VecDeque<Duration>,
    backoff: Duration,
    refused_until: Duration,
}

impl Panics {
    /// Notes a panic.
    pub(super) fn note(&mut self, id: &PersistenceId, now: Duration) {
        if self.entities.len() >= ENTITIES_MAX && !self.entities.contains_key(id) {
            self.forget(now);
            if self.entities.len() >= ENTITIES_MAX {
                return;
            }
        }
        let recent = self.entities.entry(id.clone()).or_default();
        recent.times.push_back(now);
        recent
            .times
            .retain(|time| now.saturating_sub(*time) < WINDOW);
        if recent.times.len() >= PANICS_MAX {
            recent.backoff = (recent.backoff * 2).clamp(BACKOFF_MIN, BACKOFF_MAX);
            recent.refused_until = now.saturating_add(recent.backoff);
        }
    }

    /// Whether the entity is refused at the moment.
    pub(super) fn refuses(&self, id: &PersistenceId, now: Duration) -> bool {
        !self.entities.is_empty()
            && self
                .entities
                .get(id)
                .is_some_and(|recent| now < recent.refused_until)
    }

    /// Forgets entities that have been quiet for long enough.
    pub(super) fn forget(&mut self, now: Duration) {
        self.entities.retain(|_, recent| {
            let last = recent.times.back().copied().unwrap_or_default();
            let kept = if recent.backoff.is_zero() {
                WINDOW
            } else {
                BACKOFF_MAX
            };
            now < recent.refused_until || now.saturating_sub(last) < kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> PersistenceId {
        PersistenceId::new("account", number.to_string())
    }

    fn full() -> Panics {
        let mut panics = Panics::default();
        for number in 0..ENTITIES_MAX {
            panics.note(&id(number), Duration::ZERO);
        }
        panics
    }

    #[test]
    fn p8_no_more_entities_are_counted_than_there_is_room_for() {
        let mut panics = full();
        for number in 0..10 * ENTITIES_MAX {
            panics.note(&id(number), Duration::from_millis(1));
        }
        assert_eq!(panics.entities.len(), ENTITIES_MAX);
        for _ in 0..PANICS_MAX {
            panics.note(&id(7), Duration::from_millis(2));
        }
        assert!(panics.refuses(&id(7), Duration::from_millis(3)));
    }

    #[test]
    fn p8_room_is_made_by_those_whose_last_panic_is_long_ago() {
        let mut panics = full();
        let later = WINDOW;
        for _ in 0..PANICS_MAX {
            panics.note(&id(ENTITIES_MAX), later);
        }
        assert_eq!(panics.entities.len(), 1);
        assert!(panics.refuses(&id(ENTITIES_MAX), later));
        panics.forget(later + BACKOFF_MIN);
        let again = later + BACKOFF_MIN;
        panics.note(&id(ENTITIES_MAX), again);
        let twice = again + BACKOFF_MIN;
        assert!(panics.refuses(&id(ENTITIES_MAX), twice), "it is remembered");
    }
}
