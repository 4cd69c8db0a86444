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
