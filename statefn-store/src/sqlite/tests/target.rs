//! The file that a backup or a salvage writes.

use crate::sqlite::target::Target;

#[test]
fn a_process_that_dies_in_a_backup_leaves_nothing_under_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("backup.db");
    // What is there now is what a process leaves that dies now.
    let under_way = Target::reserve(&to).unwrap();
    assert!(!to.exists());
    assert!(folder.path().join("backup.db.partial").exists());
    drop(under_way);
}

#[test]
fn a_file_that_came_there_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("backup.db");
    let target = Target::reserve(&to).unwrap();
    std::fs::write(&to, "somebody else's").unwrap();
    assert!(target.complete().is_err());
    assert_eq!(std::fs::read(&to).unwrap(), b"somebody else's");
    assert!(!folder.path().join("backup.db.partial").exists());
}

#[test]
fn a_backup_under_way_is_not_taken_away_by_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("backup.db");
    let first = Target::reserve(&to).unwrap();
    assert!(Target::reserve(&to).is_err());
    first.complete().unwrap();
    assert!(to.exists());
}

/// Killed at any moment of it, a process leaves a copy that opens: one with two names is refused.
#[cfg(unix)]
#[test]
fn a_copy_has_one_name_from_its_first_moment_on() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("backup.db");
    std::thread::scope(|scope| {
        let copies = scope.spawn(|| {
            for _ in 0..200 {
                Target::reserve(&to).unwrap().complete().unwrap();
                std::fs::remove_file(&to).unwrap();
            }
        });
        while !copies.is_finished() {
            let names = to.metadata().map_or(0, |metadata| metadata.nlink());
            assert!(names <= 1, "{names} names at once");
        }
    });
}
