//! What a command handler decided to answer.

use std::fmt;

use crate::entity::Entity;
use crate::forward::{Destination, Forward, Way};

/// A reply that is computed from the state *after* the command's events.
///
/// Made by [`Context::then`](crate::Context::then); the caller of the command sees `T`.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
/// // `add` returns `Result<Then<Self, i64>, String>`; its caller gets the `i64`.
/// assert_eq!(runtime.entity::<Counter>("visits").add(4).await, Ok(4));
/// # Ok(())
/// # }
/// ```
pub struct Then<E: Entity, T>(Box<dyn FnOnce(&E) -> T + Send>);

impl<E: Entity, T> Then<E, T> {
    pub(crate) fn new(reply: impl FnOnce(&E) -> T + Send + 'static) -> Self {
        Self(Box::new(reply))
    }

    fn resolve(self, entity: &E) -> T {
        (self.0)(entity)
    }
}

impl<E: Entity, T> fmt::Debug for Then<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Then(..)")
    }
}

/// A command handler's answer, whatever its signature was.
#[derive(Debug)]
pub enum Handled<E: Entity, T, R> {
    /// `Ok`, or a handler that does not return `Result`.
    Reply(T),
    /// `Ok(ctx.then(..))`.
    Then(Then<E, T>),
    /// `ctx.forward(..)`, in an `Ok` or not.
    Forward(Forward<T, R>),
    /// `Err`: nothing happened.
    Rejected(R),
}

/// What the caller of a command is told, and by whom.
pub(crate) enum Said<T, R> {
    Reply(T),
    Rejected(R),
    /// What this call answers.
    Forward(Box<Destination>),
}

impl<E: Entity, T, R> Handled<E, T, R> {
    /// What the caller is told, with the entity as it is after the command.
    pub(crate) fn answer(self, entity: &E) -> Said<T, R> {
        match self {
            Self::Reply(reply) => Said::Reply(reply),
            Self::Then(then) => Said::Reply(then.resolve(entity)),
            Self::Forward(forward) => match forward.answer {
                Way::Here(reply) => Said::Reply(reply),
                Way::There(destination) => Said::Forward(destination),
            },
            Self::Rejected(rejection) => Said::Rejected(rejection),
        }
    }

    /// The call that answers instead, if one does.
    pub(crate) fn destination(&self) -> Option<&Destination> {
        match self {
            Self::Forward(Forward {
                answer: Way::There(destination),
                ..
            }) => Some(destination),
            _ => None,
        }
    }
}
