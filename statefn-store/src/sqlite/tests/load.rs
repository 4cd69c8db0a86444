//! On which thread an entity is loaded.

use std::ops::ControlFlow;
use std::task::{Context, Waker};
use std::thread::ThreadId;
use std::time::Duration;

use super::store::{Opened, member};
use crate::sqlite::tuning::Tuning;
use crate::{
    EventRef, PersistenceId, RecordRef, Replay, SequenceNumber, SnapshotRef, StateRef, Store,
};

/// The sequence numbers of the events, as they came, and the thread on which the last one came.
#[derive(Default)]
struct Numbers {
    events: Vec<u64>,
    thread: Option<ThreadId>,
}

impl Replay for Numbers {
    fn snapshot(&mut self, _: SnapshotRef<'_>) -> bool {
        false
    }

    fn state(&mut self, _: StateRef<'_>) -> ControlFlow<()> {
        panic!("no state was stored");
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        self.events.push(event.sequence.get());
        self.thread = Some(std::thread::current().id());
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        panic!("nothing was skipped: {sequence}");
    }

    fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Loads an entity. Whether the calling thread replayed it, and the events.
fn load(opened: &Opened, id: &str) -> (bool, Vec<u64>) {
    let id = PersistenceId::new("cart", id);
    let load = opened.store.load(&id, Box::<Numbers>::default());
    let replay: Box<dyn std::any::Any> = opened.block(load).unwrap().replay;
    let Numbers { events, thread } = *replay.downcast::<Numbers>().unwrap();
    (thread == Some(std::thread::current().id()), events)
}

/// Two entities of so many events: side by side, or in turns with those of many others; and one that
/// has a single event.
fn written(opened: &Opened, events: u64) {
    opened.append("single", 0);
    for number in 0..events {
        opened.append("dense", number);
    }
    for number in 0..events {
        opened.append("apart", number);
        for other in 0..8 {
            opened.append(&format!("other {other}"), number);
        }
    }
}

fn patient() -> Tuning {
    Tuning {
        entries_at_once: 10,
        // However busy the machine is.
        slow_load: Duration::from_secs(3_600),
        ..Tuning::default()
    }
}

#[test]
fn a_short_load_is_done_by_its_caller_once_there_is_a_connection() {
    let opened = Opened::tuned(patient());
    written(&opened, 10);
    let whole: Vec<u64> = (1..=10).collect();
    assert_eq!(load(&opened, "dense"), (false, whole.clone()));
    assert_eq!(load(&opened, "dense"), (true, whole.clone()));
    assert_eq!(load(&opened, "apart"), (true, whole));
}

#[test]
fn a_long_load_goes_on_in_a_thread_where_it_has_paused() {
    let opened = Opened::tuned(patient());
    written(&opened, 11);
    let whole: Vec<u64> = (1..=11).collect();
    load(&opened, "single");
    for _ in 0..3 {
        assert_eq!(load(&opened, "dense"), (false, whole.clone()));
        assert_eq!(load(&opened, "apart"), (false, whole.clone()));
        // Its connection has come back.
        assert_eq!(load(&opened, "single"), (true, vec![1]));
    }
}

#[test]
fn a_load_that_waited_for_the_disk_sends_the_next_ones_to_the_threads() {
    let opened = Opened::tuned(Tuning {
        slow_load: Duration::ZERO,
        ..Tuning::default()
    });
    written(&opened, 1);
    load(&opened, "dense");
    assert_eq!(load(&opened, "dense"), (true, vec![1]));
    for _ in 0..256 {
        assert_eq!(load(&opened, "dense"), (false, vec![1]));
    }
    assert_eq!(load(&opened, "dense"), (true, vec![1]));
}

#[test]
fn a_load_that_is_dropped_while_it_goes_on_in_a_thread_leaves_the_store_as_it_was() {
    let opened = Opened::tuned(patient());
    written(&opened, 11);
    load(&opened, "single");
    let id = PersistenceId::new("cart", "dense");
    // The thread may be done before the first poll has ended: then another one is dropped.
    let is_dropped_under_way = || {
        let mut dropped = Box::pin(opened.store.load(&id, Box::<Numbers>::default()));
        let polled = dropped
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        polled.is_pending()
    };
    assert!((0..1_000).any(|_| is_dropped_under_way()));
    assert_eq!(load(&opened, "dense").1.len(), 11);
    opened.commit(vec![member("dense", 11)]).unwrap();
    // Ends only when no connection is in use any more.
    opened.block(opened.store.close()).unwrap();
}
