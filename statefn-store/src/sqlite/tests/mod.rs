//! Tests that plant faults inside the backend.

mod commit_failed;
mod load;
mod lock;
mod log;
mod store;
mod target;

use rusqlite::Connection;

use super::failure::SqliteError;
use super::journal::TransactionError;
use crate::FailureKind;

/// A COMMIT that does not answer with success, as a failing disk makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlantedFault {
    /// It failed, and nothing was written.
    Lost,
    /// It failed after everything had been written.
    Written,
}

impl PlantedFault {
    pub(super) fn strike(self, conn: &Connection) -> Result<(), TransactionError> {
        let sql = match self {
            Self::Lost => "ROLLBACK",
            Self::Written => "COMMIT",
        };
        conn.execute_batch(sql).unwrap();
        let error = SqliteError::own(FailureKind::Io, "planted: fsync failed");
        Err(TransactionError {
            unknown: true,
            error,
        })
    }
}
