//! Entities that come and go for long: what must stay flat stays flat.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use statefn::Limits;
use tokio::runtime::Runtime as Threads;

use super::audit::audit;
use super::budget;
use super::churn::Churn;
use super::meter::PLANTED;
use super::trend::Trend;
use super::usage::{Usage, mib};
use super::verdict::Verdict;
use super::world::{Failure, Ground, Shape, World, now, threads};

const MIB: u64 = 1 << 20;

/// The log is moved when it has 64 MiB; until that is looked at, up to fifteen more commits are
/// written to it.
const LOG_MAX: u64 = 72 * MIB;

/// An empty log after so long without a call.
const IDLE: Duration = Duration::from_secs(20);

/// Threads that come and go: one sorts heads, one frees them.
const HELPERS: u64 = 2;

/// How much larger than what it holds a database may be.
const OVERHEAD: u64 = 2;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Different entities that come and go.
    pub keys: u64,
    /// How many of them fit into memory.
    pub residents: usize,
    /// Ends after so many steps ..
    pub steps: u64,
    /// .. or after so long.
    pub duration: Duration,
    /// Callers at the same time.
    pub callers: u64,
    /// Between two looks.
    pub look_every: Duration,
    /// Where the store lies.
    pub folder: Option<PathBuf>,
}

/// One look.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    steps: u64,
    usage: Usage,
    residents: u64,
    /// Memory of the book: ours, and it grows.
    book: u64,
}

/// A run: its table and its judgment.
#[derive(Clone, Debug)]
pub struct Soaked {
    samples: Vec<Sample>,
    counts: String,
    /// What was judged.
    pub verdict: Verdict,
}

/// Lets entities come and go, watches, and audits the store.
///
/// # Errors
///
/// The machine does not do what it must, or the store answers with an error of its own.
pub fn run(plan: &Plan) -> Result<Soaked, Failure> {
    silence_planted_panics();
    let threads = threads()?;
    let ground = Ground::new(plan.folder.as_deref())?;
    let shape = plan.shape();
    let world = threads.block_on(World::open(&ground, &shape))?;
    let before = Usage::now(&ground.file);
    let churn = Arc::new(Churn::new(Arc::clone(&world), plan.keys));
    let samples = watch(&threads, plan, &ground, &churn);
    let mut verdict = Verdict::default();
    judge_calls(&churn, &mut verdict);
    judge_memory(plan, &shape, &ground, before, &samples, &mut verdict);
    judge_flat(&samples, &mut verdict);
    let emptied = log_empties(&ground);
    verdict.judge(
        "log after a moment without calls",
        format!("{} MiB", mib(emptied)),
        "0",
        emptied == 0,
    );
    let counts = churn.to_string();
    let finished = threads.block_on(world.close())?;
    verdict.judge(
        "the shutdown lets everything finish",
        finished,
        "true",
        finished,
    );
    drop((churn, world));
    let size = Usage::now(&ground.file).database;
    let audit = threads.block_on(audit(&ground.file, &ground.book, &mut verdict))?;
    let allowed = OVERHEAD * audit.content + 2 * MIB;
    verdict.judge(
        format!("database of {} entries", audit.entries),
        format!("{} MiB", mib(size)),
        format!("at most {} MiB by its content", mib(allowed)),
        size <= allowed,
    );
    Ok(Soaked {
        samples,
        counts,
        verdict,
    })
}

/// Handlers that panic are part of it; what they say helps nobody.
fn silence_planted_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload().downcast_ref::<String>();
        if !message.is_some_and(|message| message.starts_with(PLANTED)) {
            usual(panic);
        }
    }));
}

impl Plan {
    fn shape(&self) -> Shape {
        Shape {
            limits: Limits {
                residents_max: self.residents,
                waiting_max: 4_096,
                waiting_bytes_max: 8 << 20,
                passivate_after: Duration::from_secs(5),
                ..Limits::default()
            },
            entities: 0,
            padding: 40,
            delay: None,
        }
    }
}

/// Runs all callers and looks at the process from time to time.
fn watch(threads: &Threads, plan: &Plan, ground: &Ground, churn: &Arc<Churn>) -> Vec<Sample> {
    let stop = Arc::new(AtomicBool::new(false));
    let running = Arc::new(AtomicU64::new(plan.callers));
    for _ in 0..plan.callers {
        let (churn, stop, running) = (Arc::clone(churn), Arc::clone(&stop), Arc::clone(&running));
        threads.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                churn.step().await;
            }
            running.fetch_sub(1, Ordering::AcqRel);
        });
    }
    let started = now();
    let mut samples = Vec::new();
    while churn.steps() < plan.steps && started.elapsed() < plan.duration {
        std::thread::park_timeout(plan.look_every);
        samples.push(sample(started, ground, churn));
    }
    stop.store(true, Ordering::Relaxed);
    while running.load(Ordering::Acquire) > 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    samples.push(sample(started, ground, churn));
    samples
}

fn sample(started: Instant, ground: &Ground, churn: &Churn) -> Sample {
    Sample {
        at: started.elapsed(),
        steps: churn.steps(),
        usage: Usage::now(&ground.file),
        residents: churn.residents(),
        book: ground.book.bytes(),
    }
}

fn judge_calls(churn: &Churn, verdict: &mut Verdict) {
    let (odd, examples) = churn.odd();
    let found = if odd == 0 {
        "0".to_owned()
    } else {
        format!("{odd}: {examples}")
    };
    verdict.judge("answers that were not the right ones", found, "0", odd == 0);
}

fn judge_memory(
    plan: &Plan,
    shape: &Shape,
    ground: &Ground,
    before: Usage,
    samples: &[Sample],
    verdict: &mut Verdict,
) {
    let most = |of: fn(&Sample) -> u64| samples.iter().map(of).max().unwrap_or(0);
    let residents = most(|sample| sample.residents);
    verdict.judge(
        "entities in memory",
        residents,
        format!("at most {}", plan.residents),
        residents <= plan.residents as u64,
    );
    let growth = budget::growth(&shape.limits, plan.keys, ground.book.bytes());
    let allowed = before.rss + budget::with_room(growth);
    let rss = most(|sample| sample.usage.rss);
    verdict.judge(
        "memory",
        format!("{} MiB", mib(rss)),
        format!("at most {} MiB by the limits", mib(allowed)),
        rss <= allowed,
    );
    let log = most(|sample| sample.usage.log);
    verdict.judge(
        "log",
        format!("{} MiB", mib(log)),
        format!("at most {} MiB", mib(LOG_MAX)),
        log <= LOG_MAX,
    );
}

/// What must not rise in the second half, when caches are full and connections are open.
fn judge_flat(samples: &[Sample], verdict: &mut Verdict) {
    let late = samples.get(samples.len() / 2..).unwrap_or_default();
    let points = late.iter().map(|sample| {
        let rss = sample.usage.rss.saturating_sub(sample.book);
        (sample.at.as_secs_f64(), rss)
    });
    let trend = Trend::of(points);
    verdict.judge_speed(
        "memory rises in the second half by",
        format!("{:.1} MiB of {:.0}", trend.rise / 1e6, trend.mean / 1e6),
        "5 % and 4 MiB at most",
        trend.rise <= 0.05 * trend.mean + 4e6,
    );
    for (what, of) in [
        (
            "descriptors",
            (|usage| usage.descriptors) as fn(&Usage) -> u64,
        ),
        ("threads", |usage| usage.threads),
    ] {
        let seen = || late.iter().map(|sample| of(&sample.usage));
        let (least, most) = (seen().min().unwrap_or(0), seen().max().unwrap_or(0));
        verdict.judge(
            what,
            format!("{least} to {most}"),
            format!("within {HELPERS}"),
            most <= least + HELPERS,
        );
    }
}

/// The size of the log once it is empty, or when that took too long.
fn log_empties(ground: &Ground) -> u64 {
    let started = now();
    loop {
        let log = Usage::now(&ground.file).log;
        if log == 0 || started.elapsed() > IDLE {
            return log;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

impl fmt::Display for Soaked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| s | steps | in memory | memory MiB | log MiB | database MiB | descriptors | threads |"
        )?;
        writeln!(f, "|{}", "---:|".repeat(8))?;
        let every = (self.samples.len() / 16).max(1);
        for sample in self.samples.iter().step_by(every) {
            let usage = &sample.usage;
            writeln!(
                f,
                "| {:.0} | {} | {} | {} | {} | {} | {} | {} |",
                sample.at.as_secs_f64(),
                sample.steps,
                sample.residents,
                mib(usage.rss),
                mib(usage.log),
                mib(usage.database),
                usage.descriptors,
                usage.threads,
            )?;
        }
        writeln!(f, "\n{}\n\n{}", self.counts, self.verdict)
    }
}
