//! A disk that does not answer: what is accepted is bounded, whatever callers do meanwhile.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use statefn::Limits;
use statefn_store::testing::Call as StoreCall;
use tokio::runtime::Runtime as Threads;

use super::audit::audit;
use super::budget;
use super::open::{Manner, Sender};
use super::usage::{Usage, mib};
use super::verdict::Verdict;
use super::world::{Failure, Ground, Shape, World, now, threads};

/// Calls for each one that may wait.
const TIMES: u64 = 20;

/// Bytes of a large event: beyond 1 KiB they are counted.
const LARGE: u64 = 64 << 10;

/// Holds every commit, calls, and lets go, three times: callers that wait, callers that go away, and
/// large events.
///
/// # Errors
///
/// The machine does not do what it must, or the store answers with an error of its own.
pub fn run() -> Result<Verdict, Failure> {
    let threads = threads()?;
    let ground = Ground::new(None)?;
    let limits = Limits {
        waiting_max: 2_000,
        waiting_bytes_max: 8 << 20,
        ..Limits::default()
    };
    let shape = Shape {
        limits,
        entities: 300,
        padding: 100,
        delay: None,
    };
    let world = threads.block_on(World::open(&ground, &shape))?;
    threads.block_on(world.warm())?;
    let mut verdict = Verdict::default();
    let usual = Manner::of(&world);
    let impatient = Manner {
        deadline: Some(Duration::from_millis(1)),
        ..usual
    };
    let large = Manner {
        padding: LARGE,
        ..usual
    };
    let calls = shape.limits.waiting_max as u64;
    let bytes = shape.limits.waiting_bytes_max as u64 / LARGE + 1;
    let mut held = |what, manner, most| {
        hold(
            &threads,
            &world,
            &ground,
            (what, manner, most),
            &mut verdict,
        );
    };
    held("callers that wait", usual, calls);
    held("callers that go away", impatient, calls);
    held("large events", large, bytes);
    let finished = threads.block_on(world.close())?;
    verdict.judge(
        "the shutdown lets everything finish",
        finished,
        "true",
        finished,
    );
    drop(world);
    threads.block_on(audit(&ground.file, &ground.book, &mut verdict))?;
    Ok(verdict)
}

fn hold(
    threads: &Threads,
    world: &Arc<World>,
    ground: &Ground,
    (what, manner, most): (&str, Manner, u64),
    verdict: &mut Verdict,
) {
    let before = Usage::now(&ground.file);
    let hold = world.store.hold(StoreCall::Commit);
    let sender = Sender::new(threads.handle(), world, manner);
    let offered = TIMES * world.limits.waiting_max as u64;
    for _ in 0..offered {
        sender.send(now());
    }
    // Those who go away do so while nothing moves.
    while manner.deadline.is_some() && sender.tally.waits.load(Ordering::Acquire) > 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let after = Usage::now(&ground.file);
    let refused = sender.tally.refused.load(Ordering::Relaxed);
    let taken = offered - refused;
    let waiting = world.runtime.admin().waiting() as u64;
    hold.release();
    let hang = sender.wait_for_answers();
    while world.runtime.admin().waiting() > 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let what = format!("stuck disk, {what}");
    verdict.judge(
        format!("{what}: taken of {offered}, the others told `Overloaded`"),
        taken,
        format!("1 to {most}"),
        (1..=most).contains(&taken),
    );
    verdict.judge(
        format!("{what}: held meanwhile"),
        waiting,
        format!("{taken}"),
        waiting == taken,
    );
    let growth = budget::growth(
        &world.limits,
        world.meters.len() as u64,
        ground.book.bytes(),
    );
    let allowed = before.rss + budget::with_room(growth);
    verdict.judge(
        format!("{what}: memory"),
        format!("{} MiB", mib(after.rss)),
        format!("at most {} MiB by the limits", mib(allowed)),
        after.rss <= allowed,
    );
    verdict.judge(format!("{what}: without an answer"), hang, "0", hang == 0);
    let (odd, examples) = sender.tally.odd();
    verdict.judge(
        format!("{what}: told something else"),
        format!("{odd}{examples}"),
        "0",
        odd == 0,
    );
}
