//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::erase::Erasure;
use super::limits::{COMMIT_QUEUE, TRANSACTION_BYTES, TRANSACTION_MEMBERS};
use super::reply::Reply;
use crate::{
    Batch, CommitError, Member, OwnerEpoch, Projected, Projecting, StateChange, StoreFailure,
    Tending,
};

/// A batch and who waits for it.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) reply: Reply,
}

/// Changes of stored calls, and who waits for them.
pub(super) struct Tend {
    pub(super) epoch: OwnerEpoch,
    pub(super) changes: Vec<Tending>,
    pub(super) reply: oneshot::Sender<Result<Vec<bool>, CommitError>>,
}

/// A change of a projection, and who waits for it.
pub(super) struct Project {
    pub(super) epoch: OwnerEpoch,
    pub(super) change: Projecting,
    pub(super) reply: oneshot::Sender<Result<Projected, CommitError>>,
}

/// One thing for the writer to do.
pub(super) enum Request {
    Commit(Waiting),
    Claim(oneshot::Sender<Result<OwnerEpoch, StoreFailure>>),
    /// Answered with how many entries were erased, and where the rest begins.
    Erase(Erasure, oneshot::Sender<Result<(u64, u64), CommitError>>),
    Tend(Tend),
    Project(Project),
    /// The last one; nobody waits when the handle was dropped.
    Close(Option<oneshot::Sender<Result<(), StoreFailure>>>),
    #[cfg(test)]
    Test(Box<dyn FnOnce(&mut super::journal::Journal) + Send>),
}

/// What the writer does next.
pub(super) enum Work {
    /// Batches for one transaction.
    Commit(Vec<Waiting>),
    /// One request of another kind.
    Other(Request),
    /// Nothing came in time.
    Idle,
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Full,
    Closed,
}

/// A bounded queue with one consumer.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    closed: bool,
    /// Whether the writer sleeps: waking it costs a system call.
    asleep: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request, unless the queue is full or closed. A `Close` closes it.
    pub(super) fn push(&self, request: Request) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        let last = matches!(request, Request::Close(_));
        if !last && state.requests.len() >= COMMIT_QUEUE {
            return Err(Refused::Full);
        }
        state.requests.push_back(request);
        state.closed = last;
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits for something to do, at most for `patience`.
    pub(super) fn next(&self, patience: Option<Duration>) -> Work {
        let mut state = self.lock();
        while state.requests.is_empty() {
            state.asleep = true;
            state = match patience {
                None => self
                    .arrived
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let (mut state, wait) = self
                        .arrived
                        .wait_timeout(state, patience)
                        .unwrap_or_else(PoisonError::into_inner);
                    if wait.timed_out() && state.requests.is_empty() {
                        state.asleep = false;
                        return Work::Idle;
                    }
                    state
                }
            };
        }
        state.asleep = false;
        state.take()
    }

    /// Hands out the batches that still wait.
    pub(super) fn drain_commits(&self) -> Vec<Request> {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.requests);
        let (commits, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|request| {
            matches!(
                request,
                Request::Commit(_) | Request::Tend(_) | Request::Project(_)
            )
        });
        state.requests = others.into();
        commits
    }

    /// Closes the queue and hands out everything that still waits.
    pub(super) fn drain(&self) -> VecDeque<Request> {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.requests)
    }
}

impl State {
    /// The batches at the front that fit into one transaction, or one other request.
    fn take(&mut self) -> Work {
        let mut batches = Vec::new();
        let (mut members, mut bytes) = (0, 0);
        while let Some(Request::Commit(next)) = self.requests.front() {
            members += next.batch.members.len();
            bytes += next.batch.members.iter().map(size).sum::<usize>();
            let full = members > TRANSACTION_MEMBERS || bytes > TRANSACTION_BYTES;
            if full && !batches.is_empty() {
                break;
            }
            if let Some(Request::Commit(next)) = self.requests.pop_front() {
                batches.push(next);
            }
        }
        if !batches.is_empty() {
            return Work::Commit(batches);
        }
        match self.requests.pop_front() {
            Some(request) => Work::Other(request),
            None => Work::Idle,
        }
    }
}

/// The bytes that a member brings into the journal, about.
fn size(member: &Member) -> usize {
    let events: usize = member
        .events
        .iter()
        .map(|event| event.payload.len() + member.metadata.len())
        .sum();
    let state = match member.state.as_deref() {
        Some(StateChange::Put(state)) => state.payload.len() + member.metadata.len(),
        Some(StateChange::Delete) | None => 0,
    };
    let snapshot = member.snapshot.as_ref().map_or(0, |s| s.payload.len());
    let record = member.record.as_ref().map_or(0, |r| r.outcome.len());
    let deferred = member
        .deferred
        .as_ref()
        .map_or(0, |deferred| deferred.bytes());
    events + state + snapshot + record + deferred
}
