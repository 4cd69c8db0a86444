//! How an async command is told to stop.

use std::sync::PoisonError;
use std::task::{Context, Waker};

use crate::sync::Mutex;

/// Shared by an entity that is held and the task of the command that holds it.
#[derive(Default)]
pub(super) struct Stop(Mutex<State>);

#[derive(Default)]
struct State {
    is_stopped: bool,
    task: Option<Waker>,
}

impl Stop {
    /// From now on the command goes no further. Its task, to be woken.
    pub(super) fn stop(&self) -> Option<Waker> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_stopped = true;
        state.task.take()
    }

    /// Whether the command goes no further; if it does, its task is woken once it does not.
    pub(super) fn is_stopped(&self, cx: &Context<'_>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut state.task {
            Some(known) => known.clone_from(cx.waker()),
            None => state.task = Some(cx.waker().clone()),
        }
        state.is_stopped
    }
}
