//! User code runs in here: a panic stops one entity, and a call cannot wait for another one.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Runs user code; a panic becomes its message.
///
/// Whatever the code had its hands on may be half done afterwards: the caller discards it.
pub(crate) fn isolate<T>(code: impl FnOnce() -> T) -> Result<T, Arc<str>> {
    let outer = IN_HANDLER.replace(true);
    let result = catch_unwind(AssertUnwindSafe(code));
    IN_HANDLER.set(outer);
    result.map_err(|panic| message(&*panic))
}

/// Whether this thread is inside user code of an entity.
pub(crate) fn in_handler() -> bool {
    IN_HANDLER.get()
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> Arc<str> {
    if let Some(text) = panic.downcast_ref::<&'static str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.as_str().into()
    } else {
        "a panic without a message".into()
    }
}
