//! Plumbing for the macros. No promises to anybody else.

use std::future::Future;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use inventory;
pub use serde;
pub use tokio;

pub use crate::call::Handle;
pub use crate::runtime::definition::Registration;

use crate::codec::{Codec, DecodeError};
use crate::event::{Event, EventDeclaration, EventForm};
use crate::forward::Forward;

/// An entity whose commands change the state directly: what `&mut self` asks for.
#[diagnostic::on_unimplemented(
    message = "an event-sourced command takes `&self`",
    label = "remove `mut`",
    note = "`{Self}` is event-sourced: a command changes it through the events that it emits with \
            `ctx.emit(..)`, which `#[event_handler]` applies"
)]
pub trait ChangedInPlace {}

/// The state model in which a state is the fold of events: what an event handler asks for.
#[diagnostic::on_unimplemented(
    message = "an entity that is changed in place has no event handlers",
    label = "remove this handler",
    note = "the commands of a CRUD or CRDT entity take `&mut self` and change it in place. If it is to \
            be the fold of its events, say `#[entity(event_sourced)]`"
)]
pub trait FoldsEvents {}

impl FoldsEvents for crate::entity::EventSourcedKind {}

/// What the state of a CRUD entity is.
#[diagnostic::on_unimplemented(
    message = "the state of a CRUD entity is `Clone`",
    label = "needs `#[derive(Clone)]`",
    note = "a command works on a copy of `{Self}`, which is dropped when the command fails"
)]
pub trait Copied {
    /// A copy.
    #[must_use]
    fn copied(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Copied for T {
    fn copied(&self) -> Self {
        self.clone()
    }
}

/// An entity with an async command, which borrows the state while it waits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be borrowed across an `.await`",
    label = "an async command borrows the state while it waits",
    note = "make the state `Sync`: no `Cell`, `RefCell` or `Rc` in it; or remove `async`"
)]
pub trait HeldAcrossAwait {}

#[diagnostic::do_not_recommend]
impl<E: Sync> HeldAcrossAwait for E {}

/// What arguments are: their own trait, so that a missing derive is named in words of ours.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored and sent",
    label = "needs `Serialize` and `Deserialize`",
    note = "add `#[derive(Serialize, Deserialize)]` to it; for a type of another crate look for a \
            `serde` feature of that crate"
)]
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Payload for T {}

/// The two types of a `Result`, whatever alias it is written as.
#[diagnostic::on_unimplemented(
    message = "a return type that is called `Result` must be the standard one or an alias of it",
    label = "not a `std::result::Result`"
)]
pub trait ResultParts {
    /// What `Ok` holds.
    type Ok;
    /// What `Err` holds.
    type Err;
}

impl<T, E> ResultParts for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// The two types of a forward's answer.
#[diagnostic::on_unimplemented(
    message = "a return type that is called `Forward` must be that of `statefn`",
    label = "not a `statefn::Forward`"
)]
pub trait ForwardParts {
    /// What the target replies.
    type Reply;
    /// The target's no.
    type Error;
}

impl<T, E> ForwardParts for Forward<T, E> {
    type Reply = T;
    type Error = E;
}

/// A forward whose target rejects with what its handler rejects with.
#[diagnostic::on_unimplemented(
    message = "a handler and the target of its forward must reject with the same type",
    label = "this is a `{Self}`, and the handler rejects with `{E}`",
    note = "the caller gets a rejection of either as it is: write `Result<Forward<T, E>, E>`"
)]
pub trait ForwardWith<T, E> {
    /// The forward.
    fn into_forward(self) -> Forward<T, E>;
}

#[diagnostic::do_not_recommend]
impl<T, E> ForwardWith<T, E> for Forward<T, E> {
    fn into_forward(self) -> Self {
        self
    }
}

/// Tells whether a type is a `Result`: the inherent constant hides the trait's.
#[derive(Debug)]
pub struct ReplyProbe<T>(PhantomData<T>);

impl<T, E> ReplyProbe<Result<T, E>> {
    /// It is.
    pub const IS_RESULT: bool = true;
}

/// The other answer of [`ReplyProbe`].
pub trait NotResult {
    /// It is not.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for ReplyProbe<T> {}

/// The events of an entity whose handlers could not be understood.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum NoEvent {}

impl Event for NoEvent {
    const FORM: EventForm = EventForm::Enum;
    const EVENTS: &'static [EventDeclaration] = &[];

    fn index(&self) -> usize {
        match *self {}
    }

    fn upcast(_: usize, _: u32, _: Codec, _: &[u8]) -> Option<Result<Self, DecodeError>> {
        None
    }
}

/// Whether `E` is one event, not an enum of events.
pub const fn is_struct_event<E: Event>() -> bool {
    matches!(E::FORM, EventForm::Struct)
}

/// Whether `E` has a name that none of the events before it has.
pub const fn is_new_name<E: Event>(before: &[&[EventDeclaration]]) -> bool {
    let [own, ..] = E::EVENTS else {
        return true;
    };
    let mut rest = before;
    while let [events, others @ ..] = rest {
        if let [event, ..] = events
            && same(event.name, own.name)
        {
            return false;
        }
        rest = others;
    }
    true
}

/// Whether `E` is one event, stored under `name`.
pub const fn has_name<E: Event>(name: &str) -> bool {
    matches!(E::EVENTS, [only] if same(only.name, name))
}

/// Whether `E` is one event, of a version before `version`.
pub const fn is_older_than<E: Event>(version: u32) -> bool {
    matches!(E::EVENTS, [only] if only.version < version)
}

const fn same(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    loop {
        match (left, right) {
            ([], []) => return true,
            ([a, l @ ..], [b, r @ ..]) if *a == *b => (left, right) = (l, r),
            _ => return false,
        }
    }
}

/// Decodes an older version of an event through the type that declares it.
///
/// # Errors
///
/// The payload is not that event.
pub fn decode_older<E: Event>(
    version: u32,
    codec: Codec,
    payload: &[u8],
) -> Result<E, DecodeError> {
    crate::event::decode_at(0, version, codec, payload)
}

/// Runs the body of `#[statefn::main]` and `#[statefn::test]`.
///
/// # Panics
///
/// The operating system gives no threads or timers.
#[expect(
    clippy::expect_used,
    reason = "there is nobody to answer before the runtime exists"
)]
pub fn block_on<F: Future>(mut builder: tokio::runtime::Builder, body: F) -> F::Output {
    builder
        .enable_all()
        .build()
        .expect("a tokio runtime")
        .block_on(body)
}

/// Two states to compare, if their type allows it (method resolution by autoref: the first of the
/// two traits below applies when there is a `PartialEq`, the second otherwise).
#[derive(Debug)]
pub struct States<'a, E>(pub &'a E, pub &'a E);

/// For types with `PartialEq`.
pub trait SameByPartialEq {
    /// Whether the states are equal.
    fn same(&self) -> Option<bool>;
}

impl<E: PartialEq> SameByPartialEq for States<'_, E> {
    fn same(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// For all other types.
pub trait SameUnknown {
    /// Nobody can tell.
    fn same(&self) -> Option<bool> {
        None
    }
}

impl<E> SameUnknown for &States<'_, E> {}
