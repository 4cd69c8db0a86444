//! The in-memory backend: for tests, demos and state that may end with the process.

mod journal;
mod kept;
mod prepared;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, LoadError, Loaded,
    Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Refusal, Replay, RowsFound, RowsWanted, Store, StoreFailure, StoreReport,
    StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
};
use journal::Journal;
use prepared::Prepared;

/// A store that lives in memory. Clones share it, so it can outlive the runtime that uses it.
///
/// Every future is ready at its first poll. Nothing survives the process.
///
/// ```
/// use statefn_store::Memory;
///
/// let store = Memory::new();
/// let same = store.clone();
/// assert_eq!(format!("{store:?}"), format!("{same:?}"));
/// ```
#[derive(Clone, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    epoch: OwnerEpoch,
    closed: bool,
    journal: Journal,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the owner of this epoch may write.
    fn admit(&self, epoch: OwnerEpoch) -> Result<(), CommitError> {
        if self.closed {
            let failure = StoreFailure::new(FailureKind::Closed, "the store is closed");
            return Err(CommitError::Unavailable(failure));
        }
        if epoch != self.epoch {
            return Err(CommitError::Fenced {
                held: epoch,
                current: self.epoch,
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Memory")
            .field("entries", &state.journal.len())
            .field("epoch", &state.epoch)
            .finish()
    }
}

#[async_trait]
impl Store for Memory {
    /// A claim also opens a closed store again: memory has no file to reopen.
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        let mut state = self.lock();
        state.closed = false;
        state.epoch = OwnerEpoch::new(state.epoch.get() + 1);
        Ok(state.epoch)
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        // Everything that takes or frees memory happens outside the lock.
        let mut outcomes = Vec::with_capacity(batch.members.len());
        let prepared: Vec<_> = batch.members.into_iter().map(Prepared::new).collect();
        let mut state = self.lock();
        state.admit(batch.epoch)?;
        let mut refused = Vec::new();
        for member in prepared {
            if refused.contains(&member.id) {
                outcomes.push(Outcome::Refused(Refusal::Overtaken));
                continue;
            }
            let id = member.id.clone();
            let outcome = state.journal.append(member);
            if matches!(outcome, Outcome::Refused(_)) {
                refused.push(id);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        let mut state = self.lock();
        state.admit(epoch)?;
        Ok(state.journal.erase(id, records_from))
    }

    async fn load(
        &self,
        id: &PersistenceId,
        mut replay: Box<dyn Replay>,
    ) -> Result<Loaded, LoadError> {
        // Clones pointers under the lock and replays outside it: user code may take its time.
        let history = self.lock().journal.history(id);
        let head = history.replay(&mut *replay);
        Ok(Loaded { head, replay })
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        Ok(self.lock().journal.find_record(id, key, newest))
    }

    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
        Ok(self.lock().journal.read(from, limit))
    }

    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        Ok(self.lock().journal.entities(after, limit))
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        Ok(self.lock().journal.entity_types())
    }

    async fn effects(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreFailure> {
        Ok(self.lock().journal.calls().effects(after, limit))
    }

    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        Ok(self.lock().journal.calls().dead_letters(after, limit))
    }

    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
        Ok(self.lock().journal.calls().timers(until, limit))
    }

    async fn tend(
        &self,
        epoch: OwnerEpoch,
        changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError> {
        let mut state = self.lock();
        state.admit(epoch)?;
        let calls = state.journal.calls_mut();
        Ok(changes.into_iter().map(|c| calls.tend(c)).collect())
    }

    async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
        let state = self.lock();
        Ok(StoredProjections {
            end: Offset::new(state.journal.len() as u64),
            versions: state.journal.views().versions(),
        })
    }

    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError> {
        let mut state = self.lock();
        state.admit(epoch)?;
        Ok(state.journal.views_mut().project(change))
    }

    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
        Ok(self.lock().journal.views().rows(&wanted))
    }

    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
        Ok(self.lock().journal.views().page(&query))
    }

    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        Ok(self.lock().journal.views().passed_over(id, after, limit))
    }

    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        Ok(self.lock().journal.report())
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        self.lock().closed = true;
        Ok(())
    }
}
