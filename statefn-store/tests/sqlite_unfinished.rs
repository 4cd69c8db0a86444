//! Files that a power cut left with a rollback journal.
#![cfg(feature = "sqlite")]
#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests may panic as the tests do"
)]

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use statefn_store::Sqlite;

/// A database as a power cut in the middle of a transaction leaves it: some pages changed, and a
/// journal that knows what they were.
fn cut(path: &Path, setup: &str, change: &str) {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original.db");
    let conn = Connection::open(&original).unwrap();
    conn.execute_batch(setup).unwrap();
    // A cache of one page: pages are written, and their journal synced, before the commit.
    conn.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
    conn.execute_batch(change).unwrap();
    fs::copy(&original, path).unwrap();
    let journal = |path: &Path| format!("{}-journal", path.display());
    fs::copy(journal(&original), journal(path)).unwrap();
}

const FILL: &str = "CREATE TABLE t (a); \
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) \
                    INSERT INTO t SELECT hex(randomblob(400)) FROM n";

#[test]
fn a_database_of_another_program_with_a_journal_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    cut(&path, FILL, "UPDATE t SET a = hex(randomblob(400))");
    let before = fs::read(&path).unwrap();
    Sqlite::open(&path).unwrap_err();
    assert!(folder.path().join("store.db-journal").exists());
    assert_eq!(fs::read(&path).unwrap(), before);
}
