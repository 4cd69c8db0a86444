//! A backend as a stranger would write it: `Vec`s under a lock, the plainest way.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use statefn_store::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, FailureKind, Fault, LoadError,
    Loaded, Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected,
    Projecting, ProjectionId, Replay, RowsFound, RowsWanted, Settled, Store, StoreFailure,
    StoreReport, StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
    async_trait,
};

use crate::bug::Bug;
use crate::paper::{Line, Paper, cut, same};
use crate::projecting;
use crate::streaming::{Story, damage};
use crate::writing::let_others_run;

/// A store over paper that outlives it.
pub(crate) struct Notebook {
    pub(crate) bug: Bug,
    pub(crate) paper: Arc<Mutex<Paper>>,
    /// What a crash leaves; only looked at when commits answer before they are safe.
    pub(crate) synced: Arc<Mutex<Paper>>,
    closed: AtomicBool,
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
}

impl std::fmt::Debug for Notebook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notebook")
            .field("bug", &self.bug)
            .finish_non_exhaustive()
    }
}

fn closed() -> StoreFailure {
    StoreFailure::new(FailureKind::Closed, "the notebook is closed")
}

impl Notebook {
    pub(crate) fn new(bug: Bug, paper: Arc<Mutex<Paper>>, synced: Arc<Mutex<Paper>>) -> Self {
        Self {
            bug,
            paper,
            synced,
            closed: AtomicBool::new(false),
            reads: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        }
    }

    pub(crate) fn paper(&self) -> MutexGuard<'_, Paper> {
        self.paper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn sync(&self) {
        let paper = self.paper().clone();
        *self.synced.lock().unwrap_or_else(PoisonError::into_inner) = paper;
    }

    /// What goes wrong before a read begins.
    fn check_read(&self) -> Result<(), LoadError> {
        let reads = self.reads.fetch_add(1, Ordering::SeqCst);
        let fails = match self.bug {
            Bug::FencesReaders => self.paper().epoch > 1,
            Bug::WearsOutInReading => reads > 50,
            _ => false,
        };
        if fails {
            let failure = StoreFailure::new(FailureKind::Other, "not now");
            return Err(LoadError::Unavailable(failure));
        }
        if self.is(Bug::IsEmptyAfterClose) && self.closed.load(Ordering::SeqCst) {
            *self.paper() = Paper::default();
        }
        Ok(())
    }

    fn check_epoch(&self, held: OwnerEpoch) -> Result<(), CommitError> {
        let current = OwnerEpoch::new(self.paper().epoch);
        let owns = match self.bug {
            Bug::IgnoresOlderEpochs => held <= current,
            Bug::IgnoresNewerEpochs => held >= current,
            _ => held == current,
        };
        if owns {
            Ok(())
        } else {
            Err(CommitError::Fenced { held, current })
        }
    }

    /// The damage that concerns everybody, in a store that cannot tell entities apart.
    fn damage_anywhere(&self) -> Result<(), LoadError> {
        let paper = self.paper();
        let damaged = paper.lines.iter().find(|line| line.is_damaged());
        match damaged {
            Some(line) if self.is(Bug::LetsDamageStopEverybody) => Err(damage(line)),
            _ => Ok(()),
        }
    }

    fn record_in(&self, line: &Line, key: &str) -> Result<Option<StoredRecord>, LoadError> {
        let Some(record) = line.entry.body.record() else {
            return Ok(None);
        };
        if line.is_damaged() {
            return match self.bug {
                Bug::FindsNothingInDamage => Ok(None),
                Bug::HandsOutDamage => Ok(Some(record.clone())),
                _ => Err(damage(line)),
            };
        }
        let starts = self.is(Bug::FindsKeysByTheirStart) && key.starts_with(&record.key);
        Ok((record.key == key || starts).then(|| record.clone()))
    }
}

#[async_trait]
impl Store for Notebook {
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        if self.is(Bug::ClaimsTheSameEpochTwice) {
            let epoch = self.paper().epoch + 1;
            let_others_run(&self.writes);
            self.paper().epoch = epoch;
            return Ok(OwnerEpoch::new(epoch));
        }
        let epoch = {
            let mut paper = self.paper();
            paper.epoch += 1 + u64::from(self.is(Bug::ClaimsByTwo));
            paper.epoch
        };
        self.sync();
        Ok(OwnerEpoch::new(epoch))
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        if self.closed.load(Ordering::SeqCst) && !self.is(Bug::CommitsAfterClose) {
            if self.is(Bug::AppliesWhatItRefuses) {
                self.write(batch.members).await;
            }
            return Err(CommitError::Unavailable(closed()));
        }
        let failing = self.paper().next_fails.take();
        if let Some(written) = failing {
            return Err(self.fail(batch.members, written).await);
        }
        if batch.members.is_empty() && self.is(Bug::FailsOnEmptyBatches) {
            let failure = StoreFailure::new(FailureKind::Other, "nothing to do");
            return Err(CommitError::Unavailable(failure));
        }
        let owns = self.check_epoch(batch.epoch);
        if self.is(Bug::FencesAfterChecking) && owns.is_err() {
            let judged = self
                .paper()
                .clone()
                .write_all(batch.members.clone(), self.bug);
            let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
            if judged.iter().all(refused) {
                return Ok(judged);
            }
        }
        if !self.is(Bug::AppliesBeforeFencing) {
            owns?;
            let members = batch.members.into_iter().map(|m| cut(m, self.bug));
            let outcomes = self.write(members.collect()).await;
            self.writes.fetch_add(1, Ordering::SeqCst);
            return Ok(outcomes);
        }
        let outcomes = self.write(batch.members).await;
        owns.map(|()| outcomes)
    }

    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        if !self.is(Bug::ErasesUnderOlderEpochs) {
            self.check_epoch(epoch)?;
        }
        let erased = self.paper().erase(id, records_from, self.bug);
        self.sync();
        Ok(erased)
    }

    async fn load(
        &self,
        id: &PersistenceId,
        mut replay: Box<dyn Replay>,
    ) -> Result<Loaded, LoadError> {
        self.damage_anywhere()?;
        self.check_read()?;
        if self.is(Bug::FailsOnUnknownEntities) && !self.paper().listed.contains(id) {
            return Err(LoadError::Unavailable(closed()));
        }
        let story = Story::of(&self.paper(), id, self.bug);
        let mut head = story.tell(&mut *replay)?;
        if self.is(Bug::LoadsTheHeadLater) {
            let_others_run(&self.writes);
            head = self.paper().head(id, self.bug);
        }
        Ok(Loaded { head, replay })
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        let paper = self.paper();
        let mut lines: Vec<&Line> = paper.lines.iter().rev().collect();
        if self.is(Bug::FindsTheOldestRecord) {
            lines.reverse();
        }
        let anybody = self.is(Bug::FindsOtherEntitiesRecords);
        let whenever = self.is(Bug::FindsNewerRecords);
        if self.is(Bug::SearchesTenRecords) {
            lines.truncate(10);
        }
        for line in lines {
            let own = anybody || same(&line.entry.id, id, self.bug);
            if own && (whenever || line.entry.offset <= newest) {
                let found = self.record_in(line, key)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
        self.check_read()?;
        let paper = self.paper();
        let fails = match self.bug {
            Bug::FailsBeyondTheEnd => from.get() > paper.lines.len() as u64 + 1,
            Bug::FailsWhenEmpty => paper.lines.is_empty(),
            _ => false,
        };
        if fails {
            let failure = StoreFailure::new(FailureKind::Other, "no such page");
            return Err(LoadError::Unavailable(failure));
        }
        let limit = if self.is(Bug::IgnoresLimits) {
            usize::MAX
        } else {
            limit
        };
        let mut page = Vec::new();
        let after = self.is(Bug::ReadsFromAfter);
        let starts =
            |line: &&Line| line.entry.offset >= from && !(after && line.entry.offset == from);
        for line in paper.lines.iter().filter(starts).take(limit) {
            match self.bug {
                Bug::HandsOutDamage => {}
                Bug::PassesOverDamage if line.is_damaged() => continue,
                _ if line.is_damaged() && page.is_empty() => return Err(damage(line)),
                _ if line.is_damaged() => break,
                _ => {}
            }
            page.push(line.entry.clone());
        }
        Ok(page)
    }

    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        let mut ids = self.paper().listed.clone();
        if !self.is(Bug::ListsUnsorted) {
            ids.sort();
        }
        if self.is(Bug::ListsNothingAfterAbsent) && after.is_some_and(|id| !ids.contains(id)) {
            return Ok(Vec::new());
        }
        let inclusive = self.is(Bug::ListsFromAfterInclusive);
        ids.retain(|id| after.is_none_or(|after| id > after || (inclusive && id == after)));
        ids.truncate(limit);
        Ok(ids)
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        let listed = self.paper().listed.clone();
        let mut types: Vec<EntityType> = Vec::new();
        for id in &listed {
            if !types.contains(id.entity_type()) {
                types.push(id.entity_type().clone());
            }
        }
        if !self.is(Bug::ListsTypesUnsorted) {
            types.sort();
        }
        Ok(types)
    }

    async fn effects(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreFailure> {
        let mut page = self.paper().calls.effects(after, limit);
        if self.is(Bug::ListsNewestEffectsFirst) {
            page.reverse();
        }
        Ok(page)
    }

    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        Ok(self.paper().calls.dead_letters(after, limit))
    }

    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
        let mut page = self.paper().calls.timers(until, limit);
        if self.is(Bug::SortsTimersByNumber) {
            page.sort_by_key(|timer| timer.number);
        }
        Ok(page)
    }

    async fn tend(
        &self,
        epoch: OwnerEpoch,
        mut changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError> {
        let owns = self.check_epoch(epoch);
        if !self.is(Bug::TendsForAnybody) {
            owns?;
        }
        for change in &mut changes {
            if let Tending::Bury {
                call: Settled::Timer { next, .. },
                ..
            } = change
                && self.is(Bug::EndsBuriedTimers)
            {
                *next = None;
            }
        }
        let done = {
            let calls = &mut self.paper().calls;
            changes.into_iter().map(|c| calls.tend(c)).collect()
        };
        self.sync();
        Ok(done)
    }

    async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
        let paper = self.paper();
        Ok(StoredProjections {
            end: Offset::new(paper.lines.len() as u64),
            versions: paper.views.versions(),
        })
    }

    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError> {
        let owns = self.check_epoch(epoch);
        if !self.is(Bug::ProjectsForAnybody) {
            owns?;
        }
        let done = projecting::project(&mut self.paper().views, change, self.bug);
        self.sync();
        Ok(done)
    }

    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
        Ok(self.paper().views.rows(&wanted))
    }

    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
        Ok(projecting::view(&self.paper().views, query, self.bug))
    }

    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        Ok(self.paper().views.passed_over(id, after, limit))
    }

    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        let paper = self.paper();
        let mut report = StoreReport {
            entities: paper.listed.len() as u64,
            entries: paper.lines.len() as u64 + u64::from(self.is(Bug::CountsWrong)),
            ..StoreReport::default()
        };
        if self.is(Bug::ChecksNothing) {
            return Ok(report);
        }
        for id in &paper.listed {
            if let Some(picture) = paper.pictures.iter().rev().find(|p| p.id == *id) {
                report.snapshots += 1;
                if picture.is_damaged() {
                    report.faults.push(fault(id, None));
                }
            }
        }
        for line in paper.lines.iter().filter(|line| line.is_damaged()) {
            report
                .faults
                .push(fault(&line.entry.id, Some(line.entry.offset)));
        }
        Ok(report)
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        let was_closed = self.closed.swap(true, Ordering::SeqCst);
        if was_closed && self.is(Bug::FailsToCloseTwice) {
            return Err(closed());
        }
        self.sync();
        Ok(())
    }
}

fn fault(id: &PersistenceId, offset: Option<Offset>) -> Fault {
    Fault {
        id: Some(id.clone()),
        offset,
        what: "the sum is wrong".to_owned(),
    }
}
