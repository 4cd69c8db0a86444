//! The way of a forwarded command: committed, then answered by its target.

use std::any::Any;
use std::sync::Arc;
use std::task::Waker;

use super::{JobDone, Slot, State};
use crate::call_error::{CallError, Failure, Forwarded};
use crate::command::Operation;
use crate::runtime::forwarding::Forwarding;
use crate::runtime::isolate::discard;
use crate::runtime::outcome::Answer;
use crate::runtime::step::Behind;

/// A committed command that another one is to answer, whatever its type.
pub(in crate::runtime) trait Departure: Send + Sync {
    /// Where it goes.
    fn forwarding(&self) -> &Forwarding;

    /// The target has answered (the answer of its call, whole), or could not be asked.
    fn arrive(self: Box<Self>, answer: Result<Box<dyn Any + Send>, Failure>) -> Option<Waker>;
}

/// What an open gate means for an answer behind it.
pub(in crate::runtime) enum Opened {
    /// It has left; wake its caller.
    Wakes(Option<Waker>),
    /// It is still to be asked for.
    Departs(Box<dyn Departure>),
}

impl Opened {
    /// The waker of an answer that has left.
    pub(in crate::runtime) fn waker(self) -> Option<Waker> {
        match self {
            Self::Wakes(waker) => waker,
            Self::Departs(_) => None,
        }
    }
}

struct Trip<O: Operation> {
    slot: Arc<Slot<O>>,
    forwarding: Box<Forwarding>,
}

impl<O: Operation> Slot<O> {
    /// The command is applied, and goes on once it has committed.
    pub(super) fn forward(
        self: Arc<Self>,
        forwarding: Box<Forwarding>,
        behind: Option<Behind>,
    ) -> JobDone {
        let wrote = behind.as_ref().is_some_and(Behind::is_write);
        let mut state = self.lock();
        match &mut *state {
            State::Queued { waker, .. } | State::Handling { waker } => {
                let waker = waker.take();
                let forwarding = Some(forwarding);
                let next = State::Forwarding {
                    forwarding,
                    wrote,
                    waker,
                };
                Self::change(state, next);
            }
            // Too late for the caller, and so for the target.
            _ => drop(state),
        }
        match behind {
            Some(behind) => JobDone::Gated(self, behind),
            None => JobDone::Open(self),
        }
    }

    /// The gate is open for a forward: it departs.
    pub(super) fn depart(self: Arc<Self>, forwarding: Box<Forwarding>) -> Opened {
        let slot = self;
        Opened::Departs(Box::new(Trip { slot, forwarding }))
    }
}

impl<O: Operation> Departure for Trip<O> {
    fn forwarding(&self) -> &Forwarding {
        &self.forwarding
    }

    fn arrive(self: Box<Self>, answer: Result<Box<dyn Any + Send>, Failure>) -> Option<Waker> {
        let Self { slot, forwarding } = *self;
        let route = forwarding.route;
        drop(forwarding.underway);
        let answer: Answer<O> = match answer.map(<Box<dyn Any + Send>>::downcast) {
            Ok(Ok(answer)) => *answer,
            Ok(Err(other)) => {
                discard(other);
                Err(Failure::Encoding {
                    what: "the answer of a forward",
                    reason: "the target answers with other types than when it was stored".into(),
                }
                .widen())
            }
            Err(failure) => Err(failure.widen()),
        };
        let target = route.call.target;
        slot.answer(answer.map_err(|error| match error {
            error if !route.wrote => error,
            CallError::Forwarded(further) => CallError::Forwarded(further),
            error => CallError::Forwarded(Box::new(Forwarded { target, error })),
        }))
    }
}
