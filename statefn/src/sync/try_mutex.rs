//! A lock for loom that is only ever tried, and whose attempt may fail on an old view.

use std::ops::{Deref, DerefMut};
use std::sync::{MutexGuard, PoisonError, TryLockError, TryLockResult};

use loom::sync::atomic::{AtomicBool, Ordering};

/// What `std::sync::Mutex::try_lock` promises and no more.
///
/// Loom's own mutex always knows the latest state of the lock. The real one may fail because it
/// reads an older one: a failed compare-exchange is a plain load. Whoever relies on an attempt to
/// fail only while the lock is held needs a fence, and loom must be able to tell.
#[derive(Debug)]
pub(crate) struct TryMutex<T> {
    locked: AtomicBool,
    value: std::sync::Mutex<T>,
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(crate) struct TryMutexGuard<'a, T> {
    locked: &'a AtomicBool,
    /// Empty while the guard is being dropped.
    value: Option<MutexGuard<'a, T>>,
}

impl<T> TryMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            locked: AtomicBool::new(false),
            value: std::sync::Mutex::new(value),
        }
    }

    pub(crate) fn try_lock(&self) -> TryLockResult<TryMutexGuard<'_, T>> {
        let taken = self.locked.load(Ordering::Relaxed)
            || self
                .locked
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_err();
        if taken {
            return Err(TryLockError::WouldBlock);
        }
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(TryMutexGuard {
            locked: &self.locked,
            value: Some(value),
        })
    }
}

impl<T> Deref for TryMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("the guard is alive")
    }
}

impl<T> DerefMut for TryMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("the guard is alive")
    }
}

impl<T> Drop for TryMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        self.locked.swap(false, Ordering::Release);
    }
}
