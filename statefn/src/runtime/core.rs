//! What a shard decides: a synchronous state machine from inputs to outputs.
//!
//! Inputs are calls, finished recoveries, finished commits, found records and ticks; outputs are
//! [`Action`]s for the shell and wakers of answered callers. Nothing in here waits, locks, reads
//! the store or spawns.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use statefn_store::{Batch, CommitError, Outcome, PersistenceId, StoredRecord};

use crate::call_error::{Failure, Overload};
use crate::command::{Mode, Operation};
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::idle::IdleQueue;
use crate::runtime::panics::Panics;
use crate::runtime::pipeline::{Filling, Gate, Pipeline, Tag};
use crate::runtime::recovery::Recovered;
use crate::runtime::shared::Shared;
use crate::runtime::slot::{Answer, Job, JobDone, Slot, Waiter};
use crate::runtime::step::{self, LookUp, Request, Step, Write};

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
    outputs: Outputs,
}

/// What the shell must do once it has let go of the shard.
#[derive(Default)]
pub(super) struct Outputs {
    pub(super) actions: Vec<Action>,
    pub(super) wakers: Vec<Waker>,
}

/// Work that takes time.
pub(super) enum Action {
    /// Hand the batch to the store; answer with [`Core::committed`].
    Commit { number: u64, batch: Batch },
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
            outputs: Outputs::default(),
        }
    }

    /// Takes what the shell must do now, the next batch included.
    pub(super) fn take_outputs(&mut self, shared: &Shared) -> Outputs {
        if let Some((number, batch)) = self.pipeline.next(shared.epoch()) {
            self.outputs.actions.push(Action::Commit { number, batch });
        }
        std::mem::take(&mut self.outputs)
    }

    /// Whether a commit could be handed to the store or something else is to be done.
    pub(super) fn has_outputs(&self) -> bool {
        !self.outputs.actions.is_empty()
            || !self.outputs.wakers.is_empty()
            || !self.pipeline.is_empty()
    }

    /// Runs a call at once if its entity is ready, queues it otherwise.
    pub(super) fn call<O: Operation>(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        request: Request<O>,
        shared: &Shared,
    ) -> Accepted<O> {
        match self.table.get_mut(id) {
            Some(activation) if activation.is_ready(&shared.limits) => {
                let permit = if <O::Mode as Mode<O>>::WRITES || activation.uncommitted > 0 {
                    match shared.budget.admit(0, &shared.limits) {
                        Ok(permit) => Some(permit),
                        Err(failure) => return Accepted::Answered(Err(failure.widen())),
                    }
                } else {
                    None
                };
                activation.used = shared.tick();
                let turn = shared.turn(activation.type_index);
                let (answer, write, permit) = match step::run(request, activation, &turn) {
                    Step::Answer(answer) => return Accepted::Answered(answer),
                    Step::Lost(failure) => {
                        self.lost(id, shared);
                        return Accepted::Answered(Err(failure.widen()));
                    }
                    Step::LookUp(look_up, request) => {
                        let Some(permit) = permit else {
                            let failure = Failure::unavailable("a query has no key");
                            return Accepted::Answered(Err(failure.widen()));
                        };
                        let slot = Arc::new(Slot::queued(request, shared.env.now(), permit));
                        self.look_up(id, look_up, Arc::clone(&slot) as Arc<dyn Job>);
                        return Accepted::Waiting(slot);
                    }
                    Step::Gated { answer, write } => match permit {
                        Some(permit) => (answer, write, permit),
                        None => return Accepted::Answered(answer),
                    },
                };
                let slot = Arc::new(Slot::gated(
                    answer,
                    write.is_some(),
                    shared.env.now(),
                    permit,
                ));
                let waiter = Arc::clone(&slot) as Arc<dyn Waiter>;
                join(activation, &mut self.pipeline, waiter, write, shared);
                Accepted::Waiting(slot)
            }
            _ => match Slot::accept(request, shared) {
                Ok(slot) => {
                    let slot = Arc::new(slot);
                    self.enqueue(id, type_index, Arc::clone(&slot) as Arc<dyn Job>, shared);
                    Accepted::Waiting(slot)
                }
                Err(failure) => Accepted::Answered(Err(failure.widen())),
            },
        }
    }

    /// Runs a queued call at once if its entity is ready, queues it at its entity otherwise.
    pub(super) fn submit(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        job: Arc<dyn Job>,
        shared: &Shared,
    ) {
        if self
            .table
            .get(id)
            .is_some_and(|activation| activation.is_ready(&shared.limits))
        {
            self.run_job(id, job, shared);
        } else {
            self.enqueue(id, type_index, job, shared);
        }
    }

    fn enqueue(&mut self, id: &PersistenceId, type_index: u16, job: Arc<dyn Job>, shared: &Shared) {
        if !self.table.contains_key(id) {
            if let Err(failure) = self.activate(id, type_index, shared) {
                self.wake(job.refuse(failure));
                return;
            }
        }
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        activation.used = shared.tick();
        if let Err(job) = activation.enqueue(job, &shared.limits) {
            self.wake(job.refuse(Failure::Overloaded(Overload::Mailbox)));
        }
    }

    /// Starts the recovery of an entity that is not in memory.
    fn activate(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        shared: &Shared,
    ) -> Result<(), Failure> {
        if let Some(quarantine) = shared.quarantined.get(id) {
            return Err(Failure::Quarantined(quarantine));
        }
        if self.panics.refuses(id, shared.env.now()) {
            return Err(Failure::Overloaded(Overload::Panics));
        }
        if !shared.budget.add_resident(&shared.limits) {
            // Whoever leaves makes room for exactly this one.
            if !self.evict_oldest(shared) || !shared.budget.add_resident(&shared.limits) {
                return Err(Failure::Overloaded(Overload::Residents));
            }
        }
        self.incarnations += 1;
        let activation = Activation::recovering(id.clone(), type_index, self.incarnations);
        self.table.insert(id.clone(), activation);
        self.recover(id);
        Ok(())
    }

    /// Asks the shell to load an entity that is in the table.
    fn recover(&mut self, id: &PersistenceId) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        self.incarnations += 1;
        activation.incarnation = self.incarnations;
        activation.phase = Phase::Recovering;
        self.outputs.actions.push(Action::Recover {
            id: activation.id.clone(),
            type_index: activation.type_index,
            incarnation: activation.incarnation,
        });
    }

    /// A recovery has ended.
    pub(super) fn recovered(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        result: Result<Recovered, Failure>,
        shared: &Shared,
    ) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        if activation.incarnation != incarnation || !matches!(activation.phase, Phase::Recovering) {
            return;
        }
        match result {
            Ok(recovered) => {
                activation.phase = Phase::Resident(recovered.state);
                activation.sequence = recovered.sequence;
                activation.keys = recovered.keys;
                activation.used = shared.tick();
                self.idle.push(activation);
                if activation.has_mail() {
                    self.runnable.push_back(id.clone());
                }
            }
            Err(failure) => self.remove(id, &failure, shared),
        }
    }

    /// Takes an entity out of the table and refuses everybody who waits for it.
    fn remove(&mut self, id: &PersistenceId, failure: &Failure, shared: &Shared) {
        let Some(mut activation) = self.table.remove(id) else {
            return;
        };
        shared.budget.remove_residents(1);
        for job in activation.take_mailbox() {
            self.wake(job.refuse(failure.clone()));
        }
    }

    fn look_up(&mut self, id: &PersistenceId, look_up: LookUp, job: Arc<dyn Job>) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        activation.phase = match std::mem::replace(&mut activation.phase, Phase::Draining) {
            Phase::Resident(state) => Phase::LookingUp(state),
            other => other,
        };
        let (id, incarnation) = (activation.id.clone(), activation.incarnation);
        self.outputs.actions.push(Action::FindRecord {
            id,
            incarnation,
            look_up,
            job,
        });
    }

    /// The store has answered for a key.
    pub(super) fn found(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        job: Arc<dyn Job>,
        result: Result<Option<StoredRecord>, Failure>,
        shared: &Shared,
    ) {
        let current = self
            .table
            .get_mut(id)
            .filter(|a| a.incarnation == incarnation);
        let Some(activation) = current else {
            self.wake(job.refuse(Failure::unavailable("the entity was discarded meanwhile")));
            return;
        };
        activation.phase = match std::mem::replace(&mut activation.phase, Phase::Draining) {
            Phase::LookingUp(state) => Phase::Resident(state),
            other => other,
        };
        match result {
            Ok(found) if matches!(activation.phase, Phase::Resident(_)) => {
                let turn = shared.turn(activation.type_index);
                let done = job.resume(found, activation, &turn);
                self.settle(id, done, shared);
            }
            Ok(_) => {
                self.wake(job.refuse(Failure::unavailable("the entity was discarded meanwhile")));
            }
            Err(failure) => self.wake(job.refuse(failure)),
        }
        if self.table.get(id).is_some_and(Activation::has_mail) {
            self.runnable.push_back(id.clone());
        }
    }

    /// Runs waiting commands of entities that are ready, at most `count`. Whether some are left.
    pub(super) fn run_waiting(&mut self, mut count: usize, shared: &Shared) -> bool {
        while let Some(id) = self.runnable.pop_front() {
            while let Some(activation) = self.table.get_mut(&id) {
                if !matches!(activation.phase, Phase::Resident(_))
                    || !activation.has_room(&shared.limits)
                {
                    break;
                }
                if count == 0 {
                    self.runnable.push_front(id);
                    return true;
                }
                let Some(job) = activation.dequeue() else {
                    break;
                };
                count -= 1;
                self.run_job(&id, job, shared);
            }
        }
        false
    }

    fn run_job(&mut self, id: &PersistenceId, job: Arc<dyn Job>, shared: &Shared) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        activation.used = shared.tick();
        let _caller = job.span().entered();
        let turn = shared.turn(activation.type_index);
        let done = job.run(activation, &turn);
        self.settle(id, done, shared);
    }

    fn settle(&mut self, id: &PersistenceId, done: JobDone, shared: &Shared) {
        match done {
            JobDone::Answered(waker) => self.wake(waker),
            JobDone::Gated(waiter, write) => {
                if let Some(activation) = self.table.get_mut(id) {
                    join(activation, &mut self.pipeline, waiter, write, shared);
                }
            }
            JobDone::Lost(waker) => {
                self.wake(waker);
                self.lost(id, shared);
            }
            JobDone::LookUp(look_up, job) => self.look_up(id, look_up, job),
        }
    }

    /// The state of an entity is not to be trusted: what it has in the pipeline still decides
    /// about its callers, then it recovers.
    fn lost(&mut self, id: &PersistenceId, shared: &Shared) {
        self.panics.note(id, shared.env.now());
        if let Some(activation) = self.table.get_mut(id) {
            activation.discard();
        }
        self.drained(id, shared);
    }

    /// If a discarded entity has nothing left in the pipeline: recover it for those who wait, or
    /// let it go.
    fn drained(&mut self, id: &PersistenceId, shared: &Shared) {
        let Some(activation) = self.table.get(id) else {
            return;
        };
        if !matches!(activation.phase, Phase::Draining) || activation.uncommitted > 0 {
            return;
        }
        if self.panics.refuses(id, shared.env.now()) {
            self.remove(id, &Failure::Overloaded(Overload::Panics), shared);
        } else if activation.has_mail() {
            self.recover(id);
        } else {
            self.remove(
                id,
                &Failure::unavailable("the entity was discarded"),
                shared,
            );
        }
    }

    /// The store has answered for a batch.
    pub(super) fn committed(
        &mut self,
        number: u64,
        result: Result<Vec<Outcome>, CommitError>,
        shared: &Shared,
    ) {
        let Some(batch) = self.pipeline.finish(number) else {
            return;
        };
        match result {
            Ok(outcomes) if outcomes.len() == batch.tags.len() => {
                self.open_gate(batch, &outcomes, shared);
            }
            Ok(_) => {
                let reason = "the store answered with a wrong number of outcomes";
                self.store_failed(batch, &Failure::unknown(reason), reason, shared);
            }
            Err(CommitError::Fenced { .. }) => {
                self.fail_gates(batch.gates, &Failure::Fenced, &Failure::Fenced);
                self.outputs.actions.push(Action::Fenced);
                self.stop(&Failure::Fenced, &Failure::Fenced, shared);
            }
            Err(CommitError::Unavailable(cause)) => {
                let reason = failure_text("the commit was rolled back", &cause);
                self.store_failed(batch, &Failure::unavailable(&*reason), &reason, shared);
            }
            Err(CommitError::Unknown(cause)) => {
                let reason = failure_text("the commit did not succeed", &cause);
                self.store_failed(batch, &Failure::unknown(&*reason), &reason, shared);
            }
            Err(other) => {
                let reason = other.to_string();
                self.store_failed(batch, &Failure::unknown(&*reason), &reason, shared);
            }
        }
    }

    fn open_gate(&mut self, batch: Filling, outcomes: &[Outcome], shared: &Shared) {
        for gate in batch.gates {
            let waker = match outcomes.get(gate.member) {
                Some(Outcome::Committed { .. }) => gate.waiter.open(),
                Some(Outcome::Refused(refusal)) => {
                    gate.waiter.fail(Failure::unavailable(refusal.to_string()))
                }
                None => gate
                    .waiter
                    .fail(Failure::unknown("the store named no outcome")),
            };
            self.wake(waker);
        }
        for (tag, outcome) in batch.tags.iter().zip(outcomes) {
            let current = self
                .table
                .get_mut(&tag.id)
                .filter(|a| a.incarnation == tag.incarnation);
            let Some(activation) = current else { continue };
            match outcome {
                Outcome::Committed { position } => {
                    activation.committed(tag.bytes, tag.key.as_deref(), *position);
                }
                Outcome::Refused(refusal) => {
                    tracing::warn!(entity = %tag.id, %refusal, "a commit was refused");
                    activation.settled(tag.bytes);
                    self.overtaken(&tag.id);
                }
            }
            self.after_commit(&tag.id, shared);
        }
    }

    /// A write of the entity was refused: everything speculated on it goes with it.
    fn overtaken(&mut self, id: &PersistenceId) {
        let table = &mut self.table;
        let (bytes, gates) = self.pipeline.remove(id, |id, place| {
            if let Some(activation) = table.get_mut(id) {
                activation.last_write = place;
            }
        });
        if let Some(activation) = self.table.get_mut(id) {
            bytes
                .into_iter()
                .for_each(|bytes| activation.settled(bytes));
            activation.discard();
        }
        let failure = Failure::unavailable("an earlier write of the entity was refused");
        self.fail_gates(gates, &failure, &failure);
    }

    fn after_commit(&mut self, id: &PersistenceId, shared: &Shared) {
        let Some(activation) = self.table.get(id) else {
            return;
        };
        match activation.phase {
            Phase::Draining => self.drained(id, shared),
            Phase::Resident(_) if activation.has_mail() => self.runnable.push_back(id.clone()),
            _ => {}
        }
    }

    fn store_failed(&mut self, batch: Filling, wrote: &Failure, reason: &str, shared: &Shared) {
        tracing::error!(reason, "the store failed: everything in memory is dropped");
        let bystander = Failure::unavailable(reason);
        for tag in &batch.tags {
            let current = self
                .table
                .get_mut(&tag.id)
                .filter(|a| a.incarnation == tag.incarnation);
            if let Some(activation) = current {
                activation.settled(tag.bytes);
            }
        }
        self.fail_gates(batch.gates, wrote, &bystander);
        self.drop_memory(&bystander, shared);
        self.outputs.actions.push(Action::StoreFailed);
    }

    /// Drops every state in memory and everything that is not with the store; commands that wait
    /// run on recovered state.
    fn drop_memory(&mut self, failure: &Failure, shared: &Shared) {
        for filling in self.pipeline.take_filling() {
            for Tag { id, bytes, .. } in &filling.tags {
                if let Some(activation) = self.table.get_mut(id) {
                    activation.settled(*bytes);
                }
            }
            self.fail_gates(filling.gates, failure, failure);
        }
        // In the order of ids, so that a simulated run repeats.
        let mut ids: Vec<PersistenceId> = self.table.keys().cloned().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(activation) = self.table.get_mut(&id) {
                activation.discard();
            }
            self.drained(&id, shared);
        }
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
    pub(super) fn stop(&mut self, wrote: &Failure, waiting: &Failure, shared: &Shared) {
        for filling in self.pipeline.take_all() {
            self.fail_gates(filling.gates, wrote, waiting);
        }
        self.runnable.clear();
        self.idle.clear();
        let mut ids: Vec<PersistenceId> = self.table.keys().cloned().collect();
        ids.sort_unstable();
        for id in ids {
            self.remove(&id, waiting, shared);
        }
    }

    /// Time has passed: answers those who waited too long, lets idle entities go.
    pub(super) fn tick(&mut self, shared: &Shared) {
        let now = shared.env.now();
        self.panics.forget(now);
        if let Some(oldest) = now.checked_sub(shared.limits.call_timeout) {
            self.expire(oldest);
        }
        let tick = shared.tick();
        while let Some(id) = self.idle.next_due(tick, shared, &self.table) {
            self.remove(&id, &Failure::unavailable("the entity left memory"), shared);
        }
    }

    fn expire(&mut self, oldest: Duration) {
        let gates = self
            .pipeline
            .gates()
            .filter_map(|gate| gate.waiter.expire(oldest));
        let mail = self.table.values().flat_map(Activation::mailbox);
        let wakers = gates.chain(mail.filter_map(|job| job.expire(oldest)));
        self.outputs.wakers.extend(wakers);
    }

    /// Lets the entity go that was used longest ago, if one is idle. Whether one went.
    pub(super) fn evict_oldest(&mut self, shared: &Shared) -> bool {
        let Some(id) = self.idle.oldest(&self.table) else {
            return false;
        };
        self.remove(&id, &Failure::unavailable("the entity left memory"), shared);
        true
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

    fn fail_gates(&mut self, gates: Vec<Gate>, wrote: &Failure, waiting: &Failure) {
        for gate in gates {
            let failure = if gate.wrote { wrote } else { waiting };
            let waker = gate.waiter.fail(failure.clone());
            self.wake(waker);
        }
    }

    fn wake(&mut self, waker: Option<Waker>) {
        self.outputs.wakers.extend(waker);
    }
}

/// Puts an answer behind the gate, together with its write if it has one.
fn join(
    activation: &mut Activation,
    pipeline: &mut Pipeline,
    waiter: Arc<dyn Waiter>,
    write: Option<Write>,
    shared: &Shared,
) {
    let Some(Write { member, bytes, key }) = write else {
        pipeline.gate(activation.last_write, waiter, false);
        return;
    };
    let tag = Tag {
        id: activation.id.clone(),
        incarnation: activation.incarnation,
        bytes,
        key,
    };
    let place = pipeline.append(member, tag, &shared.limits);
    activation.last_write = place;
    activation.uncommitted += 1;
    activation.uncommitted_bytes += bytes;
    pipeline.gate(place, waiter, true);
}

fn failure_text(what: &str, cause: &statefn_store::StoreFailure) -> String {
    use std::error::Error;
    let mut text = format!("{what}: {cause}");
    let mut source = cause.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Takes the hash that [`PersistenceId`] has computed already, keyed against aimed ids.
#[derive(Default)]
pub(super) struct TableHasher(u64);

impl Hasher for TableHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) type Table = HashMap<PersistenceId, Activation, BuildHasherDefault<TableHasher>>;
