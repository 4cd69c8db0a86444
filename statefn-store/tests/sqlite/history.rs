//! A small history with every kind of entry, and what a store must answer after it.

use std::path::Path;

use statefn_store::{Entry, LoadError, Member, Offset, PersistenceId, Sqlite, Store, Timestamp};

use crate::sqlite_support::{
    Fixture, Seen, block, deleted, id, keyed, load_with, member, skip, state, with_snapshot,
};

pub(crate) const ENTITIES: [&str; 6] = ["adam", "alice", "bob", "carl", "dora", "zoe"];

/// The members, one commit each: `alice` and `dora` have entries of all kinds, the others stand
/// around them.
pub(crate) fn members() -> Vec<Member> {
    let mut members = members_of_format_1();
    members.extend(members_since_format_2());
    members
}

/// What format 2 has that format 1 had not: states and deletions.
pub(crate) fn members_since_format_2() -> Vec<Member> {
    vec![
        state(member("carl", 0, &[]), "carl at 1"),
        member("dora", 0, &["p", "q"]),
        keyed(deleted(member("carl", 1, &[])), "drop"),
        keyed(member("dora", 2, &[]), "no"),
        skip("dora", 2, 1),
        keyed(state(member("carl", 2, &[]), "carl at 3"), "put"),
        keyed(member("dora", 2, &["r"]), "yes"),
        deleted(member("dora", 3, &["s"])),
        member("dora", 5, &["t"]),
        state(member("carl", 3, &[]), "carl at 4"),
    ]
}

/// Erases what it can of the history.
pub(crate) fn erase_dora(store: &Fixture) {
    let (dora, records_from) = (id("dora"), Timestamp::from_millis(0));
    let erased = store.store.erase(store.epoch, &dora, records_from);
    assert_eq!(block(erased).unwrap(), 6);
}

/// The members that a file of format 1 can hold.
pub(crate) fn members_of_format_1() -> Vec<Member> {
    let mut with_metadata = member("alice", 5, &["g"]);
    with_metadata.metadata = b"who".to_vec();
    vec![
        member("adam", 0, &["a"]),
        member("alice", 0, &["a", "b"]),
        keyed(member("alice", 2, &["c"]), "first"),
        with_snapshot(member("bob", 0, &["x", "y"]), "bob at 2"),
        with_snapshot(
            keyed(member("alice", 3, &["d", "e"]), "second"),
            "alice at 5",
        ),
        keyed(member("alice", 5, &[]), "rejected"),
        skip("alice", 5, 2),
        with_metadata,
        member("bob", 2, &["z"]),
        member("zoe", 0, &["q"]),
        member("adam", 1, &["b"]),
    ]
}

/// Writes the history and closes the store.
pub(crate) fn written() -> tempfile::TempDir {
    written_of(members())
}

/// Writes these members and closes the store.
pub(crate) fn written_of(members: Vec<Member>) -> tempfile::TempDir {
    let store = Fixture::new();
    for member in members {
        store.append(member);
    }
    store.close()
}

/// Everything that a store answers about the history.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answers {
    pub(crate) entries: Vec<Entry>,
    /// With the snapshot and without it.
    pub(crate) entities: Vec<(PersistenceId, [Seen; 2])>,
}

impl Answers {
    pub(crate) fn of(store: &dyn Store) -> Self {
        let entities = ENTITIES.map(|name| {
            let seen = [false, true].map(|refuse| entity(store, name, refuse).unwrap());
            (id(name), seen)
        });
        Self {
            entries: block(store.read(Offset::ZERO, usize::MAX)).unwrap(),
            entities: entities.to_vec(),
        }
    }

    /// What a sound store answers.
    pub(crate) fn expected() -> Self {
        Self::expected_of(members())
    }

    /// What a sound store answers that holds these members.
    pub(crate) fn expected_of(members: Vec<Member>) -> Self {
        let folder = written_of(members);
        let store = Sqlite::open(folder.path().join("store.db")).unwrap();
        Self::of(&store)
    }

    pub(crate) fn entity(&self, name: &str) -> &[Seen; 2] {
        let found = self.entities.iter().find(|(entity, _)| *entity == id(name));
        &found.unwrap().1
    }
}

/// Loads an entity, with its snapshot or without.
pub(crate) fn entity(
    store: &dyn Store,
    name: &str,
    refuse_snapshot: bool,
) -> Result<Seen, LoadError> {
    let seen = Seen {
        refuse_snapshot,
        ..Seen::default()
    };
    load_with(store, &id(name), seen)
}

/// Copies a closed store into a folder of its own.
pub(crate) fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = in_memory();
    std::fs::copy(folder.join("store.db"), copy.path().join("store.db")).unwrap();
    copy
}

/// A folder that need not be on a disk, where there is one: hundreds of stores are opened here.
pub(crate) fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
