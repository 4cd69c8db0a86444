//! The new file that a backup or a salvage writes.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::OpenError;
use super::file::{Place, private, sync_folder};
use crate::{FailureKind, StoreFailure};

/// A file under way, under a name of its own; it gets its name when it is complete.
///
/// A process that dies leaves the file under way: under the other name there is nothing or a
/// complete file, never one that opens as an empty store.
pub(super) struct Target {
    /// Where to write; dropped before it has its name, it goes. What cannot be removed is left: its
    /// name says what it is.
    pub(super) partial: TempPath,
    /// Where it goes.
    path: PathBuf,
}

impl Target {
    /// Makes the file under way; refuses a name that is taken.
    pub(super) fn reserve(to: &Path) -> Result<Self, StoreFailure> {
        let path = Place::find(to).map_err(OpenError::into_failure)?.path;
        if path.symlink_metadata().is_ok() {
            return Err(io(&path, ErrorKind::AlreadyExists.into()));
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options)
            .open(&partial)
            .map_err(|error| io(Path::new(&partial), error))?;
        let partial = TempPath::try_from_path(&partial).map_err(|error| io(&path, error))?;
        Ok(Self { partial, path })
    }

    /// Puts the file on stable storage, under its name. Every connection to it is closed.
    ///
    /// It is renamed in one step that replaces nothing which has come there meanwhile, and has one
    /// name at any time: with two (a link made, the other name not yet gone) no process would open it.
    pub(super) fn complete(self) -> Result<(), StoreFailure> {
        let Self { partial, path } = self;
        OpenOptions::new()
            .write(true)
            .open(&partial)
            .and_then(|file: File| file.sync_all())
            .and_then(|()| Ok(partial.persist_noclobber(&path)?))
            .and_then(|()| sync_folder(&path))
            .map_err(|error| io(&path, error))
    }
}

fn io(path: &Path, error: std::io::Error) -> StoreFailure {
    if error.kind() == ErrorKind::AlreadyExists {
        let message = format!(
            "{} exists already, and a copy replaces nothing",
            path.display()
        );
        return StoreFailure::new(FailureKind::Other, message).caused_by(error);
    }
    let kind = match error.kind() {
        ErrorKind::PermissionDenied => FailureKind::Permission,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FailureKind::DiskFull,
        _ => FailureKind::Io,
    };
    StoreFailure::new(kind, format!("{}: {error}", path.display())).caused_by(error)
}
