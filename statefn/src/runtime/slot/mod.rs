//! A call on its way: queued, then behind the gate, then answered.

mod course;
mod departure;

use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statefn_store::StoredRecord;

use crate::call_error::{CallError, Failure};
use crate::command::{Mode, Operation};
use crate::runtime::activation::Activation;
use crate::runtime::budget::Permit;
use crate::runtime::forwarding::Forwarding;
use crate::runtime::isolate::discard;
use crate::runtime::outcome::Answer;
use crate::runtime::shared::Shared;
use crate::runtime::step::{self, Behind, Request, Step, Turn};
use crate::sync::{Mutex, MutexGuard};

/// A call that waits in a queue, whatever its type.
pub(super) trait Job: Send + Sync {
    /// Runs the call on its entity and says what the shard must do about it.
    fn run(self: Arc<Self>, activation: &mut Activation, turn: &Turn<'_>) -> JobDone;

    /// Runs the call again after the store has been asked for the record of its key.
    fn resume(
        self: Arc<Self>,
        found: Option<StoredRecord>,
        activation: &mut Activation,
        turn: &Turn<'_>,
    ) -> JobDone;

    /// Answers the call without running it.
    fn refuse(&self, failure: Failure) -> Option<Waker>;

    /// Answers the call if it has waited since before `oldest`.
    fn expire(&self, oldest: Duration) -> Option<Waker>;

    /// The span in which the caller made the call.
    fn span(&self) -> tracing::Span;
}

/// What became of a job.
pub(super) enum JobDone {
    /// Answered; wake its caller.
    Answered(Option<Waker>),
    /// Its answer waits for a commit.
    Gated(Arc<dyn Waiter>, Behind),
    /// Its answer may leave: nothing of its entity is uncommitted.
    Open(Arc<dyn Waiter>),
    /// The activation is lost: the handler panicked, or its state went too far. The answer waits
    /// for the entity's last write.
    Lost(Arc<dyn Waiter>, Failure),
    /// The store must be asked for this key first.
    LookUp(step::LookUp, Arc<dyn Job>),
    /// It must wait for the entity's earlier writes. Only a job that runs for the first time.
    Early(Arc<dyn Job>),
    /// Its handler waits for others, and the entity for it.
    Begun(Box<dyn Course>, Arc<dyn Job>),
}

/// A call whose answer waits behind the gate.
pub(super) trait Waiter: Send + Sync {
    /// The write is on stable storage: the answer may leave.
    fn open(self: Arc<Self>) -> Opened;

    /// The write is on stable storage, but the answer waits for those of effects: from now on the
    /// caller gets it in any case.
    fn hold(&self);

    /// The write is not: the answer is this instead.
    fn fail(&self, failure: Failure) -> Option<Waker>;

    /// Answers the call if it has waited since before `oldest`.
    fn expire(&self, oldest: Duration) -> Option<Waker>;
}

pub(super) use course::Course;
pub(super) use departure::{Departure, Opened};

/// Where a call is while its caller waits.
pub(crate) struct Slot<O: Operation> {
    state: Mutex<State<O>>,
    /// Since when it waits. `None` when the call has a deadline, and so a timer, of its own.
    accepted: Option<Duration>,
    span: tracing::Span,
    _permit: Permit,
}

enum State<O: Operation> {
    /// Not started. The option is only empty while the call runs.
    Queued {
        call: Option<Request<O>>,
        waker: Option<Waker>,
    },
    /// Its handler waits for others.
    Handling { waker: Option<Waker> },
    /// Ran; its answer waits for a commit.
    Gated {
        answer: Answer<O>,
        wrote: bool,
        waker: Option<Waker>,
    },
    /// Ran; once it has committed its target is asked. The option is empty while the target is.
    Forwarding {
        forwarding: Option<Box<Forwarding>>,
        wrote: bool,
        waker: Option<Waker>,
    },
    /// Committed; the answer waits for those of effects.
    Held {
        answer: Answer<O>,
        waker: Option<Waker>,
    },
    /// Answered.
    Ready(Answer<O>),
    /// The caller has its answer, or went away.
    Gone,
}

impl<O: Operation> Slot<O> {
    /// A call that waits in a queue.
    pub(super) fn queued(call: Request<O>, now: Duration, permit: Permit) -> Self {
        let accepted = call.options.deadline.get().is_none().then_some(now);
        let state = Mutex::new(State::Queued {
            call: Some(call),
            waker: None,
        });
        Self {
            state,
            accepted,
            span: tracing::Span::current(),
            _permit: permit,
        }
    }

    /// A call that must wait in a queue, if the runtime still takes one.
    pub(super) fn accept(request: Request<O>, shared: &Shared) -> Result<Self, Failure> {
        let bytes = step::argument_bytes(&request);
        match shared.budget.admit(bytes, &shared.limits) {
            Ok(permit) => Ok(Self::queued(request, shared.env.now(), permit)),
            Err(failure) => {
                discard(request);
                Err(failure)
            }
        }
    }

    /// A call that has run at once and whose answer waits for a commit.
    pub(super) fn gated(
        answer: Answer<O>,
        wrote: bool,
        accepted: Option<Duration>,
        permit: Permit,
    ) -> Self {
        let state = Mutex::new(State::Gated {
            answer,
            wrote,
            waker: None,
        });
        Self {
            state,
            accepted,
            span: tracing::Span::none(),
            _permit: permit,
        }
    }

    /// A call that has run at once and that its target answers.
    pub(super) fn forwarding(
        forwarding: Box<Forwarding>,
        wrote: bool,
        accepted: Option<Duration>,
        permit: Permit,
    ) -> Self {
        let state = Mutex::new(State::Forwarding {
            forwarding: Some(forwarding),
            wrote,
            waker: None,
        });
        Self {
            state,
            accepted,
            span: tracing::Span::none(),
            _permit: permit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer, if it is there; otherwise the caller's waker is kept.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Answer<O>> {
        let mut state = self.lock();
        match &mut *state {
            State::Queued { waker, .. }
            | State::Handling { waker }
            | State::Gated { waker, .. }
            | State::Forwarding { waker, .. }
            | State::Held { waker, .. } => {
                match waker {
                    Some(known) => known.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            State::Ready(_) | State::Gone => match std::mem::replace(&mut *state, State::Gone) {
                State::Ready(answer) => Poll::Ready(answer),
                _ => Poll::Ready(Err(Failure::Stopped.widen())),
            },
        }
    }

    /// The caller waits no longer: what it may say of the outcome. `None` if the answer came first, or
    /// comes from the target of a forward, which has the same deadline.
    pub(crate) fn give_up(&self) -> Option<Failure> {
        let mut state = self.lock();
        if let State::Held { .. } = &*state {
            // It has committed: the caller gets its own reply.
            release(&mut state);
            return None;
        }
        let failure = match &*state {
            State::Queued { call: Some(_), .. }
            | State::Handling { .. }
            | State::Gated { wrote: false, .. }
            | State::Forwarding {
                forwarding: Some(_),
                wrote: false,
                ..
            } => Failure::Timeout,
            State::Queued { .. }
            | State::Gated { .. }
            | State::Forwarding {
                forwarding: Some(_),
                ..
            } => Failure::unknown("the deadline passed while the command was under way"),
            State::Forwarding {
                forwarding: None, ..
            }
            | State::Held { .. }
            | State::Ready(_)
            | State::Gone => return None,
        };
        Self::change(state, State::Gone);
        Some(failure)
    }

    /// Moves on to another state. The last one may hold values of the user.
    fn change(mut state: MutexGuard<'_, State<O>>, next: State<O>) {
        let last = std::mem::replace(&mut *state, next);
        drop(state);
        discard(last);
    }

    fn answer(&self, answer: Answer<O>) -> Option<Waker> {
        let mut state = self.lock();
        let waker = match &mut *state {
            State::Queued { waker, .. }
            | State::Handling { waker }
            | State::Forwarding { waker, .. }
            | State::Gated { waker, .. } => waker.take(),
            State::Held { .. } | State::Ready(_) | State::Gone => {
                drop(state);
                discard(answer);
                return None;
            }
        };
        Self::change(state, State::Ready(answer));
        waker
    }

    fn expire_since(&self, oldest: Duration) -> Option<Waker> {
        if self.accepted.is_none_or(|accepted| accepted >= oldest) {
            return None;
        }
        let mut state = self.lock();
        let (failure, waker) = match &mut *state {
            State::Queued {
                call: Some(_),
                waker,
            }
            | State::Handling { waker }
            | State::Gated {
                wrote: false,
                waker,
                ..
            }
            | State::Forwarding {
                forwarding: Some(_),
                wrote: false,
                waker,
            } => (Failure::Timeout, waker.take()),
            State::Gated { waker, .. }
            | State::Forwarding {
                forwarding: Some(_),
                waker,
                ..
            } => (
                Failure::unknown("the commit did not answer in time"),
                waker.take(),
            ),
            State::Queued { .. }
            | State::Forwarding { .. }
            | State::Held { .. }
            | State::Ready(_)
            | State::Gone => return None,
        };
        Self::change(state, State::Ready(Err(failure.widen())));
        waker
    }

    fn settle(self: Arc<Self>, step: Step<O>, activation: &mut Activation) -> JobDone {
        match step {
            Step::Begun(begun) => self.hold(*begun, activation),
            Step::Forward { forwarding, behind } => self.forward(forwarding, behind),
            Step::Answer(answer) => JobDone::Answered(self.answer(answer)),
            Step::Gated { answer, behind } => {
                self.wait_with(answer, behind.is_write());
                JobDone::Gated(self, behind)
            }
            Step::Lost(failure) => {
                self.wait_with(Err(failure.clone().widen()), false);
                JobDone::Lost(self, failure)
            }
            Step::LookUp(look_up, call) => {
                let left = match &mut *self.lock() {
                    State::Queued { call: place, .. } => place.replace(call),
                    _ => Some(call),
                };
                discard(left);
                JobDone::LookUp(look_up, self)
            }
        }
    }

    /// Keeps the answer until the gate opens.
    fn wait_with(&self, answer: Answer<O>, wrote: bool) {
        let mut state = self.lock();
        let waker = match &mut *state {
            State::Queued { waker, .. }
            | State::Handling { waker }
            | State::Forwarding { waker, .. }
            | State::Gated { waker, .. } => waker.take(),
            // A caller that gave up is gone; its command runs to the end all the same.
            State::Held { .. } | State::Ready(_) | State::Gone => {
                drop(state);
                return discard(answer);
            }
        };
        let gated = State::Gated {
            answer,
            wrote,
            waker,
        };
        Self::change(state, gated);
    }

    /// Takes the request to run it; the caller's waker instead if it came too late.
    fn start(&self, turn: &Turn<'_>) -> Result<Request<O>, Option<Waker>> {
        let mut state = self.lock();
        let State::Queued { call, waker } = &mut *state else {
            return Err(None);
        };
        let deadline = call.as_ref().and_then(|call| call.options.deadline.get());
        if deadline.is_none_or(|deadline| turn.env.now() < deadline) {
            return call.take().ok_or(None);
        }
        let waker = waker.take();
        Self::change(state, State::Ready(Err(CallError::Timeout)));
        Err(waker)
    }
}

/// Lets a committed answer go; its caller is to be woken.
fn release<O: Operation>(state: &mut State<O>) -> Option<Waker> {
    match std::mem::replace(state, State::Gone) {
        State::Gated { answer, waker, .. } | State::Held { answer, waker } => {
            *state = State::Ready(answer);
            waker
        }
        other => {
            *state = other;
            None
        }
    }
}

impl<O: Operation> Drop for Slot<O> {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !matches!(state, State::Gone) {
            discard(std::mem::replace(state, State::Gone));
        }
    }
}

impl<O: Operation> Job for Slot<O> {
    fn run(self: Arc<Self>, activation: &mut Activation, turn: &Turn<'_>) -> JobDone {
        let is_early = <O::Mode as Mode<O>>::WAITS && activation.uncommitted > 0;
        if is_early && !planted!(AsyncStartsEarly) {
            return JobDone::Early(self);
        }
        match self.start(turn) {
            Ok(call) => {
                let step = step::run(call, activation, turn);
                self.settle(step, activation)
            }
            Err(waker) => JobDone::Answered(waker),
        }
    }

    fn resume(
        self: Arc<Self>,
        found: Option<StoredRecord>,
        activation: &mut Activation,
        turn: &Turn<'_>,
    ) -> JobDone {
        match self.start(turn) {
            Ok(call) => {
                let step = step::resume(call, found, activation, turn);
                self.settle(step, activation)
            }
            Err(waker) => JobDone::Answered(waker),
        }
    }

    fn refuse(&self, failure: Failure) -> Option<Waker> {
        self.answer(Err(failure.widen()))
    }

    fn expire(&self, oldest: Duration) -> Option<Waker> {
        self.expire_since(oldest)
    }

    fn span(&self) -> tracing::Span {
        self.span.clone()
    }
}

impl<O: Operation> Waiter for Slot<O> {
    fn open(self: Arc<Self>) -> Opened {
        let mut state = self.lock();
        let State::Forwarding { forwarding, .. } = &mut *state else {
            let waker = release(&mut state);
            return Opened::Wakes(waker);
        };
        let forwarding = forwarding.take();
        drop(state);
        match forwarding {
            Some(forwarding) => self.depart(forwarding),
            None => Opened::Wakes(None),
        }
    }

    fn hold(&self) {
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Gated { answer, waker, .. } => *state = State::Held { answer, waker },
            other => *state = other,
        }
    }

    fn fail(&self, failure: Failure) -> Option<Waker> {
        self.answer(Err(failure.widen()))
    }

    fn expire(&self, oldest: Duration) -> Option<Waker> {
        self.expire_since(oldest)
    }
}
