//! The task that goes on where a visitor's share ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Shard;
use super::spawning::Spawning;

/// A visit in a task of its own.
pub(super) struct Visit {
    /// Taken when the visit begins.
    shard: Option<Arc<Shard>>,
    spawning: Spawning,
}

impl Visit {
    /// Spawns a visit. `false` if there is nobody to make it.
    pub(super) fn spawn(shard: &Arc<Shard>) -> bool {
        let spawning = Spawning::default();
        let visit = Self {
            shard: Some(Arc::clone(shard)),
            spawning: spawning.clone(),
        };
        shard.shared().env.spawn(Box::pin(visit));
        spawning.is_first()
    }
}

impl Future for Visit {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if let Some(shard) = self.shard.take() {
            shard.visit();
        }
        Poll::Ready(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(shard) = self.shard.take()
            && !self.spawning.is_first()
        {
            shard.visit();
        }
    }
}
