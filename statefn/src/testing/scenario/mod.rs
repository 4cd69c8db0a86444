//! Tests of one entity without a runtime: given events, when a command, then what it came to.

mod after;
mod answer;
mod asked;
mod checks;
mod events;
mod expected;
mod sent;
mod subject;
mod trial;
mod waiting;

use std::fmt;

use statefn_store::{PersistenceId, Timestamp};

use crate::context::Context;
use crate::entity::Behavior;
use crate::infallible::Infallible;
use crate::metadata::Metadata;
use crate::reply::Handled;
use crate::testing::VirtualClock;

pub use after::After;
pub use answer::{Answer, Value};
pub use asked::Asked;
pub use events::EventList;
pub use expected::{CallList, TimerList, entity};
use subject::Subject;
use trial::Command;
pub(crate) use trial::Handle;

/// What a test needs of an entity besides its behavior: to compare it and to show it.
///
/// Every entity has it that derives `PartialEq` and `Debug` and whose events do.
pub trait Testable: Behavior<Event: PartialEq + fmt::Debug> + PartialEq + fmt::Debug {}

impl<E: Behavior<Event: PartialEq + fmt::Debug> + PartialEq + fmt::Debug> Testable for E {}

/// A test of one entity, without a runtime, a store or mocks: plain calls of the handlers.
///
/// [`given`](Self::given) some events, [`when`](Self::when) a command runs, then compare what it
/// came to: its events, its reply or rejection, the state. The code between a handler's answer and
/// the stored events is the runtime's own.
///
/// ```
/// # mod shop {
/// # use serde::{Deserialize, Serialize};
/// # use statefn::prelude::*;
/// # #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
/// # pub enum CartEvent { ItemAdded { product: String, quantity: u32 }, Emptied }
/// # #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// # pub enum CartError { Quantity, Empty }
/// # #[entity(event_sourced, name = "cart")]
/// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
/// # pub struct Cart { items: Vec<(String, u32)> }
/// # #[entity]
/// # impl Cart {
/// #     #[command]
/// #     pub fn add(&self, ctx: &mut Context<Self>, product: String, quantity: u32)
/// #         -> Result<Then<Self, usize>, CartError> {
/// #         if quantity == 0 { return Err(CartError::Quantity); }
/// #         ctx.emit(CartEvent::ItemAdded { product, quantity });
/// #         Ok(ctx.then(|cart| cart.items.len()))
/// #     }
/// #     #[query]
/// #     pub fn len(&self) -> usize { self.items.len() }
/// #     #[event_handler]
/// #     fn apply(&mut self, event: &CartEvent) {
/// #         match event {
/// #             CartEvent::ItemAdded { product, quantity } => {
/// #                 self.items.push((product.clone(), *quantity));
/// #             }
/// #             CartEvent::Emptied => self.items.clear(),
/// #         }
/// #     }
/// # }
/// # }
/// # use shop::*;
/// use statefn::testing::Scenario;
///
/// let added = |product: &str| CartEvent::ItemAdded { product: product.into(), quantity: 1 };
///
/// Scenario::<Cart>::new("alice")
///     .given([added("p1")])
///     .when(|cart, ctx| cart.add(ctx, "p2".into(), 1))
///     .then_events([added("p2")])
///     .then_reply(2)
///     .when(|cart, ctx| cart.add(ctx, "p3".into(), 0))
///     .then_no_events()
///     .then_rejection(CartError::Quantity)
///     .query(|cart| cart.len())
///     .then_reply(2);
/// ```
///
/// # What is checked beside
///
/// Each step also checks, by `PartialEq`, what the runtime relies on:
///
/// - The handler decides the same when it runs again on the same state (it runs at least twice),
///   so it asks neither the clock nor a random source nor the order of a `HashMap`.
/// - The handler leaves the state alone: an event-sourced state changes through events only.
/// - Events, replies, rejections and the state come back from the entity's codec as they were.
/// - Replaying all stored events gives the state in memory.
/// - So does a snapshot and the rest of the events, wherever the snapshot was taken (at every
///   event up to 256; spread over them beyond that). Not for `snapshot_every = 0`.
///
/// # Panics
///
/// This is a test kit: whatever does not hold is a panic at the caller's line that shows both
/// sides. So are panics of the handlers.
pub struct Scenario<E: Testable> {
    subject: Subject<E>,
    now: Timestamp,
    metadata: Metadata,
}

impl<E: Testable> Scenario<E> {
    /// An entity of this id without any events, on 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self {
            subject: Subject::new(PersistenceId::new(E::TYPE, id)),
            now: VirtualClock::new().now(),
            metadata: Metadata::new(),
        }
    }

    /// Events that have happened: an array or a `Vec` of events, or a tuple of different event
    /// structs. Called again, it adds to them.
    ///
    /// # Panics
    ///
    /// One of the built-in checks fails.
    #[must_use]
    #[track_caller]
    pub fn given(mut self, events: impl EventList<E>) -> Self {
        or_panic(self.subject.happened(events.into_events()));
        self
    }

    /// The state of a CRUD entity as it was stored.
    ///
    /// # Panics
    ///
    /// It does not come back from the codec as it was.
    #[must_use]
    #[track_caller]
    pub fn given_state(mut self, state: E) -> Self
    where
        E: Behavior<Event = E>,
    {
        or_panic(self.subject.happened(vec![state]));
        self
    }

    /// What the next commands see as [`Context::now`].
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// What the next commands see as [`Context::metadata`].
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Runs a command. It is called more than once, with the state and a new context.
    ///
    /// Takes handlers that return `Result`, [`Then`](crate::Then), `()` or a standard type; for
    /// a reply of your own type without `Result` there is
    /// [`when_infallible`](Self::when_infallible).
    ///
    /// # Panics
    ///
    /// One of the built-in checks fails, or the command does (its events are too large, say).
    #[track_caller]
    pub fn when<A: Answer<E>>(
        self,
        command: impl Fn(Handle<'_, E>, &mut Context<E>) -> A,
    ) -> After<E, A::Reply, A::Rejection> {
        self.run(&|entity, ctx| Ok(command(entity, ctx).into_handled()))
    }

    /// Runs an async command; [`when`](Self::when) says the rest.
    ///
    /// A scenario has no runtime: a handler that waits for time or for somebody else is a failure, and a
    /// call of another entity that it awaits is answered
    /// [`CallError::Reentrancy`](crate::CallError::Reentrancy). Test those with a runtime on the
    /// in-memory store.
    ///
    /// # Panics
    ///
    /// As [`when`](Self::when); also if the handler waits.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use statefn::prelude::*;
    /// # #[entity(crud)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Total { sum: u64 }
    /// #[entity]
    /// impl Total {
    ///     #[command]
    ///     async fn add(&mut self, numbers: Vec<u64>) -> u64 {
    ///         self.sum += numbers.iter().sum::<u64>();
    ///         self.sum
    ///     }
    /// }
    ///
    /// # fn main() {
    /// use statefn::testing::Scenario;
    ///
    /// Scenario::<Total>::new("today")
    ///     .when_async(async |total, _| total.add(vec![1, 2]).await)
    ///     .then_reply(3)
    ///     .then_state(Total { sum: 3 });
    /// # }
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write the closure in place"
    )]
    #[track_caller]
    pub fn when_async<A: Answer<E>>(
        self,
        command: impl AsyncFn(Handle<'_, E>, &mut Context<E>) -> A,
    ) -> After<E, A::Reply, A::Rejection> {
        self.run(&|entity, ctx| Ok(waiting::alone(command(entity, ctx))?.into_handled()))
    }

    /// Runs a command whose handler returns its reply as it is, without `Result`.
    ///
    /// # Panics
    ///
    /// As [`when`](Self::when).
    #[track_caller]
    pub fn when_infallible<T: Value>(
        self,
        command: impl Fn(Handle<'_, E>, &mut Context<E>) -> T,
    ) -> After<E, T, Infallible> {
        self.run(&|entity, ctx| Ok(Handled::Reply(command(entity, ctx))))
    }

    #[track_caller]
    fn run<T: Value, R: Value>(mut self, command: Command<'_, E, T, R>) -> After<E, T, R> {
        let answer = or_panic(self.subject.run(command, self.now, &self.metadata));
        After::new(self, answer)
    }

    /// Asks a query. What it returns is compared as a whole, also a `Result`.
    ///
    /// # Panics
    ///
    /// One of the built-in checks fails.
    #[track_caller]
    pub fn query<R: Value>(self, query: impl Fn(&E) -> R) -> Asked<E, R> {
        let reply = or_panic(self.subject.ask(&query));
        Asked::new(self, reply)
    }

    /// The state after all events so far.
    pub fn state(&self) -> &E {
        self.subject.state()
    }

    /// Compares the state after all events so far.
    ///
    /// # Panics
    ///
    /// It is another one.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write the value in place"
    )]
    #[expect(
        clippy::return_self_not_must_use,
        reason = "a scenario may end with a comparison"
    )]
    #[track_caller]
    pub fn then_state(self, expected: E) -> Self {
        or_panic(checks::same(
            "the state is another one",
            self.state(),
            &expected,
        ));
        self
    }
}

impl<E: Testable> fmt::Debug for Scenario<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("state", self.state())
            .finish_non_exhaustive()
    }
}

/// A test kit answers by panicking.
#[track_caller]
fn or_panic<T>(result: Result<T, String>) -> T {
    match result {
        Ok(value) => value,
        Err(complaint) => panic!("{complaint}"),
    }
}
