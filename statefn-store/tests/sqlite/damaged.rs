//! One changed byte in any column: it is found, its own entity stops or does without, and the
//! neighbours do not notice.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use statefn_store::{
    Batch, CommitError, Entry, FailureKind, LoadError, Offset, Outcome, Refusal, SequenceNumber,
    Sqlite, Store,
};

use crate::history::{Answers, ENTITIES, copy, entity, written, written_with_calls};
use crate::sqlite_support::{block, id, member};

/// One column of one row.
#[derive(Clone, Debug)]
struct Place {
    table: &'static str,
    /// Picks the row.
    row: String,
    column: String,
}

/// Every column that holds something, of the rows that `rows` picks.
fn places(database: &Path, table: &'static str, key: &str, rows: &str) -> Vec<Place> {
    let conn = Connection::open(database).unwrap();
    let sql = format!("SELECT {key}, * FROM {table} WHERE {rows} ORDER BY 1");
    let mut statement = conn.prepare(&sql).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut places = Vec::new();
    let mut found = statement.query([]).unwrap();
    while let Some(row) = found.next().unwrap() {
        let value = match row.get(0).unwrap() {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
            other => panic!("{other:?}"),
        };
        for (index, column) in columns.iter().enumerate().skip(1) {
            let holds: Value = row.get(index).unwrap();
            let empty = match holds {
                Value::Null => true,
                Value::Text(text) => text.is_empty(),
                Value::Blob(bytes) => bytes.is_empty(),
                _ => false,
            };
            if !empty {
                let row = format!("{key} = {value}");
                let column = column.clone();
                places.push(Place { table, row, column });
            }
        }
    }
    assert!(places.len() > 3, "{places:?}");
    places
}

/// Changes one byte of a stored value: a bit of a number, a letter of a text, a byte of a blob.
fn flip(database: &Path, place: &Place) {
    let Place { table, row, column } = place;
    let conn = Connection::open(database).unwrap();
    let sql = format!("SELECT {column} FROM {table} WHERE {row}");
    let middle = |mut bytes: Vec<u8>| {
        let at = bytes.len() / 2;
        bytes[at] ^= 2;
        bytes
    };
    let (value, cast) = match conn.query_row(&sql, [], |row| row.get(0)).unwrap() {
        Value::Integer(number) => (Value::Integer(number ^ 0x40), "?1"),
        Value::Text(text) => (Value::Blob(middle(text.into_bytes())), "CAST(?1 AS TEXT)"),
        Value::Blob(bytes) => (Value::Blob(middle(bytes)), "?1"),
        other => panic!("{other:?}"),
    };
    let sql = format!("UPDATE {table} SET {column} = {cast} WHERE {row}");
    assert_eq!(conn.execute(&sql, [value]).unwrap(), 1, "{place:?}");
}

/// Changes a letter of `alice` or of her type where it stands: SQL would move the row.
fn flip_name(database: &Path, place: &Place, bit: u8) {
    let conn = Connection::open(database).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'heads'";
    let root: u32 = conn.query_row(root, [], |row| row.get(0)).unwrap();
    drop(conn);
    let mut bytes = std::fs::read(database).unwrap();
    let page = &mut bytes[(root as usize - 1) * 4096..root as usize * 4096];
    let names = b"cartalice";
    let found = |page: &[u8]| page.windows(names.len()).position(|text| text == names);
    let mut letters = 0;
    while let Some(at) = found(page) {
        page[at + if place.column == "id" { 6 } else { 1 }] ^= bit;
        letters += 1;
    }
    assert_ne!(letters, 0);
    std::fs::write(database, bytes).unwrap();
}

/// Offset of the entry that a place belongs to.
fn offset_of(place: &Place) -> Offset {
    let (_, number) = place.row.split_once(" = ").unwrap();
    Offset::new(number.parse().unwrap())
}

/// All entries, page by page; pages around damage are asked for one by one.
fn readable(store: &dyn Store, end: u64) -> Vec<Entry> {
    let read = |offset| match block(store.read(Offset::new(offset), 1)) {
        Ok(entries) => entries,
        Err(LoadError::Corrupt { offset: place, .. }) => {
            assert_eq!(place.get(), offset);
            Vec::new()
        }
        Err(error) => panic!("{error:?}"),
    };
    (1..=end).flat_map(read).collect()
}

fn neighbours_are_sound(store: &dyn Store, sound: &Answers, what: &impl std::fmt::Debug) {
    for name in ENTITIES.iter().filter(|name| **name != "alice") {
        for (refuse, expected) in [false, true].into_iter().zip(sound.entity(name)) {
            assert_eq!(
                &entity(store, name, refuse).unwrap(),
                expected,
                "{name}: {what:?}"
            );
        }
    }
}

#[test]
fn p9_a_flipped_byte_in_any_column_of_an_entry_stops_its_entity_only() {
    let (folder, sound) = (written(), Answers::expected());
    let database = folder.path().join("store.db");
    for place in places(&database, "journal", "offset", "id = 'alice'") {
        let copy = copy(folder.path());
        let database = copy.path().join("store.db");
        flip(&database, &place);
        let store = Sqlite::open(&database).unwrap();
        neighbours_are_sound(&store, &sound, &place);
        let mut stopped = 0;
        for (refuse, expected) in [false, true].into_iter().zip(sound.entity("alice")) {
            match entity(&store, "alice", refuse) {
                // A snapshot covers the damage, or an operator has left it out.
                Ok(seen) => assert_eq!(&seen, expected, "{place:?}"),
                Err(LoadError::Corrupt { offset, .. }) => {
                    assert!(offset.get() != 0, "{place:?}");
                    stopped += 1;
                }
                Err(error) => panic!("{place:?}: {error:?}"),
            }
        }
        let skipped = offset_of(&place).get() == 3;
        assert!(stopped > 0 || skipped, "{place:?} was not noticed");
        // Pages: everything but the damaged entry, as it was.
        let damaged = offset_of(&place);
        let mut expected = sound.entries.clone();
        expected.retain(|entry| entry.offset != damaged);
        assert_eq!(
            readable(&store, sound.entries.len() as u64),
            expected,
            "{place:?}"
        );
        let faults = block(store.verify()).unwrap().faults;
        assert!(
            faults.iter().any(|fault| fault.offset == Some(damaged)),
            "{place:?}: {faults:?}"
        );
    }
}

#[test]
fn p9_a_flipped_byte_in_any_column_of_a_head_is_found_and_the_journal_knows_better() {
    let (folder, sound) = (written(), Answers::expected());
    let database = folder.path().join("store.db");
    for place in places(&database, "heads", "id", "id = 'alice'") {
        if ["type", "id"].contains(&place.column.as_str()) {
            // The name then sorts before its place, or after it.
            for bit in [1, 2] {
                let copy = copy(folder.path());
                flip_name(&copy.path().join("store.db"), &place, bit);
                a_damaged_head_is_found(&copy, &sound, &place);
            }
        } else {
            let copy = copy(folder.path());
            flip(&copy.path().join("store.db"), &place);
            a_damaged_head_is_found(&copy, &sound, &place);
        }
    }
}

fn a_damaged_head_is_found(folder: &tempfile::TempDir, sound: &Answers, place: &Place) {
    let store = Sqlite::open(folder.path().join("store.db")).unwrap();
    neighbours_are_sound(&store, sound, place);
    for (refuse, expected) in [false, true].into_iter().zip(sound.entity("alice")) {
        let seen = entity(&store, "alice", refuse).unwrap();
        assert_eq!(&seen, expected, "{place:?}");
    }
    let faults = block(store.verify()).unwrap().faults;
    assert!(
        faults.iter().any(|fault| fault.id == Some(id("alice"))),
        "{place:?}: {faults:?}"
    );
    let named = ["type", "id"].contains(&place.column.as_str());
    match block(store.entities(None, 10)) {
        Ok(ids) => assert!(!named && ids == ENTITIES.map(id), "{place:?}: {ids:?}"),
        Err(failure) => {
            assert!(named, "{place:?}: {failure}");
            assert_eq!(failure.kind, FailureKind::Corrupt);
        }
    }
    // Nobody starts the entity anew on top of what is there.
    let epoch = block(store.claim()).unwrap();
    let commit = |expected| {
        let members = vec![member("alice", expected, &["h"])];
        block(store.commit(Batch { epoch, members })).unwrap()
    };
    let stale = Outcome::Refused(Refusal::Stale {
        expected: SequenceNumber::ZERO,
        actual: SequenceNumber::new(6),
    });
    assert_eq!(commit(0), [stale], "{place:?}");
    assert!(
        matches!(commit(6)[..], [Outcome::Committed { .. }]),
        "{place:?}"
    );
}

#[test]
fn p7_a_flipped_byte_in_any_column_of_a_snapshot_means_a_full_replay() {
    let (folder, sound) = (written(), Answers::expected());
    let database = folder.path().join("store.db");
    for place in places(&database, "snapshots", "offset", "id = 'alice'") {
        let copy = copy(folder.path());
        let database = copy.path().join("store.db");
        flip(&database, &place);
        let store = Sqlite::open(&database).unwrap();
        neighbours_are_sound(&store, &sound, &place);
        let seen = entity(&store, "alice", false).unwrap();
        let [with, without] = sound.entity("alice");
        let replayed = |seen: &crate::sqlite_support::Seen| {
            let mut calls = seen.calls.clone();
            calls.retain(|call| !matches!(call, crate::sqlite_support::Call::Snapshot(..)));
            calls
        };
        // The names in the row are for a reader without heads; the load does not need them.
        let named = ["type", "id"].contains(&place.column.as_str());
        if named {
            assert_eq!(&seen, with, "{place:?}");
        } else {
            assert_eq!(seen.calls, replayed(without), "{place:?}");
        }
        let faults = block(store.verify()).unwrap().faults;
        assert!(!faults.is_empty(), "{place:?}");
    }
}

#[test]
fn a_flipped_byte_in_the_owners_row_makes_the_store_read_only() {
    let (folder, sound) = (written(), Answers::expected());
    let database = folder.path().join("store.db");
    for place in places(&database, "meta", "one", "true") {
        if place.column == "one" {
            continue;
        }
        let copy = copy(folder.path());
        let database = copy.path().join("store.db");
        flip(&database, &place);
        let store = Sqlite::open(&database).unwrap();
        assert_eq!(Answers::of(&store), sound, "{place:?}");
        let epoch = block(store.claim()).unwrap();
        let members = vec![member("alice", 6, &["h"])];
        match block(store.commit(Batch { epoch, members })) {
            Err(CommitError::Unavailable(failure)) => {
                assert_eq!(failure.kind, FailureKind::ReadOnly);
                assert!(failure.message.contains("salvage"), "{failure}");
            }
            other => panic!("{place:?}: {other:?}"),
        }
        assert!(!block(store.verify()).unwrap().faults.is_empty());
    }
}

#[test]
fn a_changed_byte_in_a_stored_call_is_found_and_stops_that_call_alone() {
    let folder = written_with_calls();
    let database = folder.path().join("store.db");
    let all = {
        let copy = copy(folder.path());
        let store = Sqlite::open(copy.path().join("store.db")).unwrap();
        stored_calls(&store)
    };
    assert_eq!(all, 2 + 3);
    let mut places = places(&database, "outbox", "number", "1");
    places.extend(self::places(&database, "timers", "number", "1"));
    for place in places {
        let folder = copy(folder.path());
        flip(&folder.path().join("store.db"), &place);
        let store = Sqlite::open(folder.path().join("store.db")).unwrap();
        assert_eq!(Answers::of(&store).entities.len(), ENTITIES.len());
        let faults = block(store.verify()).unwrap().faults;
        assert!(!faults.is_empty(), "{place:?}");
        assert!(stored_calls(&store) >= all - 1, "{place:?}");
    }
}

/// How many effects, dead letters and timers are handed out.
fn stored_calls(store: &Sqlite) -> usize {
    let from = statefn_store::OutboxNumber::ZERO;
    let until = statefn_store::Timestamp::from_millis(i64::MAX);
    block(store.effects(from, 10)).unwrap().len()
        + block(store.dead_letters(from, 10)).unwrap().len()
        + block(store.timers(until, 10)).unwrap().len()
}
