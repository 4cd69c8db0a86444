//! The lock file beside the database: one process, one `Sqlite` at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::file::{private, unopened};

/// Held for as long as the store is open; the end of the process releases it, also after a kill.
///
/// Never the database itself: closing any handle of it would drop SQLite's own locks.
#[derive(Debug)]
pub(super) struct LockFile {
    pub(super) held: File,
}

impl Drop for LockFile {
    /// Closing the file is not enough: a process that is being started inherits it until it runs
    /// its own program, and would keep the lock for that long.
    fn drop(&mut self) {
        if let Err(error) = self.held.unlock() {
            tracing::warn!(%error, "the lock file was not unlocked; closing it releases the lock");
        }
    }
}

impl LockFile {
    /// Takes the lock of the database at the canonical `path`.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = Self::path(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private(&mut options)
            .open(&lock)
            .map_err(|error| unopened(&lock, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { held: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
                path: path.to_owned(),
                lock,
            }),
            Err(TryLockError::Error(error)) => Err(unopened(&lock, error)),
        }
    }

    fn path(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        PathBuf::from(name)
    }
}
