//! The writer thread: the only one that changes the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::OpenError;
use super::connection;
use super::erase::{Erased, Erasure};
use super::failure::SqliteError;
use super::file::Place;
use super::journal::{Journal, TransactionError};
use super::limits::PASS_ON_WAIT;
use super::lock::LockFile;
use super::queue::{Project, Queue, Request, Tend, Waiting, Work};
use super::reader::{Readers, unavailable};
use super::reply::Round;
use super::shared::{Shared, closed_failure};
use super::stage::Answer;
use crate::{CommitError, OwnerEpoch, StoreFailure};

/// Owns the only writing connection and the lock file.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: Arc<Queue>,
    pub(super) readers: Arc<Readers>,
    pub(super) lock: LockFile,
    /// See [`connection::keeper`].
    pub(super) keeper: Connection,
    pub(super) state: State,
    /// The answers of the last transaction.
    pub(super) round: Arc<Round>,
}

/// Whether the database can be written.
pub(super) enum State {
    Serving(Box<Journal>),
    Failed(Failed),
}

/// The database failed; nothing of it is in memory until it has been opened again.
pub(super) struct Failed {
    error: SqliteError,
    wait: Duration,
    retry: Instant,
}

impl Failed {
    fn new(error: SqliteError, wait: Duration) -> Self {
        Self {
            error,
            wait,
            retry: now(),
        }
    }
}

impl Writer {
    /// Works until the store is closed.
    pub(super) fn run(mut self) {
        let done = loop {
            self.reopen_if_due();
            match self.queue.next(self.patience()) {
                Work::Commit(batches) => self.commit(batches),
                Work::Other(Request::Claim(reply)) => {
                    let claimed = self.claim();
                    // Nobody listens when the caller has gone.
                    let _ = reply.send(claimed);
                }
                Work::Other(Request::Erase(erasure, reply)) => {
                    let erased = self.erase(&erasure);
                    let _ = reply.send(erased);
                }
                Work::Other(Request::Tend(tend)) => self.tend(tend),
                Work::Other(Request::Project(project)) => self.project(project),
                Work::Other(Request::Close(reply)) => break reply,
                #[cfg(test)]
                Work::Other(Request::Test(test)) => {
                    if let State::Serving(journal) = &mut self.state {
                        test(journal);
                    }
                }
                Work::Other(Request::Commit(waiting)) => self.commit(vec![waiting]),
                Work::Idle => self.idle(),
            }
        };
        self.close(done);
    }

    fn patience(&self) -> Option<Duration> {
        let patience = match &self.state {
            State::Serving(journal) => journal.wants_idle().then_some(self.shared.tuning.idle),
            State::Failed(failed) => Some(failed.retry.saturating_duration_since(now())),
        };
        if self.round.is_open() {
            return Some(patience.map_or(PASS_ON_WAIT, |patience| patience.min(PASS_ON_WAIT)));
        }
        patience
    }

    fn commit(&mut self, batches: Vec<Waiting>) {
        let journal = match &mut self.state {
            State::Serving(journal) => journal,
            State::Failed(failed) => {
                let failure = || reopening(&failed.error, &self.shared);
                return refuse(batches, || CommitError::Unavailable(failure()));
            }
        };
        if let Some(damage) = self.shared.published().read_only.clone() {
            let failure = || damage.at(&self.shared.path);
            return refuse(batches, || CommitError::Unavailable(failure()));
        }
        match journal.commit(batches.iter().map(|waiting| &waiting.batch)) {
            Ok(answers) => {
                self.round.pass_on();
                self.round = answer(batches, answers);
                if let Err(failed) = journal.after_commit() {
                    self.fail(failed.error);
                }
            }
            Err(TransactionError { unknown, error }) => {
                // Poisoned before anybody hears of it: who asks next meets the truth.
                let failure = error.clone();
                if unknown || !error.is_busy() {
                    self.fail(error);
                }
                refuse(batches, || {
                    let failure = failure.at(&self.shared.path);
                    if unknown {
                        CommitError::Unknown(failure)
                    } else {
                        CommitError::Unavailable(failure)
                    }
                });
            }
        }
    }

    fn claim(&mut self) -> Result<OwnerEpoch, StoreFailure> {
        let journal = match &mut self.state {
            State::Serving(journal) => journal,
            State::Failed(failed) => return Err(reopening(&failed.error, &self.shared)),
        };
        if self.shared.published().read_only.is_some() {
            // No commit will be taken, so there is nobody to fence; readers get their store.
            return journal
                .next_epoch()
                .map_err(|error| error.at(&self.shared.path));
        }
        journal
            .claim()
            .map_err(|TransactionError { unknown, error }| {
                let failure = error.at(&self.shared.path);
                if unknown || !error.is_busy() {
                    self.fail(error);
                }
                failure
            })
    }

    fn erase(&mut self, erasure: &Erasure) -> Result<(u64, u64), CommitError> {
        match self.write(|journal| journal.erase(erasure))? {
            Erased::Part { count, next } => Ok((count, next)),
            Erased::Fenced { current } => Err(CommitError::Fenced {
                held: erasure.epoch,
                current,
            }),
            Erased::Damaged(damage) => {
                let failure = unavailable(damage.at(&self.shared.path));
                Err(CommitError::Unavailable(failure))
            }
        }
    }

    fn tend(&mut self, tend: Tend) {
        let Tend {
            epoch: held,
            changes,
            reply,
        } = tend;
        let tended = self
            .write(|journal| journal.tend(held, &changes))
            .and_then(|tended| tended.map_err(|current| CommitError::Fenced { held, current }));
        // Nobody listens when the caller has gone; the commit stands.
        let _ = reply.send(tended);
    }

    fn project(&mut self, project: Project) {
        let Project {
            epoch: held,
            change,
            reply,
        } = project;
        let projected = self
            .write(|journal| journal.project(held, &change))
            .and_then(|done| done.map_err(|current| CommitError::Fenced { held, current }));
        // Nobody listens when the caller has gone; the commit stands.
        let _ = reply.send(projected);
    }

    /// Runs a transaction that is no batch, if the database can be written.
    fn write<T>(
        &mut self,
        transaction: impl FnOnce(&mut Journal) -> Result<T, TransactionError>,
    ) -> Result<T, CommitError> {
        let journal = match &mut self.state {
            State::Serving(journal) => journal,
            State::Failed(failed) => {
                let failure = reopening(&failed.error, &self.shared);
                return Err(CommitError::Unavailable(failure));
            }
        };
        if let Some(damage) = self.shared.published().read_only.clone() {
            return Err(CommitError::Unavailable(damage.at(&self.shared.path)));
        }
        match transaction(journal) {
            Ok(done) => {
                if let Err(failed) = journal.after_commit() {
                    self.fail(failed.error);
                }
                Ok(done)
            }
            Err(TransactionError { unknown, error }) => {
                let failure = error.at(&self.shared.path);
                if unknown || !error.is_busy() {
                    self.fail(error);
                }
                Err(if unknown {
                    CommitError::Unknown(failure)
                } else {
                    CommitError::Unavailable(failure)
                })
            }
        }
    }

    fn idle(&mut self) {
        if self.round.is_open() {
            return self.round.pass_on();
        }
        if let State::Serving(journal) = &mut self.state
            && let Err(error) = journal.idle()
            && !error.is_busy()
        {
            self.fail(error);
        }
    }

    /// Drops the connection and everything in memory that came from it.
    fn fail(&mut self, error: SqliteError) {
        tracing::error!(path = %self.shared.path.display(), %error, "the database failed; reopening it");
        for request in self.queue.drain_commits() {
            turn_away(request, || reopening(&error, &self.shared));
        }
        self.state = State::Failed(Failed::new(error, self.shared.tuning.reopen_wait.0));
    }

    fn reopen_if_due(&mut self) {
        let State::Failed(failed) = &mut self.state else {
            return;
        };
        if now() < failed.retry {
            return;
        }
        match reopen(&self.shared) {
            Ok(journal) => {
                tracing::info!(path = %self.shared.path.display(), "the database is open again");
                self.state = State::Serving(Box::new(journal));
            }
            Err(error) => {
                tracing::warn!(path = %self.shared.path.display(), %error, "reopening failed");
                failed.error = error;
                failed.retry = now() + failed.wait;
                failed.wait = failed
                    .wait
                    .saturating_mul(2)
                    .min(self.shared.tuning.reopen_wait.1);
            }
        }
    }

    fn close(self, reply: Option<oneshot::Sender<Result<(), StoreFailure>>>) {
        let path = &self.shared.path;
        self.round.pass_on();
        self.readers.stop();
        let closed = match self.state {
            State::Serving(journal) => journal.close().map_err(|error| error.at(path)),
            State::Failed(failed) => Err(failed.error.at(path)),
        };
        if let Err(error) = &closed {
            tracing::warn!(path = %path.display(), %error, "the last checkpoint failed");
        }
        drop(self.keeper);
        // Released before anybody hears of it, so that the file can be opened again at once.
        drop(self.lock);
        for request in self.queue.drain() {
            turn_away(request, || closed_failure(&self.shared));
        }
        if let Some(reply) = reply {
            let _ = reply.send(closed);
        }
    }
}

fn reopen(shared: &Arc<Shared>) -> Result<Journal, SqliteError> {
    let place = Place {
        path: shared.path.clone(),
        exists: true,
    };
    let conn = connection::writer_again(&place).map_err(OpenError::into_failure)?;
    let mut journal = Journal::start(conn, Arc::clone(shared))?;
    journal.settle()?;
    Ok(journal)
}

fn answer(batches: Vec<Waiting>, answers: Vec<Answer>) -> Arc<Round> {
    let answered = batches.into_iter().zip(answers).map(|(waiting, answer)| {
        let committed = match answer {
            Answer::Outcomes(outcomes) => Ok(outcomes),
            Answer::Fenced { current } => Err(CommitError::Fenced {
                held: waiting.batch.epoch,
                current,
            }),
        };
        let Waiting { batch, reply } = waiting;
        (reply.with(batch), committed)
    });
    Round::give(answered)
}

fn refuse(batches: Vec<Waiting>, error: impl Fn() -> CommitError) {
    for waiting in batches {
        waiting.reply.send(Err(error()));
    }
}

/// Answers a request that comes too late.
fn turn_away(request: Request, failure: impl Fn() -> StoreFailure) {
    match request {
        Request::Commit(waiting) => refuse(vec![waiting], || CommitError::Unavailable(failure())),
        Request::Claim(reply) => {
            let _ = reply.send(Err(failure()));
        }
        Request::Erase(_, reply) => {
            let _ = reply.send(Err(CommitError::Unavailable(failure())));
        }
        Request::Tend(tend) => {
            let _ = tend.reply.send(Err(CommitError::Unavailable(failure())));
        }
        Request::Project(project) => {
            let _ = project.reply.send(Err(CommitError::Unavailable(failure())));
        }
        Request::Close(reply) => {
            if let Some(reply) = reply {
                let _ = reply.send(Ok(()));
            }
        }
        #[cfg(test)]
        Request::Test(_) => {}
    }
}

fn reopening(error: &SqliteError, shared: &Shared) -> StoreFailure {
    let mut failure = error.at(&shared.path);
    failure
        .message
        .push_str(" (the database is being reopened)");
    failure
}

#[expect(
    clippy::disallowed_methods,
    reason = "only spaces out attempts to reopen a failed file; no promise depends on it"
)]
fn now() -> Instant {
    Instant::now()
}
