//! The new file that a backup or a salvage writes.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::OpenError;
use super::file::{Place, private, sync_folder};
use crate::{FailureKind, StoreFailure};

/// A file under way, under a name of its own; it gets its name when it is complete.
///
/// A process that dies leaves the file under way: under the other name there is nothing or a
/// complete file, never one that opens as an empty store.
pub(super) struct Target {
    /// Where to write.
    pub(super) partial: PathBuf,
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
        let partial = PathBuf::from(partial);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options)
            .open(&partial)
            .map_err(|error| io(&partial, error))?;
        Ok(Self { partial, path })
    }

    /// Puts the file on stable storage, under its name. Every connection to it is closed.
    pub(super) fn complete(self) -> Result<(), StoreFailure> {
        let named = OpenOptions::new()
            .write(true)
            .open(&self.partial)
            .and_then(|file: File| file.sync_all())
            .and_then(|()| self.give_name())
            .and_then(|()| sync_folder(&self.path));
        named.map_err(|error| io(&self.path, error))
    }

    /// A link, unlike a renaming, replaces nothing that has come there meanwhile.
    fn give_name(&self) -> std::io::Result<()> {
        match std::fs::hard_link(&self.partial, &self.path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) if self.path.symlink_metadata().is_ok() => Err(ErrorKind::AlreadyExists.into()),
            // A file system without links.
            Err(_) => std::fs::rename(&self.partial, &self.path),
            Ok(()) => Ok(()),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // What cannot be removed is left; its name says what it is.
        let _ = std::fs::remove_file(&self.partial);
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
