//! B6 and B7 under concurrency: readers and writers on threads of their own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::draft::{Draft, cart};
use super::run;
use super::tape::{Heard, Tape, Wish};
use super::trial::{claim, load, read_all, same};
use crate::testing::Fixture;
use crate::{Batch, CommitError, Entry, Offset, Outcome, OwnerEpoch, Store};

const WRITERS: u64 = 6;
const COMMITS: u64 = 25;
/// Events in each member: readers must see all of them or none.
const EVENTS: usize = 3;

fn opened(fixture: &dyn Fixture) -> (Arc<dyn Store>, OwnerEpoch) {
    let mut opened = None;
    run(fixture, async {
        let store = fixture.open().await;
        let epoch = claim(&*store).await;
        opened = Some((store, epoch));
    });
    match opened {
        Some(opened) => opened,
        None => panic!("the fixture ran no future to its end"),
    }
}

/// Commits a writer's members one after another, all to one entity.
fn write(fixture: &dyn Fixture, store: &dyn Store, epoch: OwnerEpoch, writer: u64) {
    run(fixture, async {
        for number in 0..COMMITS {
            let draft = Draft::new(&cart(&format!("entity {writer}")), number * EVENTS as u64);
            let member = draft.events(EVENTS).record(&format!("k{number}")).done();
            let members = vec![member];
            let outcomes = store.commit(Batch { epoch, members }).await;
            let committed = matches!(outcomes.as_deref(), Ok([Outcome::Committed { .. }]));
            assert!(
                committed,
                "commit {number} of writer {writer}: {outcomes:?}"
            );
        }
    });
}

/// Runs `look` on two threads until all writers are done, and once after that.
fn beside_writers(fixture: &dyn Fixture, look: impl Fn(&dyn Store, &mut Vec<Entry>) + Sync) {
    let (store, epoch) = opened(fixture);
    let store = &*store;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = Vec::new();
                while !done.load(Ordering::Acquire) {
                    look(store, &mut seen);
                }
                look(store, &mut seen);
            });
        }
        let writers = (0..WRITERS).map(|w| scope.spawn(move || write(fixture, store, epoch, w)));
        let writers: Vec<_> = writers.collect();
        let results: Vec<_> = writers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::Release);
        assert!(results.iter().all(Result::is_ok), "a writer failed");
    });
}

/// A reader that follows the journal sees every offset once, and nothing behind it changes.
pub(super) fn b6_follower_never_sees_a_gap(fixture: &dyn Fixture) {
    beside_writers(fixture, |store, seen| {
        run(fixture, async {
            let page = store.read(Offset::new(seen.len() as u64 + 1), 7).await;
            let Ok(page) = page else {
                panic!("a page failed: {page:?}");
            };
            for entry in page {
                assert_eq!(entry.offset.get(), seen.len() as u64 + 1, "the next offset");
                seen.push(entry);
            }
            let mut again = read_all(store, 1).await;
            again.truncate(seen.len());
            same(&again, seen, "what was read before");
        });
    });
}

/// A load sees a member whole or not at all, and its head belongs to what it streams.
pub(super) fn b7_load_sees_whole_members_only(fixture: &dyn Fixture) {
    beside_writers(fixture, |store, _| {
        run(fixture, async {
            for writer in 0..WRITERS {
                let id = cart(&format!("entity {writer}"));
                let (head, calls) = load(store, &id, Wish::ALL).await;
                let count = |is: fn(&Heard) -> bool| calls.iter().filter(|h| is(h)).count();
                let events = count(|call| matches!(call, Heard::Event(_)));
                let records = count(|call| matches!(call, Heard::Record { .. }));
                assert_eq!(events % EVENTS, 0, "half a member of {id:?}");
                assert_eq!(records, events / EVENTS, "the records of {id:?}");
                assert_eq!(head.sequence.get(), events as u64, "the head of {id:?}");
                assert_eq!(head.position, head.record, "the newest entry of {id:?}");
            }
        });
    });
}

/// Commits of different entities at the same time all succeed, each in its own order.
pub(super) fn b6_concurrent_commits_are_all_kept(fixture: &dyn Fixture) {
    let (store, epoch) = opened(fixture);
    let store = &*store;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || write(fixture, store, epoch, writer));
        }
    });
    run(fixture, async {
        let page = read_all(store, 0).await;
        let offsets: Vec<u64> = page.iter().map(|entry| entry.offset.get()).collect();
        let all = WRITERS * COMMITS * EVENTS as u64;
        assert_eq!(offsets, (1..=all).collect::<Vec<_>>(), "the offsets");
        for writer in 0..WRITERS {
            let id = cart(&format!("entity {writer}"));
            let own = page.iter().filter(|entry| entry.id == id);
            let sequences: Vec<u64> = own.map(|entry| entry.sequence.get()).collect();
            let expected: Vec<u64> = (1..=COMMITS * EVENTS as u64).collect();
            assert_eq!(sequences, expected, "the events of {id:?}");
        }
    });
}

/// Of writers that race for one sequence number exactly one wins; the others store nothing.
pub(super) fn b3_one_of_many_racing_writers_wins(fixture: &dyn Fixture) {
    let (store, epoch) = opened(fixture);
    let store = &*store;
    for round in 0..10 {
        let wins = thread::scope(|scope| {
            let racers = (0..WRITERS).map(|racer| {
                scope.spawn(move || {
                    let mut won = false;
                    run(fixture, async {
                        let draft = Draft::new(&cart("a"), 2 * round).events(2);
                        let members = vec![draft.record(&format!("racer {racer}")).done()];
                        let outcomes = store.commit(Batch { epoch, members }).await;
                        let Ok([outcome]) = outcomes.as_deref() else {
                            panic!("a racer was answered with {outcomes:?}");
                        };
                        won = matches!(outcome, Outcome::Committed { .. });
                    });
                    won
                })
            });
            let racers: Vec<_> = racers.collect();
            let results = racers
                .into_iter()
                .map(|racer| racer.join().unwrap_or(false));
            results.filter(|won| *won).count()
        });
        assert_eq!(wins, 1, "winners of round {round}");
        run(fixture, async {
            let (head, _) = load(store, &cart("a"), Wish::ALL).await;
            assert_eq!(
                head.sequence.get(),
                2 * round + 2,
                "the head after round {round}"
            );
        });
    }
}

/// Claims at the same time get different epochs without gaps, and one of them owns the store.
pub(super) fn b4_concurrent_claims_get_different_epochs(fixture: &dyn Fixture) {
    let (store, first) = opened(fixture);
    let store = &*store;
    let epochs = thread::scope(|scope| {
        let claims = (0..WRITERS).map(|_| {
            scope.spawn(move || {
                let mut epoch = first;
                run(fixture, async { epoch = claim(store).await });
                epoch
            })
        });
        let claims: Vec<_> = claims.collect();
        let results = claims.into_iter().filter_map(|claim| claim.join().ok());
        let mut epochs: Vec<u64> = results.map(OwnerEpoch::get).collect();
        epochs.sort_unstable();
        epochs
    });
    let expected: Vec<u64> = (1..=WRITERS).map(|later| first.get() + later).collect();
    assert_eq!(epochs, expected, "the epochs");
    run(fixture, async {
        for epoch in epochs.into_iter().map(OwnerEpoch::new) {
            let outcome = store
                .commit(Batch {
                    epoch,
                    members: Vec::new(),
                })
                .await;
            let owns = outcome.is_ok();
            assert_eq!(
                owns,
                epoch.get() == first.get() + WRITERS,
                "{epoch}: {outcome:?}"
            );
        }
    });
}

/// Closing while commits are under way ends each of them: committed, or not applied.
pub(super) fn close_decides_commits_under_way(fixture: &dyn Fixture) {
    let (store, epoch) = opened(fixture);
    let committed = close_under_way(fixture, &*store, epoch);
    run(fixture, async {
        for (writer, count) in committed.into_iter().enumerate() {
            let id = cart(&format!("entity {writer}"));
            // A closed store need not answer reads; the clause below asks it after reopening.
            if let Ok(loaded) = store.load(&id, Tape::boxed(Wish::ALL)).await {
                assert_eq!(loaded.head.sequence.get(), count, "the events of {id:?}");
            }
        }
    });
}

/// What was acknowledged before and during a close is there afterwards, and nothing else.
pub(super) fn b1_close_keeps_what_was_acknowledged(fixture: &dyn Fixture) {
    let (store, epoch) = opened(fixture);
    let committed = close_under_way(fixture, &*store, epoch);
    drop(store);
    let (store, _) = opened(fixture);
    run(fixture, async {
        for (writer, count) in committed.into_iter().enumerate() {
            let id = cart(&format!("entity {writer}"));
            let (head, _) = load(&*store, &id, Wish::ALL).await;
            assert_eq!(head.sequence.get(), count, "the events of {id:?}");
        }
    });
}

/// Closes a store while writers are at work, and returns how many commits of each succeeded.
fn close_under_way(fixture: &dyn Fixture, store: &dyn Store, epoch: OwnerEpoch) -> Vec<u64> {
    let (committed, commits) = mpsc::channel();
    thread::scope(|scope| {
        let writers = (0..WRITERS).map(|writer| {
            let committed = committed.clone();
            scope.spawn(move || write_until_closed(fixture, store, epoch, writer, &committed))
        });
        let writers: Vec<_> = writers.collect();
        drop(committed);
        // Closes in the middle: ends early only if all writers have failed.
        let _ = commits.iter().nth(3 * writers.len());
        run(fixture, async {
            let closed = store.close().await;
            assert!(closed.is_ok(), "close failed: {closed:?}");
        });
        let results = writers.into_iter().map(thread::ScopedJoinHandle::join);
        let counts: Vec<u64> = results.filter_map(Result::ok).collect();
        assert_eq!(counts.len() as u64, WRITERS, "a writer failed");
        counts
    })
}

/// Commits until the store is closed, tells of each success, and returns how many there were.
fn write_until_closed(
    fixture: &dyn Fixture,
    store: &dyn Store,
    epoch: OwnerEpoch,
    writer: u64,
    committed: &mpsc::Sender<()>,
) -> u64 {
    let mut count = 0;
    run(fixture, async {
        loop {
            let draft = Draft::new(&cart(&format!("entity {writer}")), count);
            let members = vec![draft.events(1).done()];
            match store.commit(Batch { epoch, members }).await {
                Ok(_) => {
                    count += 1;
                    let _ = committed.send(());
                }
                Err(CommitError::Unavailable(_)) => return,
                Err(error) => panic!("a close answered a commit with {error:?}"),
            }
        }
    });
    count
}
