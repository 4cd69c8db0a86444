//! The runtime that clients call at the moment, and the outages that replace it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use statefn_store::testing::{Dice, Faulty};
use statefn_store::{Entry, EntryBody, Offset, PersistenceId};

use super::faults::Faults;
use super::storage::ProcessStore;
use super::world::{HARNESS, Process, World};
use crate::codec::Codec;
use crate::env::Env;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::purge::PURGE_HEADER;
use crate::system::{Builder, Runtime};

/// Says which entities a runtime hosts.
pub(super) type Host = Arc<dyn Fn(Builder) -> Builder + Send + Sync>;

/// Where the play is. Clones share it.
#[derive(Clone)]
pub(super) struct Stage {
    world: World,
    pub(super) faulty: Faulty,
    host: Host,
    limits: Limits,
    shards: usize,
    current: Arc<Mutex<Current>>,
    pub(super) outages: Arc<Outages>,
}

#[derive(Default)]
struct Current {
    runtime: Option<(Process, Runtime)>,
    /// The last process that was started.
    process: Process,
    /// Nobody needs outages any more.
    is_over: bool,
}

/// How often what happened.
#[derive(Default)]
pub(super) struct Outages {
    pub(super) crashes: AtomicU64,
    pub(super) kills: AtomicU64,
    pub(super) takeovers: AtomicU64,
    pub(super) clock_jumps: AtomicU64,
}

impl Stage {
    pub(super) fn new(
        world: &World,
        faulty: Faulty,
        host: Host,
        limits: Limits,
        shards: usize,
    ) -> Self {
        Self {
            world: world.clone(),
            faulty,
            host,
            limits,
            shards,
            current: Arc::default(),
            outages: Arc::default(),
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.world.env(HARNESS).sleep(duration).await;
    }

    /// The runtime that takes calls now, as soon as there is one.
    pub(super) async fn runtime(&self) -> (Process, Runtime) {
        loop {
            if let Some(current) = self.current().runtime.clone() {
                return current;
            }
            self.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Starts a runtime in a process of its own. The one before, if it lives, finds out that it
    /// does not own the store any more.
    pub(super) async fn boot(&self) {
        let process = {
            let mut current = self.current();
            current.process += 1;
            current.process
        };
        loop {
            let store = ProcessStore::new(self.faulty.clone(), self.world.clone(), process);
            let builder = Runtime::builder()
                .store(store)
                .env(self.world.env(process))
                .limits(self.limits.clone())
                .shards(self.shards);
            let before = (self.host)(builder).build().await;
            if let Ok(runtime) = before {
                let before = self.current().runtime.replace((process, runtime));
                drop(before);
                return;
            }
            self.sleep(Duration::from_millis(5)).await;
        }
    }

    /// Plays outages until the play is over.
    pub(super) async fn trouble(self, faults: Faults, mut dice: Dice) {
        let Some(every) = faults.outage_every else {
            return;
        };
        let twice = u64::try_from(every.as_micros()).unwrap_or(u64::MAX) / 500;
        loop {
            let pause = Duration::from_millis(dice.between(1..=twice.max(1)));
            self.sleep(pause).await;
            if self.current().is_over {
                return;
            }
            self.outage(&faults, &mut dice).await;
        }
    }

    async fn outage(&self, faults: &Faults, dice: &mut Dice) {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match dice.below(4) {
            0 => {
                count(&self.outages.crashes);
                self.world.note(|| "the runtime crashes".to_owned());
                let (_, runtime) = self.runtime().await;
                while runtime.crash().await.is_err() {
                    self.sleep(Duration::from_millis(5)).await;
                }
            }
            1 => {
                count(&self.outages.kills);
                let gone = self.current().runtime.take();
                if let Some((process, runtime)) = gone {
                    self.world.note(|| format!("process {process} is killed"));
                    self.world.kill(process);
                    drop(runtime);
                }
                self.boot().await;
            }
            2 => {
                count(&self.outages.takeovers);
                self.world.note(|| "another process takes over".to_owned());
                self.boot().await;
            }
            _ => {
                count(&self.outages.clock_jumps);
                let max = i64::try_from(faults.clock_jump_max.as_millis()).unwrap_or(0);
                let span = u64::try_from(max).unwrap_or(0);
                let shift = i64::try_from(dice.between(0..=2 * span)).unwrap_or(0) - max;
                self.world
                    .note(|| format!("the wall clock is {shift} ms off"));
                self.world.set_wall(shift);
            }
        }
        self.world.note(|| "the outage is over".to_owned());
    }

    /// The newest deletion of an entity that a purge has made.
    pub(super) async fn last_purge(&self, id: &PersistenceId) -> Offset {
        let journal = self.faulty.inner().read(Offset::ZERO, usize::MAX).await;
        let is_purge = |entry: &&Entry| {
            let is_deleted = matches!(entry.body, EntryBody::Deleted { .. });
            entry.id == *id && is_deleted && is_purge(&entry.metadata)
        };
        let journal = journal.unwrap_or_default();
        let newest = journal.iter().rfind(is_purge);
        newest.map_or(Offset::ZERO, |entry| entry.offset)
    }

    /// The runtime that took calls last.
    pub(super) fn last_runtime(&self) -> Option<Runtime> {
        self.current().runtime.clone().map(|(_, runtime)| runtime)
    }

    /// Ends outages and faults of the store, for good.
    pub(super) fn heal(&self) {
        self.current().is_over = true;
        self.faulty.heal();
        self.world
            .note(|| "everything works from here on".to_owned());
    }
}

/// Whether a deletion says that it is the beginning of a purge.
fn is_purge(metadata: &[u8]) -> bool {
    let metadata = Codec::Bincode.decode::<Metadata>(metadata);
    metadata.is_ok_and(|metadata| metadata.get(PURGE_HEADER).is_some())
}
