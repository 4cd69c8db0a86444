//! The shell of a shard: a lock that callers take to run their own commands.
//!
//! Whoever finds the lock taken leaves the input in the inbox; whoever holds the lock runs what is
//! in the inbox before and after letting go. No input ever waits for the lock: a handler that
//! never returns stops its shard, not the threads that have something for it.

mod attend;
mod handover;
mod spawning;
mod store_work;
mod visit;

use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::time::Duration;

use statefn_store::{CommitError, Outcome, PersistenceId, StoredRecord};

use crate::call_error::Failure;
use crate::command::Operation;
use crate::runtime::budget::Room;
use crate::runtime::core::{Accepted, Action, Core, Outputs};
use crate::runtime::isolate::{discard, wake};
use crate::runtime::outbox::{self, Addressed};
use crate::runtime::recovery::Recovered;
use crate::runtime::shard::handover::Handover;
use crate::runtime::shared::{Intake, Shared};
use crate::runtime::slot::{Course, Job, Slot};
use crate::runtime::step::Request;
use crate::sync::TryMutexGuard;
use crate::sync::atomic::{AtomicU64, Ordering};
use visit::Visit;

/// After this many foreign inputs the holder of the lock hands the rest to a task ..
const FOREIGN_MAX: usize = 64;
/// .. or after this long, looked at every few inputs.
const FOREIGN_TIME: Duration = Duration::from_micros(100);
const LOOK_AT_CLOCK_EVERY: usize = 16;

/// One part of the entities of a runtime.
pub(crate) struct Shard {
    handover: Handover<Core, Input>,
    /// All shards of the runtime, this one included.
    peers: OnceLock<Weak<[Arc<Shard>]>>,
    /// Rises with every visit, so that a watchdog can tell a stuck holder from a busy one.
    visits: AtomicU64,
    shared: Arc<Shared>,
}

/// What a shard is told.
pub(super) enum Input {
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
    RoomMade {
        id: PersistenceId,
        incarnation: u64,
        room: Option<Room>,
    },
    /// An async command has ended; `None` if it went under with its task.
    Handled {
        id: PersistenceId,
        incarnation: u64,
        course: Option<Box<dyn Course>>,
    },
}

impl Shard {
    /// An empty shard.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            handover: Handover::new(Core::new(shared.hosted.len())),
            peers: OnceLock::new(),
            visits: AtomicU64::new(0),
            shared,
        }
    }

    /// Tells the shard of the others, once.
    pub(super) fn introduce(&self, shards: &Arc<[Arc<Self>]>) {
        // A second introduction would name the same shards.
        let _first = self.peers.set(Arc::downgrade(shards));
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
        if self.handover.is_empty()
            && let Some(mut core) = self.enter()
        {
            let accepted = core.call(id, type_index, request, &self.shared);
            self.leave(core);
            return accepted;
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

    /// Puts an input into the inbox, for a thread that looks there soon.
    pub(super) fn push(&self, input: Input) {
        self.handover.push(input);
    }

    /// Puts an input into the inbox and sees that somebody runs it.
    pub(super) fn input(self: &Arc<Self>, input: Input) {
        self.handover.leave(input);
        self.visit();
    }

    /// Takes the lock if it is free.
    fn enter(&self) -> Option<TryMutexGuard<'_, Core>> {
        let mut core = self.handover.enter()?;
        self.visits.fetch_add(1, Ordering::Relaxed);
        core.catch_up(&self.shared);
        Some(core)
    }

    /// Lets go of the lock and sees that a task serves who came meanwhile: for those who must not
    /// run handlers, which may take long or never return.
    fn leave_to_task(self: &Arc<Self>, core: TryMutexGuard<'_, Core>) {
        self.let_go(core);
        if self.handover.has_work() && !Visit::spawn(self) {
            self.visit();
        }
    }

    /// Lets go of the lock and serves who came meanwhile.
    fn leave(self: &Arc<Self>, core: TryMutexGuard<'_, Core>) {
        self.let_go(core);
        if self.handover.has_work() {
            self.visit();
        } else {
            self.stirred();
        }
    }

    /// Runs what waits, as far as nobody else does and the share of one visitor goes.
    fn visit(self: &Arc<Self>) {
        let mut left = FOREIGN_MAX;
        let mut started = None;
        while self.handover.has_work() {
            let Some(mut core) = self.enter() else { return };
            let mut served = 0;
            while served < LOOK_AT_CLOCK_EVERY {
                let Some(input) = self.handover.next() else {
                    break;
                };
                self.apply(&mut core, input);
                served += 1;
            }
            served += core.run_waiting(LOOK_AT_CLOCK_EVERY, &self.shared);
            self.let_go(core);
            self.stirred();
            if !self.handover.has_work() {
                return;
            }
            left = left.saturating_sub(served.max(1));
            let now = self.shared.env.now();
            if left == 0 || now.saturating_sub(*started.get_or_insert(now)) > FOREIGN_TIME {
                if Visit::spawn(self) {
                    return;
                }
                (left, started) = (FOREIGN_MAX, None);
            }
        }
    }

    /// Lets go of the lock and does what the core asked for. What is answered at once lies in the
    /// inbox afterwards: nobody visits from in here, or a long queue would take a deep stack.
    fn let_go(self: &Arc<Self>, mut core: TryMutexGuard<'_, Core>) {
        let runnable = core.has_runnable();
        if core.has_outputs() {
            let outputs = core.take_outputs(&self.shared);
            self.handover.let_go(core, runnable);
            self.perform(outputs);
        } else {
            self.handover.let_go(core, runnable);
        }
    }

    /// Whoever waits for the end of everything under way may look again.
    fn stirred(&self) {
        if self.shared.intake() != Intake::Open {
            self.shared.stirred.notify_one();
        }
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
            Input::RoomMade {
                id,
                incarnation,
                room,
            } => core.room_made(&id, incarnation, room, shared),
            Input::Handled {
                id,
                incarnation,
                course,
            } => core.handled(&id, incarnation, course, shared),
        }
    }

    /// Does what the core asked for, outside the lock.
    fn perform(self: &Arc<Self>, outputs: Outputs) {
        outputs.wakers.into_iter().for_each(wake);
        if let Some((number, batch)) = outputs.commit {
            store_work::commit(self, number, batch);
        }
        for action in outputs.actions {
            match action {
                Action::Recover {
                    id,
                    type_index,
                    incarnation,
                } => {
                    store_work::recover(self, id, type_index, incarnation);
                }
                Action::FindRecord {
                    id,
                    incarnation,
                    look_up,
                    job,
                } => {
                    store_work::find_record(self, id, incarnation, look_up, job);
                }
                Action::MakeRoom { id, incarnation } => {
                    let room = self.evict_elsewhere();
                    self.push(Input::RoomMade {
                        id,
                        incarnation,
                        room,
                    });
                }
                Action::Handle {
                    id,
                    incarnation,
                    course,
                    stop,
                } => attend::handle(self, id, incarnation, course, stop),
                Action::Post(addressed) => self.post(addressed),
                Action::Depart(departure) => outbox::depart(departure),
                Action::StoreFailed => {
                    self.shared.store_failed();
                    // Commits of which nobody knows may have sent something.
                    self.shared.outbox.read_again();
                }
                Action::Fenced => self.shared.set_intake(Intake::Fenced),
            }
        }
    }

    /// Delivers what a committed command has sent.
    fn post(&self, addressed: Addressed) {
        if let Some(group) = addressed.group {
            let late = self.shared.env.sleep(self.shared.limits.call_timeout);
            self.shared.env.spawn(Box::pin(async move {
                late.await;
                group.open();
            }));
        }
        self.shared.outbox.accept(addressed.posts);
        if addressed.sets_timers {
            self.shared.outbox.bell.notify_one();
        }
    }

    /// Lets an idle entity of another shard go, if one is free to look at: the room that it leaves,
    /// so that nobody else takes it meanwhile.
    fn evict_elsewhere(&self) -> Option<Room> {
        let peers = self.peers.get().and_then(Weak::upgrade)?;
        // Each shard begins at another one, so that the first is not drained for all.
        let start = self.visits.load(Ordering::Relaxed);
        let start = usize::try_from(start).unwrap_or(0) % peers.len().max(1);
        let (before, after) = peers.split_at(start);
        let others = after.iter().chain(before);
        let mut others = others.filter(|shard| !std::ptr::eq(&raw const ***shard, self));
        others.find_map(Self::evict_oldest)
    }

    /// Time has passed. A busy shard is left alone; the number of its visits tells whether it moves.
    pub(crate) fn tick(self: &Arc<Self>) -> Option<u64> {
        let Some(mut core) = self.enter() else {
            self.expire_inbox();
            return Some(self.visits.load(Ordering::Relaxed));
        };
        core.tick(&self.shared);
        self.leave_to_task(core);
        None
    }

    /// Answers the calls that have waited too long for the lock.
    fn expire_inbox(&self) {
        let timeout = self.shared.limits.call_timeout;
        let Some(oldest) = self.shared.env.now().checked_sub(timeout) else {
            return;
        };
        let wakers: Vec<Waker> = {
            let inbox = self.handover.inbox();
            let expired = inbox.iter().filter_map(|input| match input {
                Input::Call { job, .. } => job.expire(oldest),
                _ => None,
            });
            expired.collect()
        };
        wakers.into_iter().for_each(wake);
    }

    /// Lets the entity go that was used longest ago, if the shard is free and one is idle.
    fn evict_oldest(self: &Arc<Self>) -> Option<Room> {
        let mut core = self.enter()?;
        let evicted = core.evict_oldest(&self.shared);
        self.leave_to_task(core);
        evicted
    }

    /// Whether nothing is under way. A shard that is busy right now is not quiet.
    pub(crate) fn is_quiet(self: &Arc<Self>) -> bool {
        let Some(core) = self.enter() else {
            return false;
        };
        let quiet = core.is_quiet() && !core.has_outputs();
        self.leave_to_task(core);
        quiet && !self.handover.has_work()
    }

    /// Ends everything that waits. `false` if the shard is busy right now.
    pub(crate) fn stop(self: &Arc<Self>, wrote: &Failure, waiting: &Failure) -> bool {
        let Some(mut core) = self.enter() else {
            return false;
        };
        while let Some(input) = self.handover.next() {
            if let Input::Call { job, .. } | Input::Found { job, .. } = &input
                && let Some(waker) = job.refuse(waiting.clone())
            {
                wake(waker);
            }
            discard(input);
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
