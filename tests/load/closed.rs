//! Closed loop: each caller waits for its answer before it calls again.

use std::sync::Arc;
use std::time::Duration;

use super::tally::{Tally, Took};
use super::world::{World, now};

/// What so many callers got.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) per_second: f64,
    pub(super) tally: Arc<Tally>,
}

/// Calls from `callers` tasks for so long.
pub(super) async fn serve(world: &Arc<World>, callers: usize, duration: Duration) -> Served {
    let tally = Arc::new(Tally::default());
    let started = now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (world, tally) = (Arc::clone(world), Arc::clone(&tally));
        tasks.spawn(async move {
            while started.elapsed() < duration {
                call(&world, &tally).await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    let acknowledged = tally
        .acknowledged
        .load(std::sync::atomic::Ordering::Relaxed);
    Served {
        per_second: per_second(acknowledged, started.elapsed()),
        tally,
    }
}

/// One call by one caller.
pub(super) async fn call(world: &World, tally: &Tally) -> Duration {
    let number = world.book.send();
    let Some(call) = world.tick(number, world.padding) else {
        return Duration::ZERO;
    };
    let called = now();
    let answer = call.await;
    let took = called.elapsed();
    let both = Took {
        since_due: took,
        since_call: took,
    };
    tally.note(&world.book, number, &answer, both);
    took
}

#[expect(clippy::cast_precision_loss, reason = "a rate for a table")]
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}
