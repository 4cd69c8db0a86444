//! What a caller can ask of an entity: commands, which may write, and queries, which may not.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, EncodeError};
use crate::context::Context;
use crate::entity::Behavior;
use crate::reply::Handled;

/// A command or query with its arguments. Made by `#[command]` and `#[query]`.
///
/// Generated types implement it; the test `by_hand` in this crate shows how to do without the
/// macros.
pub trait Operation: Send + Sized + 'static {
    /// The entity that it is for.
    type Entity: Behavior;
    /// What the caller gets.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
    /// The domain's no; [`Infallible`](crate::Infallible) when there is none.
    type Error: Serialize + DeserializeOwned + Send + 'static;
    /// [`Writes`] for a command, [`Reads`] for a query.
    type Mode: Mode<Self>;
    /// Declared name: the method's, unless an attribute says otherwise.
    const NAME: &'static str;
}

/// An operation that may write.
pub trait Command: Operation<Mode = Writes> + Serialize + DeserializeOwned {
    /// Runs the handler.
    ///
    /// An event-sourced handler only reads `entity`; it changes through the events that it emits
    /// on `ctx`.
    fn handle(
        self,
        entity: &mut Self::Entity,
        ctx: &mut Context<Self::Entity>,
    ) -> Handled<Self::Entity, Self::Reply, Self::Error>;
}

/// An operation that only reads.
pub trait Query: Operation<Mode = Reads> {
    /// Runs the handler.
    ///
    /// # Errors
    ///
    /// The domain's no.
    fn answer(self, entity: &Self::Entity) -> Result<Self::Reply, Self::Error>;
}

/// The mode of commands.
#[derive(Debug)]
pub enum Writes {}

/// The mode of queries.
#[derive(Debug)]
pub enum Reads {}

/// What [`Mode::run`] gives back: the answer, and the context if the operation had one.
pub type Ran<O> = (
    Handled<<O as Operation>::Entity, <O as Operation>::Reply, <O as Operation>::Error>,
    Option<Context<<O as Operation>::Entity>>,
);

/// Is shown each command of an entity type.
pub trait CommandVisitor<E> {
    /// Shows a command.
    fn visit<C: Command<Entity = E>>(&mut self)
    where
        E: Behavior;
}

/// How an operation runs: the one place where commands and queries differ.
///
/// Implemented for [`Writes`] and [`Reads`] only.
pub trait Mode<O: Operation>: 'static {
    /// Whether the operation may write.
    const WRITES: bool;

    /// Runs the handler; `context` is only asked for by an operation that may write.
    #[doc(hidden)]
    fn run(
        operation: O,
        entity: &mut O::Entity,
        context: impl FnOnce() -> Context<O::Entity>,
    ) -> Ran<O>;

    /// Appends the encoded arguments to `into`; a query has none that would ever be stored.
    #[doc(hidden)]
    fn encode(operation: &O, codec: Codec, into: &mut Vec<u8>) -> Result<(), EncodeError>;
}

impl<C: Command> Mode<C> for Writes {
    const WRITES: bool = true;

    fn run(
        command: C,
        entity: &mut C::Entity,
        context: impl FnOnce() -> Context<C::Entity>,
    ) -> Ran<C> {
        let mut ctx = context();
        let handled = command.handle(entity, &mut ctx);
        (handled, Some(ctx))
    }

    fn encode(command: &C, codec: Codec, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        codec.encode(command, into)
    }
}

impl<Q: Query> Mode<Q> for Reads {
    const WRITES: bool = false;

    fn run(
        query: Q,
        entity: &mut Q::Entity,
        _context: impl FnOnce() -> Context<Q::Entity>,
    ) -> Ran<Q> {
        let handled = match query.answer(entity) {
            Ok(reply) => Handled::Reply(reply),
            Err(rejection) => Handled::Rejected(rejection),
        };
        (handled, None)
    }

    fn encode(_query: &Q, _codec: Codec, _into: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}
