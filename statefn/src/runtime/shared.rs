//! What the shards of one runtime have in common.

use std::any::{self, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use statefn_store::{OwnerEpoch, PersistenceId, Store, StoreFailure};

use crate::call_error::{Failure, Quarantine};
use crate::crdt::ReplicaId;
use crate::env::Env;
use crate::limits::Limits;
use crate::runtime::budget::Budget;
use crate::runtime::hosted::Hosted;
use crate::runtime::outbox::Outbox;
use crate::runtime::projector::Projectors;
use crate::runtime::step::Turn;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

/// How often a runtime looks at what is idle, late or stuck.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// What the shards of one runtime have in common.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) hosted: Vec<Hosted>,
    pub(crate) env: Arc<dyn Env>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) quarantined: Quarantined,
    pub(crate) outbox: Outbox,
    pub(crate) projectors: Projectors,
    pub(crate) recoveries: tokio::sync::Semaphore,
    /// Rings when a shard of a runtime that no longer takes calls has moved.
    pub(crate) stirred: tokio::sync::Notify,
    epoch: AtomicU64,
    generation: AtomicU64,
    tick: AtomicU32,
    state: AtomicU8,
    claiming: AtomicBool,
    /// The engine, for async commands that call entities.
    runtime: OnceLock<Weak<dyn any::Any + Send + Sync>>,
    /// Whether runs repeat: no command sees anything that another run would not show it.
    repeats: bool,
    /// Under which name this runtime changes CRDTs, if it has one.
    replica: Option<ReplicaId>,
}

/// Whether a runtime takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Intake {
    Open,
    Stopped,
    Fenced,
}

impl Shared {
    /// The common part of a runtime that has claimed its store.
    pub(crate) fn new(
        limits: Limits,
        hosted: Vec<Hosted>,
        projectors: Projectors,
        env: Arc<dyn Env>,
        store: Arc<dyn Store>,
        epoch: OwnerEpoch,
    ) -> Self {
        let shared = Self {
            recoveries: tokio::sync::Semaphore::new(limits.recoveries_max),
            quarantined: Quarantined::new(limits.quarantined_max),
            budget: Arc::default(),
            outbox: Outbox::new(),
            projectors,
            stirred: tokio::sync::Notify::new(),
            epoch: AtomicU64::new(epoch.get()),
            generation: AtomicU64::new(0),
            tick: AtomicU32::new(0),
            state: AtomicU8::new(Intake::Open as u8),
            claiming: AtomicBool::new(false),
            runtime: OnceLock::new(),
            repeats: env.repeats(),
            replica: None,
            limits,
            hosted,
            env,
            store,
        };
        shared.move_tick();
        shared
    }

    /// Names the replica that this runtime is.
    pub(crate) fn replica(self, replica: Option<ReplicaId>) -> Self {
        Self { replica, ..self }
    }

    /// Tells the shards of their engine, once.
    pub(super) fn introduce(&self, runtime: Weak<dyn any::Any + Send + Sync>) {
        // A second introduction would name the same engine.
        let _first = self.runtime.set(runtime);
    }

    /// The index of a hosted Rust type.
    pub(crate) fn type_index(&self, type_id: TypeId) -> Option<u16> {
        let index = self
            .hosted
            .iter()
            .position(|h| h.definition.type_id() == type_id)?;
        u16::try_from(index).ok()
    }

    /// What a step of this type may look at.
    #[expect(
        clippy::indexing_slicing,
        reason = "indices come from `type_index`, and the table never changes"
    )]
    pub(super) fn turn(&self, type_index: u16) -> Turn<'_> {
        let hosted = &self.hosted[usize::from(type_index)];
        Turn {
            env: &*self.env,
            limits: &self.limits,
            budget: &self.budget,
            hosted,
            types: &self.hosted,
            runtime: self.runtime.get(),
            repeats: self.repeats,
            replica: self.replica,
        }
    }

    /// The epoch under which this runtime owns the store.
    pub(crate) fn epoch(&self) -> OwnerEpoch {
        OwnerEpoch::new(self.epoch.load(Ordering::Acquire))
    }

    /// Until [`claim_again`](Self::claim_again) has succeeded, calls answer `Unavailable`, and a
    /// fence is taken for our own.
    pub(crate) fn close_for_claim(&self) {
        self.claiming.store(true, Ordering::SeqCst);
    }

    /// Takes the store over once more.
    pub(crate) async fn claim_again(&self) -> Result<(), StoreFailure> {
        let epoch = self.store.claim().await?;
        self.epoch.store(epoch.get(), Ordering::SeqCst);
        self.claiming.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Whether a batch under `held` was fenced off by this runtime itself.
    pub(crate) fn fenced_itself(&self, held: OwnerEpoch) -> bool {
        self.claiming.load(Ordering::SeqCst) || held < self.epoch()
    }

    /// Rises by one with each failure of the store.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn store_failed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Coarse time, for last uses: moves every [`TICK`].
    pub(super) fn tick(&self) -> u32 {
        self.tick.load(Ordering::Relaxed)
    }

    pub(crate) fn move_tick(&self) {
        let ticks = self.env.now().as_millis() / TICK.as_millis();
        self.tick
            .store(u32::try_from(ticks).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    pub(crate) fn intake(&self) -> Intake {
        match self.state.load(Ordering::Acquire) {
            0 => Intake::Open,
            1 => Intake::Stopped,
            _ => Intake::Fenced,
        }
    }

    pub(crate) fn set_intake(&self, intake: Intake) {
        self.state.fetch_max(intake as u8, Ordering::AcqRel);
    }

    /// Why a call is not taken at all, if it is not.
    pub(crate) fn refusal(&self) -> Option<Failure> {
        match self.intake() {
            Intake::Open if self.claiming.load(Ordering::Relaxed) => {
                Some(Failure::unavailable("the store is being claimed"))
            }
            Intake::Open => None,
            Intake::Stopped => Some(Failure::Stopped),
            Intake::Fenced => Some(Failure::Fenced),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Entities that wait for an operator.
pub(crate) struct Quarantined {
    entities: Mutex<BTreeMap<PersistenceId, Arc<Quarantine>>>,
    count: AtomicUsize,
    max: usize,
}

impl Quarantined {
    fn new(max: usize) -> Self {
        Self {
            entities: Mutex::default(),
            count: AtomicUsize::new(0),
            max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PersistenceId, Arc<Quarantine>>> {
        self.entities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why this entity is quarantined, if it is.
    pub(crate) fn get(&self, id: &PersistenceId) -> Option<Arc<Quarantine>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.lock().get(id).cloned()
    }

    /// Quarantines an entity. One that finds no room is judged anew by each of its commands.
    pub(super) fn insert(&self, quarantine: Quarantine) -> Arc<Quarantine> {
        // The reason may quote an event, so it stays out of the log: operators ask for it.
        tracing::error!(
            entity = %quarantine.id.entity_type(),
            id = quarantine.id.id(),
            sequence = quarantine.sequence.get(),
            "an entity is quarantined; `Admin::quarantined` says why"
        );
        let quarantine = Arc::new(quarantine);
        let mut entities = self.lock();
        if entities.len() < self.max {
            entities.insert(quarantine.id.clone(), Arc::clone(&quarantine));
            self.count.store(entities.len(), Ordering::Release);
        }
        quarantine
    }

    /// Lets an entity try again. Whether it was quarantined.
    pub(crate) fn release(&self, id: &PersistenceId) -> bool {
        let mut entities = self.lock();
        let was = entities.remove(id).is_some();
        self.count.store(entities.len(), Ordering::Release);
        was
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        let mut entities = self.lock();
        entities.clear();
        self.count.store(0, Ordering::Release);
    }

    /// All of them, by id.
    pub(crate) fn list(&self) -> Vec<Arc<Quarantine>> {
        self.lock().values().cloned().collect()
    }
}
