//! What a command sends on, as tests write it down.

use statefn_store::Timestamp;

use crate::call::Handle;
use crate::effect::Deferrable;
use crate::entity::{Behavior, EntityRef};
use crate::schedule::Schedule;
use crate::testing::scenario::answer::Value;
use crate::testing::scenario::sent::{Baggage, Sent, Set};
use crate::testing::scenario::trial::Told;
use crate::testing::scenario::{After, Testable, checks, or_panic};

/// A reference without a runtime, to write down the calls that a command is expected to send on.
///
/// Its calls can be compared and not made: awaited, they answer
/// [`CallError::Reentrancy`](crate::CallError::Reentrancy).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # fn main() {
/// let counter = statefn::testing::entity::<Counter>("visits");
/// assert_eq!(counter.id(), "visits");
/// let call = counter.add(1);      // for `then_effects([..])`, `then_scheduled(..)`, `then_forward(..)`
/// # drop(call);
/// # }
/// ```
pub fn entity<T: Behavior>(id: impl Into<Box<str>>) -> T::Ref {
    T::Ref::from_handle(Handle::<T>::within(None, id.into()))
}

/// Calls that a command sends on: an array or a `Vec` of calls of one command, or a tuple of different
/// ones.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of calls",
    note = "write an array, a `Vec`, or a tuple of up to eight calls, as in \
            `.then_effects([entity::<Cart>(\"alice\").add_item(..)])`"
)]
pub trait CallList {
    #[doc(hidden)]
    fn into_sent(self, take: &mut Vec<Expected>);
}

/// Timers that a command sets: an array or a `Vec` of `(name, when, call)`, or a tuple of different ones.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of timers",
    note = "write an array, a `Vec`, or a tuple of up to eight `(name, when, call)`, as in \
            `.then_scheduled([(\"expire\", Duration::from_secs(60), entity::<Seat>(\"12A\").release())])`"
)]
pub trait TimerList {
    #[doc(hidden)]
    fn into_set(self, now: Timestamp, take: &mut Vec<ExpectedTimer>);
}

/// An expected call.
#[doc(hidden)]
#[derive(Debug)]
pub struct Expected(Sent);

/// An expected timer.
#[doc(hidden)]
#[derive(Debug)]
pub struct ExpectedTimer(Set);

impl<C: Deferrable, const N: usize> CallList for [C; N] {
    fn into_sent(self, take: &mut Vec<Expected>) {
        take.extend(self.into_iter().map(|call| Expected(Sent::expected(call))));
    }
}

impl<C: Deferrable> CallList for Vec<C> {
    fn into_sent(self, take: &mut Vec<Expected>) {
        take.extend(self.into_iter().map(|call| Expected(Sent::expected(call))));
    }
}

impl<N: Into<String>, W: Into<Schedule>, C: Deferrable, const COUNT: usize> TimerList
    for [(N, W, C); COUNT]
{
    fn into_set(self, now: Timestamp, take: &mut Vec<ExpectedTimer>) {
        for timer in self {
            one(timer, now, take);
        }
    }
}

impl<N: Into<String>, W: Into<Schedule>, C: Deferrable> TimerList for Vec<(N, W, C)> {
    fn into_set(self, now: Timestamp, take: &mut Vec<ExpectedTimer>) {
        for timer in self {
            one(timer, now, take);
        }
    }
}

fn one<N: Into<String>, W: Into<Schedule>, C: Deferrable>(
    (name, when, call): (N, W, C),
    now: Timestamp,
    take: &mut Vec<ExpectedTimer>,
) {
    let timer = Set::expected(name.into(), when.into(), call, now);
    take.push(ExpectedTimer(timer));
}

macro_rules! tuples {
    ($($([$name:ident $when:ident $call:ident])*;)*) => {
        $(
            impl<$($call: Deferrable),*> CallList for ($($call,)*) {
                fn into_sent(self, take: &mut Vec<Expected>) {
                    #[expect(non_snake_case, reason = "a name for each type")]
                    let ($($call,)*) = self;
                    $(take.push(Expected(Sent::expected($call)));)*
                }
            }

            impl<$($name: Into<String>, $when: Into<Schedule>, $call: Deferrable),*> TimerList
                for ($(($name, $when, $call),)*)
            {
                fn into_set(self, now: Timestamp, take: &mut Vec<ExpectedTimer>) {
                    #[expect(non_snake_case, reason = "a name for each type")]
                    let ($($call,)*) = self;
                    $(one($call, now, take);)*
                }
            }
        )*
    };
}

tuples! {
    [N1 W1 C1];
    [N1 W1 C1] [N2 W2 C2];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3] [N4 W4 C4];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3] [N4 W4 C4] [N5 W5 C5];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3] [N4 W4 C4] [N5 W5 C5] [N6 W6 C6];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3] [N4 W4 C4] [N5 W5 C5] [N6 W6 C6] [N7 W7 C7];
    [N1 W1 C1] [N2 W2 C2] [N3 W3 C3] [N4 W4 C4] [N5 W5 C5] [N6 W6 C6] [N7 W7 C7] [N8 W8 C8];
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "a scenario may end with any comparison"
)]
impl<E: Testable, T: Value, R: Value> After<E, T, R> {
    /// The command sends exactly these effects, in this order; [`entity`] gives the references to write
    /// them down. An effect of `effect_sync` counts as well.
    ///
    /// # Panics
    ///
    /// It sends others.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use statefn::prelude::*;
    /// # use std::time::Duration;
    /// # #[entity(crud)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Account { cents: u64 }
    /// #[entity]
    /// impl Account {
    ///     #[command]
    ///     fn deposit(&mut self, cents: u64) { self.cents += cents; }
    ///
    ///     #[command]
    ///     fn send(&mut self, ctx: &mut Context<Self>, to: String, cents: u64) {
    ///         self.cents -= cents;
    ///         ctx.effect(ctx.entity::<Account>(to).deposit(cents));
    ///         ctx.schedule("remind", Duration::from_secs(60), ctx.me().deposit(0));
    ///     }
    /// }
    ///
    /// # fn main() {
    /// use statefn::testing::{Scenario, entity};
    ///
    /// Scenario::<Account>::new("alice")
    ///     .given_state(Account { cents: 5 })
    ///     .when(|account, ctx| account.send(ctx, "bob".into(), 3))
    ///     .then_state(Account { cents: 2 })
    ///     .then_effects([entity::<Account>("bob").deposit(3)])
    ///     .then_scheduled([("remind", Duration::from_secs(60), entity::<Account>("alice").deposit(0))]);
    /// # }
    /// ```
    #[track_caller]
    pub fn then_effects(self, expected: impl CallList) -> Self {
        let mut calls = Vec::new();
        expected.into_sent(&mut calls);
        let expected: Vec<Sent> = calls.into_iter().map(|call| call.0).collect();
        let complaint = "the command sends other effects";
        let sent = &self.scenario().subject.baggage().effects;
        or_panic(checks::same(complaint, sent, &expected));
        self
    }

    /// The command sets exactly these timers, in this order: `(name, when, call)`.
    ///
    /// # Panics
    ///
    /// It sets others.
    #[track_caller]
    pub fn then_scheduled(self, expected: impl TimerList) -> Self {
        let mut timers = Vec::new();
        expected.into_set(self.scenario().now, &mut timers);
        let expected: Vec<Set> = timers.into_iter().map(|timer| timer.0).collect();
        let complaint = "the command sets other timers";
        let set = &self.scenario().subject.baggage().set;
        or_panic(checks::same(complaint, set, &expected));
        self
    }

    /// The command cancels exactly the timers of these names, in this order.
    ///
    /// # Panics
    ///
    /// It cancels others.
    #[track_caller]
    pub fn then_cancelled<N: Into<String>>(self, expected: impl IntoIterator<Item = N>) -> Self {
        let expected: Vec<String> = expected.into_iter().map(Into::into).collect();
        let complaint = "the command cancels other timers";
        let cancelled = &self.scenario().subject.baggage().cancelled;
        or_panic(checks::same(complaint, cancelled, &expected));
        self
    }

    /// The command leaves its answer to this call: see [`Context::forward`](crate::Context::forward). What was sent to
    /// the command along with it ([`Scenario::metadata`](crate::testing::Scenario::metadata)) goes on, so the expected call names it.
    ///
    /// # Panics
    ///
    /// It leaves it to another one, or answers by itself.
    #[track_caller]
    pub fn then_forward(self, expected: impl Deferrable) -> Self {
        let expected = Sent::expected(expected);
        match self.told() {
            Told::Forward(call) => {
                let complaint = "the command is forwarded to another call";
                or_panic(checks::same(complaint, call, &expected));
            }
            told => panic!(
                "the command answers by itself, a forward was expected\n  left: {told:?}\n right: \
                 {expected:?}"
            ),
        }
        self
    }

    /// The command sends nothing on: no effects, no timers set or cancelled, no forward. What a rejected
    /// command sent never existed.
    ///
    /// # Panics
    ///
    /// It sends something.
    #[track_caller]
    pub fn then_nothing_sent(self) -> Self {
        let baggage = self.scenario().subject.baggage();
        let complaint = "the command sends something on";
        or_panic(checks::same(complaint, baggage, &Baggage::default()));
        if let Told::Forward(call) = self.told() {
            panic!("the command is forwarded to {call:?}");
        }
        self
    }
}
