//! One step after another of a life in which most entities are not in memory when they are called.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use statefn::prelude::*;

use super::book::Fate;
use super::meter::{Meter, MeterRef, RETENTION};
use super::tally::{Tally, Took};
use super::world::{World, now};

/// Entities that are called again and again, always under a key.
const HOT: u64 = 200;

/// Every so many steps one of them is called ..
const HOT_EVERY: u64 = 4;

/// .. every so many steps under a key that was just used ..
const AGAIN_EVERY: u64 = 40;

/// .. and an entity that nobody calls again has a handler that panics.
const CURSED_EVERY: u64 = 64;

/// Prime, so that it leads once through any smaller number of keys before it comes back.
const STRIDE: u64 = 2_147_483_647;

/// The steps of all callers.
pub(super) struct Churn {
    world: Arc<World>,
    keys: u64,
    next: AtomicU64,
    came_back: AtomicU64,
    hot: AtomicU64,
    again: AtomicU64,
    cursed: AtomicU64,
    tally: Tally,
}

impl Churn {
    pub(super) fn new(world: Arc<World>, keys: u64) -> Self {
        Self {
            world,
            keys,
            next: AtomicU64::new(0),
            came_back: AtomicU64::new(0),
            hot: AtomicU64::new(0),
            again: AtomicU64::new(0),
            cursed: AtomicU64::new(0),
            tally: Tally::default(),
        }
    }

    pub(super) fn steps(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    pub(super) fn residents(&self) -> u64 {
        self.world.runtime.admin().residents() as u64
    }

    pub(super) fn odd(&self) -> (u64, String) {
        self.tally.odd()
    }

    /// A write to an entity that was last called a whole round ago, a look at one that was written
    /// half a round ago, and what comes between.
    pub(super) async fn step(&self) {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let round = index / self.keys;
        self.write(&self.meter(index), round + 1).await;
        if let Some(earlier) = index.checked_sub(self.keys / 2) {
            self.come_back(earlier).await;
        }
        if index.is_multiple_of(HOT_EVERY) {
            self.call_hot(index).await;
        }
        if index.is_multiple_of(CURSED_EVERY) {
            self.curse(index).await;
        }
    }

    fn meter(&self, index: u64) -> MeterRef {
        let key = index % self.keys * STRIDE % self.keys;
        self.world.runtime.entity::<Meter>(format!("key-{key}"))
    }

    async fn write(&self, meter: &MeterRef, expected: u64) {
        let number = self.world.book.send();
        let called = now();
        let answer = meter.tick(number, self.world.padding).await;
        self.tally
            .note(&self.world.book, number, &answer, since(called));
        if !matches!(answer, Ok(count) if count == expected) {
            self.tally
                .find_odd(format!("{meter:?} answered {answer:?}, not {expected}"));
        }
    }

    async fn come_back(&self, earlier: u64) {
        self.came_back.fetch_add(1, Ordering::Relaxed);
        let expected = earlier / self.keys + 1;
        let answer = self.meter(earlier).count().await;
        if answer != Ok(expected) {
            self.tally
                .find_odd(format!("key {earlier} has {answer:?}, not {expected}"));
        }
    }

    async fn call_hot(&self, index: u64) {
        self.hot.fetch_add(1, Ordering::Relaxed);
        let number = self.world.book.send();
        let id = format!("hot-{}", number % HOT);
        let meter = self.world.runtime.entity::<Meter>(id);
        let tick = || {
            meter
                .tick(number, self.world.padding)
                .with_key(format!("request-{number}"))
        };
        let called = now();
        let first = tick().await;
        self.tally
            .note(&self.world.book, number, &first, since(called));
        if !index.is_multiple_of(AGAIN_EVERY) {
            return;
        }
        self.again.fetch_add(1, Ordering::Relaxed);
        let second = tick().await;
        if first == second {
            return;
        }
        // A machine that stands still for that long lets the key expire between the two.
        if called.elapsed() > RETENTION / 2 && second.is_ok() {
            self.world.book.note(number, Fate::Twice);
        } else {
            self.tally
                .find_odd(format!("{first:?}, and under the same key {second:?}"));
        }
    }

    async fn curse(&self, index: u64) {
        self.cursed.fetch_add(1, Ordering::Relaxed);
        let id = format!("cursed-{index}");
        let answer = self.world.runtime.entity::<Meter>(id).curse().await;
        if !matches!(answer, Err(CallError::Panicked { .. })) {
            self.tally
                .find_odd(format!("a handler that panics answered {answer:?}"));
        }
    }
}

fn since(called: std::time::Instant) -> Took {
    let took = called.elapsed();
    Took {
        since_due: took,
        since_call: took,
    }
}

impl fmt::Display for Churn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{} of {} keys, {:.1} rounds; {} writes acknowledged, {} looks after half a round, {} hot \
             calls with a key, {} of them sent twice, {} panics; p50 {:.1?}, p99 {:.1?}",
            self.steps().min(self.keys),
            self.keys,
            super::closed::per_second(self.steps(), std::time::Duration::from_secs(self.keys)),
            count(&self.tally.acknowledged),
            count(&self.came_back),
            count(&self.hot),
            count(&self.again),
            count(&self.cursed),
            self.tally.replies.percentile(50.0),
            self.tally.replies.percentile(99.0),
        )
    }
}
