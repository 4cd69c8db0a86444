//! A store that says when it has come to a step, and waits there to be killed.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use statefn::prelude::*;
use statefn::store::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, LoadError, Loaded, Member, Offset,
    OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Replay, RowsFound, RowsWanted, Settled, StateChange, Store, StoreFailure,
    StoreReport, StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
    async_trait,
};

use super::voice::Voice;
use crate::crash::report::Report;
use crate::crash::step::{Halt, Step};

/// A store that is watched.
pub(super) struct Watched {
    inner: Sqlite,
    voice: Arc<Voice>,
    halt: Option<Halt>,
    times: AtomicU64,
}

impl Watched {
    pub(super) fn new(inner: Sqlite, voice: Arc<Voice>, halt: Option<Halt>) -> Self {
        Self {
            inner,
            voice,
            halt,
            times: AtomicU64::new(0),
        }
    }

    async fn pass(&self, step: Step) {
        let Some(halt) = self.halt.filter(|halt| halt.step == step) else {
            return;
        };
        if self.times.fetch_add(1, Ordering::Relaxed) + 1 == halt.after {
            self.voice.say(&Report::Reached(step));
            if halt.stays {
                pending::<()>().await;
            }
        }
    }
}

/// What a batch is about: the steps before it and after it.
fn steps(members: &[Member]) -> Vec<(Step, Step)> {
    let mut steps = Vec::new();
    let mut any = |is: fn(&Member) -> bool, before, after| {
        if members.iter().any(is) {
            steps.push((before, after));
        }
    };
    any(
        |member| deferred(member, |deferred| !deferred.effects.is_empty()),
        Step::Sending,
        Step::Sent,
    );
    any(
        |member| deferred(member, |deferred| !deferred.timers.is_empty()),
        Step::Scheduling,
        Step::Scheduled,
    );
    any(
        |member| deferred(member, |d| matches!(d.settles, Some(Settled::Effect(_)))),
        Step::Delivering,
        Step::Delivered,
    );
    any(
        |member| deferred(member, |d| matches!(d.settles, Some(Settled::Timer { .. }))),
        Step::Firing,
        Step::Fired,
    );
    any(
        |member| member.state.as_deref() == Some(&StateChange::Delete),
        Step::Deleting,
        Step::Deleted,
    );
    steps
}

fn deferred(member: &Member, is: fn(&statefn::store::Deferred) -> bool) -> bool {
    member.deferred.as_deref().is_some_and(is)
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl Store for Watched {
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        self.inner.claim().await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let steps = steps(&batch.members);
        for (before, _) in &steps {
            self.pass(*before).await;
        }
        let outcomes = self.inner.commit(batch).await;
        for (_, after) in &steps {
            self.pass(*after).await;
        }
        outcomes
    }

    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        self.pass(Step::Erasing).await;
        let erased = self.inner.erase(epoch, id, records_from).await;
        self.pass(Step::Erased).await;
        erased
    }

    async fn load(&self, id: &PersistenceId, replay: Box<dyn Replay>) -> Result<Loaded, LoadError> {
        self.inner.load(id, replay).await
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
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
        let timers = self.inner.timers(until, limit).await;
        // The other question is when the next one is due.
        let asks_for_due = until.as_millis() < i64::MAX;
        if asks_for_due && timers.as_ref().is_ok_and(|timers| !timers.is_empty()) {
            self.pass(Step::Due).await;
        }
        timers
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

    async fn salvage(&self, to: &Path) -> Result<StoreReport, StoreFailure> {
        self.inner.salvage(to).await
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        self.inner.close().await
    }
}
