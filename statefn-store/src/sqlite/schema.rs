//! The tables (FORMAT.md describes each column) and the check that a file has exactly these.

use rusqlite::Connection;

use super::checksum::Checksum;
use super::failure::SqliteError;
use super::limits::{APPLICATION_ID, FORMAT};
use super::number::to_sql;
use super::row::{Damage, number, signed};
use crate::FailureKind;

/// What a file of formats 1 and 2 has.
const FIRST: [(&str, &str); 4] = [
    (
        "journal",
        "CREATE TABLE journal (
    offset INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    slice INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    previous_record INTEGER NOT NULL,
    header_sum INTEGER NOT NULL,
    time INTEGER NOT NULL,
    name TEXT,
    version INTEGER,
    codec INTEGER,
    metadata BLOB,
    payload BLOB,
    record_key TEXT,
    record_fingerprint BLOB,
    record_outcome BLOB,
    skips INTEGER,
    reason TEXT,
    body_sum INTEGER NOT NULL
) STRICT",
    ),
    (
        "heads",
        "CREATE TABLE heads (
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    record INTEGER NOT NULL,
    snapshot INTEGER NOT NULL,
    first INTEGER NOT NULL,
    skip INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (type, id)
) STRICT, WITHOUT ROWID",
    ),
    (
        "snapshots",
        "CREATE TABLE snapshots (
    offset INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    shape BLOB NOT NULL,
    codec INTEGER NOT NULL,
    payload BLOB NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
    (
        "meta",
        "CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    watermark INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
];

/// What format 3 adds: stored calls.
const THIRD: [(&str, &str); 4] = [
    (
        "outbox",
        "CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    time INTEGER NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    command TEXT NOT NULL,
    codec INTEGER NOT NULL,
    arguments BLOB NOT NULL,
    metadata BLOB,
    hops INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT,
    sum INTEGER NOT NULL
) STRICT",
    ),
    (
        "timers",
        "CREATE TABLE timers (
    number INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    due INTEGER NOT NULL,
    wake INTEGER NOT NULL,
    schedule BLOB NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    command TEXT NOT NULL,
    codec INTEGER NOT NULL,
    arguments BLOB NOT NULL,
    metadata BLOB,
    hops INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
    (
        "timers_by_name",
        "CREATE INDEX timers_by_name ON timers (type, id, name)",
    ),
    (
        "timers_by_wake",
        "CREATE INDEX timers_by_wake ON timers (wake)",
    ),
];

/// What format 4 adds: projections and the rows of their views.
const FOURTH: [(&str, &str); 5] = [
    (
        "projections",
        "CREATE TABLE projections (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    serves INTEGER NOT NULL,
    layout BLOB NOT NULL,
    sum INTEGER NOT NULL
) STRICT",
    ),
    (
        "projections_by_name",
        "CREATE UNIQUE INDEX projections_by_name ON projections (name, version)",
    ),
    (
        "view_rows",
        "CREATE TABLE view_rows (
    projection INTEGER NOT NULL,
    view TEXT NOT NULL,
    key BLOB NOT NULL,
    row BLOB NOT NULL,
    indexed BLOB NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (projection, view, key)
) STRICT, WITHOUT ROWID",
    ),
    (
        "view_indexes",
        "CREATE TABLE view_indexes (
    projection INTEGER NOT NULL,
    view TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (projection, view, name, value, key)
) STRICT, WITHOUT ROWID",
    ),
    (
        "passed_over",
        "CREATE TABLE passed_over (
    projection INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    time INTEGER NOT NULL,
    reason TEXT NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (projection, offset)
) STRICT, WITHOUT ROWID",
    ),
];

/// The tables and indexes of a format.
fn tables(format: u32) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let third = THIRD.iter().filter(move |_| format >= 3);
    let fourth = FOURTH.iter().filter(move |_| format >= 4);
    FIRST.iter().chain(third).chain(fourth)
}

/// Makes the tables of a new store, in one transaction.
pub(super) fn create(conn: &Connection) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    for (_, sql) in tables(FORMAT) {
        conn.execute_batch(sql)?;
    }
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", FORMAT)?;
    Meta::default().insert(conn)?;
    tx.commit()
}

/// Makes a file of an older format one of this format, in one transaction.
pub(super) fn upgrade(conn: &Connection) -> rusqlite::Result<()> {
    let format: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format >= FORMAT {
        return Ok(());
    }
    let tx = conn.unchecked_transaction()?;
    for (_, sql) in tables(FORMAT).skip(tables(format).count()) {
        conn.execute_batch(sql)?;
    }
    conn.pragma_update(None, "user_version", FORMAT)?;
    tx.commit()
}

/// Whether there are tables for stored calls: not in an older file whose damage keeps it as it is.
pub(super) fn keeps_calls(conn: &Connection) -> rusqlite::Result<bool> {
    let format: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(tables(format).count() > FIRST.len())
}

/// Whether there are tables for projections; as [`keeps_calls`].
pub(super) fn keeps_views(conn: &Connection) -> rusqlite::Result<bool> {
    let format: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(format >= 4)
}

/// The first difference between the tables of a file and those of its format.
pub(super) fn difference(conn: &Connection, format: u32) -> rusqlite::Result<Option<String>> {
    let mut statement = conn.prepare(
        "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    )?;
    let mut rows = statement.query([])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        match tables(format).find(|(table, _)| *table == name) {
            Some((_, expected)) if *expected == sql => seen += 1,
            Some(_) => return Ok(Some(format!("{name} is defined differently"))),
            None => return Ok(Some(format!("{name} does not belong here"))),
        }
    }
    Ok((seen != tables(format).count()).then(|| "a table is missing".to_owned()))
}

/// The one row of `meta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    /// The newest owner.
    pub(super) epoch: u64,
    /// Up to here, every entry is covered by `heads`.
    pub(super) watermark: u64,
}

impl Meta {
    /// The row, or `Corrupt` when it is missing or contradicts its checksum.
    pub(super) fn read(conn: &Connection) -> Result<Self, SqliteError> {
        let mut statement = conn.prepare_cached("SELECT epoch, watermark, sum FROM meta")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Err(damaged("the row of table meta is missing"));
        };
        let read = |row| {
            let (epoch, watermark) = (number(row, 0)?, number(row, 1)?);
            let meta = Self { epoch, watermark };
            Ok::<_, Damage>((meta.sum() == signed(row, 2)?).then_some(meta))
        };
        match read(row) {
            Ok(Some(meta)) => Ok(meta),
            _ => Err(damaged("the row of table meta is damaged")),
        }
    }

    fn insert(self, conn: &Connection) -> rusqlite::Result<()> {
        conn.execute(
            "INSERT INTO meta (one, epoch, watermark, sum) VALUES (1, ?1, ?2, ?3)",
            self.columns(),
        )?;
        Ok(())
    }

    /// Overwrites the row, inside the caller's transaction.
    pub(super) fn write(self, conn: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE meta SET epoch = ?1, watermark = ?2, sum = ?3";
        conn.prepare_cached(sql)?.execute(self.columns())?;
        Ok(())
    }

    fn columns(self) -> (i64, i64, i64) {
        (to_sql(self.epoch), to_sql(self.watermark), self.sum())
    }

    fn sum(self) -> i64 {
        Checksum::of([self.epoch, self.watermark]).stored()
    }
}

fn damaged(what: &str) -> SqliteError {
    SqliteError::own(FailureKind::Corrupt, what)
}
