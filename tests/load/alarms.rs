//! Timers that are all due at the same moment: they wait in the store, not in memory, and each fires once.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::store::{OutboxNumber, Store, Timestamp};
use statefn::testing::VirtualClock;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::usage::{Usage, Watch, mib};
use super::verdict::Verdict;
use super::world::Failure;

/// Timers that one command sets.
const AT_ONCE: u64 = 50;

/// When they are due, after they were set.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What may come on top in memory while timers fire, whatever their number: a window of due timers, the
/// entities that they call, and what SQLite keeps.
const ROOM: u64 = 48 << 20;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
enum Rang {
    Rang { number: u64 },
}

/// Counts what rings, and adds up its numbers.
#[entity(event_sourced, name = "alarm", snapshot_every = 100)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Alarm {
    count: u64,
    sum: u64,
}

#[entity]
impl Alarm {
    #[command]
    fn set(&self, ctx: &mut Context<Self>, first: u64, count: u64) {
        for number in first..first + count {
            ctx.schedule(format!("{number}"), HOUR, ctx.me().ring(number));
        }
    }

    #[command]
    fn ring(&self, ctx: &mut Context<Self>, number: u64) {
        ctx.emit(Rang::Rang { number });
    }

    #[query]
    fn rung(&self) -> (u64, u64) {
        (self.count, self.sum)
    }

    #[event_handler]
    fn apply(&mut self, event: &Rang) {
        let Rang::Rang { number } = event;
        self.count += 1;
        self.sum += number;
    }
}

/// How many timers of how many entities.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Timers, all together.
    pub timers: u64,
    /// Entities among which they are divided.
    pub entities: u64,
    /// Where the store lies; temporary files if left out.
    pub folder: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Alarms {
    timers: u64,
    before: Usage,
    most: Usage,
    took: Duration,
    /// The judgment.
    pub verdict: Verdict,
}

/// Sets all timers, starts a runtime for which all are overdue, and watches.
///
/// # Errors
///
/// The machine does not do what it must.
pub fn run(plan: &Plan) -> Result<Alarms, Failure> {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    threads.block_on(ring(plan))
}

async fn ring(plan: &Plan) -> Result<Alarms, Failure> {
    let prefix = "statefn-alarms-";
    let folder = match &plan.folder {
        Some(parent) => TempDir::with_prefix_in(prefix, parent)?,
        None => TempDir::with_prefix(prefix)?,
    };
    let file = folder.path().join("store.db");
    let each = set(plan, &file).await?;
    let before = Usage::now(&file);
    let (watch, start) = (Watch::start(&file), now());
    let clock = VirtualClock::new();
    clock.advance(HOUR);
    let store = Sqlite::open(&file)?;
    let builder = Runtime::builder().store(store.clone()).env(clock);
    let runtime = builder.only::<(Alarm,)>().build().await?;
    let resting = runtime.settle().await;
    let took = start.elapsed();
    let most = watch.stop();
    let mut verdict = Verdict::default();
    let mut wrong = 0_u64;
    for entity in 0..plan.entities {
        let rung = runtime.entity::<Alarm>(entity.to_string()).rung().await?;
        wrong += u64::from(rung != (each, each * each.saturating_sub(1) / 2));
    }
    let left = store.timers(Timestamp::from_millis(i64::MAX), 10).await?;
    let dead = store.dead_letters(OutboxNumber::ZERO, 10).await?;
    let left = left.len() + dead.len() + resting;
    let each_once = "entities whose timers did not each fire once";
    verdict.judge(each_once, wrong, "0", wrong == 0);
    verdict.judge("timers left over", left, "0", left == 0);
    let grown = most.rss.saturating_sub(before.rss);
    let wanted = format!("below {}", mib(ROOM));
    verdict.judge("MiB more at the most", mib(grown), wanted, grown < ROOM);
    runtime.shutdown(Duration::from_secs(60)).await?;
    Ok(Alarms {
        timers: each * plan.entities,
        before,
        most,
        took,
        verdict,
    })
}

/// Sets the timers; answers how many each entity has.
async fn set(plan: &Plan, file: &Path) -> Result<u64, Failure> {
    let each = plan.timers / plan.entities.max(1) / AT_ONCE * AT_ONCE;
    let store = Sqlite::open(file)?;
    let builder = Runtime::builder().store(store).env(VirtualClock::new());
    let runtime = builder.only::<(Alarm,)>().build().await?;
    for first in (0..each).step_by(usize::try_from(AT_ONCE)?) {
        let entities = 0..plan.entities;
        let mut calls = JoinSet::new();
        for entity in entities {
            let alarm = runtime.entity::<Alarm>(entity.to_string());
            calls.spawn(alarm.set(first, AT_ONCE).into_future());
        }
        while let Some(answer) = calls.join_next().await {
            answer??;
        }
    }
    runtime.shutdown(Duration::from_secs(60)).await?;
    Ok(each)
}

impl fmt::Display for Alarms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64().max(0.001);
        writeln!(
            f,
            "{} timers due at once, fired in {seconds:.1} s",
            self.timers
        )?;
        let (before, most) = (mib(self.before.rss), mib(self.most.rss));
        writeln!(f, "memory {before} MiB before, {most} MiB at the most")?;
        writeln!(f, "database {} MiB", mib(self.most.database))?;
        write!(f, "{}", self.verdict)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures; nothing is decided by it"
)]
fn now() -> Instant {
    Instant::now()
}
