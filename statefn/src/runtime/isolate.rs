//! User code runs in here: a panic stops one entity, and a call cannot wait for another one.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use crate::chain::Chain;
use crate::sync::thread_local;

thread_local! {
    static INSIDE: Cell<Inside> = const { Cell::new(Inside::Nothing) };
    static CHAIN: RefCell<Option<Arc<Chain>>> = const { RefCell::new(None) };
}

/// What of an entity this thread is running.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    Nothing,
    /// A handler that must not wait.
    Handler,
    /// An async handler, which may: [`chain`] says whose.
    AsyncHandler,
}

/// Runs user code; a panic becomes its message.
///
/// Whatever the code had its hands on may be half done afterwards: the caller discards it.
pub(crate) fn isolate<T>(code: impl FnOnce() -> T) -> Result<T, Arc<str>> {
    let outer = INSIDE.with(|inside| inside.replace(Inside::Handler));
    let result = catch_unwind(AssertUnwindSafe(code));
    INSIDE.with(|inside| inside.set(outer));
    result.map_err(message)
}

/// Runs user code that may call entities and wait for them, as the last command of `chain`.
pub(crate) fn isolate_async<T>(
    chain: &Arc<Chain>,
    code: impl FnOnce() -> T,
) -> Result<T, Arc<str>> {
    let outer = INSIDE.with(|inside| inside.replace(Inside::AsyncHandler));
    let before = CHAIN.with(|current| current.replace(Some(Arc::clone(chain))));
    let result = catch_unwind(AssertUnwindSafe(code));
    CHAIN.with(|current| current.replace(before));
    INSIDE.with(|inside| inside.set(outer));
    result.map_err(message)
}

/// Drops a value that may hold user code: a panic on the way is reported and goes no further.
pub(crate) fn discard<T>(value: T) {
    if let Err(panic) = isolate(|| drop(value)) {
        tracing::error!(%panic, "a value panicked when it was dropped");
    }
}

/// Wakes a task. Its executor may run it on the spot, and that may panic: not at our cost.
pub(super) fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        tracing::error!(panic = %message(panic), "a waker panicked");
    }
}

/// What of an entity this thread is running.
pub(crate) fn inside() -> Inside {
    INSIDE.with(Cell::get)
}

/// The commands that wait for what this thread is doing.
pub(crate) fn chain() -> Option<Arc<Chain>> {
    CHAIN.with(|current| current.borrow().clone())
}

/// What a panic said.
pub(crate) fn message(panic: Box<dyn Any + Send>) -> Arc<str> {
    let text = if let Some(text) = panic.downcast_ref::<&'static str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.as_str().into()
    } else {
        "a panic without a message".into()
    };
    // What a panic carries may panic as well; what that carries is beyond caring.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(panic);
    }
    text
}
