//! Threads for what reads long, so that no executor waits for a disk. A short load is done where it
//! is asked for: the way to a thread and back takes longer than the load.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection;
use super::connections::{Connections, Lent};
use super::failure::ReadError;
use super::limits::{LOADS_AFTER_A_SLOW_ONE, READ_QUEUE};
use super::load::{Load, Progress};
use super::shared::Shared;
use super::shared::closed_failure;
use crate::{FailureKind, LoadError, Loaded, PersistenceId, Replay, StoreFailure};

type Job = Box<dyn FnOnce() + Send>;

/// The pool.
pub(super) struct Readers {
    shared: Arc<Shared>,
    connections: Arc<Connections>,
    /// Loads that go to the threads because one before them was slow.
    distrusted: AtomicU32,
    jobs: Arc<Jobs>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Jobs {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    stopped: bool,
}

impl Readers {
    /// Starts the threads; connections are opened when they are needed.
    pub(super) fn start(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let jobs = Arc::new(Jobs::default());
        let readers = Self {
            shared: Arc::clone(shared),
            connections: Arc::new(Connections::new(Arc::clone(shared))),
            distrusted: AtomicU32::new(0),
            jobs: Arc::clone(&jobs),
            threads: Mutex::default(),
        };
        for _ in 0..shared.tuning.readers {
            let jobs = Arc::clone(&jobs);
            let thread = std::thread::Builder::new()
                .name("statefn-sqlite-read".to_owned())
                .spawn(move || jobs.work())?;
            readers.threads().push(thread);
        }
        Ok(readers)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads an entity: on the calling thread as far as it is short.
    pub(super) async fn load(
        &self,
        id: &PersistenceId,
        replay: Box<dyn Replay>,
    ) -> Result<Loaded, LoadError> {
        let mut load = Load::new(id.clone(), replay);
        if let Some(lent) = self.connection_here() {
            let start = now();
            let progress = load.go_on(&lent.conn, &self.shared, self.shared.tuning.entries_at_once);
            self.took(start);
            if !matches!(progress, Ok(Progress::Paused)) {
                lent.settle(&progress);
                return progress.map(|_| load.loaded()).map_err(|e| self.failed(e));
            }
            let shared = Arc::clone(&self.shared);
            return self.run(move || load.complete(lent, &shared)).await;
        }
        let (shared, connections) = (Arc::clone(&self.shared), Arc::clone(&self.connections));
        self.run(move || load.complete(connections.idle_or_new()?, &shared))
            .await
    }

    /// A connection for a load on this thread, if one is idle and the disk has been fast.
    fn connection_here(&self) -> Option<Lent> {
        let distrusted = self.distrusted.load(Ordering::Relaxed);
        if distrusted == 0 {
            return self.connections.idle();
        }
        // A load that is counted twice or not at all does no harm.
        self.distrusted.store(distrusted - 1, Ordering::Relaxed);
        None
    }

    fn took(&self, start: Instant) {
        if now() - start > self.shared.tuning.slow_load {
            self.distrusted
                .store(LOADS_AFTER_A_SLOW_ONE, Ordering::Relaxed);
        }
    }

    /// Runs a read on one of the threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        let (shared, connections) = (Arc::clone(&self.shared), Arc::clone(&self.connections));
        self.run(move || {
            let lent = connections.idle_or_new()?;
            let result = read(&lent.conn, &shared);
            lent.settle(&result);
            result
        })
        .await
    }

    /// Does it on one of the threads.
    async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        let (job, answer) = job(read);
        self.jobs
            .push(job)
            .map_err(|refused| LoadError::Unavailable(self.refused(refused)))?;
        self.answered(answer).await
    }

    /// Runs a long read on a thread and a connection of its own, so that no load waits for it.
    pub(super) async fn read_aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let shared = Arc::clone(&self.shared);
        let (job, answer) = job(move || read(&connection::reader(&shared.path)?, &shared));
        self.spawn_aside(job)?;
        self.answered(answer).await.map_err(unavailable)
    }

    fn spawn_aside(&self, job: Job) -> Result<(), StoreFailure> {
        // The list is locked before the flag is read, and a stop sets the flag before it takes the
        // list: either it sees this thread, or this call sees the flag.
        let mut threads = self.threads();
        if self.jobs.lock().stopped {
            return Err(self.refused(FailureKind::Closed));
        }
        threads.retain(|thread| !thread.is_finished());
        let thread = std::thread::Builder::new()
            .name("statefn-sqlite-long-read".to_owned())
            .spawn(job);
        match thread {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                let message = format!("{}: no thread: {error}", self.shared.path.display());
                return Err(StoreFailure::new(FailureKind::Other, message).caused_by(error));
            }
        }
        Ok(())
    }

    async fn answered<T>(
        &self,
        answer: oneshot::Receiver<Result<T, ReadError>>,
    ) -> Result<T, LoadError> {
        match answer.await {
            Ok(result) => result.map_err(|error| self.failed(error)),
            Err(_) => Err(LoadError::Unavailable(self.unanswered())),
        }
    }

    fn failed(&self, error: ReadError) -> LoadError {
        error.at(&self.shared.path)
    }

    fn refused(&self, kind: FailureKind) -> StoreFailure {
        if kind == FailureKind::Closed {
            return closed_failure(&self.shared);
        }
        let path = self.shared.path.display();
        StoreFailure::new(kind, format!("{path}: {READ_QUEUE} reads wait already"))
    }

    /// The job ended without an answer: it panicked, or the store was closed under it.
    fn unanswered(&self) -> StoreFailure {
        if self.jobs.lock().stopped {
            return closed_failure(&self.shared);
        }
        let path = self.shared.path.display();
        StoreFailure::new(FailureKind::Other, format!("{path}: a read panicked"))
    }

    /// Lets reads under way finish, turns the others away, and ends the threads.
    pub(super) fn stop(&self) {
        self.shared.close();
        let mut state = self.jobs.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
        self.jobs.arrived.notify_all();
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
        self.connections.stop();
    }
}

fn job<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, ReadError>>) {
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move || {
        // A caller that has gone before the read began needs none.
        if !reply.is_closed() {
            let _ = reply.send(read());
        }
    });
    (job, answer)
}

impl Drop for Readers {
    fn drop(&mut self) {
        // Threads that the writer did not stop (it never started) must not wait for ever.
        self.jobs.lock().stopped = true;
        self.jobs.arrived.notify_all();
    }
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), FailureKind> {
        let mut state = self.lock();
        if state.stopped {
            return Err(FailureKind::Closed);
        }
        if state.waiting.len() >= READ_QUEUE {
            return Err(FailureKind::Busy);
        }
        state.waiting.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a read panicked");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The failure inside a load error that is no damage of an entry.
pub(super) fn unavailable(error: LoadError) -> StoreFailure {
    match error {
        LoadError::Unavailable(failure) => failure,
        damaged @ LoadError::Corrupt { .. } => {
            StoreFailure::new(FailureKind::Corrupt, damaged.to_string())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "only chooses the thread that reads; no promise depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
