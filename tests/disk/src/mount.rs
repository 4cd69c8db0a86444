//! Which folders are simulated, and where a store finds them.
//!
//! The backend also asks the operating system about its file (is it there, what is its canonical
//! path, is it locked), so a mounted folder exists, with an empty file for each database: a name.
//! What is in the file is on the simulated disk.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, RwLock};

use crate::disk::Disk;
use crate::vfs;

static MOUNTED: LazyLock<RwLock<HashMap<String, Arc<Disk>>>> = LazyLock::new(RwLock::default);

/// The name of the database in a mounted folder.
pub const DATABASE: &str = "store.db";

/// A folder into which one simulated disk after another can be put.
#[derive(Debug)]
pub struct Mount {
    _folder: tempfile::TempDir,
    path: PathBuf,
    key: String,
}

impl Mount {
    /// A new folder.
    pub fn new() -> Self {
        vfs::install();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().canonicalize().expect("it exists");
        std::fs::File::create(path.join(DATABASE)).expect("a file in it");
        let key = path.to_str().expect("a plain path").to_owned();
        Self {
            _folder: folder,
            path,
            key,
        }
    }

    /// Puts a disk in, in place of the one before.
    pub fn insert(&self, disk: &Arc<Disk>) {
        let mut mounted = MOUNTED.write().expect("no panic under the lock");
        mounted.insert(self.key.clone(), Arc::clone(disk));
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Default for Mount {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let mut mounted = MOUNTED.write().expect("no panic under the lock");
        mounted.remove(&self.key);
    }
}

/// Shows the operating system the rollback journal of a database, which the backend looks into
/// without SQLite before it opens a file that was cut off while it was made.
pub(crate) fn mirror_journal(disk: &Disk, database: &Path) {
    let mut journal = database.as_os_str().to_owned();
    journal.push("-journal");
    let name = Path::new(&journal).file_name().and_then(OsStr::to_str);
    match name.and_then(|name| disk.content(name)) {
        Some(bytes) => std::fs::write(&journal, bytes).expect("a writable folder"),
        // It is not there: so much the better.
        None => drop(std::fs::remove_file(&journal)),
    }
}

/// The disk on which a path lies, and its name there; `None` for a path of the real world.
pub(crate) fn find(path: &str) -> Option<(Arc<Disk>, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let mounted = MOUNTED.read().expect("no panic under the lock");
    Some((Arc::clone(mounted.get(folder)?), name))
}
