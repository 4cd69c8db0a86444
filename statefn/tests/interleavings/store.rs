//! The store in memory, with commits and loads that take their time and may fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::rand::Rng;
use statefn::store::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, LoadError, Loaded,
    Memory, Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected,
    Projecting, ProjectionId, Replay, RowsFound, RowsWanted, Store, StoreFailure, StoreReport,
    StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery, async_trait,
};

/// A store whose every answer may come at once or after others had a turn. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    inner: Memory,
    /// How many more commits may fail.
    failures: Arc<AtomicUsize>,
}

impl Slow {
    pub(crate) fn new() -> Self {
        Self {
            inner: Memory::new(),
            failures: Arc::default(),
        }
    }

    /// Lets some of the next commits fail, at most so many.
    pub(crate) fn may_fail(self, commits: usize) -> Self {
        self.failures.store(commits, Ordering::Relaxed);
        self
    }

    /// All that is committed.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        shuttle::future::block_on(self.inner.read(Offset::ZERO, 10_000)).expect("memory reads")
    }

    fn fails(&self) -> bool {
        let fails = self.failures.load(Ordering::Relaxed) > 0 && dice(0.5);
        if fails {
            self.failures.fetch_sub(1, Ordering::Relaxed);
        }
        fails
    }
}

fn dice(chance: f64) -> bool {
    shuttle::rand::thread_rng().gen_bool(chance)
}

async fn turns() {
    while dice(0.5) {
        shuttle::future::yield_now().await;
    }
}

fn planned() -> StoreFailure {
    StoreFailure::new(FailureKind::Io, "planned")
}

#[async_trait]
impl Store for Slow {
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        turns().await;
        self.inner.claim().await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        turns().await;
        if !self.fails() {
            let outcomes = self.inner.commit(batch).await;
            turns().await;
            return outcomes;
        }
        if dice(0.3) {
            return Err(CommitError::Unavailable(planned()));
        }
        if dice(0.5) {
            self.inner.commit(batch).await?;
            turns().await;
        }
        Err(CommitError::Unknown(planned()))
    }

    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        self.inner.erase(epoch, id, records_from).await
    }

    async fn load(&self, id: &PersistenceId, replay: Box<dyn Replay>) -> Result<Loaded, LoadError> {
        turns().await;
        let loaded = self.inner.load(id, replay).await;
        turns().await;
        loaded
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        turns().await;
        self.inner.find_record(id, key, newest).await
    }

    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
        self.inner.read(from, limit).await
    }

    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        self.inner.entities(after, limit).await
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        self.inner.entity_types().await
    }

    async fn effects(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreFailure> {
        self.inner.effects(after, limit).await
    }

    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        self.inner.dead_letters(after, limit).await
    }

    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
        self.inner.timers(until, limit).await
    }

    async fn tend(
        &self,
        epoch: OwnerEpoch,
        changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError> {
        self.inner.tend(epoch, changes).await
    }

    async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
        self.inner.projections().await
    }

    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError> {
        self.inner.project(epoch, change).await
    }

    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
        self.inner.rows(wanted).await
    }

    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
        self.inner.view(query).await
    }

    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        self.inner.passed_over(id, after, limit).await
    }

    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        self.inner.verify().await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreFailure> {
        self.inner.backup(to).await
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        turns().await;
        self.inner.close().await
    }
}
