//! The handler of an async command while it runs, outside the shard.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::chain::Chain;
use crate::command::{Handler, Mode, Operation};
use crate::context::Context;
use crate::entity::Behavior;
use crate::reply::Handled;
use crate::runtime::isolate::{discard, isolate_async};
use crate::runtime::resident::Resident;
use crate::runtime::spans;

/// What an async handler works on.
pub(crate) struct Work<E: Behavior> {
    pub(crate) entity: Box<Resident<E>>,
    /// What is changed instead of the state itself, where commands change it in place.
    pub(crate) copy: Option<E>,
}

impl<E: Behavior> Work<E> {
    /// Work on this entity.
    pub(crate) fn on(entity: Box<Resident<E>>) -> Self {
        let copy = entity.copy();
        Self { entity, copy }
    }

    /// The state as the handler sees it.
    pub(crate) fn state(&mut self) -> &mut E {
        self.copy.as_mut().unwrap_or(&mut self.entity.state)
    }
}

/// An async handler and the state that it works on.
///
/// The work is lent: it comes back whether the handler ends, panics or is dropped on its way.
pub(crate) struct Handling<O: Operation> {
    /// Empty once it has ended.
    handler: Option<Handler<O>>,
    work: Arc<tokio::sync::Mutex<Work<O::Entity>>>,
    chain: Arc<Chain>,
    span: tracing::Span,
    end: Option<End<O>>,
}

/// How a handler ended by itself.
pub(crate) enum End<O: Operation> {
    Returned(Handled<O::Entity, O::Reply, O::Error>, Context<O::Entity>),
    Panicked(Arc<str>),
}

impl<O: Operation> Handling<O> {
    /// Begins; nothing of the handler runs before the first poll. `None` for an operation that does
    /// not wait.
    pub(crate) fn begin(
        operation: O,
        work: Work<O::Entity>,
        context: Context<O::Entity>,
        chain: Arc<Chain>,
    ) -> Option<Self> {
        let span = spans::command(chain.id(), O::NAME, context.sequence());
        let work = Arc::new(tokio::sync::Mutex::new(work));
        let lent = Arc::clone(&work).try_lock_owned().ok()?;
        let handler = <O::Mode as Mode<O>>::begin(operation, lent, |lent| lent.state(), context)?;
        Some(Self {
            handler: Some(handler),
            work,
            chain,
            span,
            end: None,
        })
    }

    /// Runs the handler as far as it goes.
    pub(crate) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Some(future) = &mut self.handler else {
            return Poll::Ready(());
        };
        let span = self.span.enter();
        let polled = isolate_async(&self.chain, || future.as_mut().poll(cx));
        self.end = Some(match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready((handled, context))) => End::Returned(handled, context),
            Err(message) => End::Panicked(message),
        });
        drop(span);
        self.abandon();
        Poll::Ready(())
    }

    /// Whether the handler has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Drops the handler where it stands, and gives the work back with what the handler came to,
    /// if it had ended by itself. Without work, it was torn on the way.
    pub(crate) fn end(mut self) -> (Option<Work<O::Entity>>, Option<End<O>>) {
        self.abandon();
        let work = Arc::into_inner(self.work).map(tokio::sync::Mutex::into_inner);
        (work, self.end)
    }

    /// Drops the handler where it stands.
    pub(super) fn abandon(&mut self) {
        if let Some(handler) = self.handler.take() {
            discard(handler);
        }
    }
}
