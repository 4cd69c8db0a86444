//! Group commit: batches that fill while one commits, and the gate behind which answers wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use statefn_store::{Batch, Member, OwnerEpoch, PersistenceId, StateChange};

use crate::limits::Limits;
use crate::runtime::budget::Held;
use crate::runtime::place::Place;
use crate::runtime::sending::Posted;
use crate::runtime::slot::Waiter;

/// A list that has grown beyond this many places is given back to the allocator.
const RECYCLED_MAX: usize = 64;

/// The batches of one shard, oldest first. At most the oldest one is committing.
pub(super) struct Pipeline {
    batches: VecDeque<Filling>,
    /// Number of the oldest batch.
    first: u64,
    committing: bool,
    /// An empty batch whose lists have their capacity already.
    spare: Filling,
}

/// A batch, from the first member until its outcome.
#[derive(Default)]
pub(super) struct Filling {
    /// Empty once the batch is with the store.
    members: Vec<Member>,
    /// One a member.
    pub(super) tags: Vec<Tag>,
    /// In the order in which they open.
    pub(super) gates: Vec<Gate>,
    bytes: usize,
}

/// What the pipeline remembers of a member while the store has it.
pub(super) struct Tag {
    pub(super) id: PersistenceId,
    pub(super) incarnation: u64,
    pub(super) bytes: usize,
    pub(super) key: Option<Box<str>>,
    /// Keeps the bytes counted until the commit has ended.
    pub(super) _held: Option<Held>,
    /// What leaves the entity with the commit.
    pub(super) posted: Option<Box<Posted>>,
}

/// An answer that waits for a member's commit.
pub(super) struct Gate {
    pub(super) member: usize,
    pub(super) waiter: Arc<dyn Waiter>,
    /// Whether the answer belongs to the member itself, not to a query or rejection behind it.
    pub(super) wrote: bool,
}

impl Pipeline {
    /// An empty pipeline.
    pub(super) fn new() -> Self {
        Self {
            batches: VecDeque::new(),
            first: 0,
            committing: false,
            spare: Filling::default(),
        }
    }

    /// Appends a member to the batch that is filling; `placed` learns where it lies.
    pub(super) fn append(
        &mut self,
        member: Member,
        tag: Tag,
        limits: &Limits,
        placed: impl FnOnce(&Tag, Place),
    ) -> Place {
        let bytes = tag.bytes;
        let full = match self.batches.back() {
            None => true,
            Some(_) if self.committing && self.batches.len() == 1 => true,
            Some(last) => {
                last.members.len() >= limits.batch_max
                    || last.bytes.saturating_add(bytes) > limits.batch_bytes_max
            }
        };
        if full {
            self.batches.push_back(std::mem::take(&mut self.spare));
        }
        let batch = self.first + (self.batches.len() as u64).saturating_sub(1);
        let mut place = Place { batch, member: 0 };
        if let Some(filling) = self.batches.back_mut() {
            place.member = filling.tags.len();
            placed(&tag, place);
            filling.members.push(member);
            filling.tags.push(tag);
            filling.bytes += bytes;
        }
        place
    }

    /// Puts an answer behind the commit of the member at `place`.
    pub(super) fn gate(&mut self, place: Place, waiter: Arc<dyn Waiter>, wrote: bool) {
        if planted!(ReplyBeforeCommit) && wrote {
            Arc::clone(&waiter)
                .open()
                .waker()
                .into_iter()
                .for_each(Waker::wake);
        }
        let index = place
            .batch
            .checked_sub(self.first)
            .and_then(|i| usize::try_from(i).ok());
        if let Some(filling) = index.and_then(|index| self.batches.get_mut(index)) {
            if planted!(DeletionSaidEarly) && wrote && filling.deletes(place.member) {
                Arc::clone(&waiter)
                    .open()
                    .waker()
                    .into_iter()
                    .for_each(Waker::wake);
            }
            filling.gates.push(Gate {
                member: place.member,
                waiter,
                wrote,
            });
        }
    }

    /// Takes the next batch for the store, unless one is on its way or there is none.
    pub(super) fn next(&mut self, epoch: OwnerEpoch) -> Option<(u64, Batch)> {
        if self.committing {
            return None;
        }
        // A batch whose members were all removed has no gates either: nobody waits for it.
        while self
            .batches
            .front()
            .is_some_and(|filling| filling.members.is_empty())
        {
            self.batches.pop_front();
            self.first += 1;
        }
        let filling = self.batches.front_mut()?;
        self.committing = true;
        let members = std::mem::take(&mut filling.members);
        Some((self.first, Batch { epoch, members }))
    }

    /// Takes the batch that the store has answered. `None` for a stale number.
    pub(super) fn finish(&mut self, number: u64) -> Option<Filling> {
        let is_late = number != self.first && !planted!(LateCommitTaken);
        if !self.committing || is_late {
            return None;
        }
        self.committing = false;
        self.first += 1;
        self.batches.pop_front()
    }

    /// Takes back a batch that is done with, for the capacity of its lists.
    pub(super) fn recycle(&mut self, mut batch: Filling) {
        if batch.tags.capacity() <= RECYCLED_MAX && batch.gates.capacity() <= RECYCLED_MAX {
            batch.tags.clear();
            batch.gates.clear();
            batch.bytes = 0;
            self.spare = batch;
        }
    }

    /// Takes everything that is not with the store.
    pub(super) fn take_filling(&mut self) -> Vec<Filling> {
        let keep = usize::from(self.committing);
        self.batches.split_off(keep).into()
    }

    /// Takes the batch that is with the store; its completion will be stale.
    pub(super) fn abandon(&mut self) -> Option<Filling> {
        let number = self.first;
        self.finish(number)
    }

    /// Removes the members of one entity that are not with the store yet, with their gates.
    ///
    /// Answers each removed member's byte count and each waiter; `moved` learns the new place of
    /// every member that stays behind a removed one.
    pub(super) fn remove(
        &mut self,
        id: &PersistenceId,
        mut moved: impl FnMut(&Tag, Place),
    ) -> (Vec<usize>, Vec<Gate>) {
        let mut bytes = Vec::new();
        let mut waiters = Vec::new();
        let keep = usize::from(self.committing);
        for (index, filling) in self.batches.iter_mut().enumerate().skip(keep) {
            let batch = self.first + index as u64;
            filling.remove(id, &mut bytes, &mut waiters);
            for (member, tag) in filling.tags.iter().enumerate() {
                moved(tag, Place { batch, member });
            }
        }
        (bytes, waiters)
    }

    /// Every gate, for those who only look.
    pub(super) fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.batches.iter().flat_map(|filling| filling.gates.iter())
    }

    /// Whether a batch could go to the store now.
    pub(super) fn has_next(&self) -> bool {
        !self.committing && !self.batches.is_empty()
    }

    /// Whether nothing is filling and nothing is committing.
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

impl Filling {
    /// Whether a member deletes its entity.
    fn deletes(&self, member: usize) -> bool {
        let state = self.members.get(member).and_then(|m| m.state.as_deref());
        matches!(state, Some(StateChange::Delete))
    }

    fn remove(&mut self, id: &PersistenceId, bytes: &mut Vec<usize>, waiters: &mut Vec<Gate>) {
        let gone: Vec<bool> = self.tags.iter().map(|tag| tag.id == *id).collect();
        let mut new_index = Vec::with_capacity(gone.len());
        let mut kept = 0;
        for &is_gone in &gone {
            new_index.push(kept);
            kept += usize::from(!is_gone);
        }
        let is_gone = |index: usize| gone.get(index).copied().unwrap_or(false);
        for gate in std::mem::take(&mut self.gates) {
            if is_gone(gate.member) {
                waiters.push(gate);
            } else {
                let member = new_index.get(gate.member).copied().unwrap_or(gate.member);
                self.gates.push(Gate { member, ..gate });
            }
        }
        let mut flags = gone.iter();
        self.members
            .retain(|_| !flags.next().copied().unwrap_or(false));
        self.tags.retain(|tag| {
            if tag.id == *id {
                bytes.push(tag.bytes);
            }
            tag.id != *id
        });
        self.bytes = self.tags.iter().map(|tag| tag.bytes).sum();
    }
}
