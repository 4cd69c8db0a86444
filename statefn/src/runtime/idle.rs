//! Who may leave memory next: a queue a type, by last use as of when it was queued.

use std::collections::VecDeque;

use statefn_store::PersistenceId;

use crate::runtime::activation::Activation;
use crate::runtime::shared::Shared;
use crate::runtime::table::Table;

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
