//! A runtime, its callers, and what they saw.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::thread::{self, JoinHandle};
use statefn::command::Operation;
use statefn::testing::oracle::{self, ATTEMPT_HEADER, Attempt, Saw, Written};
use statefn::{Builder, Call, CallError, Persisted, PersistenceId, Runtime, SequenceNumber};

use crate::clock::Clock;
use crate::store::Slow;
use crate::tally::{Refused, Tally, TallyRef};

/// Cheap to clone: clones share everything.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) clock: Clock,
    pub(crate) store: Slow,
    history: Arc<History>,
}

#[derive(Default)]
struct History {
    attempts: Mutex<Vec<Attempt>>,
    /// The clock that all callers share, and the numbers of their attempts.
    events: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::build(Slow::new(), Clock::default(), |builder| builder)
    }

    pub(crate) fn build(store: Slow, clock: Clock, shape: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Runtime::builder().only::<(Tally,)>().shards(1);
        let builder = builder.store(store.clone()).env(clock.clone());
        Self {
            runtime: shuttle::future::block_on(shape(builder).build()).expect("a runtime"),
            clock,
            store,
            history: Arc::default(),
        }
    }

    /// A caller, in a thread of its own.
    pub(crate) fn caller(
        &self,
        number: u64,
        body: impl FnOnce(Caller) + Send + 'static,
    ) -> JoinHandle<()> {
        let caller = Caller {
            world: self.clone(),
            number,
        };
        thread::spawn(move || body(caller))
    }

    /// A thread that moves the time, in steps.
    pub(crate) fn time(&self, step: Duration, steps: usize) -> JoinHandle<()> {
        let clock = self.clock.clone();
        thread::spawn(move || {
            for _ in 0..steps {
                clock.advance(step);
                thread::yield_now();
            }
        })
    }

    /// A thread that moves the time until it is told to stop.
    pub(crate) fn time_until(&self, step: Duration, stopped: Arc<AtomicBool>) -> JoinHandle<()> {
        let clock = self.clock.clone();
        thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                clock.advance(step);
                thread::yield_now();
            }
        })
    }

    /// Waits for the threads, then judges the runtime and what callers saw.
    pub(crate) fn judge(&self, threads: impl IntoIterator<Item = JoinHandle<()>>) {
        for thread in threads {
            thread.join().expect("no panic");
        }
        // The outbox reads and keeps the time in tasks of its own, which end with it. The caretaker
        // stays as long as the runtime. All others must end: the scheduler would unwind them wherever
        // they are, which no thread of the real world suffers.
        self.runtime.end_outbox();
        let is_quiet = || self.runtime.admin().waiting() == 0 && self.clock.tasks() == 1;
        for _ in 0..10_000 {
            if is_quiet() {
                break;
            }
            thread::yield_now();
        }
        assert!(
            is_quiet(),
            "{} calls that nobody holds, or {} tasks that do not end",
            self.runtime.admin().waiting(),
            self.clock.tasks()
        );
        let journal: Vec<Written> = self.store.journal().iter().map(Written::of).collect();
        let attempts = self.history.attempts.lock().unwrap();
        let violations = oracle::check(&attempts, &journal);
        assert!(
            violations.is_empty(),
            "{violations:#?}\nattempts: {attempts:#?}\njournal: {journal:#?}"
        );
    }

    fn time_now(&self) -> u64 {
        self.history.events.fetch_add(1, Ordering::Relaxed)
    }
}

/// One caller: its calls to one entity keep their order.
pub(crate) struct Caller {
    pub(crate) world: World,
    number: u64,
}

/// A call that has begun and is not answered.
pub(crate) struct Begun<C> {
    pub(crate) call: C,
    attempt: Attempt,
}

impl Caller {
    pub(crate) fn tally(&self, id: &str) -> TallyRef {
        self.world.runtime.entity::<Tally>(id)
    }

    /// Counts up and waits.
    pub(crate) fn count(&self, id: &str) {
        let begun = self.begin(id, |tally| tally.count());
        self.end_count(begun.attempt, begun.call.wait());
    }

    /// Counts up, and waits no longer than so long.
    pub(crate) fn count_within(&self, id: &str, deadline: Duration) {
        let begun = self.begin(id, |tally| tally.count().with_deadline(deadline));
        self.end_count(begun.attempt, begun.call.wait());
    }

    /// Asks for the count and waits.
    pub(crate) fn total(&self, id: &str) {
        let begun = self.begin(id, |tally| tally.total());
        self.end_total(begun.attempt, begun.call.wait());
    }

    /// Is refused.
    pub(crate) fn refuse(&self, id: &str) {
        let begun = self.begin(id, |tally| tally.refuse());
        let saw = match begun.call.wait() {
            Ok(()) => panic!("it always refuses"),
            Err(CallError::Rejected(Refused(at))) => decided(at),
            Err(error) => failed(&error),
        };
        self.end(begun.attempt, saw);
    }

    /// Makes the handler panic.
    pub(crate) fn panic(&self, id: &str) {
        let begun = self.begin(id, |tally| tally.panic());
        let saw = match begun.call.wait() {
            Ok(()) => panic!("it always panics"),
            Err(error) => failed(&error),
        };
        self.end(begun.attempt, saw);
    }

    /// A call with its number in the journal.
    pub(crate) fn begin<O: Operation>(
        &self,
        id: &str,
        call: impl FnOnce(&TallyRef) -> Call<O>,
    ) -> Begun<Call<O>> {
        let called = self.world.time_now();
        let attempt = Attempt {
            number: called,
            command: called,
            caller: self.number,
            entity: PersistenceId::new("tally", id),
            called,
            answered: None,
            saw: Saw::Waits,
            digest: None,
        };
        let call = call(&self.tally(id)).with_metadata(ATTEMPT_HEADER, called.to_string());
        Begun { call, attempt }
    }

    pub(crate) fn end_count<E>(&self, attempt: Attempt, answer: Result<u64, CallError<E>>) {
        let saw = match answer {
            Ok(count) => Saw::Applied {
                last: SequenceNumber::new(count),
                events: 1,
            },
            Err(error) => failed(&error),
        };
        self.end(attempt, saw);
    }

    pub(crate) fn end_total<E>(&self, attempt: Attempt, answer: Result<u64, CallError<E>>) {
        let saw = match answer {
            Ok(count) => decided(count),
            Err(error) => failed(&error),
        };
        self.end(attempt, saw);
    }

    /// The caller went away.
    pub(crate) fn forget<C>(&self, begun: Begun<C>) {
        let Begun { call, attempt } = begun;
        drop(call);
        let mut attempts = self.world.history.attempts.lock().unwrap();
        attempts.push(Attempt {
            saw: Saw::Nothing,
            ..attempt
        });
    }

    fn end(&self, attempt: Attempt, saw: Saw) {
        let answered = Some(self.world.time_now());
        let mut attempts = self.world.history.attempts.lock().unwrap();
        attempts.push(Attempt {
            answered,
            saw,
            ..attempt
        });
    }
}

impl<C> Begun<C> {
    /// The same attempt, further on its way.
    pub(crate) fn map<D>(self, next: impl FnOnce(C) -> D) -> Begun<D> {
        Begun {
            call: next(self.call),
            attempt: self.attempt,
        }
    }

    pub(crate) fn split(self) -> (C, Attempt) {
        (self.call, self.attempt)
    }
}

fn decided(at: u64) -> Saw {
    Saw::Decided {
        at: vec![SequenceNumber::new(at)],
    }
}

fn failed<E>(error: &CallError<E>) -> Saw {
    match error.persisted() {
        Persisted::No => Saw::NotApplied,
        Persisted::Unknown => Saw::Unknown,
        Persisted::Yes => panic!("nothing here has a key"),
    }
}
