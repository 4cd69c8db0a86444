//! The part of a shard's shell that asks the store and brings back what it answers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use statefn_store::{
    Batch, CommitError, FailureKind, LoadError, Offset, Outcome, PersistenceId, StoreFailure,
    StoredRecord,
};
use tracing::Instrument;

use super::spawning::Spawning;
use super::{Input, Shard};
use crate::call_error::{Failure, Quarantine};
use crate::runtime::isolate;
use crate::runtime::recovery::{Recovered, RecoverySettings};
use crate::runtime::shared::Shared;
use crate::runtime::slot::Job;
use crate::runtime::spans;
use crate::runtime::step::LookUp;

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The work panicked, or the task that waited for it was dropped.
pub(super) struct Broken(String);

impl Broken {
    fn failure(&self) -> StoreFailure {
        StoreFailure::new(FailureKind::Other, self.0.clone())
    }
}

/// Hands a batch to the store.
pub(super) fn commit(shard: &Arc<Shard>, number: u64, batch: Batch) {
    let spans = spans::commit(&batch);
    let runtime = Arc::clone(shard.shared());
    let work = async move {
        let result = runtime.store.commit(batch).await;
        if let (Ok(outcomes), false) = (&result, runtime.projectors.is_empty()) {
            runtime.projectors.committed(newest(outcomes));
        }
        drop(spans.members);
        result
    };
    let work = work.instrument(spans.batch);
    run_or_spawn(shard, Box::pin(work), move |result| Input::Committed {
        number,
        result: result.unwrap_or_else(|broken| unknown_outcome(&broken)),
    });
}

/// The newest entry of a batch.
fn newest(outcomes: &[Outcome]) -> Offset {
    let positions = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Committed { position } => Some(*position),
        Outcome::Refused(_) => None,
    });
    positions.max().unwrap_or_default()
}

fn unknown_outcome(broken: &Broken) -> Result<Vec<Outcome>, CommitError> {
    Err(CommitError::Unknown(broken.failure()))
}

/// Loads an entity.
pub(super) fn recover(shard: &Arc<Shard>, id: PersistenceId, type_index: u16, incarnation: u64) {
    let runtime = Arc::clone(shard.shared());
    let target = id.clone();
    let span = spans::recovery(&id);
    let inside = span.clone();
    let work = async move {
        let result = load(&runtime, &target, type_index).await;
        if let Ok(recovered) = &result {
            inside.record("sequence", recovered.sequence.get());
        }
        result
    };
    let work = work.instrument(span);
    run_or_spawn(shard, Box::pin(work), move |result| Input::Recovered {
        id,
        incarnation,
        result: result.unwrap_or_else(|broken| Err(Failure::unavailable(broken.0))),
    });
}

/// Asks the store for a key.
pub(super) fn find_record(
    shard: &Arc<Shard>,
    id: PersistenceId,
    incarnation: u64,
    look_up: LookUp,
    job: Arc<dyn Job>,
) {
    let runtime = Arc::clone(shard.shared());
    let target = id.clone();
    let work = async move { find(&runtime, &target, &look_up).await };
    run_or_spawn(shard, Box::pin(work), move |result| Input::Found {
        id,
        incarnation,
        job,
        result: result.unwrap_or_else(|broken| Err(Failure::unavailable(broken.0))),
    });
}

/// Runs a future to its end: at once if it is ready at the first poll, in a task otherwise.
///
/// An answer at once is only put into the shard's inbox: the caller looks there.
fn run_or_spawn<T: Send + 'static>(
    shard: &Arc<Shard>,
    future: Pending<T>,
    finish: impl FnOnce(Result<T, Broken>) -> Input + Send + Unpin + 'static,
) {
    let mut work = Work {
        shard: Arc::clone(shard),
        future,
        finish: Some(finish),
        in_task: None,
    };
    let first = Pin::new(&mut work).poll(&mut Context::from_waker(Waker::noop()));
    if first.is_pending() {
        work.spawn();
    }
}

/// Runs a future to its end in a task.
pub(super) fn spawn<T: Send + 'static>(
    shard: &Arc<Shard>,
    future: Pending<T>,
    finish: impl FnOnce(Result<T, Broken>) -> Input + Send + Unpin + 'static,
) {
    let work = Work {
        shard: Arc::clone(shard),
        future,
        finish: Some(finish),
        in_task: None,
    };
    work.spawn();
}

/// Work whose answer reaches the shard whatever happens: also when the store
/// panics, and when the async runtime goes away under it.
struct Work<T, F: FnOnce(Result<T, Broken>) -> Input> {
    shard: Arc<Shard>,
    future: Pending<T>,
    /// Taken when the shard has been told.
    finish: Option<F>,
    /// Present once nobody else looks into the shard's inbox when this is done.
    in_task: Option<Spawning>,
}

impl<T, F> Work<T, F>
where
    T: Send + 'static,
    F: FnOnce(Result<T, Broken>) -> Input + Send + Unpin + 'static,
{
    fn spawn(mut self) {
        let spawning = Spawning::default();
        self.in_task = Some(spawning.clone());
        let env = Arc::clone(&self.shard.shared().env);
        env.spawn(Box::pin(self));
        // Dropped already or not: the answer reaches the shard either way.
        spawning.is_first();
    }
}

impl<T, F: FnOnce(Result<T, Broken>) -> Input + Unpin> Future for Work<T, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.as_mut().poll(cx)));
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(Broken(format!(
                "the store panicked: {}",
                isolate::message(panic)
            ))),
        };
        if let Some(finish) = this.finish.take() {
            let input = finish(result);
            if this.in_task.is_some() {
                this.shard.input(input);
            } else {
                this.shard.push(input);
            }
        }
        Poll::Ready(())
    }
}

impl<T, F: FnOnce(Result<T, Broken>) -> Input> Drop for Work<T, F> {
    fn drop(&mut self) {
        if let Some(finish) = self.finish.take() {
            let broken = Broken("the task that waited for the store was dropped".to_owned());
            let input = finish(Err(broken));
            match &self.in_task {
                // Dropped later, by whoever ended the async runtime.
                Some(spawning) if !spawning.is_first() => self.shard.input(input),
                _ => self.shard.push(input),
            }
        }
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
        ..RecoverySettings::default()
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

async fn find(
    shared: &Shared,
    id: &PersistenceId,
    look_up: &LookUp,
) -> Result<Option<StoredRecord>, Failure> {
    let (key, newest) = (&look_up.key, look_up.newest);
    shared
        .store
        .find_record(id, key, newest)
        .await
        .map_err(|error| load_failure(shared, id, error))
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
