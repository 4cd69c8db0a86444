//! The lock file beside the database: one process, one `Sqlite` at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::file::{private, unopened};

/// Held for as long as the store is open; closing the file releases it, also after a kill.
///
/// Never the database itself: closing any handle of it would drop SQLite's own locks.
#[derive(Debug)]
pub(super) struct LockFile {
    _held: File,
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
            Ok(()) => Ok(Self { _held: file }),
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
