//! What a caller can ask of an entity: commands, which may write, and queries, which may not.

use std::future::Future;
use std::pin::Pin;

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
    /// [`Writes`] for a command, [`Waits`] for an async one, [`Reads`] for a query.
    type Mode: Mode<Self>;
    /// Declared name: the method's, unless an attribute says otherwise.
    const NAME: &'static str;

    /// Whether it also runs on an entity that was deleted for good.
    #[doc(hidden)]
    const AFTER_THE_END: bool = false;
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

/// An operation that may write and that waits for others on its way: an `async fn`.
///
/// It starts when every earlier write of its entity has committed, and holds the entity until it
/// ends.
pub trait AsyncCommand: Operation<Mode = Waits> + Serialize + DeserializeOwned {
    /// Runs the handler.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at every `.await`: nothing of the command happens then, and the
    /// entity goes on as it was.
    fn handle(
        self,
        entity: &mut Self::Entity,
        ctx: &mut Context<Self::Entity>,
    ) -> impl Future<Output = Handled<Self::Entity, Self::Reply, Self::Error>> + Send;
}

/// Any command, async or not: what can be stored and sent on.
pub trait AnyCommand: Operation + Serialize + DeserializeOwned {}

impl<C: Operation<Mode: MayWrite> + Serialize + DeserializeOwned> AnyCommand for C {}

/// The modes of commands, async or not: of what a key can name.
#[diagnostic::on_unimplemented(
    message = "a query is not a command",
    note = "a query only reads: it has no effect that a key could keep from happening twice"
)]
pub trait MayWrite {}

impl MayWrite for Writes {}

impl MayWrite for Waits {}

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

/// The mode of async commands.
#[derive(Debug)]
pub enum Waits {}

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
    fn visit<C: AnyCommand<Entity = E>>(&mut self)
    where
        E: Behavior;
}

/// The handler of an async command, from its first poll to its end.
#[doc(hidden)]
pub type Handler<O> = Pin<
    Box<
        dyn Future<
                Output = (
                    Handled<
                        <O as Operation>::Entity,
                        <O as Operation>::Reply,
                        <O as Operation>::Error,
                    >,
                    Context<<O as Operation>::Entity>,
                ),
            > + Send,
    >,
>;

/// How an operation runs: the one place where commands and queries differ.
///
/// Implemented for [`Writes`], [`Waits`] and [`Reads`] only.
pub trait Mode<O: Operation>: 'static {
    /// Whether the operation may write.
    const WRITES: bool;

    /// Whether the handler waits, so that it cannot [`run`](Self::run) but must
    /// [`begin`](Self::begin).
    const WAITS: bool = false;

    /// Runs the handler; `context` is only asked for by an operation that may write. `None` for
    /// one that waits.
    #[doc(hidden)]
    fn run(
        operation: O,
        entity: &mut O::Entity,
        context: impl FnOnce() -> Context<O::Entity>,
    ) -> Option<Ran<O>>;

    /// Begins the handler of an operation that waits, on the `entity` in `work`; nothing runs
    /// before the first poll. `None` for one that does not.
    #[doc(hidden)]
    fn begin<W: Send + 'static>(
        _operation: O,
        _work: W,
        _entity: fn(&mut W) -> &mut O::Entity,
        _context: Context<O::Entity>,
    ) -> Option<Handler<O>> {
        None
    }

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
    ) -> Option<Ran<C>> {
        let mut ctx = context();
        let handled = command.handle(entity, &mut ctx);
        Some((handled, Some(ctx)))
    }

    fn encode(command: &C, codec: Codec, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        codec.encode(command, into)
    }
}

impl<C: AsyncCommand> Mode<C> for Waits {
    const WRITES: bool = true;
    const WAITS: bool = true;

    fn run(
        _command: C,
        _entity: &mut C::Entity,
        _context: impl FnOnce() -> Context<C::Entity>,
    ) -> Option<Ran<C>> {
        None
    }

    fn begin<W: Send + 'static>(
        command: C,
        work: W,
        entity: fn(&mut W) -> &mut C::Entity,
        context: Context<C::Entity>,
    ) -> Option<Handler<C>> {
        Some(Box::pin(async move {
            let (mut work, mut ctx) = (work, context);
            let handled = command.handle(entity(&mut work), &mut ctx).await;
            (handled, ctx)
        }))
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
    ) -> Option<Ran<Q>> {
        let handled = match query.answer(entity) {
            Ok(reply) => Handled::Reply(reply),
            Err(rejection) => Handled::Rejected(rejection),
        };
        Some((handled, None))
    }

    fn encode(_query: &Q, _codec: Codec, _into: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}
