//! The hand-over of a shard: whoever finds its lock taken leaves the input behind, and whoever
//! lets go of the lock looks for what was left.
//!
//! Nothing is lost between the two because each of them writes, passes a full fence, and reads
//! what the other one wrote: one writes the count and tries the lock, the other frees the lock and
//! reads the count. At least one of them sees the other (loom, `interleavings` below).

use std::collections::VecDeque;
use std::sync::{PoisonError, TryLockError};

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::sync::{Mutex, MutexGuard, TryMutex, TryMutexGuard};

/// A core that one thread at a time works on, and what is left for that thread.
pub(super) struct Handover<C, I> {
    core: TryMutex<C>,
    inbox: Mutex<VecDeque<I>>,
    /// How many inputs lie in the inbox.
    queued: AtomicUsize,
    /// Whether the core held runnable commands when the lock was last let go.
    runnable: AtomicBool,
}

impl<C, I> Handover<C, I> {
    pub(super) fn new(core: C) -> Self {
        Self {
            core: TryMutex::new(core),
            inbox: Mutex::default(),
            queued: AtomicUsize::new(0),
            runnable: AtomicBool::new(false),
        }
    }

    /// Takes the lock if it is free. Whoever takes it lets go by [`let_go`](Self::let_go).
    pub(super) fn enter(&self) -> Option<TryMutexGuard<'_, C>> {
        match self.core.try_lock() {
            Ok(core) => Some(core),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Lets go of the lock. Whoever does must look for [work](Self::has_work) afterwards.
    pub(super) fn let_go(&self, core: TryMutexGuard<'_, C>, runnable: bool) {
        // Written under the lock only, so that this reads what was written last.
        if runnable != self.runnable.load(Ordering::Relaxed) {
            self.runnable.store(runnable, Ordering::Relaxed);
        }
        drop(core);
        fence(Ordering::SeqCst);
    }

    /// Puts an input into the inbox, for a thread that has yet to let go or to look for work.
    pub(super) fn push(&self, input: I) {
        let mut inbox = self.inbox();
        inbox.push_back(input);
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts an input into the inbox. If the lock cannot be taken from now on, its holder has yet
    /// to let go and will find the input.
    pub(super) fn leave(&self, input: I) {
        self.push(input);
        fence(Ordering::SeqCst);
    }

    /// The oldest input, for whoever holds the lock.
    pub(super) fn next(&self) -> Option<I> {
        let mut inbox = self.inbox();
        let input = inbox.pop_front()?;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        Some(input)
    }

    /// What lies in the inbox.
    pub(super) fn inbox(&self) -> MutexGuard<'_, VecDeque<I>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing of this thread's own lies in the inbox.
    pub(super) fn is_empty(&self) -> bool {
        self.queued.load(Ordering::Relaxed) == 0
    }

    /// Whether somebody must take the lock, as far as anybody without it can tell.
    pub(super) fn has_work(&self) -> bool {
        !self.is_empty() || self.runnable.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, statefn_loom))]
mod interleavings;
