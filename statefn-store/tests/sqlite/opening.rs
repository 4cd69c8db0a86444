//! Paths and files that are no store, or not ours to open: each is refused with what was expected,
//! and nothing in it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use statefn_store::{FailureKind, OpenError, Sqlite, Store};

use crate::history::written;
use crate::sqlite_support::{Fixture, block, member};

fn refused(path: impl AsRef<Path>) -> OpenError {
    match Sqlite::open(&path) {
        Err(error) => error,
        Ok(_) => panic!("{} was opened", path.as_ref().display()),
    }
}

/// Everything in a folder that says something: no lock files, shared memory or empty logs.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !matches!(path.extension(), Some(end) if end == "lock" || end == "db-shm"))
        .map(|path| (path.clone(), fs::read(path).unwrap_or_default()))
        .filter(|(path, bytes)| {
            !bytes.is_empty() || path.extension().is_some_and(|end| end == "db")
        })
        .collect();
    files.sort();
    files
}

/// A refusal that must leave all files as they were.
fn refused_unchanged(path: &Path) -> OpenError {
    let before = contents(path.parent().unwrap());
    let error = refused(path);
    assert!(
        before == contents(path.parent().unwrap()),
        "{error}: the file changed"
    );
    error
}

#[test]
fn a_file_that_is_no_database_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    for text in [
        "not a database, but long enough to look like one. ".repeat(100),
        "x".into(),
    ] {
        fs::write(&path, text).unwrap();
        let error = refused_unchanged(&path);
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert!(
            error.to_string().ends_with("is not a SQLite database"),
            "{error}"
        );
    }
}

#[test]
fn an_empty_file_becomes_a_store() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("store.db"), b"").unwrap();
    let store = Fixture::open(folder, "store.db");
    store.append(member("alice", 0, &["a"]));
    let again = Fixture::open(store.close(), "store.db");
    assert_eq!(again.load("alice").unwrap().payloads(), ["a"]);
}

#[test]
fn a_database_of_another_program_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let conn = Connection::open(&path).unwrap();
    for setup in [
        "CREATE TABLE invoices (id INTEGER PRIMARY KEY)",
        "PRAGMA journal_mode = WAL; INSERT INTO invoices VALUES (1)",
        "PRAGMA application_id = 12345",
    ] {
        conn.execute_batch(setup).unwrap();
        let error = refused_unchanged(&path);
        let OpenError::Foreign {
            found, expected, ..
        } = error
        else {
            panic!("{setup}: {error:?}");
        };
        assert_eq!(found, if setup.contains("12345") { 12345 } else { 0 });
        assert_eq!(expected, 0x7374_666e);
    }
}

#[test]
fn a_newer_format_is_refused_unchanged_also_with_a_log_left_over() {
    let folder = written();
    let path = folder.path().join("store.db");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 5")
        .unwrap();
    let killed = crate::sqlite_support::kill(folder.path());
    drop(conn);
    assert!(killed.path().join("store.db-wal").exists());
    for folder in [folder, killed] {
        let error = refused_unchanged(&folder.path().join("store.db"));
        let OpenError::NewerFormat {
            found: 5,
            newest: 4,
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert!(
            error
                .to_string()
                .contains("has format 5; this program knows formats up to 4")
        );
    }
}

#[test]
fn a_store_with_a_changed_schema_is_refused_unchanged() {
    for (change, what) in [
        ("CREATE TABLE more (a)", "more does not belong here"),
        (
            "CREATE INDEX byid ON journal (id)",
            "byid does not belong here",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON journal BEGIN DELETE FROM heads; END",
            "t does not belong here",
        ),
        ("CREATE VIEW v AS SELECT 1", "v does not belong here"),
        (
            "ALTER TABLE heads ADD COLUMN more TEXT",
            "heads is defined differently",
        ),
        ("DROP TABLE snapshots", "a table is missing"),
    ] {
        let folder = written();
        let path = folder.path().join("store.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(change)
            .unwrap();
        let error = refused_unchanged(&path);
        let OpenError::Schema { what: found, .. } = error else {
            panic!("{change}: {error:?}");
        };
        assert_eq!(found, what);
    }
}

#[test]
fn paths_that_are_no_plain_files_are_refused() {
    for path in [
        "",
        ":memory:",
        "file:x.db",
        "FILE:x.db?mode=memory",
        "a\0b.db",
    ] {
        let error = refused(path);
        assert!(
            matches!(error, OpenError::Path { .. }),
            "{path:?}: {error:?}"
        );
        assert!(
            error.to_string().contains("is not a plain file path: "),
            "{error}"
        );
        assert!(!Path::new("x.db").exists() && !Path::new("file:x.db").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("is a folder; the path of a database file was expected")
    );
    let missing = folder.path().join("no/such/folder");
    let OpenError::MissingFolder { folder: named } = refused(missing.join("store.db")) else {
        panic!("the folder is missing");
    };
    assert_eq!(named, missing);
    assert!(
        fs::read_dir(folder.path()).unwrap().next().is_none(),
        "nothing was made"
    );
}

#[test]
fn a_path_below_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"x").unwrap();
    let error = refused(file.join("store.db"));
    assert!(
        matches!(&error, OpenError::MissingFolder { folder } if *folder == file),
        "{error:?}"
    );
}

#[test]
#[cfg(unix)]
fn names_that_look_like_uris_or_are_no_text_are_names() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    for name in [
        &b"file:x?mode=memory"[..],
        b"what?nolock=1#a%20b.db",
        b"no \xff text.db",
        "\u{1F6D2} cart's \"store\".db".as_bytes(),
    ] {
        let name = std::ffi::OsStr::from_bytes(name);
        let path = folder.path().join(name);
        let store = Sqlite::open(&path).unwrap();
        let epoch = block(store.claim()).unwrap();
        block(store.close()).unwrap();
        assert!(
            path.metadata().unwrap().len() > 4096,
            "{name:?} is on the disk"
        );
        let store = Sqlite::open(&path).unwrap();
        assert_eq!(block(store.claim()).unwrap().get(), epoch.get() + 1);
    }
}

#[test]
#[cfg(unix)]
fn a_device_and_a_link_to_nowhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused("/dev/null");
    assert!(matches!(error, OpenError::Path { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("a regular file, not a device or a pipe"),
        "{error}"
    );
    let (link, target) = (
        folder.path().join("link.db"),
        folder.path().join("target.db"),
    );
    std::os::unix::fs::symlink(&target, &link).unwrap();
    refused(&link);
    assert!(!target.exists(), "the link was followed");
}

#[test]
fn p3_a_store_is_opened_once_in_a_process_under_whatever_name() {
    let store = Fixture::new();
    let path = store.path();
    let twice = path.parent().unwrap().join(".").join("store.db");
    let mut names = vec![path.clone(), twice];
    let up = path.parent().unwrap().join("sub");
    fs::create_dir(&up).unwrap();
    names.push(up.join("..").join("store.db"));
    #[cfg(unix)]
    {
        let link = store.folder.path().join("link.db");
        std::os::unix::fs::symlink("store.db", &link).unwrap();
        names.push(link);
    }
    for name in names {
        let error = refused(&name);
        let OpenError::Locked { path: of, lock } = &error else {
            panic!("{name:?}: {error:?}");
        };
        assert_eq!((of, lock), (&path, &path.with_extension("db.lock")));
        assert!(
            error.to_string().ends_with("one process at a time"),
            "{error}"
        );
    }
    store.append(member("alice", 0, &["a"]));
    drop(Fixture::open(store.close(), "store.db"));
}

#[test]
#[cfg(unix)]
fn p3_a_store_under_two_hard_links_is_refused() {
    let folder = written();
    let (path, other) = (
        folder.path().join("store.db"),
        folder.path().join("other.db"),
    );
    fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        let error = refused_unchanged(name);
        assert!(matches!(error, OpenError::Path { .. }), "{error:?}");
        assert!(error.to_string().contains("one name"), "{error}");
    }
    fs::remove_file(other).unwrap();
    drop(Fixture::open(folder, "store.db"));
}

const CHILD: &str = "STATEFN_TEST_STORE_OF_ANOTHER_PROCESS";

/// What the second process of the next test runs; on its own it has nothing to open.
#[test]
fn second_process() {
    if let Some(path) = std::env::var_os(CHILD) {
        let refused = refused(path);
        assert!(matches!(refused, OpenError::Locked { .. }), "{refused:?}");
        println!("refused: {refused}");
    }
}

#[test]
fn p3_a_second_process_is_refused() {
    let store = Fixture::new();
    store.append(member("alice", 0, &["a"]));
    let relative = Path::new("store.db");
    for name in [store.path().as_path(), relative] {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "opening::second_process", "--nocapture"])
            .env(CHILD, name)
            .current_dir(store.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success(), "{said}");
        assert!(
            said.contains("refused: ") && said.contains("one process at a time"),
            "{said}"
        );
    }
    store.append(member("alice", 1, &["b"]));
}

#[test]
#[cfg(unix)]
fn p1_only_the_owner_may_read_a_store_and_its_copies() {
    use std::os::unix::fs::PermissionsExt;
    let store = Fixture::new();
    store.append(member("alice", 0, &["a"]));
    let folder = store.folder.path();
    block(store.store.backup(&folder.join("copy.db"))).unwrap();
    block(store.store.salvage(&folder.join("saved.db"))).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let (path, mode) = {
            let entry = entry.unwrap();
            (entry.path(), entry.metadata().unwrap().permissions().mode())
        };
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        seen += 1;
    }
    assert!(
        seen >= 6,
        "database, log, shared memory, lock, two copies: {seen}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_without_permission_is_said_to_be_one() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let mut places = vec![PathBuf::from("/sys/kernel")];
    if fs::write(closed.join("probe"), b"").is_err() {
        places.push(closed);
    } else {
        println!("modes do not bind this user: only a folder of the kernel is tried");
    }
    for place in places {
        let error = refused(place.join("store.db"));
        assert!(
            matches!(error, OpenError::Permission { .. }),
            "{place:?}: {error:?}"
        );
        assert!(
            error
                .to_string()
                .contains("no permission to read and write"),
            "{error}"
        );
    }
}

#[test]
fn a_backup_is_never_written_over_something() {
    let store = Fixture::new();
    let folder = store.folder.path();
    let taken = folder.join("taken.db");
    fs::write(&taken, b"precious").unwrap();
    for to in [taken.as_path(), Path::new("file:x"), folder, &store.path()] {
        let failure = block(store.store.backup(to)).unwrap_err();
        assert_ne!(failure.kind, FailureKind::Unsupported);
        assert!(!failure.message.is_empty());
        block(store.store.salvage(to)).unwrap_err();
    }
    assert_eq!(fs::read(taken).unwrap(), b"precious");
    assert!(!folder.join("taken.db.partial").exists());
    store.append(member("alice", 0, &["a"]));
}
