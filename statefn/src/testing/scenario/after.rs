//! What a command came to, to be compared.

use std::fmt;

use statefn_store::Timestamp;

use crate::Infallible;
use crate::context::Context;
use crate::metadata::Metadata;
use crate::testing::scenario::answer::{Answer, Value};
use crate::testing::scenario::trial::Told;
use crate::testing::scenario::{Asked, EventList, Handle, Scenario, Testable, checks, or_panic};

/// A scenario after a command: compare what it came to, or go on.
///
/// Made by [`Scenario::when`].
pub struct After<E: Testable, T, R> {
    scenario: Scenario<E>,
    answer: Told<T, R>,
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "a scenario may end with any comparison"
)]
impl<E: Testable, T: Value, R: Value> After<E, T, R> {
    pub(super) fn new(scenario: Scenario<E>, answer: Told<T, R>) -> Self {
        Self { scenario, answer }
    }

    pub(super) fn scenario(&self) -> &Scenario<E> {
        &self.scenario
    }

    pub(super) fn told(&self) -> &Told<T, R> {
        &self.answer
    }

    /// The command emitted exactly these events, in this order.
    ///
    /// # Panics
    ///
    /// It emitted others.
    #[track_caller]
    pub fn then_events(self, expected: impl EventList<E>) -> Self {
        let emitted = self.scenario.subject.emitted();
        let complaint = "the command emitted other events";
        or_panic(checks::same(
            complaint,
            emitted,
            expected.into_events().as_slice(),
        ));
        self
    }

    /// The command emitted nothing. What a rejected command emitted never existed.
    ///
    /// # Panics
    ///
    /// It emitted something.
    #[track_caller]
    pub fn then_no_events(self) -> Self {
        let emitted = self.scenario.subject.emitted();
        or_panic(checks::same("the command emitted events", emitted, &[]));
        self
    }

    /// The command stores nothing: it emitted nothing, left the state of a CRUD entity as it was, and
    /// did not delete it.
    ///
    /// # Panics
    ///
    /// It stores something.
    #[track_caller]
    pub fn then_unchanged(self) -> Self {
        let subject = &self.scenario.subject;
        let complaint = "the command changed the entity";
        or_panic(checks::same(complaint, subject.emitted(), &[]));
        assert!(!subject.is_deleted(), "the command deleted the entity");
        self
    }

    /// The command deleted the entity, after the events that it emitted.
    ///
    /// # Panics
    ///
    /// The entity was not deleted; also when there was nothing of it to delete.
    #[track_caller]
    pub fn then_deleted(self) -> Self {
        let is_deleted = self.scenario.subject.is_deleted();
        assert!(is_deleted, "the command did not delete the entity");
        self
    }

    /// The command was accepted and answered this; a `Then` is asked after the events.
    ///
    /// # Panics
    ///
    /// It answered something else, or it was rejected.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write the value in place"
    )]
    #[track_caller]
    pub fn then_reply(self, expected: T) -> Self {
        match &self.answer {
            Told::Reply(reply) => or_panic(checks::same(
                "the command replied something else",
                reply,
                &expected,
            )),
            Told::Rejection(rejection) => panic!(
                "the command was rejected, a reply was expected\n  left: {rejection:#?}\n right: \
                 {expected:#?}"
            ),
            Told::Forward(call) => panic!(
                "the command was forwarded, a reply was expected\n  left: {call:?}\n right: \
                 {expected:#?}"
            ),
        }
        self
    }

    /// The command was rejected with this.
    ///
    /// # Panics
    ///
    /// It was rejected with something else, or accepted.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write the value in place"
    )]
    #[track_caller]
    pub fn then_rejection(self, expected: R) -> Self {
        match &self.answer {
            Told::Rejection(rejection) => or_panic(checks::same(
                "the command was rejected with something else",
                rejection,
                &expected,
            )),
            Told::Reply(reply) => panic!(
                "the command was accepted, a rejection was expected\n  left: {reply:#?}\n right: \
                 {expected:#?}"
            ),
            Told::Forward(call) => panic!(
                "the command was forwarded, a rejection was expected\n  left: {call:?}\n right: \
                 {expected:#?}"
            ),
        }
        self
    }

    /// The state after the command's events.
    ///
    /// # Panics
    ///
    /// It is another one.
    #[track_caller]
    pub fn then_state(mut self, expected: E) -> Self {
        self.scenario = self.scenario.then_state(expected);
        self
    }

    /// What the command answered, for comparisons of your own.
    ///
    /// # Errors
    ///
    /// The command's rejection.
    ///
    /// # Panics
    ///
    /// The command was forwarded: it has no answer of its own.
    #[track_caller]
    pub fn answer(&self) -> Result<&T, &R> {
        match &self.answer {
            Told::Reply(reply) => Ok(reply),
            Told::Rejection(rejection) => Err(rejection),
            Told::Forward(call) => panic!("the command was forwarded to {call:?}"),
        }
    }

    /// The state after the command's events, for comparisons of your own.
    pub fn state(&self) -> &E {
        self.scenario.state()
    }

    /// Goes on: see [`Scenario::given`].
    ///
    /// # Panics
    ///
    /// One of the built-in checks fails.
    #[must_use]
    #[track_caller]
    pub fn given(self, events: impl EventList<E>) -> Scenario<E> {
        self.scenario.given(events)
    }

    /// Goes on: see [`Scenario::at`].
    #[must_use]
    pub fn at(self, now: Timestamp) -> Scenario<E> {
        self.scenario.at(now)
    }

    /// Goes on: see [`Scenario::metadata`].
    #[must_use]
    pub fn metadata(self, metadata: Metadata) -> Scenario<E> {
        self.scenario.metadata(metadata)
    }

    /// Goes on: see [`Scenario::when`].
    ///
    /// # Panics
    ///
    /// As [`Scenario::when`].
    #[track_caller]
    pub fn when<A: Answer<E>>(
        self,
        command: impl Fn(Handle<'_, E>, &mut Context<E>) -> A,
    ) -> After<E, A::Reply, A::Rejection> {
        self.scenario.when(command)
    }

    /// Goes on: see [`Scenario::when_async`].
    ///
    /// # Panics
    ///
    /// As [`Scenario::when_async`].
    #[track_caller]
    pub fn when_async<A: Answer<E>>(
        self,
        command: impl AsyncFn(Handle<'_, E>, &mut Context<E>) -> A,
    ) -> After<E, A::Reply, A::Rejection> {
        self.scenario.when_async(command)
    }

    /// Goes on: see [`Scenario::when_infallible`].
    ///
    /// # Panics
    ///
    /// As [`Scenario::when`].
    #[track_caller]
    pub fn when_infallible<V: Value>(
        self,
        command: impl Fn(Handle<'_, E>, &mut Context<E>) -> V,
    ) -> After<E, V, Infallible> {
        self.scenario.when_infallible(command)
    }

    /// Goes on: see [`Scenario::query`].
    ///
    /// # Panics
    ///
    /// As [`Scenario::query`].
    #[track_caller]
    pub fn query<V: Value>(self, query: impl Fn(&E) -> V) -> Asked<E, V> {
        self.scenario.query(query)
    }
}

impl<E: Testable, T: fmt::Debug, R: fmt::Debug> fmt::Debug for After<E, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("After")
            .field("answer", &self.answer)
            .field("state", self.scenario.state())
            .finish_non_exhaustive()
    }
}
