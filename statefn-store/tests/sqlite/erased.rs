//! An erasure in a file: in parts, over a kill, and down to the bytes.

use statefn_store::{CommitError, Store, Timestamp};

use crate::sqlite_support::{Fixture, block, deleted, id, kill, member};

const SECRET: &str = "nobody must read this again";

/// More entries than one transaction erases, then the deletion.
fn long_life() -> Fixture {
    let store = Fixture::new();
    for expected in 0..25 {
        let payloads = [SECRET; 100];
        store.append(member("alice", 100 * expected, &payloads));
        store.append(member("bob", expected, &["kept"]));
    }
    store.append(deleted(member("alice", 2_500, &[])));
    store
}

fn erase(store: &Fixture) -> Result<u64, CommitError> {
    block(
        store
            .store
            .erase(store.epoch, &id("alice"), Timestamp::from_millis(0)),
    )
}

#[test]
fn an_erasure_of_many_entries_takes_several_transactions_and_leaves_no_byte() {
    let store = long_life();
    assert_eq!(erase(&store).unwrap(), 2_500);
    assert_eq!(erase(&store).unwrap(), 0);
    assert!(block(store.store.verify()).unwrap().faults.is_empty());
    assert_eq!(store.load("bob").unwrap().payloads().len(), 25);
    let folder = store.close();
    let bytes = std::fs::read(folder.path().join("store.db")).unwrap();
    let found = bytes
        .windows(SECRET.len())
        .any(|at| at == SECRET.as_bytes());
    assert!(!found, "what was erased is still in the file");
    let store = Fixture::open(folder, "store.db");
    assert_eq!(store.load("alice").unwrap().head.sequence.get(), 2_501);
    store.append(member("alice", 2_501, &["anew"]));
    assert_eq!(store.load("alice").unwrap().payloads(), ["anew"]);
}

#[test]
fn an_erasure_that_a_kill_cut_short_is_finished_by_the_next_one() {
    let store = long_life();
    let half = kill(store.folder.path());
    let before = Fixture::open(half, "store.db");
    assert!(before.load("alice").unwrap().payloads().is_empty());
    assert_eq!(erase(&before).unwrap(), 2_500);
    let killed = before.killed();
    let after = Fixture::open(killed, "store.db");
    assert_eq!(erase(&after).unwrap(), 0, "what was answered is durable");
    assert!(block(after.store.verify()).unwrap().faults.is_empty());
}
