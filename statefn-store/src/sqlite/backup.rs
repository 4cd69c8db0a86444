//! A copy of the store while commits go on.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::{ReadError, SqliteError};
use super::target::Target;
use crate::FailureKind;

/// Copies the store as of now to a new file.
///
/// All pages in one step, inside one read transaction: commits go on beside it (the log grows
/// meanwhile), and nothing makes the copy start over, as a copy in steps would under load.
pub(super) fn backup(conn: &Connection, to: &Path) -> Result<(), ReadError> {
    let target = Target::reserve(to).map_err(SqliteError::from)?;
    copy(conn, &target.partial)?;
    target.complete().map_err(SqliteError::from)?;
    Ok(())
}

fn copy(conn: &Connection, to: &Path) -> Result<(), SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags)?;
    // The file is synced as a whole when it is complete; until then nobody trusts it.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let done = Backup::new(conn, &mut copy)?.step(-1)?;
    copy.close().map_err(|(_, error)| error)?;
    if done == StepResult::Done {
        return Ok(());
    }
    Err(SqliteError::own(
        FailureKind::Busy,
        "the copy was kept from reading the whole store",
    ))
}
