//! All shards of a runtime, and the task that looks after them.

use std::any::TypeId;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use statefn_store::{PersistenceId, Slice, StoreFailure};

use crate::call_error::Failure;
use crate::env::BoxFuture;
use crate::runtime::shard::Shard;
use crate::runtime::shared::{Intake, Shared, TICK};

/// After this long a handler that does not return is reported.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// The shards of a runtime.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    shards: Arc<[Arc<Shard>]>,
}

impl Engine {
    /// Starts a runtime of this many shards.
    pub(crate) fn start(shared: Shared, shards: usize) -> Arc<Self> {
        let shared = Arc::new(shared);
        let shards: Arc<[Arc<Shard>]> = (0..shards.clamp(1, usize::from(Slice::COUNT)))
            .map(|_| Arc::new(Shard::new(Arc::clone(&shared))))
            .collect();
        for shard in shards.iter() {
            shard.introduce(&shards);
        }
        let engine = Arc::new(Self { shared, shards });
        let weak = Arc::downgrade(&engine);
        engine.shared.introduce(weak);
        engine.shared.outbox.start(&engine);
        engine.shared.projectors.start(&engine);
        let env = Arc::clone(&engine.shared.env);
        env.spawn(Box::pin(look_after(Arc::downgrade(&engine))));
        engine
    }

    /// What the shards have in common.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The shard that runs an entity.
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder by the length, which is at least one"
    )]
    pub(crate) fn shard(&self, id: &PersistenceId) -> &Arc<Shard> {
        let index = usize::from(id.slice().get()) % self.shards.len();
        &self.shards[index]
    }

    /// The index of a hosted Rust type.
    pub(crate) fn type_index(&self, type_id: TypeId) -> Option<u16> {
        self.shared.type_index(type_id)
    }

    /// Refuses further calls, lets accepted ones finish until the deadline, closes the store.
    pub(crate) async fn shut_down(&self, deadline: Duration) -> Result<bool, StoreFailure> {
        self.shared.set_intake(Intake::Stopped);
        self.shared.outbox.close();
        let mut late = self.shared.env.sleep(deadline);
        let mut finished = self.is_quiet();
        while !finished && self.stirs_before(&mut late).await {
            finished = self.is_quiet();
        }
        if !finished {
            let wrote = Failure::unknown("the runtime stopped before the commit answered");
            self.stop_shards(&wrote, &Failure::Stopped).await;
        }
        self.shared.store.close().await?;
        Ok(finished)
    }

    /// Waits until nothing that was sent can be delivered now. How many calls wait for another
    /// attempt.
    pub(crate) async fn settle(&self) -> usize {
        let resting = loop {
            let moved = self.shared.outbox.moved.notified();
            if self.shared.intake() != Intake::Open {
                return 0;
            }
            if let Some((known, resting)) = self.shared.outbox.waiting()
                && known == resting
                && self.shared.budget.outbox() <= known
            {
                let now = self.shared.env.wall();
                match self.shared.store.timers(now, 1).await {
                    Ok(due) if !due.is_empty() => self.shared.outbox.bell.notify_one(),
                    _ => break resting,
                }
            }
            moved.await;
        };
        self.shared.projectors.settle(&self.shared).await;
        resting
    }

    /// Whether nothing is under way.
    fn is_quiet(&self) -> bool {
        // Before the shards: a forward that has ended there may have begun something in one.
        self.shared.budget.forwards() == 0 && self.shards.iter().all(Shard::is_quiet)
    }

    /// Waits until a shard has moved. `false` if it is too late for that.
    async fn stirs_before(&self, late: &mut BoxFuture) -> bool {
        let mut stirred = pin!(self.shared.stirred.notified());
        poll_fn(|cx| {
            if stirred.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            late.as_mut().poll(cx).map(|()| false)
        })
        .await
    }

    /// Drops everything in memory, as a crash would, and claims the store anew.
    pub(crate) async fn crash(&self) -> Result<(), StoreFailure> {
        self.shared.close_for_claim();
        let wrote = Failure::unknown("the runtime crashed before the commit answered");
        self.stop_shards(&wrote, &Failure::unavailable("the runtime crashed"))
            .await;
        self.shared.quarantined.clear();
        self.shared.claim_again().await?;
        self.shared.outbox.crashed();
        self.shared.projectors.crashed();
        Ok(())
    }

    async fn stop_shards(&self, wrote: &Failure, waiting: &Failure) {
        let mut busy: Vec<&Arc<Shard>> = self.shards.iter().collect();
        // A stuck handler must not keep the others from ending: it is left after a few rounds.
        for _ in 0..1000 {
            busy.retain(|shard| !shard.stop(wrote, waiting));
            if busy.is_empty() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn tick(&self, stuck: &mut [Option<Stuck>]) {
        self.shared.move_tick();
        let now = self.shared.env.now();
        for (index, (shard, stuck)) in self.shards.iter().zip(stuck).enumerate() {
            *stuck = match (shard.tick(), stuck.take()) {
                (None, _) => None,
                (Some(visits), Some(before)) if visits == before.visits => {
                    Some(before.report(index, now))
                }
                (Some(visits), _) => Some(Stuck {
                    visits,
                    since: now,
                    report_after: STUCK_AFTER,
                }),
            };
        }
        // Whoever found a shard busy because it was looked at just then looks again.
        self.shared.stirred.notify_waiters();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.outbox.end();
        self.shared.projectors.end_all();
    }
}

/// A shard whose lock is not let go.
struct Stuck {
    /// How often the shard had been entered when this was first seen.
    visits: u64,
    since: Duration,
    /// Doubles with each report.
    report_after: Duration,
}

impl Stuck {
    fn report(mut self, shard: usize, now: Duration) -> Self {
        let held = now.saturating_sub(self.since);
        if held >= self.report_after {
            let seconds = held.as_secs();
            tracing::error!(shard, seconds, "a handler does not return");
            self.report_after = held.saturating_mul(2);
        }
        self
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// Ticks until nobody holds the engine any more.
async fn look_after(engine: Weak<Engine>) {
    let Some(env) = engine
        .upgrade()
        .map(|engine| Arc::clone(&engine.shared.env))
    else {
        return;
    };
    let mut stuck = Vec::new();
    loop {
        env.sleep(TICK).await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        stuck.resize_with(engine.shards.len(), || None);
        engine.tick(&mut stuck);
    }
}
