//! Why a database file was not opened.

use std::path::PathBuf;

use crate::{FailureKind, StoreFailure};

/// Why [`Sqlite::open`](super::Sqlite::open) refused a file. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path is not the plain path of a file.
    #[error("{path:?} is not a plain file path: {expected}")]
    Path {
        /// The path as it was given.
        path: PathBuf,
        /// What a path must look like.
        expected: &'static str,
    },
    /// There is a folder at the path.
    #[error("{path:?} is a folder; the path of a database file was expected")]
    Directory {
        /// The path.
        path: PathBuf,
    },
    /// The folder that would hold the file does not exist.
    #[error("the folder {folder:?} does not exist; create it first")]
    MissingFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The file, its folder or its lock file may not be read and written.
    #[error("no permission to read and write {path:?}")]
    Permission {
        /// The path.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: Option<std::io::Error>,
    },
    /// Another `Sqlite`, in this process or another one, has the store open.
    #[error("{path:?} is open already: its lock file {lock:?} is held; one process at a time")]
    Locked {
        /// The database.
        path: PathBuf,
        /// The lock file beside it.
        lock: PathBuf,
    },
    /// The file is not a SQLite database.
    #[error("{path:?} is not a SQLite database")]
    NotADatabase {
        /// The path.
        path: PathBuf,
    },
    /// The file is a SQLite database of another program.
    #[error(
        "{path:?} is a SQLite database, but not a statefn store: application id {found:#010x}, \
         expected {expected:#010x}"
    )]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The application id in the file.
        found: u32,
        /// The application id of a statefn store.
        expected: u32,
    },
    /// A newer statefn wrote the file.
    #[error("{path:?} has format {found}; this program knows formats up to {newest}")]
    NewerFormat {
        /// The path.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that this program knows.
        newest: u32,
    },
    /// The tables are not the ones of this format: somebody changed the schema.
    #[error("{path:?} has an unexpected schema: {what}")]
    Schema {
        /// The path.
        path: PathBuf,
        /// The first difference.
        what: String,
    },
    /// The linked SQLite library is too old to be trusted with a write-ahead log.
    #[error("SQLite {found} is linked; {needed} or newer is needed (it fixes a loss of commits)")]
    OldSqlite {
        /// The version linked.
        found: String,
        /// The oldest version accepted.
        needed: &'static str,
    },
    /// SQLite did not take a setting on which durability depends.
    #[error(
        "SQLite kept {setting} = {found}, expected {expected}; the file system may not allow it"
    )]
    Setting {
        /// The setting.
        setting: &'static str,
        /// The value read back.
        found: String,
        /// The value asked for.
        expected: String,
    },
    /// The file could not be read or written.
    #[error("cannot open {path:?}")]
    Failed {
        /// The path.
        path: PathBuf,
        /// What failed.
        #[source]
        failure: StoreFailure,
    },
}

impl OpenError {
    /// The failure of the contract that says the same.
    pub(super) fn into_failure(self) -> StoreFailure {
        let kind = match self {
            Self::Failed { failure, .. } => return failure,
            Self::Permission { .. } => FailureKind::Permission,
            Self::NotADatabase { .. }
            | Self::Foreign { .. }
            | Self::NewerFormat { .. }
            | Self::Schema { .. } => FailureKind::Corrupt,
            _ => FailureKind::Other,
        };
        StoreFailure::new(kind, self.to_string()).caused_by(self)
    }
}
