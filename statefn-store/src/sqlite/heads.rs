//! Heads in memory: those not merged into the table yet, and a bounded cache of the others.

use std::sync::Arc;

use super::head::EntityHead;
use super::limits::CACHED_HEADS;
use crate::{IdMap, PersistenceId};

/// Heads by entity.
pub(super) type HeadMap = IdMap<EntityHead>;

/// Heads that are committed but not in the table: newer than anything the table says.
#[derive(Default)]
pub(super) struct Unmerged {
    /// What has changed since the last merge began.
    pub(super) filling: HeadMap,
    /// What is being merged; shared with the thread that sorts it.
    pub(super) merging: Arc<HeadMap>,
}

impl Unmerged {
    /// The newest head of an entity, if the table does not have it.
    pub(super) fn get(&self, id: &PersistenceId) -> Option<EntityHead> {
        self.filling
            .get(id)
            .or_else(|| self.merging.get(id))
            .copied()
    }

    /// All of them; an entity in both generations comes twice, the newer one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PersistenceId, &EntityHead)> {
        self.filling.iter().chain(self.merging.iter())
    }
}

/// Merged heads that were used lately: those of the last merge, and two generations of heads read
/// from the table; when the younger one is full the older one is dropped.
#[derive(Default)]
pub(super) struct HeadCache {
    merged: Arc<HeadMap>,
    young: HeadMap,
    old: HeadMap,
}

impl HeadCache {
    /// A cached head; using it keeps it.
    pub(super) fn get(&mut self, id: &PersistenceId) -> Option<EntityHead> {
        if let Some(head) = self.merged.get(id).or_else(|| self.young.get(id)) {
            return Some(*head);
        }
        let head = *self.old.get(id)?;
        self.put(id.clone(), head);
        Some(head)
    }

    /// Keeps a head that was read from the table.
    pub(super) fn put(&mut self, id: PersistenceId, head: EntityHead) {
        if self.young.len() >= CACHED_HEADS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, head);
    }

    /// Forgets what was read from the table: the entity moves on, and its newer head is unmerged.
    pub(super) fn forget(&mut self, id: &PersistenceId) {
        self.young.remove(id);
        self.old.remove(id);
    }

    /// Takes over the heads of a finished merge and hands back those of the one before.
    pub(super) fn merged(&mut self, heads: Arc<HeadMap>) -> Arc<HeadMap> {
        std::mem::replace(&mut self.merged, heads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> PersistenceId {
        PersistenceId::new("cart", number.to_string())
    }

    #[test]
    fn p8_the_cache_of_heads_is_bounded_and_keeps_what_is_used() {
        let mut cache = HeadCache::default();
        for number in 0..5 * CACHED_HEADS {
            let head = EntityHead {
                position: number as u64,
                ..EntityHead::default()
            };
            cache.put(id(number), head);
            assert_eq!(cache.get(&id(0)).map(|head| head.position), Some(0));
        }
        assert!(cache.young.len() + cache.old.len() <= 2 * CACHED_HEADS);
        assert_eq!(cache.get(&id(CACHED_HEADS)), None);
    }

    #[test]
    fn a_head_that_moved_on_is_not_remembered_from_the_table() {
        let mut cache = HeadCache::default();
        cache.put(id(1), EntityHead::default());
        cache.forget(&id(1));
        assert_eq!(cache.get(&id(1)), None);
    }

    #[test]
    fn the_newest_generation_wins() {
        let mut heads = Unmerged::default();
        let head = |position| EntityHead {
            position,
            ..EntityHead::default()
        };
        heads.merging = Arc::new(HeadMap::from_iter([(id(1), head(1))]));
        heads.filling.insert(id(1), head(2));
        assert_eq!(heads.get(&id(1)), Some(head(2)));
    }
}
