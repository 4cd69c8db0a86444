//! The shell of a shard: a lock that callers take to run their own commands.
//!
//! Whoever finds the lock taken leaves the input in the inbox; whoever holds the lock runs what is
//! in the inbox before and after letting go. No input ever waits for the lock: a handler that
//! never returns stops its shard, not the threads that have something for it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use statefn_store::{Batch, CommitError, LoadError, Outcome, PersistenceId, StoredRecord};

use crate::call_error::{Failure, Quarantine};
use crate::command::Operation;
use crate::runtime::core::{Accepted, Action, Core, Outputs};
use crate::runtime::recovery::{Recovered, RecoverySettings};
use crate::runtime::shared::{Intake, Shared};
use crate::runtime::slot::{Job, Slot};
use crate::runtime::step::{LookUp, Request};

/// After this many foreign inputs the holder of the lock hands the rest to a task ..
const FOREIGN_MAX: usize = 64;
/// .. or after this long, looked at every few inputs.
const FOREIGN_TIME: Duration = Duration::from_micros(100);
const LOOK_AT_CLOCK_EVERY: usize = 16;

/// One part of the entities of a runtime.
pub(crate) struct Shard {
    core: Mutex<Core>,
    inbox: Mutex<VecDeque<Input>>,
    queued: AtomicUsize,
    /// Rises with every visit, so that a watchdog can tell a stuck holder from a busy one.
    visits: AtomicU64,
    shared: Arc<Shared>,
}

/// What a shard is told.
enum Input {
    Call {
        id: PersistenceId,
        type_index: u16,
        job: Arc<dyn Job>,
    },
    Committed {
        number: u64,
        result: Result<Vec<Outcome>, CommitError>,
    },
    Recovered {
        id: PersistenceId,
        incarnation: u64,
        result: Result<Recovered, Failure>,
    },
    Found {
        id: PersistenceId,
        incarnation: u64,
        job: Arc<dyn Job>,
        result: Result<Option<StoredRecord>, Failure>,
    },
}

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Shard {
    /// An empty shard.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            core: Mutex::new(Core::new(shared.hosted.len())),
            inbox: Mutex::default(),
            queued: AtomicUsize::new(0),
            visits: AtomicU64::new(0),
            shared,
        }
    }

    /// What all shards have in common.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs a call, now if nobody is in the way.
    pub(crate) fn call<O: Operation>(
        self: &Arc<Self>,
        id: &PersistenceId,
        type_index: u16,
        request: Request<O>,
    ) -> Accepted<O> {
        if self.queued.load(Ordering::Relaxed) == 0 {
            if let Some(mut core) = self.enter() {
                let accepted = core.call(id, type_index, request, &self.shared);
                self.leave(core);
                return accepted;
            }
        }
        match Slot::accept(request, &self.shared) {
            Ok(slot) => {
                let slot = Arc::new(slot);
                let job = Arc::clone(&slot) as Arc<dyn Job>;
                self.input(Input::Call {
                    id: id.clone(),
                    type_index,
                    job,
                });
                Accepted::Waiting(slot)
            }
            Err(failure) => Accepted::Answered(Err(failure.widen())),
        }
    }

    /// Puts an input into the inbox and sees that somebody runs it.
    fn input(self: &Arc<Self>, input: Input) {
        {
            let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
            inbox.push_back(input);
            self.queued.fetch_add(1, Ordering::SeqCst);
        }
        // Either this `try_lock` succeeds, or the holder sees the count after it has let go.
        fence(Ordering::SeqCst);
        self.visit();
    }

    /// Takes the lock if it is free.
    fn enter(&self) -> Option<MutexGuard<'_, Core>> {
        let mut core = match self.core.try_lock() {
            Ok(core) => core,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        self.visits.fetch_add(1, Ordering::Relaxed);
        core.catch_up(&self.shared);
        Some(core)
    }

    /// Lets go of the lock, does what the core asked for, and serves who came meanwhile.
    fn leave(self: &Arc<Self>, mut core: MutexGuard<'_, Core>) {
        if core.has_outputs() {
            let outputs = core.take_outputs(&self.shared);
            drop(core);
            self.perform(outputs);
        } else {
            drop(core);
        }
        fence(Ordering::SeqCst);
        if self.queued.load(Ordering::SeqCst) > 0 {
            self.visit();
        }
    }

    /// Runs what is in the inbox, as far as nobody else does and the share of one visitor goes.
    fn visit(self: &Arc<Self>) {
        let mut left = FOREIGN_MAX;
        let mut started = None;
        while self.queued.load(Ordering::SeqCst) > 0 {
            let Some(mut core) = self.enter() else { return };
            let mut served = 0;
            while served < LOOK_AT_CLOCK_EVERY {
                let Some(input) = self.next_input() else {
                    break;
                };
                self.apply(&mut core, input);
                served += 1;
            }
            let outputs = core.take_outputs(&self.shared);
            drop(core);
            self.perform(outputs);
            fence(Ordering::SeqCst);
            left = left.saturating_sub(served.max(1));
            let now = self.shared.env.now();
            if left == 0 || now.saturating_sub(*started.get_or_insert(now)) > FOREIGN_TIME {
                if self.queued.load(Ordering::SeqCst) > 0 {
                    self.visit_later();
                }
                return;
            }
        }
    }

    fn visit_later(self: &Arc<Self>) {
        let shard = Arc::clone(self);
        self.shared
            .env
            .spawn(Box::pin(async move { shard.visit() }));
    }

    fn next_input(&self) -> Option<Input> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let input = inbox.pop_front()?;
        self.queued.fetch_sub(1, Ordering::SeqCst);
        Some(input)
    }

    fn apply(self: &Arc<Self>, core: &mut Core, input: Input) {
        let shared = &self.shared;
        match input {
            Input::Call {
                id,
                type_index,
                job,
            } => core.submit(&id, type_index, job, shared),
            Input::Committed { number, result } => core.committed(number, result, shared),
            Input::Recovered {
                id,
                incarnation,
                result,
            } => {
                core.recovered(&id, incarnation, result, shared);
            }
            Input::Found {
                id,
                incarnation,
                job,
                result,
            } => {
                core.found(&id, incarnation, job, result, shared);
            }
        }
        if core.run_waiting(FOREIGN_MAX, shared) {
            self.run_later();
        }
    }

    /// Waiting commands are left over: a task goes on with them.
    fn run_later(self: &Arc<Self>) {
        let shard = Arc::clone(self);
        self.shared.env.spawn(Box::pin(async move {
            let Some(mut core) = shard.enter() else {
                // Whoever holds the lock may not know of the left-overs: try again later.
                shard.run_later();
                return;
            };
            if core.run_waiting(FOREIGN_MAX, &shard.shared) {
                shard.run_later();
            }
            shard.leave(core);
        }));
    }

    /// Does what the core asked for, outside the lock.
    fn perform(self: &Arc<Self>, outputs: Outputs) {
        for waker in outputs.wakers {
            waker.wake();
        }
        for action in outputs.actions {
            match action {
                Action::Commit { number, batch } => self.commit(number, batch),
                Action::Recover {
                    id,
                    type_index,
                    incarnation,
                } => {
                    self.recover(id, type_index, incarnation);
                }
                Action::FindRecord {
                    id,
                    incarnation,
                    look_up,
                    job,
                } => {
                    self.find_record(id, incarnation, look_up, job);
                }
                Action::StoreFailed => self.shared.store_failed(),
                Action::Fenced => self.shared.set_intake(Intake::Fenced),
            }
        }
    }

    fn commit(self: &Arc<Self>, number: u64, batch: Batch) {
        let span = tracing::debug_span!("commit", members = batch.members.len());
        let store = Arc::clone(&self.shared.store);
        let work = tracing::Instrument::instrument(async move { store.commit(batch).await }, span);
        self.run_or_spawn(Box::pin(work), move |result| Input::Committed {
            number,
            result,
        });
    }

    fn recover(self: &Arc<Self>, id: PersistenceId, type_index: u16, incarnation: u64) {
        let span = tracing::debug_span!("recovery", entity = %id.entity_type(), id = id.id());
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let result = load(&shared, &id, type_index).await;
            (id, result)
        };
        let work = tracing::Instrument::instrument(work, span);
        self.run_or_spawn(Box::pin(work), move |(id, result)| Input::Recovered {
            id,
            incarnation,
            result,
        });
    }

    fn find_record(
        self: &Arc<Self>,
        id: PersistenceId,
        incarnation: u64,
        look_up: LookUp,
        job: Arc<dyn Job>,
    ) {
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let found = shared
                .store
                .find_record(&id, &look_up.key, look_up.newest)
                .await;
            let result = found.map_err(|error| load_failure(&shared, &id, error));
            (id, result)
        };
        self.run_or_spawn(Box::pin(work), move |(id, result)| Input::Found {
            id,
            incarnation,
            job,
            result,
        });
    }

    /// Runs a future to its end: at once if it is ready at the first poll, in a task otherwise.
    fn run_or_spawn<T: Send + 'static>(
        self: &Arc<Self>,
        mut work: Pending<T>,
        input: impl FnOnce(T) -> Input + Send + 'static,
    ) {
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => self.input(input(value)),
            Poll::Pending => {
                let shard = Arc::clone(self);
                self.shared.env.spawn(Box::pin(async move {
                    let value = work.await;
                    shard.input(input(value));
                }));
            }
        }
    }

    /// Time has passed. A busy shard is left alone; the number of its visits tells whether it moves.
    pub(crate) fn tick(self: &Arc<Self>) -> Option<u64> {
        let Some(mut core) = self.enter() else {
            return Some(self.visits.load(Ordering::Relaxed));
        };
        core.tick(&self.shared);
        self.leave(core);
        None
    }

    /// Lets the entity go that was used longest ago, if the shard is free and one is idle.
    pub(crate) fn evict_oldest(&self) -> bool {
        self.enter()
            .is_some_and(|mut core| core.evict_oldest(&self.shared))
    }

    /// Whether nothing is under way. A shard that is busy right now is not quiet.
    pub(crate) fn is_quiet(&self) -> bool {
        self.queued.load(Ordering::SeqCst) == 0
            && self
                .enter()
                .is_some_and(|core| core.is_quiet() && !core.has_outputs())
    }

    /// Ends everything that waits. `false` if the shard is busy right now.
    pub(crate) fn stop(self: &Arc<Self>, wrote: &Failure, waiting: &Failure) -> bool {
        let Some(mut core) = self.enter() else {
            return false;
        };
        while let Some(input) = self.next_input() {
            if let Input::Call { job, .. } | Input::Found { job, .. } = input {
                if let Some(waker) = job.refuse(waiting.clone()) {
                    waker.wake();
                }
            }
        }
        core.stop(wrote, waiting, &self.shared);
        self.leave(core);
        true
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard").finish_non_exhaustive()
    }
}

/// Loads an entity: what it is now, or why it cannot be.
async fn load(shared: &Shared, id: &PersistenceId, type_index: u16) -> Result<Recovered, Failure> {
    let Ok(_permit) = shared.recoveries.acquire().await else {
        return Err(Failure::Stopped);
    };
    let hosted = shared.turn(type_index).hosted;
    let settings = RecoverySettings {
        shape: hosted.shape,
        cutoff: hosted.cutoff(shared.env.wall()),
        keys_max: shared.limits.keys_max,
    };
    let replay = hosted.definition.recovery(settings);
    let loaded = match shared.store.load(id, replay).await {
        Ok(loaded) => loaded,
        Err(error) => return Err(load_failure(shared, id, error)),
    };
    hosted.definition.recovered(loaded).map_err(|failure| {
        let quarantine = Quarantine {
            id: id.clone(),
            sequence: failure.sequence,
            reason: failure.reason,
        };
        Failure::Quarantined(shared.quarantined.insert(quarantine))
    })
}

fn load_failure(shared: &Shared, id: &PersistenceId, error: LoadError) -> Failure {
    match error {
        LoadError::Corrupt {
            offset,
            sequence,
            what,
        } => {
            let reason = format!("the entry at offset {offset} is damaged: {what}");
            let quarantine = Quarantine {
                id: id.clone(),
                sequence,
                reason,
            };
            Failure::Quarantined(shared.quarantined.insert(quarantine))
        }
        LoadError::Unavailable(cause) => Failure::unavailable(cause.to_string()),
        other => Failure::unavailable(other.to_string()),
    }
}
