//! What a command handler decided to answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;

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
    /// `Err`: nothing happened.
    Rejected(R),
}

impl<E: Entity, T, R> Handled<E, T, R> {
    /// What the caller is told, with the entity as it is after the command.
    pub(crate) fn answer(self, entity: &E) -> Result<T, R> {
        match self {
            Self::Reply(reply) => Ok(reply),
            Self::Then(then) => Ok(then.resolve(entity)),
            Self::Rejected(rejection) => Err(rejection),
        }
    }
}

/// The error type of a handler that does not return `Result`: there is no value of it.
///
/// Like [`std::convert::Infallible`], which is not `Serialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Infallible {}

impl fmt::Display for Infallible {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Infallible {}
