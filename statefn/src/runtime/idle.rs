//! Who may leave memory next: a queue a type, by last use as of when it was queued.

use std::collections::VecDeque;

use statefn_store::PersistenceId;

use crate::runtime::activation::Activation;
use crate::runtime::shared::Shared;
use crate::runtime::table::Table;

/// So many entries of entities that have left may stand beside those of residents, and as many again
/// as there are residents.
const GONE_MAX: usize = 64;

/// Residents by the age of their last use, approximately: an entity that was used since it was
/// queued gets a second chance (CLOCK; Corbató, "A Paging Experiment with the Multics System",
/// 1968). A use costs one store, never a move in a list.
pub(super) struct IdleQueue {
    /// One queue a type, since types differ in how long they may idle.
    queues: Vec<VecDeque<Entry>>,
}

struct Entry {
    id: PersistenceId,
    incarnation: u64,
    used: u32,
}

enum Look {
    Gone,
    Idle,
    Busy(u32),
}

impl IdleQueue {
    /// Queues for this many types.
    pub(super) fn new(types: usize) -> Self {
        Self {
            queues: (0..types).map(|_| VecDeque::new()).collect(),
        }
    }

    /// Notes an activation that has become resident.
    pub(super) fn push(&mut self, activation: &Activation) {
        if let Some(queue) = self.queues.get_mut(usize::from(activation.type_index)) {
            queue.push_back(Entry {
                id: activation.id.clone(),
                incarnation: activation.incarnation,
                used: activation.used,
            });
        }
    }

    /// Forgets entities that left memory otherwise than through the queue, once they are as many as
    /// those that are there: one that panics comes and goes many times before its turn comes.
    pub(super) fn shed(&mut self, table: &Table) {
        if self.len() <= 2 * table.len() + GONE_MAX {
            return;
        }
        for queue in &mut self.queues {
            queue.retain(|entry| !matches!(entry.look(table), Look::Gone));
        }
    }

    fn len(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
    }

    /// The next entity that has been idle for its type's time.
    pub(super) fn next_due(
        &mut self,
        tick: u32,
        shared: &Shared,
        table: &Table,
    ) -> Option<PersistenceId> {
        for (queue, hosted) in self.queues.iter_mut().zip(&shared.hosted) {
            let is_due = |entry: &Entry| tick.saturating_sub(entry.used) >= hosted.idle_ticks;
            while queue.front().is_some_and(is_due) {
                let Some(mut entry) = queue.pop_front() else {
                    break;
                };
                match entry.look(table) {
                    Look::Gone => {}
                    Look::Idle => return Some(entry.id),
                    Look::Busy(used) => {
                        // An entity that is held by work counts as used now.
                        entry.used = if used == entry.used { tick } else { used };
                        queue.push_back(entry);
                    }
                }
            }
        }
        None
    }

    /// The entity that was used longest ago, if one is idle.
    pub(super) fn oldest(&mut self, table: &Table) -> Option<PersistenceId> {
        let mut looks: usize = self.queues.iter().map(|queue| queue.len() * 2).sum();
        while looks > 0 {
            looks -= 1;
            let queue = self
                .queues
                .iter_mut()
                .filter(|queue| !queue.is_empty())
                .min_by_key(|queue| queue.front().map_or(u32::MAX, |entry| entry.used))?;
            let mut entry = queue.pop_front()?;
            match entry.look(table) {
                Look::Gone => {}
                Look::Idle => return Some(entry.id),
                Look::Busy(used) => {
                    entry.used = used;
                    queue.push_back(entry);
                }
            }
        }
        None
    }
}

impl Entry {
    fn look(&self, table: &Table) -> Look {
        match table.get(&self.id) {
            Some(activation) if activation.incarnation == self.incarnation => {
                if activation.used == self.used && activation.is_idle() {
                    Look::Idle
                } else {
                    Look::Busy(activation.used)
                }
            }
            _ => Look::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(number: usize, incarnation: u64) -> Activation {
        let id = PersistenceId::new("account", number.to_string());
        Activation::new(id, 0, incarnation)
    }

    #[test]
    fn p8_entities_that_left_otherwise_do_not_fill_the_queue() {
        let mut queue = IdleQueue::new(1);
        let mut table = Table::default();
        let stays = activation(0, 1);
        queue.push(&stays);
        table.insert(stays.id.clone(), stays);
        for incarnation in 2..10_000 {
            queue.push(&activation(7, incarnation));
            queue.shed(&table);
            assert!(queue.len() <= 2 + GONE_MAX);
        }
        let kept = |entry: &Entry| entry.id.id() == "0";
        assert!(queue.queues.iter().flatten().any(kept), "a resident stays");
    }
}
