//! Locks, atomics and parking: the standard library's, or those of a model checker.
//!
//! `--cfg statefn_loom` and `--cfg statefn_shuttle` are set by this repository's own tests of
//! interleavings and by nobody else. What the runtime's threads share comes from here; `Arc` and
//! `OnceLock` stay the standard library's, whose correctness is not in question.

#[cfg(statefn_loom)]
mod try_mutex;

#[cfg(statefn_loom)]
pub(crate) use loom::{
    sync::{Mutex, MutexGuard, atomic},
    thread,
};
// Loom's has no `const` form. Its models share the one of the thread that they run on.
#[cfg(statefn_loom)]
pub(crate) use std::thread_local;
#[cfg(statefn_loom)]
pub(crate) use try_mutex::{TryMutex, TryMutexGuard};

#[cfg(statefn_shuttle)]
pub(crate) use shuttle::{
    sync::{Mutex, Mutex as TryMutex, MutexGuard, MutexGuard as TryMutexGuard, atomic},
    thread, thread_local,
};

#[cfg(not(any(statefn_loom, statefn_shuttle)))]
pub(crate) use std::{
    sync::{Mutex, Mutex as TryMutex, MutexGuard, MutexGuard as TryMutexGuard, atomic},
    thread, thread_local,
};
