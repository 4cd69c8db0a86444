//! References and calls.

use std::marker::PhantomData;
use std::time::Duration;

use crate::command::{Command, Operation};
use crate::entity::Entity;

/// What a generated reference holds.
#[derive(Debug)]
pub struct Handle<E>(PhantomData<fn() -> E>);

impl<E> Clone for Handle<E> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<E: Entity> Handle<E> {
    /// A call of this operation.
    pub fn call<O: Operation<Entity = E>>(&self, operation: O) -> Call<O> {
        Call { operation }
    }
}

/// A command or query on its way.
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<O: Operation> {
    operation: O,
}

impl<O: Operation> Call<O> {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    #[expect(clippy::unused_async, reason = "sketch")]
    pub async fn sketch(self) -> Result<O::Reply, CallError<O::Error>> {
        let _ = self.operation;
        Err(CallError::Timeout)
    }

    /// Fails when not done in time.
    pub fn with_deadline(self, _deadline: Duration) -> Self {
        self
    }
}

impl<O: Command> Call<O> {
    /// At most once under this key.
    pub fn with_key(self, _key: impl Into<String>) -> Self {
        self
    }
}

impl<O: Operation> IntoFuture for Call<O> {
    type Output = Result<O::Reply, CallError<O::Error>>;
    type IntoFuture = std::future::Ready<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        std::future::ready(Err(CallError::Timeout))
    }
}

/// Why a call was not answered with a reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The domain's no.
    #[error("rejected: {0}")]
    Rejected(E),
    /// Too late.
    #[error("timeout")]
    Timeout,
}

/// Sketch.
#[derive(Debug)]
pub struct Runtime;

impl Runtime {
    /// A reference to the entity `id`.
    pub fn entity<E: crate::entity::Behavior>(&self, id: impl Into<Box<str>>) -> E::Ref {
        let _ = id.into();
        <E::Ref as crate::entity::EntityRef>::from_handle(Handle(PhantomData))
    }
}
