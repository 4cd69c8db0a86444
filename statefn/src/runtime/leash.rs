//! Tasks that end with their runtime on the spot, not when somebody polls them again: what they hold,
//! the store above all, is let go when the runtime is.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::env::BoxFuture;
use crate::runtime::isolate::{discard, wake};
use crate::sync::{Mutex, MutexGuard};

/// The end of a task that its runtime holds.
pub(super) struct Leash(Mutex<State>);

enum State {
    /// The task, and who polls it.
    Waiting(BoxFuture, Option<Waker>),
    /// It is being polled right now.
    Polled,
    Ended,
}

/// The task.
pub(super) struct Leashed(Arc<Leash>);

impl Leash {
    /// A task, and its end.
    pub(super) fn new(task: BoxFuture) -> (Arc<Self>, Leashed) {
        let leash = Arc::new(Self(Mutex::new(State::Waiting(task, None))));
        (Arc::clone(&leash), Leashed(leash))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the task.
    pub(super) fn end(&self) {
        let last = std::mem::replace(&mut *self.lock(), State::Ended);
        if let State::Waiting(task, waker) = last {
            discard(task);
            waker.into_iter().for_each(wake);
        }
    }
}

impl Future for Leashed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let last = std::mem::replace(&mut *self.0.lock(), State::Polled);
        let State::Waiting(mut task, _) = last else {
            *self.0.lock() = State::Ended;
            return Poll::Ready(());
        };
        let polled = task.as_mut().poll(cx);
        let mut state = self.0.lock();
        if polled.is_pending() && matches!(*state, State::Polled) {
            *state = State::Waiting(task, Some(cx.waker().clone()));
            return Poll::Pending;
        }
        *state = State::Ended;
        drop(state);
        discard(task);
        Poll::Ready(())
    }
}
