//! Spawning a task when there may be no async runtime left to run it.

use std::sync::Arc;

use crate::sync::atomic::{AtomicBool, Ordering};

/// Tells a task that is dropped while it is being spawned from one that is dropped later.
///
/// An async runtime that has ended drops a task on the spot. Then whoever spawned it is still there
/// and goes on by itself, which takes no stack; later nobody is, and the task's own `drop` must.
#[derive(Clone, Default)]
pub(super) struct Spawning(Arc<AtomicBool>);

impl Spawning {
    /// Called by the spawner behind `spawn` and by a task that is dropped unfinished: whether the
    /// caller is the first of the two.
    pub(super) fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}
