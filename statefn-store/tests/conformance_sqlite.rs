//! The suite on the SQLite store: closed and reopened, killed, and with flipped bytes.
#![cfg(all(feature = "testing", feature = "sqlite"))]
#![expect(
    clippy::unwrap_used,
    reason = "a fixture fails by panicking, as tests do"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::types::Value;
use statefn_store::testing::{Fixture, Work};
use statefn_store::{Offset, PersistenceId, Sqlite, Store};
use tempfile::TempDir;

/// A folder for one database after another; a crash moves on to the next one.
struct Disk {
    folder: TempDir,
    crashes: Mutex<u32>,
}

impl Disk {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            crashes: Mutex::new(0),
        }
    }

    fn path(&self) -> PathBuf {
        let crashes = *self.crashes.lock().unwrap();
        self.folder
            .path()
            .join(format!("after {crashes} crashes.db"))
    }

    fn connection(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

fn log_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// Both files as they were at one instant, although the store goes on: neither changed between
/// the second file's first reading and the first one's second.
fn at_one_instant(database: &Path) -> [Vec<u8>; 2] {
    let read = || [database, &log_of(database)].map(|path| fs::read(path).unwrap_or_default());
    loop {
        let first = read();
        if read() == first {
            return first;
        }
    }
}

/// Changes one byte in the middle.
fn flip(blob: &mut [u8]) {
    let middle = blob.len() / 2;
    if let Some(byte) = blob.get_mut(middle) {
        *byte ^= 1;
    }
}

impl Fixture for Disk {
    fn open(&self) -> Work<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(Sqlite::open(self.path()).unwrap()) as Arc<dyn Store> })
    }

    /// What `kill -9` leaves: both files, and nothing of what only the process knew.
    fn crash(&self) {
        let [database, log] = at_one_instant(&self.path());
        *self.crashes.lock().unwrap() += 1;
        fs::write(self.path(), database).unwrap();
        fs::write(log_of(&self.path()), log).unwrap();
    }

    fn damage(&self, offset: Offset) {
        let offset = Value::Integer(i64::try_from(offset.get()).unwrap());
        let conn = self.connection();
        let sql = "SELECT payload FROM journal WHERE offset = ?1";
        let mut payload: Vec<u8> = conn.query_row(sql, [&offset], |row| row.get(0)).unwrap();
        flip(&mut payload);
        let sql = "UPDATE journal SET payload = ?2 WHERE offset = ?1";
        assert_eq!(conn.execute(sql, (offset, payload)).unwrap(), 1);
    }

    fn damage_snapshot(&self, id: &PersistenceId) {
        let conn = self.connection();
        let sql = "SELECT offset, payload FROM snapshots WHERE type = ?1 AND id = ?2
                   ORDER BY offset DESC LIMIT 1";
        let names = (id.entity_type().as_str(), id.id());
        let newest = conn.query_row(sql, names, |row| Ok((row.get(0)?, row.get(1)?)));
        let (offset, mut payload): (i64, Vec<u8>) = newest.unwrap();
        flip(&mut payload);
        let sql = "UPDATE snapshots SET payload = ?2 WHERE offset = ?1";
        assert_eq!(conn.execute(sql, (offset, payload)).unwrap(), 1);
    }
}

statefn_store::conformance!(Disk::new(), reopen, crash, damage, damage_snapshot);

mod through_the_faulty_store {
    use super::{Arc, Disk, Fixture, Mutex, Offset, PersistenceId, Store, Work};
    use statefn_store::testing::{CommitFault, Faulty};

    /// The same files behind the wrapper that plants faults.
    struct Wrapped {
        disk: Disk,
        open: Mutex<Option<Faulty>>,
    }

    impl Wrapped {
        fn new() -> Self {
            let mut disk = Disk::new();
            // The suite has been on a disk once; the wrapper needs none.
            if let Ok(folder) = tempfile::tempdir_in("/dev/shm") {
                disk.folder = folder;
            }
            let open = Mutex::default();
            Self { disk, open }
        }
    }

    impl Fixture for Wrapped {
        fn open(&self) -> Work<'_, Arc<dyn Store>> {
            Box::pin(async {
                let store = Faulty::over(self.disk.open().await);
                *self.open.lock().unwrap() = Some(store.clone());
                Arc::new(store) as Arc<dyn Store>
            })
        }

        fn crash(&self) {
            self.disk.crash();
        }

        fn damage(&self, offset: Offset) {
            self.disk.damage(offset);
        }

        fn damage_snapshot(&self, id: &PersistenceId) {
            self.disk.damage_snapshot(id);
        }

        fn fail(&self, applied: bool) {
            let fault = if applied {
                CommitFault::UnknownApplied
            } else {
                CommitFault::UnknownNotApplied
            };
            self.open
                .lock()
                .unwrap()
                .as_ref()
                .unwrap()
                .next_commits([fault]);
        }
    }

    statefn_store::conformance!(Wrapped::new(), reopen, crash, damage, damage_snapshot, fail);
}
