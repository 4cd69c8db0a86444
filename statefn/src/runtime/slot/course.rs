//! The way of an async command: begun in its shard, run outside, concluded in its shard.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Job, JobDone, Slot, State};
use crate::call_error::CallError;
use crate::command::Operation;
use crate::runtime::activation::Activation;
use crate::runtime::step::{Begun, Step, Turn};

/// An async command under way, whatever its type.
pub(in crate::runtime) trait Course: Send {
    /// When the command must have ended, by `Env::now`.
    fn until(&self, call_timeout: Duration) -> Duration;

    /// Runs its handler as far as it goes.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Drops its handler where it stands: too late, or not wanted any more.
    fn abandon(&mut self);

    /// Back in the shard: what the command came to happens now.
    fn conclude(self: Box<Self>, activation: &mut Activation, turn: &Turn<'_>) -> JobDone;

    /// The span in which the caller made the call.
    fn span(&self) -> tracing::Span;
}

struct Way<O: Operation> {
    slot: Arc<Slot<O>>,
    begun: Begun<O>,
}

impl<O: Operation> Slot<O> {
    /// The handler runs outside from now on, unless the caller is not waiting for it any more.
    pub(super) fn hold(self: Arc<Self>, begun: Begun<O>, activation: &mut Activation) -> JobDone {
        let is_wanted = {
            let mut state = self.lock();
            if let State::Queued { waker, .. } = &mut *state {
                let waker = waker.take();
                *state = State::Handling { waker };
                true
            } else {
                false
            }
        };
        if !is_wanted {
            return self.call_off(begun, activation);
        }
        let job = Arc::clone(&self) as Arc<dyn Job>;
        JobDone::Begun(Box::new(Way { slot: self, begun }), job)
    }

    /// The handler has ended and what it decided will happen: from now on whoever does not wait any
    /// longer cannot be told that it did not. `false` if somebody was told that already.
    fn takes_effect(&self) -> bool {
        let mut state = self.lock();
        if let State::Handling { waker } = &mut *state {
            let (call, waker) = (None, waker.take());
            *state = State::Queued { call, waker };
            return true;
        }
        false
    }

    /// Nothing of the command happens.
    fn call_off(self: Arc<Self>, begun: Begun<O>, activation: &mut Activation) -> JobDone {
        match begun.give_up(activation) {
            Ok(()) => JobDone::Answered(None),
            Err(failure) => JobDone::Lost(self, failure),
        }
    }
}

impl<O: Operation> Course for Way<O> {
    fn until(&self, call_timeout: Duration) -> Duration {
        let accepted = self.slot.accepted;
        accepted.map_or(self.begun.until, |accepted| {
            accepted.saturating_add(call_timeout)
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.begun.handling.poll(cx)
    }

    fn abandon(&mut self) {
        self.begun.handling.abandon();
    }

    fn conclude(self: Box<Self>, activation: &mut Activation, turn: &Turn<'_>) -> JobDone {
        let Self { slot, begun } = *self;
        if !begun.handling.has_ended() {
            let waker = slot.answer(Err(CallError::Timeout));
            return match slot.call_off(begun, activation) {
                JobDone::Answered(_) => JobDone::Answered(waker),
                other => other,
            };
        }
        if !slot.takes_effect() {
            return slot.call_off(begun, activation);
        }
        let step: Step<O> = begun.conclude(activation, turn);
        slot.settle(step, activation)
    }

    fn span(&self) -> tracing::Span {
        self.slot.span.clone()
    }
}
