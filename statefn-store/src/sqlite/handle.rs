//! What a [`Sqlite`](super::Sqlite) holds: the way to the writer, and the end of the store when the
//! last clone is dropped.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::{oneshot, watch};

use super::OpenError;
use super::connection::{self, failed};
use super::file::{Place, unopened};
use super::journal::Journal;
use super::limits::{COMMIT_QUEUE, DROP_WAIT};
use super::lock::LockFile;
use super::queue::{Queue, Refused, Request};
use super::reader::Readers;
use super::shared::Shared;
use super::shared::closed_failure;
use super::tuning::Tuning;
use super::writer::{State, Writer};
use crate::{FailureKind, StoreFailure};

/// One open store.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue>,
    pub(super) readers: Arc<Readers>,
    ended: Arc<Ended>,
}

/// Set when the writer has released everything; for those who block and those who do not.
struct Ended {
    done: Mutex<bool>,
    changed: Condvar,
    told: watch::Sender<bool>,
}

impl Handle {
    /// Opens the store; every check comes before the first change.
    pub(super) fn open(path: &Path, tuning: Tuning) -> Result<Self, OpenError> {
        connection::check_library()?;
        let place = Place::find(path)?;
        let lock = LockFile::take(&place.path)?;
        let conn = connection::writer(&place)?;
        let shared = Arc::new(Shared::new(place.path.clone(), tuning));
        let journal = Journal::start(conn, Arc::clone(&shared))
            .map_err(|error| failed(&place.path, error))?;
        let keeper = connection::keeper(&place.path).map_err(|error| failed(&place.path, error))?;
        let thread_failed = |error| unopened(&place.path, error);
        let readers = Arc::new(Readers::start(&shared).map_err(thread_failed)?);
        let queue = Arc::new(Queue::default());
        let ended = Arc::new(Ended {
            done: Mutex::default(),
            changed: Condvar::new(),
            told: watch::Sender::new(false),
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            readers: Arc::clone(&readers),
            lock,
            keeper,
            state: State::Serving(Box::new(journal)),
            round: Arc::default(),
        };
        let end = Arc::clone(&ended);
        std::thread::Builder::new()
            .name("statefn-sqlite-write".to_owned())
            .spawn(move || {
                writer.run();
                end.set();
            })
            .map_err(thread_failed)?;
        Ok(Self {
            shared,
            queue,
            readers,
            ended,
        })
    }

    /// Hands a request to the writer.
    pub(super) fn send(&self, request: Request) -> Result<(), StoreFailure> {
        self.queue.push(request).map_err(|refused| match refused {
            Refused::Closed => self.closed(),
            Refused::Full => {
                let path = self.shared.path.display();
                let message = format!("{path}: {COMMIT_QUEUE} batches wait already");
                StoreFailure::new(FailureKind::Busy, message)
            }
        })
    }

    /// The failure of a store that is closed.
    pub(super) fn closed(&self) -> StoreFailure {
        closed_failure(&self.shared)
    }

    /// Closes the store and waits until everything is released.
    pub(super) async fn close(&self) -> Result<(), StoreFailure> {
        let (reply, answer) = oneshot::channel();
        if self.queue.push(Request::Close(Some(reply))).is_ok() {
            // An answer that never comes: the writer has ended, and so has everything it held.
            return answer.await.unwrap_or(Ok(()));
        }
        // Somebody else closes it: the sender lives as long as this handle.
        let _ = self.ended.told.subscribe().wait_for(|ended| *ended).await;
        Ok(())
    }
}

impl Drop for Handle {
    /// Closes the store unless that has been done; waits for it, but never for ever.
    fn drop(&mut self) {
        let _ = self.queue.push(Request::Close(None));
        self.ended.wait();
    }
}

impl Ended {
    fn set(&self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        self.told.send_replace(true);
    }

    fn wait(&self) {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(done, DROP_WAIT, |done| !*done);
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            tracing::warn!(
                "the SQLite writer is still busy; it releases the store when it is done"
            );
        }
    }
}
