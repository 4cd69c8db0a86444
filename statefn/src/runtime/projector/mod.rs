//! Projections at work: a task for each reads the journal, tells it to handlers, and commits what they
//! made of it together with how far that is.

pub(crate) mod fold;
mod standing;
mod status;
mod work;

use std::sync::{Arc, PoisonError, Weak};

use statefn_store::{Offset, ProjectionId, StoredProjections, Timestamp};
use tokio::sync::{Notify, watch};

use crate::projection::definition::{Layout, ProjectionDefinition};
use crate::runtime::engine::Engine;
use crate::runtime::leash::Leash;
use crate::runtime::shared::Shared;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};

pub(crate) use standing::Standing;
pub use status::{ProjectionState, ProjectionStatus, StoppedAt};

/// All projections of a runtime.
pub(crate) struct Projectors {
    all: Vec<Arc<Projector>>,
    /// The newest entry that is known to be committed.
    end: AtomicU64,
    /// Rises when everything in memory is dropped.
    generation: AtomicU64,
    leashes: Mutex<Vec<Arc<Leash>>>,
}

/// One projection.
pub(crate) struct Projector {
    pub(crate) definition: Arc<dyn ProjectionDefinition>,
    pub(crate) id: ProjectionId,
    pub(crate) layout: Layout,
    /// Rings when there may be something to do.
    bell: Arc<Notify>,
    standing: watch::Sender<Standing>,
    account: Mutex<Account>,
}

/// What is told of a projection.
#[derive(Clone, Debug, Default)]
struct Account {
    /// Entries told to handlers.
    told: u64,
    errors: u64,
    /// When the newest entry that was folded was written.
    time: Option<Timestamp>,
    /// What failed last, until it goes through.
    failing: Option<(u32, StoppedAt)>,
    /// An operator wants another attempt.
    resumed: bool,
    /// An operator wants the rows to be built anew.
    rebuilds: bool,
}

impl Projectors {
    /// Projections that have not begun yet.
    pub(crate) fn new(all: Vec<Arc<Projector>>, stored: &StoredProjections) -> Self {
        Self {
            all,
            end: AtomicU64::new(stored.end.get()),
            generation: AtomicU64::new(0),
            leashes: Mutex::default(),
        }
    }

    /// Begins.
    pub(super) fn start(&self, engine: &Arc<Engine>) {
        for projector in &self.all {
            let work = work::work(Arc::downgrade(engine), Arc::clone(projector));
            let (leash, task) = Leash::new(Box::pin(work));
            self.leashes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(leash);
            engine.shared().env.spawn(Box::pin(task));
        }
    }

    /// The runtime is gone: its tasks are.
    pub(super) fn end_all(&self) {
        let leashes = {
            let mut leashes = self.leashes.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *leashes)
        };
        for leash in &leashes {
            leash.end();
        }
        for projector in &self.all {
            projector.stand(|standing| standing.has_ended = true);
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Entries up to here have been committed.
    pub(super) fn committed(&self, position: Offset) {
        self.end.fetch_max(position.get(), Ordering::AcqRel);
        self.ring();
    }

    fn ring(&self) {
        for projector in &self.all {
            projector.bell.notify_one();
        }
    }

    /// Waits until every projection that works has folded what is committed now.
    pub(super) async fn settle(&self, shared: &Shared) {
        if self.is_empty() {
            return;
        }
        let Ok(stored) = shared.store.projections().await else {
            return;
        };
        self.committed(stored.end);
        for projector in &self.all {
            let mut standing = projector.standing();
            // Whoever has stopped or waits is not waited for: its time may be moved by hand.
            let is_done = |standing: &Standing| {
                let is_there = standing.offset.is_some_and(|offset| offset >= stored.end);
                is_there || standing.has_ended || standing.is_failing || standing.stopped.is_some()
            };
            // An error means that nobody moves it any more.
            let _ = standing.wait_for(is_done).await;
        }
    }

    /// The newest entry that is known to be committed.
    pub(crate) fn end(&self) -> Offset {
        Offset::new(self.end.load(Ordering::Acquire))
    }

    /// Everything in memory is dropped.
    pub(super) fn crashed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        for projector in &self.all {
            projector.resume();
        }
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The projection of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Projector>> {
        self.all.iter().find(|projector| projector.id.name == name)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Arc<Projector>] {
        &self.all
    }
}

impl Projector {
    /// A projection that has not begun yet.
    pub(crate) fn new(definition: Arc<dyn ProjectionDefinition>, layout: Layout) -> Self {
        Self {
            id: definition.id(),
            definition,
            layout,
            bell: Arc::default(),
            standing: watch::Sender::default(),
            account: Mutex::default(),
        }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand(&self, change: impl FnOnce(&mut Standing)) {
        self.standing.send_modify(change);
    }

    /// Where it stands, and a bell for its changes.
    pub(crate) fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Builds the rows anew, beside those that are there.
    pub(crate) fn rebuild(&self) {
        self.account().rebuilds = true;
        self.resume();
    }

    /// Name and number under which the rows are stored.
    pub(crate) fn stored_id(&self) -> ProjectionId {
        let version = self.standing.borrow().stored_version.max(self.id.version);
        ProjectionId::new(self.id.name.clone(), version)
    }

    /// Lets a projection that has stopped try again. Whether it had.
    pub(crate) fn resume(&self) -> bool {
        let had_stopped = self.standing.borrow().stopped.is_some();
        self.account().resumed = true;
        self.stand(|standing| standing.stopped = None);
        self.bell.notify_one();
        had_stopped
    }
}

/// What tells the two stored numbers of one version apart.
const REBUILT: u32 = 1 << 31;

/// The declared version behind a stored number.
pub(crate) const fn declared(stored_version: u32) -> u32 {
    stored_version & !REBUILT
}

/// A task's way to a runtime that may be gone.
type Way = Weak<Engine>;
