//! Files that end too early or have a byte changed anywhere: never wrong data, a hang or a panic.

use std::fs;
use std::path::Path;

use statefn_store::{Entry, Offset, Sqlite, Store};

use crate::history::{Answers, ENTITIES, entity, in_memory, members, written};
use crate::sqlite_support::{Fixture, Seen, block, id, member};

/// What a torn store still answers.
struct Rest {
    entries: Option<Vec<Entry>>,
    entities: Vec<Option<Seen>>,
    verified: bool,
}

/// Opens a store and asks it for everything; `None` if it is refused.
fn rest(path: &Path) -> Option<Rest> {
    let store = Sqlite::open(path).ok()?;
    let mut entries = Vec::new();
    let entries = loop {
        let next = entries
            .last()
            .map_or(1, |entry: &Entry| entry.offset.get() + 1);
        match block(store.read(Offset::new(next), usize::MAX)) {
            Ok(page) if page.is_empty() => break Some(entries),
            Ok(page) => entries.extend(page),
            Err(_) => break None,
        }
    };
    let entities = ENTITIES.map(|name| entity(&store, name, false).ok());
    let verified = block(store.verify()).is_ok_and(|report| report.faults.is_empty());
    Some(Rest {
        entries,
        entities: entities.to_vec(),
        verified,
    })
}

/// What the store answers after each of the commits, the empty store first.
fn prefixes() -> Vec<Answers> {
    let store = Fixture::new();
    let mut prefixes = vec![Answers::of(&store.store)];
    for member in members() {
        store.append(member);
        prefixes.push(Answers::of(&store.store));
    }
    prefixes
}

fn is_prefix(rest: &Rest, prefix: &Answers) -> bool {
    let entities = prefix.entities.iter().map(|(_, seen)| &seen[0]);
    rest.entries.as_ref() == Some(&prefix.entries)
        && rest
            .entities
            .iter()
            .map(Option::as_ref)
            .eq(entities.map(Some))
}

#[test]
fn p4_a_log_cut_at_any_place_leaves_whole_commits() {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let killed = store.killed();
    let (database, log) = files(killed.path());
    let prefixes = prefixes();
    let mut seen = vec![false; prefixes.len()];
    for length in (0..log.len()).step_by(512).chain([log.len()]) {
        let folder = put(&database, Some(&log[..length]));
        let rest = rest(&folder.path().join("store.db")).unwrap();
        let found = prefixes.iter().position(|prefix| is_prefix(&rest, prefix));
        seen[found.unwrap_or_else(|| panic!("cut at {length}: no prefix"))] = true;
        assert!(rest.verified, "cut at {length}");
    }
    assert!(
        seen.iter().all(|seen| *seen),
        "every commit is a place to stop: {seen:?}"
    );
}

#[test]
fn a_database_cut_at_any_place_gives_nothing_wrong() {
    let folder = written();
    let (database, _) = files(folder.path());
    let sound = Answers::expected();
    for length in (512..database.len()).step_by(512) {
        let folder = put(&database[..length], None);
        if let Some(rest) = rest(&folder.path().join("store.db")) {
            nothing_wrong(&rest, &sound, &format!("cut at {length}"));
            let lost = database[length..].iter().any(|byte| *byte != 0);
            assert!(!rest.verified || !lost, "cut at {length}: not noticed");
        }
    }
}

#[test]
fn a_byte_changed_anywhere_gives_nothing_wrong() {
    let folder = written();
    let (database, _) = files(folder.path());
    let sound = Answers::expected();
    for at in (0..database.len()).step_by(67) {
        let mut changed = database.clone();
        changed[at] ^= 1 << (at % 8);
        let folder = put(&changed, None);
        if let Some(rest) = rest(&folder.path().join("store.db")) {
            nothing_wrong(&rest, &sound, &format!("byte {at}"));
        }
    }
}

#[test]
fn a_byte_changed_anywhere_in_the_log_leaves_whole_commits() {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let killed = store.killed();
    let (database, log) = files(killed.path());
    let prefixes = prefixes();
    for at in (0..log.len()).step_by(1_031) {
        let mut changed = log.clone();
        changed[at] ^= 1 << (at % 8);
        let folder = put(&database, Some(&changed));
        let rest = rest(&folder.path().join("store.db")).unwrap();
        assert!(
            prefixes.iter().any(|prefix| is_prefix(&rest, prefix)),
            "byte {at}"
        );
    }
}

#[test]
fn a_database_copied_without_its_log_is_a_committed_prefix() {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let (database, _) = files(store.folder.path());
    let folder = put(&database, None);
    let rest = rest(&folder.path().join("store.db")).unwrap();
    let prefixes = prefixes();
    assert!(prefixes.iter().any(|prefix| is_prefix(&rest, prefix)));
}

#[test]
fn a_store_killed_while_it_was_made_is_made_again() {
    // What SQLite leaves when it dies between writing the first page and deleting its journal.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA page_size = 4096; PRAGMA user_version = 0; VACUUM;")
        .unwrap();
    drop(conn);
    assert_eq!(path.metadata().unwrap().len(), 4096);
    let mut header = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [0_u32, 7, 0, 512, 4096] {
        header.extend(number.to_be_bytes());
    }
    header.resize(512, 0);
    fs::write(folder.path().join("store.db-journal"), header).unwrap();
    let store = Fixture::open(folder, "store.db");
    store.append(member("alice", 0, &["a"]));
    assert_eq!(store.load("alice").unwrap().payloads(), ["a"]);
}

/// Entries and entities are as they were, or they are refused.
///
/// An entity may also be *absent* if a whole page of the table of heads is unreachable (its own
/// bookkeeping has no checksum); then the check of the store says so.
fn nothing_wrong(rest: &Rest, sound: &Answers, what: &str) {
    if let Some(entries) = &rest.entries {
        assert_eq!(entries, &sound.entries, "{what}");
    }
    for (name, seen) in ENTITIES.iter().zip(&rest.entities) {
        let [expected, without] = sound.entity(name);
        let Some(seen) = seen else { continue };
        let mut replayed = without.clone();
        replayed.refuse_snapshot = false;
        replayed
            .calls
            .retain(|call| !matches!(call, crate::sqlite_support::Call::Snapshot(..)));
        let right = seen == expected || *seen == replayed;
        let absent = *seen == Seen::default() && !rest.verified;
        assert!(right || absent, "{what}: {:?} is {seen:?}", id(name));
        if absent {
            println!("{what}: {name} is absent, and the check says so");
        }
    }
}

fn files(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |name| fs::read(folder.join(name)).unwrap_or_default();
    (read("store.db"), read("store.db-wal"))
}

fn put(database: &[u8], log: Option<&[u8]>) -> tempfile::TempDir {
    let folder = in_memory();
    fs::write(folder.path().join("store.db"), database).unwrap();
    if let Some(log) = log {
        fs::write(folder.path().join("store.db-wal"), log).unwrap();
    }
    folder
}
