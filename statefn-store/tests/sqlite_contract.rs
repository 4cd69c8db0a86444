//! The SQLite store against the contract, and against the store in memory as its model.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "tests")]

mod sqlite_support;

use proptest::prelude::*;
use sqlite_support::{
    Fixture, Seen, block, id, keyed, load, load_with, member, skip, with_snapshot,
};
use statefn_store::{
    Batch, CommitError, FailureKind, Member, Memory, Offset, Outcome, OwnerEpoch, Refusal,
    SequenceNumber, Sqlite, Store,
};

#[test]
fn p1_what_was_acknowledged_is_there_after_a_close() {
    let store = Fixture::new();
    store.append(member("alice", 0, &["a", "b"]));
    let store = Fixture::open(store.close(), "store.db");
    let seen = store.load("alice").unwrap();
    assert_eq!(seen.payloads(), ["a", "b"]);
    assert_eq!(seen.head.sequence, SequenceNumber::new(2));
    assert_eq!(seen.head.position, Offset::new(2));
    assert_eq!(store.epoch, OwnerEpoch::new(2));
}

#[test]
fn p1_what_was_acknowledged_is_there_after_a_kill() {
    let store = Fixture::new();
    for number in 0..50 {
        store.append(keyed(member("alice", number, &["x"]), &number.to_string()));
        store.append(with_snapshot(member("bob", number, &["y"]), "state"));
    }
    let expected = (store.load("alice").unwrap(), store.load("bob").unwrap());
    let again = Fixture::open(store.killed(), "store.db");
    assert_eq!(
        (again.load("alice").unwrap(), again.load("bob").unwrap()),
        expected
    );
    again.append(member("alice", 50, &["z"]));
}

#[test]
fn a_stale_member_is_refused_and_its_neighbours_commit() {
    let store = Fixture::new();
    let outcomes = store.commit(vec![
        member("alice", 0, &["a"]),
        member("bob", 3, &["wrong"]),
        member("alice", 1, &["b"]),
        member("carol", 0, &["c"]),
    ]);
    let refused = Outcome::Refused(Refusal::Stale {
        expected: SequenceNumber::new(3),
        actual: SequenceNumber::ZERO,
    });
    let at = |offset| Outcome::Committed {
        position: Offset::new(offset),
    };
    assert_eq!(outcomes, [at(1), refused, at(2), at(3)]);
    assert_eq!(store.load("bob").unwrap(), Seen::default());
}

#[test]
fn a_batch_of_an_earlier_owner_is_fenced_and_the_others_commit() {
    let store = Fixture::new();
    let newer = block(store.store.claim()).unwrap();
    let batch = |epoch, name: &str| Batch {
        epoch,
        members: vec![member(name, 0, &["a"])],
    };
    let error = block(store.store.commit(batch(store.epoch, "alice"))).unwrap_err();
    let CommitError::Fenced { held, current } = error else {
        panic!("{error:?}");
    };
    assert_eq!((held, current), (store.epoch, newer));
    block(store.store.commit(batch(newer, "bob"))).unwrap();
    assert_eq!(block(store.store.read(Offset::ZERO, 9)).unwrap().len(), 1);
}

#[test]
fn a_closed_store_says_so_and_closing_twice_is_fine() {
    let store = Fixture::new();
    let clone = store.store.clone();
    let epoch = store.epoch;
    let _folder = store.close();
    block(clone.close()).unwrap();
    let members = Vec::new();
    let error = block(clone.commit(Batch { epoch, members })).unwrap_err();
    let CommitError::Unavailable(failure) = error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.kind, FailureKind::Closed);
    assert_eq!(block(clone.verify()).unwrap_err().kind, FailureKind::Closed);
    assert!(load(&clone, &id("alice")).is_err());
}

#[test]
fn dropping_the_last_clone_releases_the_store() {
    let store = Fixture::new();
    store.append(member("alice", 0, &["a"]));
    let Fixture { folder, store, .. } = store;
    drop(store);
    let wal = folder.path().join("store.db-wal");
    assert!(std::fs::metadata(wal).map_or(0, |wal| wal.len()) == 0);
    assert_eq!(
        Fixture::open(folder, "store.db")
            .load("alice")
            .unwrap()
            .payloads(),
        ["a"]
    );
}

#[test]
fn many_callers_at_once_get_offsets_without_gaps() {
    let store = Fixture::new();
    let epoch = store.epoch;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..200 {
            let sqlite = store.store.clone();
            callers.spawn(async move {
                let members = vec![member(&number.to_string(), 0, &["a", "b"])];
                sqlite.commit(Batch { epoch, members }).await.unwrap()
            });
        }
        for outcomes in callers.join_all().await {
            assert!(matches!(outcomes[..], [Outcome::Committed { .. }]));
        }
    });
    let entries = block(store.store.read(Offset::ZERO, 1000)).unwrap();
    let offsets: Vec<u64> = entries.iter().map(|entry| entry.offset.get()).collect();
    assert_eq!(offsets, (1..=400).collect::<Vec<u64>>());
}

/// One member of a random history; the expected sequence number is filled in as it runs.
#[derive(Clone, Debug)]
struct Step {
    entity: u8,
    events: usize,
    wrong: bool,
    key: Option<u8>,
    snapshot: bool,
    skip: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let key = prop::option::weighted(0.3, 0_u8..4);
    (
        0_u8..4,
        0_usize..4,
        prop::bool::weighted(0.1),
        key,
        any::<bool>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(entity, events, wrong, key, snapshot, skip)| Step {
            entity,
            events,
            wrong,
            key,
            snapshot,
            skip,
        })
}

fn build(step: &Step, sequence: u64, salt: usize) -> Member {
    let name = step.entity.to_string();
    let payloads: Vec<String> = (0..step.events).map(|n| format!("{salt}-{n}")).collect();
    let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
    let mut built = member(&name, sequence + u64::from(step.wrong), &payloads);
    if step.snapshot && step.events > 0 {
        built = with_snapshot(built, &format!("state {salt}"));
    }
    if let Some(key) = step.key {
        built = keyed(built, &key.to_string());
    }
    if step.skip && sequence > 0 {
        built.skip = skip(&name, 0, sequence).skip;
    }
    built.metadata = vec![step.entity; step.events];
    built
}

fn same(sqlite: &dyn Store, memory: &dyn Store) -> Result<(), TestCaseError> {
    for entity in 0..5 {
        let id = id(&entity.to_string());
        for refuse_snapshot in [false, true] {
            let seen = Seen {
                refuse_snapshot,
                break_records_after: refuse_snapshot.then_some(2),
                break_events_after: (!refuse_snapshot).then_some(3),
                ..Seen::default()
            };
            prop_assert_eq!(
                load_with(sqlite, &id, seen.clone()).unwrap(),
                load_with(memory, &id, seen).unwrap()
            );
        }
        for (key, newest) in [("0", u64::MAX), ("1", 5), ("2", 0), ("3", 12), ("9", 3)] {
            let newest = Offset::new(newest);
            let find = |store: &dyn Store| block(store.find_record(&id, key, newest)).unwrap();
            prop_assert_eq!(find(sqlite), find(memory));
        }
    }
    for (from, limit) in [(0, 1000), (1, 3), (4, 2), (1000, 5), (2, 0)] {
        let read = |store: &dyn Store| block(store.read(Offset::new(from), limit)).unwrap();
        prop_assert_eq!(read(sqlite), read(memory));
    }
    for (after, limit) in [
        (None, 10),
        (None, 2),
        (Some(id("1")), 2),
        (Some(id("7")), 2),
    ] {
        let list = |store: &dyn Store| block(store.entities(after.as_ref(), limit)).unwrap();
        prop_assert_eq!(list(sqlite), list(memory));
    }
    let types = |store: &dyn Store| block(store.entity_types()).unwrap();
    prop_assert_eq!(types(sqlite), types(memory));
    prop_assert_eq!(
        block(sqlite.verify()).unwrap(),
        block(memory.verify()).unwrap()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn p7_any_history_reads_as_in_memory_before_and_after_a_restart(
        batches in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..12),
        restarts in prop::collection::vec(any::<bool>(), 12),
    ) {
        let memory = Memory::new();
        let mut sqlite = Fixture::new();
        let mut memory_epoch = block(memory.claim()).unwrap();
        let mut sequences = [0; 5];
        for (number, (steps, restart)) in batches.iter().zip(restarts).enumerate() {
            let mut members = Vec::new();
            let mut ahead = sequences;
            for step in steps {
                let slot = &mut ahead[usize::from(step.entity)];
                members.push(build(step, *slot, number));
                *slot += if step.wrong { 0 } else { step.events as u64 };
            }
            let batch = Batch { epoch: memory_epoch, members: members.clone() };
            let expected = block(memory.commit(batch)).unwrap();
            prop_assert_eq!(sqlite.commit(members), expected);
            sequences = ahead;
            if restart {
                sqlite = Fixture::open(sqlite.close(), "store.db");
                memory_epoch = block(memory.claim()).unwrap();
            }
        }
        same(&sqlite.store, &memory)?;
        let killed = Fixture::open(sqlite.killed(), "store.db");
        same(&killed.store, &memory)?;
        let folder = sqlite.close();
        let closed = Sqlite::open(folder.path().join("store.db")).unwrap();
        same(&closed, &memory)?;
    }
}
