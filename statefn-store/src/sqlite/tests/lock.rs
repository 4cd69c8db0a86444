//! The lock file and processes that inherit it.

use crate::sqlite::OpenError;
use crate::sqlite::lock::LockFile;

#[test]
fn a_closed_store_is_free_although_a_child_process_inherited_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let lock = LockFile::take(&path).unwrap();
    // What a process that is being started has until it runs its own program.
    let inherited = lock.held.try_clone().unwrap();
    assert!(matches!(
        LockFile::take(&path),
        Err(OpenError::Locked { .. })
    ));
    drop(lock);
    LockFile::take(&path).unwrap();
    drop(inherited);
}
