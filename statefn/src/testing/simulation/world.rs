//! One thread, one clock, one pair of dice: tasks run in an order that a seed decides, and time
//! moves only when nothing can run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use statefn_store::Timestamp;
use statefn_store::testing::Dice;

use crate::env::{BoxFuture, Env};

/// 2026-01-01T00:00:00Z: a fixed start, so that runs repeat.
const START: i64 = 1_767_225_600_000;

/// Processes of the simulated machine. Clients and the harness are in the first, which never dies.
pub(super) type Process = u32;

/// Where clients and the harness run.
pub(super) const HARNESS: Process = 0;

/// A simulated machine. Clones share it.
#[derive(Clone)]
pub(super) struct World {
    state: Arc<Mutex<State>>,
}

struct State {
    dice: Dice,
    now: Duration,
    /// How far the wall clock has jumped, in milliseconds.
    shift: i64,
    /// Rises with everything that somebody could have noticed.
    instant: u64,
    tasks: BTreeMap<u64, Task>,
    /// Numbers tasks and timers.
    numbers: u64,
    ready: Vec<u64>,
    timers: BTreeMap<(Duration, u64), Waker>,
    dead: BTreeSet<Process>,
    trace: u64,
    log: Option<Vec<String>>,
}

struct Task {
    process: Process,
    /// Empty while it is polled.
    future: Option<BoxFuture>,
    is_ready: bool,
}

impl World {
    /// A machine whose tasks run in the order of these dice.
    pub(super) fn new(dice: Dice, keeps_log: bool) -> Self {
        let state = State {
            dice,
            now: Duration::ZERO,
            shift: 0,
            instant: 0,
            tasks: BTreeMap::new(),
            numbers: 0,
            ready: Vec::new(),
            timers: BTreeMap::new(),
            dead: BTreeSet::new(),
            trace: 0xcbf2_9ce4_8422_2325,
            log: keeps_log.then(Vec::new),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment of a process.
    pub(super) fn env(&self, process: Process) -> ProcessEnv {
        ProcessEnv {
            world: self.clone(),
            process,
        }
    }

    /// Time since the start.
    pub(super) fn now(&self) -> Duration {
        self.lock().now
    }

    /// What the wall clock says.
    pub(super) fn wall(&self) -> Timestamp {
        let state = self.lock();
        let elapsed = i64::try_from(state.now.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(START.saturating_add(elapsed).saturating_add(state.shift))
    }

    /// Sets the wall clock so many milliseconds off.
    pub(super) fn set_wall(&self, shift: i64) {
        self.lock().shift = shift;
    }

    /// The next instant: a number for everything that could have been noticed.
    pub(super) fn instant(&self) -> u64 {
        let mut state = self.lock();
        state.instant += 1;
        state.instant
    }

    /// Adds to what two runs of one seed must have in common.
    pub(super) fn trace(&self, what: u64) {
        self.lock().trace(what);
    }

    /// Adds a line to the log, if one is kept.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if self.lock().log.is_some() {
            let line = line();
            let mut state = self.lock();
            let line = format!("{:>12.3?} {line}", state.now);
            state.log.get_or_insert_default().push(line);
        }
    }

    /// A digest of everything that happened, and the log.
    pub(super) fn end(&self) -> (u64, Vec<String>) {
        let mut state = self.lock();
        (state.trace, state.log.take().unwrap_or_default())
    }

    /// Whether a process was killed.
    pub(super) fn is_dead(&self, process: Process) -> bool {
        self.lock().dead.contains(&process)
    }

    /// Ends a process between two polls: its tasks are gone, and nothing of it runs again.
    pub(super) fn kill(&self, process: Process) {
        let (gone, wakers) = {
            let mut state = self.lock();
            state.dead.insert(process);
            let (gone, left) = std::mem::take(&mut state.tasks)
                .into_iter()
                .partition(|(_, task)| task.process == process);
            state.tasks = left;
            let gone: BTreeMap<u64, Task> = gone;
            let wakers: Vec<Waker> = state.tasks.keys().map(|id| self.waker(*id)).collect();
            (gone, wakers)
        };
        // Whoever waits for the process must look again.
        wakers.into_iter().for_each(Waker::wake);
        drop(gone);
    }

    fn waker(&self, task: u64) -> Waker {
        Waker::from(Arc::new(TaskWaker {
            world: self.clone(),
            task,
        }))
    }

    /// Starts a task of a process; one of a dead process never runs.
    pub(super) fn spawn(&self, process: Process, future: BoxFuture) {
        let refused = {
            let mut state = self.lock();
            if state.dead.contains(&process) {
                Some(future)
            } else {
                state.numbers += 1;
                let id = state.numbers;
                let task = Task {
                    process,
                    future: Some(future),
                    is_ready: true,
                };
                state.tasks.insert(id, task);
                state.ready.push(id);
                None
            }
        };
        drop(refused);
    }

    /// Runs until `main` has ended. Whether it did before the clock came to `limit`.
    pub(super) fn run(&self, main: BoxFuture, limit: Duration) -> bool {
        let ended = Arc::new(Mutex::new(false));
        let end = Arc::clone(&ended);
        let main = async move {
            main.await;
            *end.lock().unwrap_or_else(PoisonError::into_inner) = true;
        };
        self.spawn(HARNESS, Box::pin(main));
        while self.step(limit) {
            if *ended.lock().unwrap_or_else(PoisonError::into_inner) {
                return true;
            }
        }
        false
    }

    /// Polls one task, or moves the clock. `false` when nothing will ever happen again.
    fn step(&self, limit: Duration) -> bool {
        let Some(id) = self.next_task() else {
            return self.move_clock(limit);
        };
        let future = self.lock().tasks.get_mut(&id).and_then(|task| {
            task.is_ready = false;
            task.future.take()
        });
        let Some(mut future) = future else {
            return true;
        };
        let waker = self.waker(id);
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let left = {
            let mut state = self.lock();
            match state.tasks.get_mut(&id) {
                Some(task) if polled.is_pending() => {
                    task.future = Some(future);
                    None
                }
                _ => {
                    state.tasks.remove(&id);
                    Some(future)
                }
            }
        };
        drop(left);
        true
    }

    fn next_task(&self) -> Option<u64> {
        let mut state = self.lock();
        if state.ready.is_empty() {
            return None;
        }
        let count = state.ready.len();
        let index = state.dice.index(count);
        let id = state.ready.swap_remove(index);
        state.trace(id);
        Some(id)
    }

    fn move_clock(&self, limit: Duration) -> bool {
        let waker = {
            let mut state = self.lock();
            let Some(((at, number), waker)) = state.timers.pop_first() else {
                return false;
            };
            if at > limit {
                return false;
            }
            state.now = state.now.max(at);
            state.trace(number);
            waker
        };
        waker.wake();
        true
    }
}

impl State {
    fn trace(&mut self, what: u64) {
        self.trace = (self.trace ^ what)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

struct TaskWaker {
    world: World,
    task: u64,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut state = self.world.lock();
        let Some(task) = state.tasks.get_mut(&self.task) else {
            return;
        };
        if !task.is_ready {
            task.is_ready = true;
            state.ready.push(self.task);
        }
    }
}

/// The world as a runtime in one of its processes sees it.
#[derive(Clone, Debug)]
pub(super) struct ProcessEnv {
    world: World,
    process: Process,
}

impl Env for ProcessEnv {
    fn now(&self) -> Duration {
        self.world.now()
    }

    fn wall(&self) -> Timestamp {
        self.world.wall()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(Sleep {
            until: self.world.now().saturating_add(duration),
            world: self.world.clone(),
            timer: None,
        })
    }

    fn spawn(&self, task: BoxFuture) {
        self.world.spawn(self.process, task);
    }

    fn repeats(&self) -> bool {
        true
    }
}

struct Sleep {
    world: World,
    until: Duration,
    /// Its number among the timers, once it is there.
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.world.lock();
        if state.now >= this.until {
            return Poll::Ready(());
        }
        let number = *this.timer.get_or_insert_with(|| {
            state.numbers += 1;
            state.numbers
        });
        state
            .timers
            .insert((this.until, number), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.timer {
            let timer = self.world.lock().timers.remove(&(self.until, number));
            drop(timer);
        }
    }
}
