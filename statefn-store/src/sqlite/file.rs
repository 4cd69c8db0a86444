//! The database as a file: which paths are taken, who may read it, when it is on the disk.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::{FailureKind, StoreFailure};

/// Where a database is, or will be.
pub(super) struct Place {
    /// Canonical: absolute and without links, so that two names of one file are one place.
    pub(super) path: PathBuf,
    /// Whether there is a file already.
    pub(super) exists: bool,
}

impl Place {
    /// Checks a path given by the user; touches nothing.
    pub(super) fn find(path: &Path) -> Result<Self, OpenError> {
        check_text(path)?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(OpenError::Directory {
                path: path.to_owned(),
            }),
            Ok(metadata) if !metadata.is_file() => Err(OpenError::Path {
                path: path.to_owned(),
                expected: "a regular file, not a device or a pipe",
            }),
            Ok(metadata) if is_linked(&metadata) => Err(OpenError::Path {
                path: path.to_owned(),
                expected: "a file with one name; under a second one (a hard link) it would have a second lock and log",
            }),
            Ok(_) => Ok(Self {
                path: canonical(path)?,
                exists: true,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Some(name) = path.file_name() else {
                    return Err(OpenError::Path {
                        path: path.to_owned(),
                        expected: "a file name at the end",
                    });
                };
                Ok(Self {
                    path: canonical(parent)?.join(name),
                    exists: false,
                })
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(OpenError::MissingFolder {
                    folder: parent.to_owned(),
                })
            }
            Err(error) => Err(unopened(path, error)),
        }
    }

    /// Makes an empty file that only its owner may read, if there is none.
    pub(super) fn create(&self) -> Result<(), OpenError> {
        if self.exists {
            // Opening and closing the database here would drop SQLite's locks: ask only.
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = private(&mut options)
            .open(&self.path)
            .map_err(|error| unopened(&self.path, error))?;
        file.sync_all()
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| unopened(&self.path, error))
    }
}

/// Whether a file has a second name.
fn is_linked(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata) > 1;
    #[cfg(not(unix))]
    return {
        let _ = metadata;
        false
    };
}

fn check_text(path: &Path) -> Result<(), OpenError> {
    let text = path.as_os_str().as_encoded_bytes();
    let expected = if text.is_empty() {
        "it is empty"
    } else if text.contains(&0) {
        "it holds a zero byte"
    } else if text == b":memory:" {
        "a store keeps what it acknowledges; use `Memory` for a store in memory"
    } else if text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"file:"))
    {
        "URIs are not taken, their parameters can switch durability off; write ./file:.. for such a name"
    } else {
        return Ok(());
    };
    Err(OpenError::Path {
        path: path.to_owned(),
        expected,
    })
}

fn canonical(path: &Path) -> Result<PathBuf, OpenError> {
    std::fs::canonicalize(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            OpenError::MissingFolder {
                folder: path.to_owned(),
            }
        } else {
            unopened(path, error)
        }
    })
}

/// The variant for an error of the operating system.
pub(super) fn unopened(path: &Path, error: Error) -> OpenError {
    let path = path.to_owned();
    let kind = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            return OpenError::Permission {
                path,
                source: Some(error),
            };
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FailureKind::DiskFull,
        _ => FailureKind::Io,
    };
    let failure = StoreFailure::new(kind, format!("{}: {error}", path.display()));
    OpenError::Failed {
        path,
        failure: failure.caused_by(error),
    }
}

/// Lets only the owner read and write a file that is made.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Puts the name of a new file on stable storage.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    // Windows has no handle of a folder that could be synced; its journal keeps names.
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
