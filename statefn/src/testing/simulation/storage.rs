//! The store of a simulation: what a process may still reach, and when each entry was committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use statefn_store::async_trait;
use statefn_store::testing::Faulty;
use statefn_store::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, LoadError, Loaded,
    Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Replay, RowsFound, RowsWanted, Store, StoreFailure, StoreReport,
    StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
};

use super::world::{Process, World};

/// Notes when each entry was committed.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    inner: Arc<dyn Store>,
    world: World,
    committed: Arc<Mutex<BTreeMap<Offset, u64>>>,
    /// Entries as they were committed: some of them are erased later.
    written: Arc<Mutex<Vec<Entry>>>,
}

impl Recorder {
    pub(super) fn new(inner: Arc<dyn Store>, world: World) -> Self {
        Self {
            inner,
            world,
            committed: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Every entry as it was committed.
    pub(super) fn written(&self) -> Vec<Entry> {
        let written = self.written.lock();
        written.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps entries that have just been committed.
    async fn keep(&self, from: Offset, entries: u64) {
        let limit = usize::try_from(entries).unwrap_or(usize::MAX);
        // A store that cannot be read is found out at the end.
        let page = self.inner.read(from, limit).await.unwrap_or_default();
        let written = self.written.lock();
        written.unwrap_or_else(PoisonError::into_inner).extend(page);
    }

    /// The instant at which the entry was committed.
    pub(super) fn instant(&self, offset: Offset) -> Option<u64> {
        let committed = self.committed.lock();
        let committed = committed.unwrap_or_else(PoisonError::into_inner);
        committed.get(&offset).copied()
    }

    fn note(&self, position: Offset, entries: u64) {
        let instant = self.world.instant();
        self.world.trace(position.get());
        let committed = self.committed.lock();
        let mut committed = committed.unwrap_or_else(PoisonError::into_inner);
        let first = (position.get() + 1).saturating_sub(entries);
        for offset in first..=position.get() {
            committed.insert(Offset::new(offset), instant);
        }
    }
}

/// The store as one process reaches it, while it lives.
#[derive(Clone, Debug)]
pub(super) struct ProcessStore {
    faulty: Faulty,
    world: World,
    process: Process,
}

impl ProcessStore {
    pub(super) fn new(faulty: Faulty, world: World, process: Process) -> Self {
        Self {
            faulty,
            world,
            process,
        }
    }

    fn reach(&self) -> Result<&Faulty, StoreFailure> {
        if self.world.is_dead(self.process) {
            let message = "the process was killed";
            return Err(StoreFailure::new(FailureKind::Other, message));
        }
        Ok(&self.faulty)
    }
}

/// A store that hands everything on, but for what is said in `commit`.
macro_rules! forward {
    ($store:ty, $inner:ident, $($commit:tt)*) => {
        #[async_trait]
        impl Store for $store {
            $($commit)*

            async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
                self.$inner()?.claim().await
            }

            async fn erase(
                &self,
                epoch: OwnerEpoch,
                id: &PersistenceId,
                records_from: Timestamp,
            ) -> Result<u64, CommitError> {
                let store = self.$inner().map_err(CommitError::Unavailable)?;
                store.erase(epoch, id, records_from).await
            }

            async fn load(
                &self,
                id: &PersistenceId,
                replay: Box<dyn Replay>,
            ) -> Result<Loaded, LoadError> {
                let store = self.$inner().map_err(LoadError::Unavailable)?;
                store.load(id, replay).await
            }

            async fn find_record(
                &self,
                id: &PersistenceId,
                key: &str,
                newest: Offset,
            ) -> Result<Option<StoredRecord>, LoadError> {
                let store = self.$inner().map_err(LoadError::Unavailable)?;
                store.find_record(id, key, newest).await
            }

            async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
                let store = self.$inner().map_err(LoadError::Unavailable)?;
                store.read(from, limit).await
            }

            async fn entities(
                &self,
                after: Option<&PersistenceId>,
                limit: usize,
            ) -> Result<Vec<PersistenceId>, StoreFailure> {
                self.$inner()?.entities(after, limit).await
            }

            async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
                self.$inner()?.entity_types().await
            }

            async fn effects(
                &self,
                after: OutboxNumber,
                limit: usize,
            ) -> Result<Vec<Effect>, StoreFailure> {
                self.$inner()?.effects(after, limit).await
            }

            async fn dead_letters(
                &self,
                after: OutboxNumber,
                limit: usize,
            ) -> Result<Vec<DeadLetter>, StoreFailure> {
                self.$inner()?.dead_letters(after, limit).await
            }

            async fn timers(
                &self,
                until: Timestamp,
                limit: usize,
            ) -> Result<Vec<Timer>, StoreFailure> {
                self.$inner()?.timers(until, limit).await
            }

            async fn tend(
                &self,
                epoch: OwnerEpoch,
                changes: Vec<Tending>,
            ) -> Result<Vec<bool>, CommitError> {
                let store = self.$inner().map_err(CommitError::Unavailable)?;
                store.tend(epoch, changes).await
            }

            async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
                self.$inner()?.projections().await
            }

            async fn project(
                &self,
                epoch: OwnerEpoch,
                change: Projecting,
            ) -> Result<Projected, CommitError> {
                let store = self.$inner().map_err(CommitError::Unavailable)?;
                store.project(epoch, change).await
            }

            async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
                self.$inner()?.rows(wanted).await
            }

            async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
                self.$inner()?.view(query).await
            }

            async fn passed_over(
                &self,
                id: &ProjectionId,
                after: Offset,
                limit: usize,
            ) -> Result<Vec<PassedOver>, StoreFailure> {
                self.$inner()?.passed_over(id, after, limit).await
            }

            async fn verify(&self) -> Result<StoreReport, StoreFailure> {
                self.$inner()?.verify().await
            }

            async fn close(&self) -> Result<(), StoreFailure> {
                self.$inner()?.close().await
            }
        }
    };
}

impl Recorder {
    #[expect(clippy::unnecessary_wraps, reason = "as `ProcessStore::reach`")]
    fn reach(&self) -> Result<&Arc<dyn Store>, StoreFailure> {
        Ok(&self.inner)
    }
}

forward!(
    Recorder,
    reach,
    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let entries = batch.members.iter().map(|member| {
            let record = u64::from(member.record.is_some());
            let advancing = member.last_sequence().get() - member.expected.get();
            let entries = advancing.max(record) + u64::from(member.skip.is_some());
            let sends = member.deferred.as_ref().is_some_and(|d| d.sends());
            entries.max(u64::from(sends))
        });
        let entries: Vec<u64> = entries.collect();
        let outcomes = self.inner.commit(batch).await?;
        for (outcome, entries) in outcomes.iter().zip(entries) {
            if let Outcome::Committed { position } = outcome {
                self.note(*position, entries);
                let from = Offset::new((position.get() + 1).saturating_sub(entries));
                self.keep(from, entries).await;
            }
        }
        Ok(outcomes)
    }
);

forward!(
    ProcessStore,
    reach,
    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let store = self.reach().map_err(CommitError::Unavailable)?;
        store.commit(batch).await
    }
);
