//! An entity while it is in memory.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use statefn_store::{Offset, PersistenceId, SequenceNumber};

use crate::limits::Limits;
use crate::runtime::isolate::discard;
use crate::runtime::keys::Keys;
use crate::runtime::place::Place;
use crate::runtime::slot::Job;
use crate::runtime::stop::Stop;

/// An entity in memory: its state, where its journal ends, and who waits for it.
pub(super) struct Activation {
    pub(super) id: PersistenceId,
    pub(super) phase: Phase,
    /// Sequence number after everything that was speculated.
    pub(super) sequence: SequenceNumber,
    /// Where the last write lies in the shard's pipeline; stale once `uncommitted` is zero.
    pub(super) last_write: Place,
    pub(super) uncommitted: u32,
    pub(super) uncommitted_bytes: usize,
    /// Tick of the last command, for passivation.
    pub(super) used: u32,
    /// Tells this activation from earlier ones of the same entity when late completions arrive.
    pub(super) incarnation: u64,
    pub(super) type_index: u16,
    #[expect(
        clippy::box_collection,
        reason = "most entities have no mail: 8 bytes instead of 32"
    )]
    mailbox: Option<Box<VecDeque<Arc<dyn Job>>>>,
    pub(super) keys: Option<Box<Keys>>,
}

/// A command that goes no further.
pub(super) struct Cancelled {
    /// To be refused.
    pub(super) job: Arc<dyn Job>,
    /// Its task, to be woken so that it ends.
    pub(super) task: Option<Waker>,
}

/// What an activation is doing.
pub(super) enum Phase {
    /// No room in memory yet; not counted among the residents.
    Homeless,
    /// Its state is being loaded.
    Recovering,
    /// Its state is in memory.
    Resident(Box<dyn Any + Send>),
    /// Its state is in memory, but a key must be looked up for this command before the next one.
    LookingUp(Box<dyn Any + Send>, Arc<dyn Job>),
    /// Its state is with an async command, which is this job.
    Held(Arc<Stop>, Arc<dyn Job>),
    /// Discarded; waits until everything it put into the pipeline has committed or failed.
    Draining,
}

impl Activation {
    /// A new entry of the table, not yet recovering.
    pub(super) fn new(id: PersistenceId, type_index: u16, incarnation: u64) -> Self {
        Self {
            id,
            phase: Phase::Homeless,
            sequence: SequenceNumber::ZERO,
            last_write: Place::default(),
            uncommitted: 0,
            uncommitted_bytes: 0,
            used: 0,
            incarnation,
            type_index,
            mailbox: None,
            keys: None,
        }
    }

    /// Whether a command may run at once: state in memory, nobody before it, window not full.
    pub(super) fn is_ready(&self, limits: &Limits) -> bool {
        self.is_undisturbed() && self.has_room(limits)
    }

    /// Whether the speculation window takes one more command.
    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        (self.uncommitted as usize) < limits.speculation_max
            && self.uncommitted_bytes < limits.speculation_bytes_max
    }

    /// Whether it is in memory and nobody waits for it.
    pub(super) fn is_undisturbed(&self) -> bool {
        matches!(self.phase, Phase::Resident(_)) && self.mailbox.is_none()
    }

    /// Whether it may leave memory without anybody noticing.
    pub(super) fn is_idle(&self) -> bool {
        let is_committed = self.uncommitted == 0 || planted!(PassivatedTooEarly);
        self.is_undisturbed() && is_committed
    }

    /// Puts a command behind those that wait. Gives it back when the mailbox is full.
    pub(super) fn enqueue(
        &mut self,
        job: Arc<dyn Job>,
        limits: &Limits,
    ) -> Result<(), Arc<dyn Job>> {
        let waiting = self.mailbox.as_ref().map_or(0, |mailbox| mailbox.len());
        if waiting >= limits.mailbox_max {
            return Err(job);
        }
        self.mailbox.get_or_insert_default().push_back(job);
        Ok(())
    }

    /// Puts a command back in front of those that wait.
    pub(super) fn put_back(&mut self, job: Arc<dyn Job>) {
        self.mailbox.get_or_insert_default().push_front(job);
    }

    /// The next waiting command.
    pub(super) fn dequeue(&mut self) -> Option<Arc<dyn Job>> {
        let mailbox = self.mailbox.as_mut()?;
        if planted!(QueueBackwards) {
            mailbox.make_contiguous().reverse();
        }
        let job = mailbox.pop_front();
        if mailbox.is_empty() {
            self.mailbox = None;
        }
        job
    }

    /// Whether somebody waits.
    pub(super) fn has_mail(&self) -> bool {
        self.mailbox.is_some()
    }

    /// Takes all waiting commands.
    pub(super) fn take_mailbox(&mut self) -> VecDeque<Arc<dyn Job>> {
        self.mailbox
            .take()
            .map(|mailbox| *mailbox)
            .unwrap_or_default()
    }

    /// Commands waiting, for those who only look.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Arc<dyn Job>> {
        let first = match &self.phase {
            Phase::LookingUp(_, job) | Phase::Held(_, job) => Some(job),
            _ => None,
        };
        let mailbox = self.mailbox.iter().flat_map(|mailbox| mailbox.iter());
        first.into_iter().chain(mailbox)
    }

    /// A write of this entity, perhaps a keyed one, lies in the pipeline at `place`.
    pub(super) fn joined(&mut self, key: Option<&str>, place: Place) {
        self.last_write = place;
        if let (Some(key), Some(keys)) = (key, self.keys.as_mut()) {
            keys.placed(key, place);
        }
    }

    /// A write of this entity has committed at `position`.
    pub(super) fn committed(&mut self, bytes: usize, key: Option<&str>, position: Offset) {
        self.settled(bytes);
        if let (Some(key), Some(keys)) = (key, self.keys.as_mut()) {
            keys.committed(key, position);
        }
    }

    /// A write of this entity has left the pipeline, one way or the other.
    pub(super) fn settled(&mut self, bytes: usize) {
        self.uncommitted = self.uncommitted.saturating_sub(1);
        self.uncommitted_bytes = self.uncommitted_bytes.saturating_sub(bytes);
    }

    /// Drops the state; what is in the pipeline still decides what becomes of its callers.
    ///
    /// Answers the command that was under way, whose key was being looked up or which held the
    /// entity: it goes no further.
    #[must_use]
    pub(super) fn discard(&mut self) -> Option<Cancelled> {
        self.keys = None;
        if matches!(self.phase, Phase::Homeless) {
            return None;
        }
        match std::mem::replace(&mut self.phase, Phase::Draining) {
            Phase::LookingUp(state, job) => {
                discard(state);
                Some(Cancelled { job, task: None })
            }
            Phase::Held(stop, job) => {
                let task = stop.stop();
                Some(Cancelled { job, task })
            }
            other => {
                discard(other);
                None
            }
        }
    }
}
