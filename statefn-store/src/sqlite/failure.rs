//! From SQLite's errors to the failures of the contract; no type of rusqlite gets further.

use std::error::Error;
use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::{FailureKind, LoadError, Offset, SequenceNumber, StoreFailure};

/// A copy of what SQLite said, for the `source` of a failure.
#[derive(Clone, Debug)]
pub(super) struct SqliteError {
    kind: FailureKind,
    /// 0 when it is not SQLite that failed.
    code: i32,
    message: String,
    /// Whether the message names its own place.
    placed: bool,
}

impl SqliteError {
    /// What to decide by.
    pub(super) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Whether somebody else's lock was in the way, and nothing is wrong with the database.
    pub(super) fn is_busy(&self) -> bool {
        self.kind == FailureKind::Busy
    }

    /// Whether the file has no header of SQLite.
    pub(super) fn is_not_a_database(&self) -> bool {
        self.code == rusqlite::ffi::SQLITE_NOTADB
    }

    /// Whether a rollback journal lies beside the file, of a transaction that did not finish.
    pub(super) fn is_unfinished(&self) -> bool {
        self.code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK
    }

    /// The failure of the contract, with the place.
    pub(super) fn at(&self, path: &Path) -> StoreFailure {
        let message = if self.placed {
            self.message.clone()
        } else {
            format!("{}: {}", path.display(), self.message)
        };
        StoreFailure::new(self.kind, message).caused_by(self.clone())
    }

    /// An error of our own that is treated like one of SQLite.
    pub(super) fn own(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: 0,
            message: message.into(),
            placed: false,
        }
    }
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.code {
            0 => Ok(()),
            code => write!(f, " (SQLite code {code})"),
        }
    }
}

impl Error for SqliteError {}

impl From<StoreFailure> for SqliteError {
    fn from(failure: StoreFailure) -> Self {
        Self {
            kind: failure.kind,
            code: 0,
            message: failure.message,
            placed: true,
        }
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        let (code, extended) = match error.sqlite_error() {
            Some(error) => (Some(error.code), error.extended_code),
            None => (None, 0),
        };
        Self {
            kind: kind_of(code),
            code: extended,
            message: error.to_string(),
            placed: false,
        }
    }
}

fn kind_of(code: Option<ErrorCode>) -> FailureKind {
    match code {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => FailureKind::Busy,
        Some(ErrorCode::DiskFull) => FailureKind::DiskFull,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => FailureKind::Io,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => FailureKind::Corrupt,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => FailureKind::Permission,
        _ => FailureKind::Other,
    }
}

/// Why a read ended.
#[derive(Debug)]
pub(super) enum ReadError {
    /// SQLite could not read.
    Sqlite(SqliteError),
    /// An entry contradicts its checksum, its chain or the format.
    Damaged {
        offset: u64,
        sequence: u64,
        what: String,
    },
}

impl ReadError {
    /// Damage at a place.
    pub(super) fn damaged(offset: u64, sequence: u64, what: impl Into<String>) -> Self {
        Self::Damaged {
            offset,
            sequence,
            what: what.into(),
        }
    }

    /// The error of the contract, with the place.
    pub(super) fn at(self, path: &Path) -> LoadError {
        match self {
            Self::Sqlite(error) => LoadError::Unavailable(error.at(path)),
            Self::Damaged {
                offset,
                sequence,
                what,
            } => LoadError::Corrupt {
                offset: Offset::new(offset),
                sequence: SequenceNumber::new(sequence),
                what,
            },
        }
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.into())
    }
}

impl From<SqliteError> for ReadError {
    fn from(error: SqliteError) -> Self {
        Self::Sqlite(error)
    }
}
