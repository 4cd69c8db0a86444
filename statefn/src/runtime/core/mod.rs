//! What a shard decides: a synchronous state machine from inputs to outputs.
//!
//! Inputs are calls, finished recoveries, finished commits, found records, finished async handlers
//! and ticks; outputs are
//! [`Action`]s for the shell and wakers of answered callers. Nothing in here waits, locks, reads
//! the store or spawns. [`intake`] runs and queues calls, [`residence`] brings entities into
//! memory and lets them go, [`gate`] opens or fails answers when commits end.

mod gate;
mod held;
mod intake;
mod residence;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use statefn_store::{Batch, PersistenceId};

use crate::call_error::Failure;
use crate::command::Operation;
use crate::runtime::activation::{Activation, Cancelled, Phase};
use crate::runtime::budget::Room;
use crate::runtime::idle::IdleQueue;
use crate::runtime::outbox::Addressed;
use crate::runtime::outcome::Answer;
use crate::runtime::panics::Panics;
use crate::runtime::pipeline::{Gate, Pipeline};
use crate::runtime::shared::Shared;
use crate::runtime::slot::{Course, Departure, Job, Opened, Slot, Waiter};
use crate::runtime::step::LookUp;
use crate::runtime::stop::Stop;
use crate::runtime::table::Table;

/// Looking for late calls visits every entity in memory, so it is not done with every tick.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A shard's state.
pub(super) struct Core {
    table: Table,
    pipeline: Pipeline,
    /// Entities whose waiting commands can run.
    runnable: VecDeque<PersistenceId>,
    idle: IdleQueue,
    panics: Panics,
    incarnations: u64,
    /// The store generation that this state belongs to.
    generation: u64,
    /// When late calls were last looked for.
    swept: Duration,
    outputs: Outputs,
}

/// What the shell must do once it has let go of the shard.
#[derive(Default)]
pub(super) struct Outputs {
    /// The batch for the store and its number; answer with [`Core::committed`].
    pub(super) commit: Option<(u64, Batch)>,
    pub(super) actions: Vec<Action>,
    pub(super) wakers: Vec<Waker>,
}

/// Work that takes time, or concerns other shards.
pub(super) enum Action {
    /// Load the entity; answer with [`Core::recovered`].
    Recover {
        id: PersistenceId,
        type_index: u16,
        incarnation: u64,
    },
    /// Ask the store for a key; answer with [`Core::found`].
    FindRecord {
        id: PersistenceId,
        incarnation: u64,
        look_up: LookUp,
        job: Arc<dyn Job>,
    },
    /// Run an async command; answer with [`Core::handled`].
    Handle {
        id: PersistenceId,
        incarnation: u64,
        course: Box<dyn Course>,
        stop: Arc<Stop>,
    },
    /// Ask the other shards to let an idle entity go; answer with [`Core::room_made`].
    MakeRoom { id: PersistenceId, incarnation: u64 },
    /// Deliver what a committed command has sent.
    Post(Addressed),
    /// Ask the target of a committed command for its answer.
    Depart(Box<dyn Departure>),
    /// The store has failed: all shards drop what they have in memory.
    StoreFailed,
    /// Somebody else owns the store: the runtime stops.
    Fenced,
}

/// What became of a call at once.
pub(crate) enum Accepted<O: Operation> {
    /// It is answered.
    Answered(Answer<O>),
    /// Its answer comes through the slot.
    Waiting(Arc<Slot<O>>),
}

impl Core {
    /// An empty shard.
    pub(super) fn new(types: usize) -> Self {
        Self {
            table: HashMap::default(),
            pipeline: Pipeline::new(),
            runnable: VecDeque::new(),
            idle: IdleQueue::new(types),
            panics: Panics::default(),
            incarnations: 0,
            generation: 0,
            swept: Duration::ZERO,
            outputs: Outputs::default(),
        }
    }

    /// Takes what the shell must do now, the next batch included.
    pub(super) fn take_outputs(&mut self, shared: &Shared) -> Outputs {
        let outputs = std::mem::take(&mut self.outputs);
        let commit = self.pipeline.next(shared.epoch());
        Outputs { commit, ..outputs }
    }

    /// Whether a commit could be handed to the store or something else is to be done.
    pub(super) fn has_outputs(&self) -> bool {
        !self.outputs.actions.is_empty()
            || !self.outputs.wakers.is_empty()
            || self.pipeline.has_next()
    }

    /// Whether waiting commands can run.
    pub(super) fn has_runnable(&self) -> bool {
        !self.runnable.is_empty()
    }

    /// Drops memory if the store has failed since this shard last looked.
    pub(super) fn catch_up(&mut self, shared: &Shared) {
        let generation = shared.generation();
        if self.generation != generation {
            self.generation = generation;
            self.drop_memory(&Failure::unavailable("the store has failed"), shared);
        }
    }

    /// Ends everything at once: for a fenced runtime, a stopped one, and a simulated crash.
    /// `wrote` is the answer of those whose batch is with the store, `waiting` of all others.
    pub(super) fn stop(&mut self, wrote: &Failure, waiting: &Failure, shared: &Shared) {
        if let Some(batch) = self.pipeline.abandon() {
            self.fail_gates(batch.gates, wrote, waiting);
        }
        for filling in self.pipeline.take_filling() {
            self.fail_gates(filling.gates, waiting, waiting);
        }
        self.runnable.clear();
        self.idle.clear();
        self.panics = Panics::default();
        for id in self.ids() {
            drop(self.remove(&id, waiting, shared));
        }
    }

    /// Time has passed: answers those who waited too long, lets idle entities go.
    pub(super) fn tick(&mut self, shared: &Shared) {
        let now = shared.env.now();
        self.panics.forget(now);
        if now.saturating_sub(self.swept) >= SWEEP_EVERY && shared.budget.waiting() > 0 {
            self.swept = now;
            if let Some(oldest) = now.checked_sub(shared.limits.call_timeout) {
                self.expire(oldest);
            }
        }
        let tick = shared.tick();
        while let Some(id) = self.idle.next_due(tick, shared, &self.table) {
            drop(self.remove(&id, &Failure::unavailable("the entity left memory"), shared));
        }
    }

    fn expire(&mut self, oldest: Duration) {
        let gates = self
            .pipeline
            .gates()
            .filter_map(|gate| gate.waiter.expire(oldest));
        self.outputs.wakers.extend(gates);
        let late = self.table.values().flat_map(|activation| {
            let late = activation.waiting().filter_map(|job| job.expire(oldest));
            late.map(|waker| (&activation.id, waker))
        });
        let mut late: Vec<(&PersistenceId, Waker)> = late.collect();
        // So that a simulated run repeats.
        late.sort_by_key(|(id, _)| *id);
        let wakers = late.into_iter().map(|(_, waker)| waker);
        self.outputs.wakers.extend(wakers);
    }

    /// Lets the entity go that was used longest ago, if one is idle: the room that it leaves.
    pub(super) fn evict_oldest(&mut self, shared: &Shared) -> Option<Room> {
        let id = self.idle.oldest(&self.table)?;
        self.remove(&id, &Failure::unavailable("the entity left memory"), shared)
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.pipeline.is_empty()
            && self.runnable.is_empty()
            && self
                .table
                .values()
                .all(|a| matches!(a.phase, Phase::Resident(_)) && !a.has_mail())
    }

    /// All ids, sorted, so that a simulated run repeats.
    fn ids(&self) -> Vec<PersistenceId> {
        let mut ids: Vec<PersistenceId> = self.table.keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    fn fail_gates(&mut self, gates: Vec<Gate>, wrote: &Failure, waiting: &Failure) {
        for gate in gates {
            let failure = if gate.wrote { wrote } else { waiting };
            let waker = gate.waiter.fail(failure.clone());
            self.wake(waker);
        }
    }

    /// Drops the state of an entity, if it is in memory.
    fn discard(&mut self, id: &PersistenceId, failure: &Failure) {
        let cancelled = self.table.get_mut(id).and_then(Activation::discard);
        self.cancel(cancelled, failure);
    }

    /// Refuses a command that was under way.
    fn cancel(&mut self, cancelled: Option<Cancelled>, failure: &Failure) {
        if let Some(Cancelled { job, task }) = cancelled {
            self.wake(job.refuse(failure.clone()));
            self.wake(task);
        }
    }

    /// An answer may leave.
    fn open(&mut self, waiter: Arc<dyn Waiter>) {
        match waiter.open() {
            Opened::Wakes(waker) => self.wake(waker),
            Opened::Departs(departure) => self.outputs.actions.push(Action::Depart(departure)),
        }
    }

    fn wake(&mut self, waker: Option<Waker>) {
        self.outputs.wakers.extend(waker);
    }
}
