//! The write-ahead log: when it is moved into the database. Only the writer does that, so that an
//! error reaches somebody.

use std::time::Duration;

use rusqlite::Connection;

use super::failure::SqliteError;
use super::limits::{BUSY_WAIT, LARGE_LOG};
use super::tuning::Tuning;
use crate::FailureKind;

/// What the writer knows of the log.
#[derive(Default)]
pub(super) struct Log {
    commits: u32,
    /// Pages at which the next move is due.
    due: u64,
    /// Whether there is something to move.
    pub(super) dirty: bool,
}

/// The answer of a checkpoint.
struct State {
    busy: bool,
    pages: u64,
    moved: u64,
}

impl Log {
    /// A commit has been written: moves the log when it has become long.
    pub(super) fn committed(
        &mut self,
        conn: &Connection,
        tuning: &Tuning,
    ) -> Result<(), SqliteError> {
        self.dirty = true;
        self.commits += 1;
        if self.commits < tuning.look_every {
            return Ok(());
        }
        self.commits = 0;
        let pages = run(conn, "NOOP")?.pages;
        if pages < self.due.max(tuning.checkpoint_pages) {
            return Ok(());
        }
        let mut state = run(conn, "PASSIVE")?;
        if state.moved < state.pages {
            // A reader that began before still needs the rest: most have ended in a moment.
            conn.busy_timeout(tuning.reader_wait)?;
            let waited = run(conn, "RESTART");
            conn.busy_timeout(BUSY_WAIT)?;
            state = waited?;
        }
        tracing::debug!(pages = state.pages, moved = state.moved, "checkpoint");
        if state.moved < state.pages {
            // A long reader: come back after as much again.
            self.due = state.pages + tuning.checkpoint_pages;
            if state.pages >= LARGE_LOG * tuning.checkpoint_pages {
                tracing::warn!(
                    pages = state.pages,
                    "a long reader keeps the log from shrinking"
                );
            }
        } else {
            self.due = 0;
        }
        Ok(())
    }

    /// Nothing to do: empties the log unless a reader is in the way.
    pub(super) fn idle(&mut self, conn: &Connection) -> Result<(), SqliteError> {
        if !self.dirty {
            return Ok(());
        }
        conn.busy_timeout(Duration::ZERO)?;
        let state = run(conn, "TRUNCATE");
        conn.busy_timeout(BUSY_WAIT)?;
        self.dirty = state?.busy;
        self.due = 0;
        Ok(())
    }
}

/// Moves the whole log into the database and empties it. At a start this is what turns everything
/// that can be read into something that is on the disk.
pub(super) fn truncate(conn: &Connection) -> Result<(), SqliteError> {
    if run(conn, "TRUNCATE")?.busy {
        let message = "somebody reads the database and keeps its log from being emptied";
        return Err(SqliteError::own(FailureKind::Busy, message));
    }
    Ok(())
}

fn run(conn: &Connection, mode: &str) -> Result<State, SqliteError> {
    let sql = match mode {
        "NOOP" => "PRAGMA wal_checkpoint(NOOP)",
        "PASSIVE" => "PRAGMA wal_checkpoint(PASSIVE)",
        "RESTART" => "PRAGMA wal_checkpoint(RESTART)",
        _ => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    let (busy, pages, moved): (i64, i64, i64) = conn
        .prepare_cached(sql)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let busy = busy != 0;
    if pages < 0 && !busy {
        let message = "the database has no write-ahead log, on which durability depends";
        return Err(SqliteError::own(FailureKind::Io, message));
    }
    Ok(State {
        busy,
        pages: pages.max(0).cast_unsigned(),
        moved: moved.max(0).cast_unsigned(),
    })
}
