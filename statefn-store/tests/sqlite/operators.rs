//! What an operator does with a store in use, and with a damaged one.

use std::any::Any;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use statefn_store::sqlite::Tuning;
use statefn_store::{
    Batch, CommitError, Entry, EventRef, FailureKind, LoadError, Offset, RecordRef, Replay,
    SequenceNumber, SnapshotRef, Sqlite, StateRef, Store,
};

use crate::history::{Answers, ENTITIES, entity, in_memory, members};
use crate::sqlite_support::{Fixture, block, id, keyed, load, member, skip, tamper, with_snapshot};

/// A claimed store that merges and checkpoints after a few commits.
fn tuned(tuning: Tuning) -> Fixture {
    let folder = in_memory();
    let store = Sqlite::open_tuned(folder.path().join("store.db"), tuning).unwrap();
    let epoch = block(store.claim()).unwrap();
    Fixture {
        folder,
        store,
        epoch,
    }
}

fn everything(store: &dyn Store) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let next = entries.last().map_or(1, |entry| entry.offset.get() + 1);
        let page = block(store.read(Offset::new(next), usize::MAX)).unwrap();
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

#[test]
fn a_backup_taken_while_commits_go_on_is_a_committed_prefix() {
    let store = tuned(Tuning {
        gathered_entries: 8,
        checkpoint_pages: 32,
        look_every: 1,
        ..Tuning::default()
    });
    let (stop, copies) = (AtomicBool::new(false), in_memory());
    let (begun, has_begun) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sequence = 0;
            while !stop.load(Ordering::Relaxed) {
                let key = sequence.to_string();
                // Two entities a commit: a copy that tears one apart would show.
                let pair = [
                    keyed(member("alice", sequence, &["a"]), &key),
                    member("bob", sequence, &["b"]),
                ];
                store.commit(pair.into());
                sequence += 1;
                begun.send(()).unwrap();
            }
        });
        for number in 0..4 {
            // Some commits between two copies.
            (0..10).for_each(|_| has_begun.recv().unwrap());
            let to = copies.path().join(format!("{number}.db"));
            block(store.store.backup(&to)).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let all = everything(&store.store);
    let mut lengths = Vec::new();
    for number in 0..4 {
        let copy = Sqlite::open(copies.path().join(format!("{number}.db"))).unwrap();
        let entries = everything(&copy);
        assert_eq!(entries, all[..entries.len()]);
        assert_eq!(entries.len() % 2, 0, "a commit was torn apart");
        let report = block(copy.verify()).unwrap();
        assert_eq!(
            (report.faults, report.entries),
            (Vec::new(), entries.len() as u64)
        );
        let alice = load(&copy, &id("alice")).unwrap();
        assert_eq!(alice.payloads().len(), entries.len() / 2);
        // Whoever owned the original does not own the copy.
        assert!(block(copy.claim()).unwrap() > store.epoch);
        lengths.push(entries.len());
    }
    assert!(
        lengths.is_sorted() && lengths[0] >= 10 && lengths[3] > lengths[0],
        "{lengths:?}"
    );
}

#[test]
fn a_check_of_a_store_in_use_finds_nothing() {
    let store = tuned(Tuning {
        gathered_entries: 4,
        merge_step: 1,
        ..Tuning::default()
    });
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut sequence = 0;
            while !stop.load(Ordering::Relaxed) {
                let alice = with_snapshot(member("alice", sequence, &["a"]), "state");
                store.commit(vec![alice, member(&sequence.to_string(), 0, &["b"])]);
                sequence += 1;
            }
        });
        for _ in 0..8 {
            assert_eq!(block(store.store.verify()).unwrap().faults, []);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// A replay that stops at its first event until it is told to go on.
struct Held {
    reached: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
    events: usize,
}

impl Replay for Held {
    fn snapshot(&mut self, _: SnapshotRef<'_>) -> bool {
        false
    }

    fn state(&mut self, _: StateRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn event(&mut self, _: EventRef<'_>) -> ControlFlow<()> {
        if self.events == 0 {
            self.reached.send(()).unwrap();
            self.go_on.recv().unwrap();
        }
        self.events += 1;
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, _: SequenceNumber) {}

    fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[test]
fn p8_a_load_under_way_stops_no_commit_and_the_log_stays_bounded() {
    const PAGES: u64 = 64;
    let store = tuned(Tuning {
        checkpoint_pages: PAGES,
        look_every: 1,
        ..Tuning::default()
    });
    let log = store.folder.path().join("store.db-wal");
    let log_pages = || log.metadata().unwrap().len() / 4096;
    let mut sequence = 0;
    let mut append = |count: u64| {
        for _ in 0..count {
            store.append(member("alice", sequence, &["x"]));
            sequence += 1;
        }
    };
    append(2);
    let (reached, has_reached) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    let held = Box::new(Held {
        reached,
        go_on: wait,
        events: 0,
    });
    let sqlite = store.store.clone();
    let loading = std::thread::spawn(move || block(sqlite.load(&id("alice"), held)).unwrap());
    has_reached.recv().unwrap();
    append(100);
    assert_eq!(
        store.load("alice").unwrap().payloads().len(),
        102,
        "other loads go on too"
    );
    assert!(log_pages() > PAGES, "the held load needs the log");
    go_on.send(()).unwrap();
    let loaded = loading.join().unwrap();
    assert_eq!(loaded.head.sequence.get(), 2, "a load sees one moment");
    let replay: Box<dyn Any> = loaded.replay;
    assert_eq!(replay.downcast::<Held>().unwrap().events, 2);
    let before = log_pages();
    append(400);
    assert!(
        log_pages() <= before.max(2 * PAGES),
        "{before} pages became {}",
        log_pages()
    );
}

#[test]
fn an_idle_store_empties_its_log() {
    let store = tuned(Tuning {
        idle: Duration::from_millis(1),
        ..Tuning::default()
    });
    store.append(member("alice", 0, &["a"]));
    let log = store.folder.path().join("store.db-wal");
    let is_empty = || {
        block(store.store.entity_types()).unwrap();
        log.metadata().unwrap().len() == 0
    };
    assert!(
        (0..1_000_000).any(|_| is_empty()),
        "the log was never emptied"
    );
    assert_eq!(store.load("alice").unwrap().payloads(), ["a"]);
}

#[test]
fn a_sound_store_is_salvaged_whole() {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let to = store.folder.path().join("saved.db");
    let report = block(store.store.salvage(&to)).unwrap();
    let counts = (report.entities, report.entries, report.snapshots);
    assert_eq!((report.faults, counts), (Vec::new(), (6, 26, 2)));
    let saved = Sqlite::open(to).unwrap();
    assert_eq!(Answers::of(&saved), Answers::of(&store.store));
    assert!(block(saved.verify()).unwrap().faults.is_empty());
    assert!(block(saved.claim()).unwrap() > store.epoch);
}

/// A store as a kill left it, in which the header of the entry at `offset` was damaged since.
fn damaged_in_its_tail(offset: u64) -> Fixture {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let folder = store.killed();
    let sql = format!("UPDATE journal SET sequence = sequence + 1 WHERE offset = {offset}");
    assert_eq!(tamper(&folder.path().join("store.db"), &sql), 1);
    Fixture::open(folder, "store.db")
}

#[test]
fn a_damaged_tail_is_read_salvaged_and_served_again() {
    // The last event of alice but one; her chain goes on behind it.
    let store = damaged_in_its_tail(8);
    let sound = Answers::expected();
    let refused = block(store.store.commit(Batch {
        epoch: store.epoch,
        members: vec![member("bob", 3, &["more"])],
    }));
    let Err(CommitError::Unavailable(failure)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(failure.kind, FailureKind::ReadOnly);
    assert!(
        failure.message.contains("offset 8") && failure.message.contains("salvage"),
        "{failure}"
    );
    let others = ENTITIES.iter().filter(|name| **name != "alice");
    for name in others.clone() {
        assert_eq!(store.load(name).unwrap(), sound.entity(name)[0]);
    }
    let to = store.folder.path().join("saved.db");
    let report = block(store.store.salvage(&to)).unwrap();
    assert_eq!((report.entities, report.entries), (6, 25));
    let named = report
        .faults
        .iter()
        .any(|fault| fault.offset == Some(Offset::new(8)));
    assert!(named, "{:?}", report.faults);
    let saved = served_again(&to);
    for name in others {
        let kept = saved.load(name).unwrap().payloads();
        assert_eq!(kept, sound.entity(name)[0].payloads());
    }
}

#[test]
fn a_salvage_does_not_count_up_to_a_watermark_that_no_journal_reaches() {
    let store = Fixture::new();
    store.append(member("alice", 0, &["a"]));
    let folder = store.close();
    let watermark = i64::MAX / 2;
    let words = [1_i64.to_le_bytes(), watermark.to_le_bytes()].concat();
    let sum = crc32fast::hash(&words).cast_signed();
    let sql = format!("UPDATE meta SET watermark = {watermark}, sum = {sum}");
    assert_eq!(tamper(&folder.path().join("store.db"), &sql), 1);

    let store = Fixture::open(folder, "store.db");
    let to = store.folder.path().join("saved.db");
    let report = block(store.store.salvage(&to)).unwrap();
    assert_eq!((report.entities, report.entries), (1, 1));
    let [missing] = &report.faults[..] else {
        panic!("{:?}", report.faults);
    };
    assert_eq!(missing.offset, Some(Offset::new(2)));
    let saved = Fixture::open(store.close(), "saved.db");
    assert_eq!(saved.load("alice").unwrap().payloads(), ["a"]);
}

/// Opens a salvaged store in which alice has lost her fifth event, and leaves it out for good.
fn served_again(saved: &Path) -> Fixture {
    let folder = in_memory();
    std::fs::copy(saved, folder.path().join("store.db")).unwrap();
    let saved = Fixture::open(folder, "store.db");
    match saved.load("alice") {
        Err(LoadError::Corrupt { sequence, .. }) => assert_eq!(sequence.get(), 5),
        other => panic!("an event is missing, but: {other:?}"),
    }
    saved.append(skip("alice", 6, 5));
    assert_eq!(
        saved.load("alice").unwrap().payloads(),
        ["a", "c", "d", "g"]
    );
    saved.append(member("alice", 6, &["h"]));
    assert_eq!(
        saved.load("alice").unwrap().payloads(),
        ["a", "c", "d", "g", "h"]
    );
    assert!(block(saved.store.verify()).unwrap().faults.is_empty());
    saved
}

#[test]
fn a_journal_that_lost_entries_in_the_middle_says_which() {
    let store = Fixture::new();
    for member in members() {
        store.append(member);
    }
    let folder = store.close();
    tamper(
        &folder.path().join("store.db"),
        "DELETE FROM journal WHERE offset IN (5, 6)",
    );
    let store = Fixture::open(folder, "store.db");
    let report = block(store.store.verify()).unwrap();
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("the entries at offsets 5 to 6 are missing")),
        "{faults:?}"
    );
    assert!(
        faults.iter().any(|fault| fault.starts_with("cart/bob: ")),
        "{faults:?}"
    );
    // His snapshot covers what is lost; without it nothing can be told of him.
    let [with, without] = [false, true].map(|refuse| entity(&store.store, "bob", refuse));
    assert_eq!(with.unwrap(), Answers::expected().entity("bob")[0]);
    assert!(
        matches!(without, Err(LoadError::Corrupt { .. })),
        "{without:?}"
    );
    assert_eq!(
        &store.load("alice").unwrap(),
        &Answers::expected().entity("alice")[0]
    );
}
