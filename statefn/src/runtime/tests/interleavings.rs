//! All interleavings of a call's answer with a caller that polls for it or gives up.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::thread::{self, Thread};
use serde::{Deserialize, Serialize};

use crate::call_error::{CallError, Failure};
use crate::codec::{Codec, DecodeError};
use crate::command::{Operation, Query, Reads};
use crate::entity::{Behavior, Entity, EntityRef, EventOf, EventSourcedKind, Options};
use crate::event::{Event, EventDeclaration, EventForm};
use crate::infallible::Infallible;
use crate::limits::Limits;
use crate::runtime::budget::Budget;
use crate::runtime::slot::{Slot, Waiter};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Nothing;

impl Event for Nothing {
    const FORM: EventForm = EventForm::Struct;
    const EVENTS: &'static [EventDeclaration] = &[];

    fn index(&self) -> usize {
        0
    }

    fn upcast(_: usize, _: u32, _: Codec, _: &[u8]) -> Option<Result<Self, DecodeError>> {
        None
    }
}

impl EventOf<Nothing> for Nothing {
    fn into_event(self) -> Nothing {
        self
    }
}

impl Behavior for Nothing {
    type Event = Nothing;

    fn apply(&mut self, _: &Nothing) {}
}

impl Entity for Nothing {
    type Kind = EventSourcedKind;
    type Ref = NothingRef;
    const TYPE: &'static str = "nothing";
    const OPTIONS: Options = Options::DEFAULT;
}

#[derive(Clone, Debug)]
struct NothingRef;

impl EntityRef for NothingRef {
    type Entity = Nothing;

    fn from_handle(_: crate::__private::Handle<Nothing>) -> Self {
        Self
    }
}

#[derive(Debug)]
struct Ask;

impl Operation for Ask {
    type Entity = Nothing;
    type Reply = u8;
    type Error = Infallible;
    type Mode = Reads;
    const NAME: &'static str = "ask";
}

impl Query for Ask {
    fn answer(self, _: &Nothing) -> Result<u8, Infallible> {
        Ok(7)
    }
}

/// A call that has run and whose answer waits for a commit.
fn gated() -> Arc<Slot<Ask>> {
    let budget = Arc::new(Budget::default());
    let permit = budget.admit(0, &Limits::default());
    let permit = permit.expect("there is room");
    Arc::new(Slot::gated(Ok(7), true, None, permit))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until the answer is there, as a caller does that blocks its thread.
fn wait(slot: &Slot<Ask>) -> Result<u8, CallError<Infallible>> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(answer) = slot.poll(&context) {
            return answer;
        }
        thread::park();
    }
}

/// Does what the shard does with the answer's waker.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[test]
fn a_caller_that_waits_is_woken_by_the_gate() {
    loom::model(|| {
        let slot = gated();
        let gate = Arc::clone(&slot);
        let gate = thread::spawn(move || wake(gate.open().waker()));
        assert_eq!(wait(&slot), Ok(7));
        gate.join().expect("no panic");
    });
}

#[test]
fn a_caller_that_waits_is_woken_by_a_failure() {
    loom::model(|| {
        let slot = gated();
        let gate = Arc::clone(&slot);
        let gate = thread::spawn(move || wake(gate.fail(Failure::Stopped)));
        assert_eq!(wait(&slot), Err(CallError::Stopped));
        gate.join().expect("no panic");
    });
}

#[test]
fn a_caller_that_moves_to_another_thread_is_woken_there() {
    loom::model(|| {
        let slot = gated();
        // Polled with a waker that nobody listens to any more.
        let early = slot.poll(&Context::from_waker(Waker::noop()));
        assert!(early.is_pending());
        let gate = Arc::clone(&slot);
        let gate = thread::spawn(move || wake(gate.open().waker()));
        assert_eq!(wait(&slot), Ok(7));
        gate.join().expect("no panic");
    });
}

#[test]
fn whoever_gives_up_gets_the_answer_or_the_doubt_never_both() {
    loom::model(|| {
        let slot = gated();
        let gate = Arc::clone(&slot);
        let gate = thread::spawn(move || wake(gate.open().waker()));
        match slot.give_up() {
            // What was written may be committed: nobody can say that it was not.
            Some(failure) => assert!(matches!(
                failure.widen::<Infallible>(),
                CallError::OutcomeUnknown { .. }
            )),
            None => assert_eq!(wait(&slot), Ok(7)),
        }
        gate.join().expect("no panic");
    });
}
