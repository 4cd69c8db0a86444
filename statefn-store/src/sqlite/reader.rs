//! Threads that read, each with its own read-only connection: no executor waits for a disk.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection;
use super::failure::ReadError;
use super::limits::READ_QUEUE;
use super::shared::Shared;
use super::shared::closed_failure;
use crate::{FailureKind, LoadError, StoreFailure};

type Job = Box<dyn FnOnce(&mut Reader) + Send>;

/// The connection of one thread.
pub(super) struct Reader {
    shared: Arc<Shared>,
    conn: Option<Connection>,
}

impl Reader {
    /// Runs a read; a connection that failed is not used again.
    fn read<T>(
        &mut self,
        read: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => connection::reader(&self.shared.path)?,
        };
        let result = read(&conn, &self.shared);
        let failed = match &result {
            Err(ReadError::Sqlite(error)) => !error.is_busy(),
            _ => !conn.is_autocommit(),
        };
        if !failed {
            self.conn = Some(conn);
        }
        result
    }
}

/// The pool.
pub(super) struct Readers {
    shared: Arc<Shared>,
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
    /// Starts the threads; they open their connections when they get their first job.
    pub(super) fn start(shared: &Arc<Shared>) -> std::io::Result<Self> {
        let jobs = Arc::new(Jobs::default());
        let readers = Self {
            shared: Arc::clone(shared),
            jobs: Arc::clone(&jobs),
            threads: Mutex::default(),
        };
        for _ in 0..shared.tuning.readers {
            let (jobs, shared) = (Arc::clone(&jobs), Arc::clone(shared));
            let thread = std::thread::Builder::new()
                .name("statefn-sqlite-read".to_owned())
                .spawn(move || jobs.work(shared))?;
            readers.threads().push(thread);
        }
        Ok(readers)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a read on one of the threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError> + Send + 'static,
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
        let (job, answer) = job(read);
        self.spawn_aside(job)?;
        self.answered(answer).await.map_err(unavailable)
    }

    fn spawn_aside(&self, job: Job) -> Result<(), StoreFailure> {
        let shared = Arc::clone(&self.shared);
        // The list is locked before the flag is read, and a stop sets the flag before it takes the
        // list: either it sees this thread, or this call sees the flag.
        let mut threads = self.threads();
        if self.jobs.lock().stopped {
            return Err(self.refused(FailureKind::Closed));
        }
        threads.retain(|thread| !thread.is_finished());
        let thread = std::thread::Builder::new()
            .name("statefn-sqlite-long-read".to_owned())
            .spawn(move || job(&mut Reader { shared, conn: None }));
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
            Ok(result) => result.map_err(|error| error.at(&self.shared.path)),
            Err(_) => Err(LoadError::Unavailable(self.unanswered())),
        }
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
    }
}

fn job<T: Send + 'static>(
    read: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, ReadError>>) {
    let (reply, answer) = oneshot::channel();
    let job = Box::new(move |reader: &mut Reader| {
        // A caller that has gone before the read began needs none.
        if !reply.is_closed() {
            let _ = reply.send(reader.read(read));
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

    fn work(&self, shared: Arc<Shared>) {
        let mut reader = Reader { shared, conn: None };
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(|| job(&mut reader))).is_err() {
                tracing::error!("a read panicked");
                reader.conn = None;
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
