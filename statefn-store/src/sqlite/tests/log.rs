//! How long the write-ahead log becomes.

use std::time::Duration;

use rusqlite::Connection;

use super::store::Opened;
use crate::sqlite::limits::PAGE_BYTES;
use crate::sqlite::tuning::Tuning;

/// Pages at which the log is due, and some that a commit writes beyond them.
const DUE: u64 = 64;
const BEYOND: u64 = 16;

/// A page in the log has a header.
const FRAME: u64 = PAGE_BYTES as u64 + 24;

/// Pages of the log that are in the database already.
fn moved(conn: &Connection) -> i64 {
    let sql = "PRAGMA wal_checkpoint(NOOP)";
    conn.query_row(sql, [], |row| row.get(2)).unwrap()
}

#[test]
fn p8_a_read_in_the_middle_does_not_let_the_log_grow_to_twice_its_length() {
    let opened = Opened::tuned(Tuning {
        checkpoint_pages: DUE,
        look_every: 1,
        reader_wait: Duration::from_secs(60),
        ..Tuning::default()
    });
    opened.append("alice", 0);
    let file = opened.folder.path().join("store.db");
    let [reader, observer] = [(), ()].map(|()| Connection::open(&file).unwrap());
    reader.execute_batch("BEGIN").unwrap();
    // A connection knows of the log once it has read.
    for conn in [&reader, &observer] {
        let entries = "SELECT count(*) FROM journal";
        let entries: i64 = conn.query_row(entries, [], |row| row.get(0)).unwrap();
        assert_eq!(entries, 1);
    }
    assert_eq!(moved(&observer), 0);
    // It ends when the log is being moved, as far as it lets it be.
    let reads = std::thread::spawn(move || {
        while moved(&observer) <= 0 {
            std::thread::yield_now();
        }
        reader.execute_batch("COMMIT").unwrap();
    });
    for sequence in 1..200 {
        opened.append("alice", sequence);
    }
    reads.join().unwrap();
    let log = std::fs::metadata(opened.folder.path().join("store.db-wal")).unwrap();
    assert!(log.len() > DUE * FRAME, "it has been due");
    let pages = log.len() / FRAME;
    assert!(pages <= DUE + BEYOND, "{pages} pages");
}
