//! A store with planted faults: what a disk does on its worst day, when the test says so.

mod cut;
mod fault;
mod hold;
mod rates;
mod refuse;
mod script;

use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Batch, CommitError, DeadLetter, Effect, EntityType, Entry, EntryBody, LoadError, Loaded,
    Offset, OutboxNumber, Outcome, OwnerEpoch, PassedOver, PersistenceId, Projected, Projecting,
    ProjectionId, Replay, RowsFound, RowsWanted, SequenceNumber, Store, StoreFailure, StoreReport,
    StoredProjections, StoredRecord, Tending, Timer, Timestamp, ViewPage, ViewQuery,
};
use cut::Cut;
pub use fault::{Call, CommitFault};
pub use hold::Hold;
use rates::Seeded;
pub use rates::{FaultCounts, FaultRates};
use script::Script;

/// A wrapper around any store that fails, waits and reports damage when the test says so.
///
/// Clones share the store and the script: give one to the runtime and keep one. Without a planted
/// fault it is the store inside.
///
/// ```
/// use statefn_store::testing::{Call, CommitFault, Faulty, block_on};
/// use statefn_store::{Batch, CommitError, Memory, Store};
///
/// let store = Faulty::new(Memory::new());
/// store.next_commits([CommitFault::Pass, CommitFault::Unavailable]);
/// block_on(async {
///     let epoch = store.claim().await.unwrap();
///     let batch = Batch { epoch, members: Vec::new() };
///     assert!(store.commit(batch.clone()).await.is_ok());
///     let refused = store.commit(batch).await;
///     assert!(matches!(refused, Err(CommitError::Unavailable(_))));
/// });
/// assert_eq!(store.count(Call::Commit), 2);
/// ```
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    script: Arc<Mutex<Script>>,
    sleep: Arc<OnceLock<Box<Sleep>>>,
}

type Sleep = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// The test's side.
impl Faulty {
    /// A wrapper around `store`, without faults.
    pub fn new(store: impl Store) -> Self {
        Self::over(Arc::new(store))
    }

    /// A wrapper around a shared store, without faults.
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self {
            inner: store,
            script: Arc::default(),
            sleep: Arc::default(),
        }
    }

    /// Says how a delayed call waits: on a virtual clock, as a rule. The first one stays.
    pub fn sleep_with<F>(&self, sleep: impl Fn(Duration) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let sleep = move |duration| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(sleep(duration))
        };
        self.sleep.get_or_init(|| Box::new(sleep));
    }

    /// The store inside, which knows no faults.
    pub fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }

    /// Plans what happens to the next commits, one fault each, after those planned already.
    ///
    /// A held commit takes its fault when it is released, so a test may decide until then.
    pub fn next_commits(&self, faults: impl IntoIterator<Item = CommitFault>) {
        self.script().plan(faults);
    }

    /// Plans what happens to every commit that [`next_commits`](Self::next_commits) says nothing
    /// about, until [`heal`](Self::heal).
    pub fn every_commit(&self, fault: CommitFault) {
        self.script().plan_all(fault);
    }

    /// Lets dice decide about every call of which the script says nothing, until
    /// [`heal`](Self::heal). The same calls in the same order meet the same faults.
    pub fn by_seed(&self, seed: u64, rates: FaultRates) {
        self.script().plan_by_seed(Seeded::new(seed, rates));
    }

    /// Delays every call of one kind before it reaches the store inside, until
    /// [`heal`](Self::heal). Needs [`sleep_with`](Self::sleep_with).
    ///
    /// ```
    /// use statefn_store::testing::{Call, Faulty, block_on};
    /// use statefn_store::{Memory, Store};
    /// use std::sync::Mutex;
    /// use std::time::Duration;
    ///
    /// let store = Faulty::new(Memory::new());
    /// let (told, heard) = std::sync::mpsc::channel();
    /// let told = Mutex::new(told);
    /// store.sleep_with(move |duration| {
    ///     told.lock().unwrap().send(duration).unwrap();
    ///     async {}                                     // a test's clock waits here
    /// });
    /// store.delay(Call::Claim, Duration::from_millis(3));
    /// assert!(block_on(store.claim()).is_ok());
    /// assert_eq!(heard.try_recv(), Ok(Duration::from_millis(3)));
    /// ```
    pub fn delay(&self, call: Call, by: Duration) {
        self.script().plan_delay(call, by);
    }

    /// Fails the next `count` calls of one kind with a failure of the device (`u64::MAX`: all of
    /// them until [`heal`](Self::heal)); zero ends it. Nothing is applied: a commit answers
    /// `Unavailable`.
    pub fn fail(&self, call: Call, count: u64) {
        self.script().plan_failures(call, count);
    }

    /// Stops further calls of one kind before they reach the store inside.
    ///
    /// Replaces an earlier hold at the same place; calls that wait there already stay there.
    pub fn hold(&self, call: Call) -> Hold {
        let hold = Hold::new();
        self.script().hold(call, hold.stop());
        hold
    }

    /// Stops further calls of one kind after the store inside has answered, before the caller
    /// knows.
    pub fn hold_answer(&self, call: Call) -> Hold {
        let hold = Hold::new();
        self.script().hold_answer(call, hold.stop());
        hold
    }

    /// Calls one stored event damaged: a load that comes to it answers
    /// [`LoadError::Corrupt`], and a page of [`Store::read`] ends before it.
    ///
    /// A snapshot that covers the event, or a skip, passes over it. Records are not concerned.
    pub fn damage(&self, id: &PersistenceId, sequence: SequenceNumber) {
        self.script().damage(id.clone(), sequence);
    }

    /// Calls every snapshot unreadable: loads offer none.
    pub fn lose_snapshots(&self) {
        self.script().hide_snapshots = true;
    }

    /// Forgets every planted fault and damage. Holds stay; they end when they are dropped.
    pub fn heal(&self) {
        self.script().heal();
    }

    /// How many calls of one kind have arrived, failed and held ones included.
    pub fn count(&self, call: Call) -> u64 {
        self.script().count(call)
    }

    /// How many members have arrived in all commits.
    pub fn members(&self) -> u64 {
        self.script().members()
    }

    /// What the dice of [`by_seed`](Self::by_seed) have done so far.
    pub fn happened(&self) -> FaultCounts {
        self.script().happened()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and waits at its hold.
    async fn arrive(&self, call: Call) {
        let stop = {
            let mut script = self.script();
            script.see(call);
            script.stop_before(call)
        };
        if let Some(stop) = stop {
            stop.wait().await;
        }
        let delay = self.script().delay_before(call);
        self.pause(delay).await;
    }

    async fn pause(&self, delay: Option<Duration>) {
        let Some(delay) = delay else { return };
        let Some(sleep) = self.sleep.get() else {
            panic!("a delayed store needs `Faulty::sleep_with`");
        };
        sleep(delay).await;
    }

    /// Counts a call, waits at its hold, and fails it if that is planned.
    async fn enter(&self, call: Call) -> Result<(), StoreFailure> {
        self.arrive(call).await;
        self.script().failure(call)
    }

    /// Waits at the hold behind a call.
    async fn answer<T>(&self, call: Call, answer: T) -> T {
        let delay = self.script().delay_answer();
        self.pause(delay).await;
        let stop = self.script().stop_answer(call);
        if let Some(stop) = stop {
            stop.wait().await;
        }
        answer
    }

    async fn fenced(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        let claimed = self.inner.claim().await;
        claimed.map_err(CommitError::Unavailable)?;
        self.inner.commit(batch).await
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty")
            .field("inner", &self.inner)
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        self.enter(Call::Claim).await?;
        let epoch = self.inner.claim().await;
        self.answer(Call::Claim, epoch).await
    }

    async fn commit(&self, batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        self.script().see_members(batch.members.len());
        self.arrive(Call::Commit).await;
        let fault = self.script().next_commit();
        let failure = || script::planted(Call::Commit);
        let outcomes = match fault {
            CommitFault::Pass => self.inner.commit(batch).await,
            CommitFault::Unavailable => Err(CommitError::Unavailable(failure())),
            CommitFault::UnknownNotApplied => Err(CommitError::Unknown(failure())),
            CommitFault::UnknownApplied => {
                let applied = self.inner.commit(batch).await;
                applied.and_then(|_| Err(CommitError::Unknown(failure())))
            }
            CommitFault::Refuse { member } => refuse::commit(&*self.inner, batch, member).await,
            CommitFault::Repeat => {
                let outcomes = self.inner.commit(batch.clone()).await;
                let _ = self.inner.commit(told_apart(batch)).await;
                outcomes
            }
            CommitFault::Fence => self.fenced(batch).await,
        };
        self.answer(Call::Commit, outcomes).await
    }

    async fn erase(
        &self,
        epoch: OwnerEpoch,
        id: &PersistenceId,
        records_from: Timestamp,
    ) -> Result<u64, CommitError> {
        let entered = self.enter(Call::Erase).await;
        entered.map_err(CommitError::Unavailable)?;
        let erased = self.inner.erase(epoch, id, records_from).await;
        self.answer(Call::Erase, erased).await
    }

    async fn load(&self, id: &PersistenceId, replay: Box<dyn Replay>) -> Result<Loaded, LoadError> {
        let entered = self.enter(Call::Load).await;
        entered.map_err(LoadError::Unavailable)?;
        let cut = {
            let script = self.script();
            Cut::new(replay, script.damage_of(id), script.hide_snapshots)
        };
        let loaded = self.inner.load(id, Box::new(cut)).await;
        let loaded = loaded.and_then(Cut::finish);
        self.answer(Call::Load, loaded).await
    }

    async fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        let entered = self.enter(Call::FindRecord).await;
        entered.map_err(LoadError::Unavailable)?;
        let found = self.inner.find_record(id, key, newest).await;
        self.answer(Call::FindRecord, found).await
    }

    async fn read(&self, from: Offset, limit: usize) -> Result<Vec<Entry>, LoadError> {
        let entered = self.enter(Call::Read).await;
        entered.map_err(LoadError::Unavailable)?;
        let page = self.inner.read(from, limit).await;
        let page = page.and_then(|page| until_damage(page, &self.script()));
        self.answer(Call::Read, page).await
    }

    async fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        self.enter(Call::Entities).await?;
        let ids = self.inner.entities(after, limit).await;
        self.answer(Call::Entities, ids).await
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        self.enter(Call::EntityTypes).await?;
        let types = self.inner.entity_types().await;
        self.answer(Call::EntityTypes, types).await
    }

    async fn effects(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreFailure> {
        self.enter(Call::Effects).await?;
        let page = self.inner.effects(after, limit).await;
        self.answer(Call::Effects, page).await
    }

    async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        self.enter(Call::DeadLetters).await?;
        let page = self.inner.dead_letters(after, limit).await;
        self.answer(Call::DeadLetters, page).await
    }

    async fn timers(&self, until: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreFailure> {
        self.enter(Call::Timers).await?;
        let page = self.inner.timers(until, limit).await;
        self.answer(Call::Timers, page).await
    }

    async fn tend(
        &self,
        epoch: OwnerEpoch,
        changes: Vec<Tending>,
    ) -> Result<Vec<bool>, CommitError> {
        let entered = self.enter(Call::Tend).await;
        entered.map_err(CommitError::Unavailable)?;
        let done = self.inner.tend(epoch, changes).await;
        self.answer(Call::Tend, done).await
    }

    async fn projections(&self) -> Result<StoredProjections, StoreFailure> {
        self.enter(Call::Projections).await?;
        let projections = self.inner.projections().await;
        self.answer(Call::Projections, projections).await
    }

    async fn project(
        &self,
        epoch: OwnerEpoch,
        change: Projecting,
    ) -> Result<Projected, CommitError> {
        let entered = self.enter(Call::Project).await;
        entered.map_err(CommitError::Unavailable)?;
        let fault = self.script().projection_fault();
        let failure = || script::planted(Call::Project);
        let done = match fault {
            CommitFault::Unavailable => Err(CommitError::Unavailable(failure())),
            CommitFault::UnknownNotApplied => Err(CommitError::Unknown(failure())),
            CommitFault::UnknownApplied => {
                let applied = self.inner.project(epoch, change).await;
                applied.and_then(|_| Err(CommitError::Unknown(failure())))
            }
            CommitFault::Repeat => {
                let done = self.inner.project(epoch, change.clone()).await;
                let _ = self.inner.project(epoch, change).await;
                done
            }
            // As if somebody else had moved it.
            CommitFault::Refuse { .. } => Ok(Projected::Refused { at: None }),
            _ => self.inner.project(epoch, change).await,
        };
        self.answer(Call::Project, done).await
    }

    async fn rows(&self, wanted: RowsWanted) -> Result<Option<RowsFound>, StoreFailure> {
        self.enter(Call::Rows).await?;
        let rows = self.inner.rows(wanted).await;
        self.answer(Call::Rows, rows).await
    }

    async fn view(&self, query: ViewQuery) -> Result<Option<ViewPage>, StoreFailure> {
        self.enter(Call::View).await?;
        let page = self.inner.view(query).await;
        self.answer(Call::View, page).await
    }

    async fn passed_over(
        &self,
        id: &ProjectionId,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        self.enter(Call::PassedOver).await?;
        let passed = self.inner.passed_over(id, after, limit).await;
        self.answer(Call::PassedOver, passed).await
    }

    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        self.enter(Call::Verify).await?;
        let report = self.inner.verify().await;
        self.answer(Call::Verify, report).await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreFailure> {
        self.enter(Call::Backup).await?;
        let done = self.inner.backup(to).await;
        self.answer(Call::Backup, done).await
    }

    async fn salvage(&self, to: &Path) -> Result<StoreReport, StoreFailure> {
        self.enter(Call::Salvage).await?;
        let report = self.inner.salvage(to).await;
        self.answer(Call::Salvage, report).await
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        self.enter(Call::Close).await?;
        let closed = self.inner.close().await;
        self.answer(Call::Close, closed).await
    }
}

/// A batch as it may be repeated: a member that sends without an event or state is not told from its
/// repetition by the sequence number (R6), so it sends nothing again.
fn told_apart(mut batch: Batch) -> Batch {
    for member in &mut batch.members {
        if member.last_sequence() == member.expected {
            member.deferred = None;
        }
    }
    batch
}

/// The page up to the first damaged event; the damage itself when that is the first entry.
fn until_damage(mut page: Vec<Entry>, script: &Script) -> Result<Vec<Entry>, LoadError> {
    let damaged = page.iter().position(|entry| {
        matches!(
            entry.body,
            EntryBody::Event { .. } | EntryBody::State { .. }
        ) && script.is_damaged(&entry.id, entry.sequence)
    });
    let Some(index) = damaged else {
        return Ok(page);
    };
    if let (0, Some(entry)) = (index, page.first()) {
        return Err(cut::damage_at(entry.offset, entry.sequence));
    }
    page.truncate(index);
    Ok(page)
}
