//! Connections and their settings, each read back: a setting that SQLite ignores is silent.

use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::OpenError;
use super::failure::SqliteError;
use super::file::{Place, unopened};
use super::limits::{
    APPLICATION_ID, BUSY_WAIT, FORMAT, OLDEST_SQLITE, PAGE_BYTES, READER_CACHE_KIB,
    WRITER_CACHE_KIB,
};
use super::schema;
use crate::FailureKind;

/// Refuses a linked SQLite that is too old.
pub(super) fn check_library() -> Result<(), OpenError> {
    check_version(rusqlite::version_number(), rusqlite::version())
}

fn check_version(number: i32, text: &str) -> Result<(), OpenError> {
    let (needed, oldest) = OLDEST_SQLITE;
    if number >= oldest {
        return Ok(());
    }
    Err(OpenError::OldSqlite {
        found: text.to_owned(),
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
    let path = &place.path;
    if place.exists {
        // Before any connection: closing the file again would drop its locks.
        check_start(path)?;
    }
    if place.exists && matches!(inspect(path)?, Found::Store) {
        return open_writer(path, false);
    }
    place.create()?;
    let conn = open_writer(path, true)?;
    schema::create(&conn).map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// The writing connection to a store that was open before: never to another file in its place.
pub(super) fn writer_again(place: &Place) -> Result<Connection, OpenError> {
    match inspect(&place.path)? {
        Found::Store => open_writer(&place.path, false),
        Found::Empty => Err(OpenError::Schema {
            path: place.path.clone(),
            what: "it has become empty".to_owned(),
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
    let mode = switch_to_log(&conn).map_err(|error| failed(path, error))?;
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
    // What moves within a page that is written anyway leaves no copy behind for an erasure to miss.
    conn.pragma_update(None, "secure_delete", "fast")
        .map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Switches a new file to a write-ahead log and answers the mode that SQLite tells.
///
/// It tells so before it writes: a switch that fails is an error of the step after the row.
fn switch_to_log(conn: &Connection) -> rusqlite::Result<String> {
    let mut statement = conn.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mut mode = String::new();
    while let Some(row) = rows.next()? {
        mode = row.get(0)?;
    }
    Ok(mode)
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

/// A connection that only stays open: with it SQLite's index of the log outlives the writer's, so
/// that a writer which reopens sees the commits that were synced and not those that failed. Without
/// it, what the page cache has of a failed commit would be moved into the database, and after a
/// power cut meet an older log.
pub(super) fn keeper(path: &Path) -> Result<Connection, SqliteError> {
    let conn = reader(path)?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
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
        if conn.set_db_config(config, on).map_err(failed)? != on {
            return Err(OpenError::Setting {
                setting: "a protection of the connection",
                found: (!on).to_string(),
                expected: on.to_string(),
            });
        }
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
    let owned = || path.to_owned();
    match Identity::of(path) {
        Ok(Identity {
            application: 0,
            format: 0,
            objects: 0,
            ..
        }) => Ok(Found::Empty),
        Ok(found) if found.application != APPLICATION_ID => Err(OpenError::Foreign {
            path: owned(),
            found: found.application,
            expected: APPLICATION_ID,
        }),
        Ok(Identity { format, .. }) if format > FORMAT => Err(OpenError::NewerFormat {
            path: owned(),
            found: format,
            newest: FORMAT,
        }),
        Ok(found) => found.difference.map_or(Ok(Found::Store), |what| {
            let path = owned();
            Err(OpenError::Schema { path, what })
        }),
        // The only transaction of a store that has a rollback journal is its first: a process that
        // died in it leaves a file which the next writer empties.
        Err(error) if error.is_unfinished() && was_empty(path) => Ok(Found::Empty),
        Err(error) => Err(failed(path, error)),
    }
}

/// Whose database a file is.
struct Identity {
    application: u32,
    format: u32,
    /// How many tables and the like it has.
    objects: i64,
    /// How its tables differ from those of a store.
    difference: Option<String>,
}

impl Identity {
    fn of(path: &Path) -> Result<Self, SqliteError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        let number = |pragma: &str| {
            let value: i64 = conn.pragma_query_value(None, pragma, |row| row.get(0))?;
            // Stored as 32 bits; SQLite shows them signed.
            Ok::<_, SqliteError>(i32::try_from(value).unwrap_or_default().cast_unsigned())
        };
        let count = "SELECT count(*) FROM sqlite_schema";
        let format = number("user_version")?;
        Ok(Self {
            application: number("application_id")?,
            format,
            objects: conn.query_row(count, [], |row| row.get(0))?,
            difference: schema::difference(&conn, format)?,
        })
    }
}

/// SQLite takes a file shorter than a page for an empty database: somebody's text is not one.
fn check_start(path: &Path) -> Result<(), OpenError> {
    let io = |error| unopened(path, error);
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(16).read_to_end(&mut start).map_err(io)?;
    if start.is_empty() || start == *b"SQLite format 3\0" || was_empty(path) {
        return Ok(());
    }
    Err(OpenError::NotADatabase {
        path: path.to_owned(),
    })
}

/// Whether the rollback journal beside a database says that the database had no pages before.
fn was_empty(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-journal");
    let mut header = [0; 20];
    // Magic (8 bytes), records, nonce, and the pages that there were (4 bytes each).
    std::fs::File::open(journal)
        .and_then(|mut journal| journal.read_exact(&mut header))
        .is_ok_and(|()| header.ends_with(&[0; 4]))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_that_loses_commits_is_refused() {
        let error = check_version(3_051_002, "3.51.2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "SQLite 3.51.2 is linked; 3.51.3 or newer is needed (it fixes a loss of commits)"
        );
        assert!(check_version(3_051_003, "3.51.3").is_ok());
        assert!(check_library().is_ok());
    }

    #[test]
    fn every_setting_on_which_a_promise_rests_is_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::find(&folder.path().join("store.db")).unwrap();
        let writer = writer(&place).unwrap();
        let reader = reader(&place.path).unwrap();
        let number = |conn: &Connection, pragma: &str| -> i64 {
            let value = conn.pragma_query_value(None, pragma, |row| row.get(0));
            value.unwrap()
        };
        let mode: String = writer
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
        for (pragma, value) in [
            ("synchronous", 2),
            ("secure_delete", 2),
            ("wal_autocheckpoint", 0),
            ("fullfsync", 1),
            ("checkpoint_fullfsync", 1),
            ("page_size", i64::from(PAGE_BYTES)),
            ("query_only", 0),
        ] {
            assert_eq!(number(&writer, pragma), value, "{pragma}");
        }
        for conn in [&writer, &reader] {
            for (pragma, value) in [
                ("cell_size_check", 1),
                ("mmap_size", 0),
                ("trusted_schema", 0),
                ("temp_store", 2),
            ] {
                assert_eq!(number(conn, pragma), value, "{pragma}");
            }
            let defensive = conn.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE);
            assert!(defensive.unwrap());
        }
        assert_eq!(number(&reader, "query_only"), 1);
        assert!(reader.is_readonly("main").unwrap());
        reader.execute_batch("DELETE FROM meta").unwrap_err();
    }
}
