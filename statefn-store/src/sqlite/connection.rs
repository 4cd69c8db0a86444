//! Connections and their settings, each read back: a setting that SQLite ignores is silent.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::OpenError;
use super::failure::SqliteError;
use super::file::Place;
use super::limits::{
    APPLICATION_ID, BUSY_WAIT, FORMAT, OLDEST_SQLITE, PAGE_BYTES, READER_CACHE_KIB,
    WRITER_CACHE_KIB,
};
use super::schema;
use crate::FailureKind;

/// Refuses a linked SQLite that is too old.
pub(super) fn check_library() -> Result<(), OpenError> {
    let (needed, number) = OLDEST_SQLITE;
    if rusqlite::version_number() >= number {
        return Ok(());
    }
    Err(OpenError::OldSqlite {
        found: rusqlite::version().to_owned(),
        needed,
    })
}

/// What a file is before anything is written to it.
enum Found {
    /// No file, or one without tables.
    Empty,
    /// A store of a known format.
    Store,
}

/// The writing connection, after the file has proved to be ours; makes the tables of a new one.
pub(super) fn writer(place: &Place) -> Result<Connection, OpenError> {
    let found = if place.exists {
        inspect(&place.path)?
    } else {
        Found::Empty
    };
    place.create()?;
    prepare(place, &found)
}

/// The writing connection to a store that was open before: never to another file in its place.
pub(super) fn writer_again(place: &Place) -> Result<Connection, OpenError> {
    match inspect(&place.path)? {
        found @ Found::Store => prepare(place, &found),
        Found::Empty => Err(OpenError::Schema {
            path: place.path.clone(),
            what: "it has become empty".to_owned(),
        }),
    }
}

fn prepare(place: &Place, found: &Found) -> Result<Connection, OpenError> {
    let path = &place.path;
    let conn = open_writer(path, matches!(found, Found::Empty))?;
    if matches!(found, Found::Empty) {
        schema::create(&conn).map_err(|error| failed(path, error))?;
    }
    match schema::difference(&conn).map_err(|error| failed(path, error))? {
        None => Ok(conn),
        Some(what) => Err(OpenError::Schema {
            path: path.clone(),
            what,
        }),
    }
}

fn open_writer(path: &Path, new: bool) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| failed(path, error))?;
    if conn
        .is_readonly("main")
        .map_err(|error| failed(path, error))?
    {
        return Err(OpenError::Permission {
            path: path.to_owned(),
            source: None,
        });
    }
    if new {
        set(&conn, path, "page_size", PAGE_BYTES)?;
    }
    settings(&conn, path, WRITER_CACHE_KIB)?;
    let mode: String = conn
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| failed(path, error))?;
    if mode != "wal" {
        return Err(OpenError::Setting {
            setting: "journal_mode",
            found: mode,
            expected: "wal".to_owned(),
        });
    }
    set(&conn, path, "synchronous", 2)?;
    // The writer moves the log itself: errors inside automatic checkpoints reach nobody.
    set(&conn, path, "wal_autocheckpoint", 0)?;
    // macOS alone: an fsync there does not reach the disk.
    set(&conn, path, "fullfsync", 1)?;
    set(&conn, path, "checkpoint_fullfsync", 1)?;
    Ok(conn)
}

/// A connection that can only read.
pub(super) fn reader(path: &Path) -> Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    settings(&conn, path, READER_CACHE_KIB)
        .and_then(|()| set(&conn, path, "query_only", 1))
        .map_err(|error| SqliteError::from(error.into_failure()))?;
    Ok(conn)
}

/// What every connection needs, whoever made the file.
fn settings(conn: &Connection, path: &Path, cache_kib: i64) -> Result<(), OpenError> {
    let failed = |error| failed(path, error);
    conn.busy_timeout(BUSY_WAIT).map_err(failed)?;
    conn.set_prepared_statement_cache_capacity(64);
    for (config, on) in [
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        conn.set_db_config(config, on).map_err(failed)?;
    }
    set(conn, path, "cell_size_check", 1)?;
    set(conn, path, "mmap_size", 0)?;
    set(conn, path, "temp_store", 2)?;
    set(conn, path, "cache_size", -cache_kib)
}

fn set(
    conn: &Connection,
    path: &Path,
    setting: &'static str,
    value: impl Into<i64>,
) -> Result<(), OpenError> {
    let value = value.into();
    let read = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let found = conn
        .pragma_update(None, setting, value)
        .and_then(|()| conn.pragma_query_value(None, setting, read))
        .map_err(|error| failed(path, error))?;
    if found == value {
        return Ok(());
    }
    Err(OpenError::Setting {
        setting,
        found: found.to_string(),
        expected: value.to_string(),
    })
}

/// Looks at an existing file through a connection that cannot write.
fn inspect(path: &Path) -> Result<Found, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| failed(path, error))?;
    let number = |pragma: &str| -> Result<u32, OpenError> {
        let value: i64 = conn
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| failed(path, error))?;
        // Stored as 32 bits; SQLite shows them signed.
        Ok(i32::try_from(value).unwrap_or_default().cast_unsigned())
    };
    let (application, format) = (number("application_id")?, number("user_version")?);
    let objects: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| failed(path, error))?;
    if application == 0 && format == 0 && objects == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            found: application,
            expected: APPLICATION_ID,
        });
    }
    if format > FORMAT {
        return Err(OpenError::NewerFormat {
            path: path.to_owned(),
            found: format,
            newest: FORMAT,
        });
    }
    Ok(Found::Store)
}

/// The variant for an error of SQLite.
pub(super) fn failed(path: &Path, error: impl Into<SqliteError>) -> OpenError {
    let (error, path) = (error.into(), path.to_owned());
    match error.kind() {
        FailureKind::Corrupt if error.is_not_a_database() => OpenError::NotADatabase { path },
        FailureKind::Permission => OpenError::Permission { path, source: None },
        _ => OpenError::Failed {
            failure: error.at(&path),
            path,
        },
    }
}
