//! What the writer publishes for readers and callers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure::SqliteError;
use super::head::EntityHead;
use super::heads::Unmerged;
use super::tuning::Tuning;
use crate::{FailureKind, PersistenceId, StoreFailure};

/// Shared by the handle, the writer and the readers.
pub(super) struct Shared {
    /// The canonical path of the database.
    pub(super) path: PathBuf,
    pub(super) tuning: Tuning,
    published: Mutex<Published>,
    closing: AtomicBool,
}

/// Confirmed facts only: the writer changes them after a COMMIT has succeeded.
#[derive(Default)]
pub(super) struct Published {
    /// Heads that the table does not have yet.
    pub(super) unmerged: Unmerged,
    /// The last committed entry.
    pub(super) end: u64,
    /// Why the store takes no commits, if its tail is damaged.
    pub(super) read_only: Option<SqliteError>,
}

impl Shared {
    pub(super) fn new(path: PathBuf, tuning: Tuning) -> Self {
        Self {
            path,
            tuning,
            published: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    /// Tells long reads to end.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Whether the store is being closed.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The published facts; keep it short, the writer waits.
    pub(super) fn published(&self) -> MutexGuard<'_, Published> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The head of an entity, if the table does not have it.
    ///
    /// A reader asks *before* it begins its transaction: what is found here was committed before,
    /// so the transaction sees it; what is not found was merged before, so the table has it.
    pub(super) fn unmerged(&self, id: &PersistenceId) -> Option<EntityHead> {
        self.published().unmerged.get(id)
    }

    /// The last committed entry.
    pub(super) fn end(&self) -> u64 {
        self.published().end
    }
}

/// The failure of a closed store.
pub(super) fn closed_failure(shared: &Shared) -> StoreFailure {
    let message = format!("{}: the store is closed", shared.path.display());
    StoreFailure::new(FailureKind::Closed, message)
}
