//! A small history with every kind of entry, and what a store must answer after it.

use std::path::Path;

use statefn_store::{
    Advance, Deferred, Entry, IndexValue, LoadError, Member, NewRow, NewTimer, Offset,
    OutboxNumber, PassedOver, PersistenceId, Projected, Projecting, ProjectionId, RowChange,
    Settled, Sqlite, Store, StoredCall, Tending, TimerChange, Timestamp,
};

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

/// What format 3 adds: effects, of which one is answered, and timers; the first entry comes at
/// `first`.
pub(crate) fn calls(first: u64) -> Vec<Member> {
    let call = |target: &str, index: u8| StoredCall {
        target: id(target),
        command: format!("command-{index}").into(),
        codec: index,
        arguments: vec![index; 3],
        metadata: if index == 2 {
            b"who".to_vec()
        } else {
            Vec::new()
        },
        hops: u16::from(index) + 1,
    };
    let timer = |name: &str, due, schedule: &[u8]| {
        TimerChange::Set(NewTimer {
            name: name.to_owned(),
            due: Timestamp::from_millis(due),
            schedule: schedule.to_vec(),
            call: call("zoe", 4),
        })
    };
    let mut sends = member("alice", 6, &["h"]);
    sends.deferred = Some(Box::new(Deferred {
        effects: vec![call("bob", 1), call("zoe", 2), call("adam", 3)],
        timers: vec![timer("late", 9_000, b""), timer("daily", -5, b"every")],
        settles: None,
    }));
    let mut only_sends = member("bob", 3, &[]);
    only_sends.deferred = Some(Box::new(Deferred {
        timers: vec![timer("late", 8_000, b"")],
        ..Deferred::default()
    }));
    let mut answers = member("adam", 2, &["c"]);
    answers.deferred = Some(Box::new(Deferred {
        settles: Some(Settled::Effect(OutboxNumber::of(Offset::new(first), 2))),
        ..Deferred::default()
    }));
    vec![sends, only_sends, answers]
}

/// Writes the history with what formats 2 and 3 add, one effect given up, and closes the store.
pub(crate) fn written_with_calls() -> tempfile::TempDir {
    let store = Fixture::new();
    for member in members().into_iter().chain(calls(27)) {
        store.append(member);
    }
    erase_dora(&store);
    let bury = Tending::Bury {
        call: Settled::Effect(OutboxNumber::of(Offset::new(27), 1)),
        reason: "nobody is there".to_owned(),
        attempts: 7,
    };
    assert_eq!(
        block(store.store.tend(store.epoch, vec![bury])).unwrap(),
        [true]
    );
    store.close()
}

/// The history of format 4: projections beside everything else.
pub(crate) fn written_with_views() -> tempfile::TempDir {
    let store = Fixture::open(written_with_calls(), "store.db");
    project(&store);
    store.close()
}

/// Two versions of a projection, the second of which serves, and what it has left out.
pub(crate) fn project(store: &Fixture) {
    let row = |key: &str, payload: &str, value: Option<&str>| RowChange {
        view: "sold".to_owned(),
        key: key.into(),
        row: Some(NewRow {
            payload: payload.into(),
            indexed: Vec::from_iter(value.map(|value| IndexValue {
                index: "by-count".to_owned(),
                value: value.into(),
            })),
        }),
    };
    let begin = |version, offset| Projecting::Begin {
        id: ProjectionId::new("bestsellers", version),
        offset: Offset::new(offset),
        layout: b"layout".to_vec(),
    };
    let advance = |version, expected, rows, passed| {
        Projecting::Advance(Advance {
            id: ProjectionId::new("bestsellers", version),
            expected: Offset::new(expected),
            offset: Offset::new(9),
            rows,
            passed,
        })
    };
    let passed = PassedOver {
        offset: Offset::new(8),
        time: Timestamp::from_millis(-8),
        reason: "a faulty release".to_owned(),
    };
    for change in [
        begin(1, 0),
        advance(1, 0, vec![row("apples", "one", None)], Vec::new()),
        begin(2, 3),
        advance(
            2,
            3,
            vec![
                row("apples", "two", Some("2")),
                row("pears", "", Some("1")),
                row("\0\u{1f980}", "odd", Some("")),
            ],
            vec![passed],
        ),
        Projecting::Serve(ProjectionId::new("bestsellers", 2)),
    ] {
        let done = block(store.store.project(store.epoch, change)).unwrap();
        assert_eq!(done, Projected::Done);
    }
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
