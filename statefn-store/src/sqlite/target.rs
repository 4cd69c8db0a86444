//! The new file that a backup or a salvage writes.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::file::{Place, private, sync_folder};
use crate::{FailureKind, StoreFailure};

/// A file under way, under a name of its own; it gets its name when it is complete.
pub(super) struct Target {
    /// Where to write.
    pub(super) partial: PathBuf,
    /// Where it goes: reserved with an empty file, so that nobody else's is overwritten.
    path: PathBuf,
    complete: bool,
}

impl Target {
    /// Reserves the name; refuses one that is taken.
    pub(super) fn reserve(to: &Path) -> Result<Self, StoreFailure> {
        let place = Place::find(to).map_err(OpenError::into_failure)?;
        let path = place.path;
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        private(&mut options)
            .open(&path)
            .map_err(|error| io(&path, error))?;
        let target = Self {
            partial: partial.into(),
            path,
            complete: false,
        };
        private(&mut options)
            .open(&target.partial)
            .map_err(|error| io(&target.partial, error))?;
        Ok(target)
    }

    /// Puts the file on stable storage, under its name. Every connection to it is closed.
    pub(super) fn complete(mut self) -> Result<(), StoreFailure> {
        let renamed = OpenOptions::new()
            .write(true)
            .open(&self.partial)
            .and_then(|file: File| file.sync_all())
            .and_then(|()| std::fs::rename(&self.partial, &self.path))
            .and_then(|()| sync_folder(&self.path));
        renamed.map_err(|error| io(&self.path, error))?;
        self.complete = true;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.complete {
            return;
        }
        for path in [&self.path, &self.partial] {
            // What cannot be removed is left: it is empty or has the suffix `.partial`.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn io(path: &Path, error: std::io::Error) -> StoreFailure {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let message = format!(
            "{} exists already, and a copy replaces nothing",
            path.display()
        );
        return StoreFailure::new(FailureKind::Other, message).caused_by(error);
    }
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => FailureKind::Permission,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            FailureKind::DiskFull
        }
        _ => FailureKind::Io,
    };
    StoreFailure::new(kind, format!("{}: {error}", path.display())).caused_by(error)
}
