//! Folders for databases, in memory where the system has a file system there.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const IN_MEMORY: &str = "/dev/shm";

const NAME: &str = "store.db";

/// A folder with at most one database.
pub(crate) struct Disk(TempDir);

impl Disk {
    pub(crate) fn new() -> Self {
        let folder = if Path::new(IN_MEMORY).is_dir() {
            tempfile::tempdir_in(IN_MEMORY)
        } else {
            tempfile::tempdir()
        };
        Self(folder.unwrap())
    }

    /// Holds a database of these bytes, with a log of those.
    pub(crate) fn of(database: &[u8], log: Option<&[u8]>) -> Self {
        let disk = Self::new();
        fs::write(disk.path(), database).unwrap();
        if let Some(log) = log {
            fs::write(disk.log(), log).unwrap();
        }
        disk
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join(NAME)
    }

    /// A path beside the database.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.beside(&format!("{NAME}-wal"))
    }

    /// What a kill at this moment would leave: database and log.
    pub(crate) fn left(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        (fs::read(self.path()).unwrap(), fs::read(self.log()).ok())
    }
}
