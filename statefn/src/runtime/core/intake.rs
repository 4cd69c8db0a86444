//! Calls: run at once, or queued at their entity until they can run.

use std::sync::Arc;

use statefn_store::PersistenceId;

use super::{Accepted, Core};
use crate::call_error::{Failure, Overload};
use crate::command::{Mode, Operation};
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::budget::Permit;
use crate::runtime::forwarding::Forwarding;
use crate::runtime::isolate::discard;
use crate::runtime::outcome::Answer;
use crate::runtime::pipeline::{Pipeline, Tag};
use crate::runtime::shared::Shared;
use crate::runtime::slot::{Job, JobDone, Slot, Waiter};
use crate::runtime::step::{self, Behind, Request, Step, Write};

/// What a call that runs at once needs if its answer must wait.
struct Ticket {
    permit: Permit,
    has_deadline: bool,
}

impl Ticket {
    fn gated<O: Operation>(self, answer: Answer<O>, wrote: bool, shared: &Shared) -> Arc<Slot<O>> {
        let accepted = (!self.has_deadline).then(|| shared.env.now());
        Arc::new(Slot::gated(answer, wrote, accepted, self.permit))
    }
}

impl Ticket {
    fn forwarding<O: Operation>(
        self,
        forwarding: Box<Forwarding>,
        wrote: bool,
        shared: &Shared,
    ) -> Arc<Slot<O>> {
        let accepted = (!self.has_deadline).then(|| shared.env.now());
        Arc::new(Slot::forwarding(forwarding, wrote, accepted, self.permit))
    }
}

impl Core {
    /// Runs a call at once if its entity is ready, queues it otherwise.
    pub(in crate::runtime) fn call<O: Operation>(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        request: Request<O>,
        shared: &Shared,
    ) -> Accepted<O> {
        let ready = self.table.get_mut(id).filter(|activation| {
            !<O::Mode as Mode<O>>::WAITS && activation.is_ready(&shared.limits)
        });
        let Some(activation) = ready else {
            return match Slot::accept(request, shared) {
                Ok(slot) => {
                    let slot = Arc::new(slot);
                    self.submit(id, type_index, Arc::clone(&slot) as Arc<dyn Job>, shared);
                    Accepted::Waiting(slot)
                }
                Err(failure) => Accepted::Answered(Err(failure.widen())),
            };
        };
        let may_wait = <O::Mode as Mode<O>>::WRITES || activation.uncommitted > 0;
        let permit = match may_wait.then(|| shared.budget.admit(0, &shared.limits)) {
            Some(Ok(permit)) => Some(permit),
            Some(Err(failure)) => {
                discard(request);
                return Accepted::Answered(Err(failure.widen()));
            }
            None => None,
        };
        activation.used = shared.tick();
        let turn = shared.turn(activation.type_index);
        let has_deadline = request.options.deadline.get().is_some();
        let step = step::run(request, activation, &turn);
        self.accepted(
            id,
            step,
            permit.map(|permit| Ticket {
                permit,
                has_deadline,
            }),
            shared,
        )
    }

    /// What a call that has run at once means for its caller and its entity.
    fn accepted<O: Operation>(
        &mut self,
        id: &PersistenceId,
        step: Step<O>,
        ticket: Option<Ticket>,
        shared: &Shared,
    ) -> Accepted<O> {
        match (step, ticket) {
            // Without a permit nothing was uncommitted, so the answer depends on nothing.
            (Step::Answer(answer), _) | (Step::Gated { answer, .. }, None) => {
                Accepted::Answered(answer)
            }
            (Step::Lost(failure), ticket) => {
                let answer = Err(failure.clone().widen());
                let accepted = match ticket {
                    Some(ticket) if self.has_uncommitted(id) => {
                        let slot = ticket.gated(answer, false, shared);
                        self.gate_last(id, Arc::clone(&slot) as Arc<dyn Waiter>);
                        Accepted::Waiting(slot)
                    }
                    _ => Accepted::Answered(answer),
                };
                self.lost(id, &failure, shared);
                accepted
            }
            // An async command comes by way of a queue.
            (Step::Begun(_), _) => Accepted::Answered(Err(Failure::unavailable(
                "an async command has no place to wait",
            )
            .widen())),
            (Step::Forward { .. }, None) => {
                Accepted::Answered(Err(Failure::unavailable("a query has no target").widen()))
            }
            (Step::Forward { forwarding, behind }, Some(ticket)) => {
                let wrote = behind.as_ref().is_some_and(Behind::is_write);
                let slot = ticket.forwarding(forwarding, wrote, shared);
                let waiter = Arc::clone(&slot) as Arc<dyn Waiter>;
                if planted!(ForwardBeforeCommit) {
                    self.open(Arc::clone(&waiter));
                }
                match (behind, self.table.get_mut(id)) {
                    (Some(behind), Some(activation)) => {
                        join(activation, &mut self.pipeline, waiter, behind, shared);
                    }
                    _ => self.open(waiter),
                }
                Accepted::Waiting(slot)
            }
            (Step::LookUp(..), None) => {
                Accepted::Answered(Err(Failure::unavailable("a query has no key").widen()))
            }
            (Step::LookUp(look_up, request), Some(ticket)) => {
                let slot = Arc::new(Slot::queued(request, shared.env.now(), ticket.permit));
                self.look_up(id, look_up, Arc::clone(&slot) as Arc<dyn Job>);
                Accepted::Waiting(slot)
            }
            (Step::Gated { answer, behind }, Some(ticket)) => {
                let slot = ticket.gated(answer, behind.is_write(), shared);
                if let Some(activation) = self.table.get_mut(id) {
                    let waiter = Arc::clone(&slot) as Arc<dyn Waiter>;
                    join(activation, &mut self.pipeline, waiter, behind, shared);
                }
                Accepted::Waiting(slot)
            }
        }
    }

    /// Runs a queued call at once if its entity is ready, queues it at its entity otherwise.
    pub(in crate::runtime) fn submit(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        job: Arc<dyn Job>,
        shared: &Shared,
    ) {
        let activation = self.table.get(id);
        let left = if activation.is_some_and(|activation| activation.is_ready(&shared.limits)) {
            self.run_job(id, job, shared)
        } else {
            Some(job)
        };
        if let Some(job) = left {
            self.enqueue(id, type_index, job, shared);
        }
    }

    fn enqueue(&mut self, id: &PersistenceId, type_index: u16, job: Arc<dyn Job>, shared: &Shared) {
        if !self.table.contains_key(id)
            && let Err(failure) = self.activate(id, type_index, shared)
        {
            self.wake(job.refuse(failure));
            return;
        }
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        activation.used = shared.tick();
        if let Err(job) = activation.enqueue(job, &shared.limits) {
            self.wake(job.refuse(Failure::Overloaded(Overload::Mailbox)));
        }
    }

    /// Runs waiting commands of entities that are ready, at most `count`. How many have run.
    pub(in crate::runtime) fn run_waiting(&mut self, count: usize, shared: &Shared) -> usize {
        let mut ran = 0;
        while let Some(id) = self.runnable.pop_front() {
            while let Some(activation) = self.table.get_mut(&id) {
                if !matches!(activation.phase, Phase::Resident(_))
                    || !activation.has_room(&shared.limits)
                {
                    break;
                }
                if ran == count {
                    self.runnable.push_front(id);
                    return ran;
                }
                let Some(job) = activation.dequeue() else {
                    break;
                };
                ran += 1;
                if let Some(early) = self.run_job(&id, job, shared)
                    && let Some(activation) = self.table.get_mut(&id)
                {
                    // The commits for which it waits look at the entity again.
                    activation.put_back(early);
                    break;
                }
            }
        }
        ran
    }

    /// Runs a queued call. Gives it back if it must wait for the entity's earlier writes.
    fn run_job(
        &mut self,
        id: &PersistenceId,
        job: Arc<dyn Job>,
        shared: &Shared,
    ) -> Option<Arc<dyn Job>> {
        let activation = self.table.get_mut(id)?;
        activation.used = shared.tick();
        let _caller = job.span().entered();
        let turn = shared.turn(activation.type_index);
        match job.run(activation, &turn) {
            JobDone::Early(job) => return Some(job),
            done => self.settle(id, done, shared),
        }
        None
    }

    /// What a job that has run means for its caller and its entity.
    pub(super) fn settle(&mut self, id: &PersistenceId, done: JobDone, shared: &Shared) {
        match done {
            JobDone::Answered(waker) => self.wake(waker),
            JobDone::Gated(waiter, behind) => {
                if let Some(activation) = self.table.get_mut(id) {
                    join(activation, &mut self.pipeline, waiter, behind, shared);
                }
            }
            JobDone::Lost(waiter, failure) => {
                if self.has_uncommitted(id) {
                    self.gate_last(id, waiter);
                } else {
                    self.open(waiter);
                }
                self.lost(id, &failure, shared);
            }
            JobDone::Open(waiter) => self.open(waiter),
            JobDone::LookUp(look_up, job) => self.look_up(id, look_up, job),
            JobDone::Begun(course, job) => self.hold(id, course, job),
            // Only a job that runs for the first time is early: whoever runs it keeps it.
            JobDone::Early(job) => {
                self.wake(job.refuse(Failure::unavailable("its entity has writes under way")));
            }
        }
    }

    fn has_uncommitted(&self, id: &PersistenceId) -> bool {
        self.table.get(id).is_some_and(|a| a.uncommitted > 0)
    }

    /// Puts an answer behind the entity's last write.
    fn gate_last(&mut self, id: &PersistenceId, waiter: Arc<dyn Waiter>) {
        if let Some(activation) = self.table.get(id) {
            self.pipeline.gate(activation.last_write, waiter, false);
        }
    }
}

/// Puts an answer behind the gate, together with its write if it has one.
fn join(
    activation: &mut Activation,
    pipeline: &mut Pipeline,
    waiter: Arc<dyn Waiter>,
    behind: Behind,
    shared: &Shared,
) {
    let write = match behind {
        Behind::Last => return pipeline.gate(activation.last_write, waiter, false),
        Behind::Earlier(place) => return pipeline.gate(place, waiter, true),
        Behind::Own(write) => write,
    };
    let Write {
        member,
        bytes,
        key,
        posted,
    } = *write;
    let tag = Tag {
        id: activation.id.clone(),
        incarnation: activation.incarnation,
        bytes,
        key,
        _held: shared.budget.hold(bytes),
        posted,
    };
    let place = pipeline.append(member, tag, &shared.limits, |tag, place| {
        activation.joined(tag.key.as_deref(), place);
    });
    activation.uncommitted += 1;
    activation.uncommitted_bytes += bytes;
    pipeline.gate(place, waiter, true);
}
