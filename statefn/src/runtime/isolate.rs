//! User code runs in here: a panic stops one entity, and a call cannot wait for another one.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use crate::sync::thread_local;

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Runs user code; a panic becomes its message.
///
/// Whatever the code had its hands on may be half done afterwards: the caller discards it.
pub(crate) fn isolate<T>(code: impl FnOnce() -> T) -> Result<T, Arc<str>> {
    let outer = IN_HANDLER.with(|inside| inside.replace(true));
    let result = catch_unwind(AssertUnwindSafe(code));
    IN_HANDLER.with(|inside| inside.set(outer));
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

/// Whether this thread is inside user code of an entity.
pub(crate) fn in_handler() -> bool {
    IN_HANDLER.with(Cell::get)
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
