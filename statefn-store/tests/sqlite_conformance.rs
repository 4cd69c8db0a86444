//! The conformance suite on the SQLite store.
#![cfg(all(feature = "sqlite", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "tests")]

mod sqlite_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sqlite_support::{kill, tamper};
use statefn_store::testing::{Fixture, Work};
use statefn_store::{Offset, PersistenceId, Sqlite, Store};

/// A folder with one store; a crash moves on to a copy of the files, as a kill would leave them.
struct Folder {
    folder: Mutex<tempfile::TempDir>,
    old: Mutex<Vec<tempfile::TempDir>>,
    opened: AtomicUsize,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: Mutex::new(tempfile::tempdir().unwrap()),
            old: Mutex::default(),
            opened: AtomicUsize::new(0),
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.lock().unwrap().path().join("store.db")
    }
}

impl Fixture for Folder {
    fn open(&self) -> Work<'_, Arc<dyn Store>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Arc::new(Sqlite::open(self.file()).unwrap()) as Arc<dyn Store> })
    }

    fn crash(&self) {
        let mut folder = self.folder.lock().unwrap();
        let copy = kill(folder.path());
        let left = std::mem::replace(&mut *folder, copy);
        self.old.lock().unwrap().push(left);
    }

    fn damage(&self, offset: Offset) {
        let changed = tamper(
            &self.file(),
            &format!(
                "UPDATE journal SET payload = CAST(x'00ff' || payload AS BLOB) WHERE offset = {offset}"
            ),
        );
        assert_eq!(changed, 1);
    }

    fn damage_snapshot(&self, id: &PersistenceId) {
        let changed = tamper(
            &self.file(),
            &format!(
                "UPDATE snapshots SET payload = CAST(x'00' || payload AS BLOB) WHERE type = '{}' AND id = '{}'",
                id.entity_type(),
                id.id()
            ),
        );
        assert_eq!(changed, 1);
    }
}

statefn_store::conformance!(Folder::new(), reopen, crash, damage, damage_snapshot);
