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
