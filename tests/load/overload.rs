//! More than can be served: what it does to those who are served, to those who are refused, to memory,
//! and for how long.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use statefn::Limits;
use tokio::runtime::Runtime as Threads;

use super::audit::audit;
use super::budget;
use super::closed::{Served, call, serve};
use super::open::{Offer, Offered, offer};
use super::tally::Tally;
use super::usage::{Usage, Watch, mib};
use super::verdict::Verdict;
use super::world::{Failure, Ground, Shape, World, threads};

/// How long after a load calls may still be slower than before it.
const RECOVERY: Duration = Duration::from_secs(5);

/// The part of the peak that must still be served, and what is judged on a machine that others use.
const GOODPUT: (f64, f64) = (0.9, 0.75);

/// How many times the peak's p99 a served call may take, and what is judged.
const SLOWER: (f64, f64) = (2.0, 3.0);

/// The part of a load that must have been offered before latencies say something of the served.
const OFFERED: f64 = 0.8;

/// How soon a refused call is told, and what is judged.
const REFUSAL: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(50));

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long each rate is offered.
    pub duration: Duration,
    /// Multiples of the peak that are offered.
    pub factors: Vec<f64>,
    /// Concurrent callers that are tried for the peak; the best number becomes the limit of calls
    /// that wait.
    pub callers: Vec<usize>,
    /// How much longer than this machine's disk a commit takes.
    pub delay: Option<Duration>,
    /// Entities that are called.
    pub entities: usize,
    /// Where the store lies.
    pub folder: Option<PathBuf>,
}

/// What a load came to.
#[derive(Clone, Debug)]
struct Row {
    what: String,
    offered: f64,
    sent: f64,
    goodput: f64,
    refused: u64,
    p50: Duration,
    p99: Duration,
    refusal_p99: Duration,
    refusal_max: Duration,
    lag: Duration,
    rss: u64,
    recovered: Duration,
}

/// A run: its table and its judgment.
#[derive(Clone, Debug)]
pub struct Overloaded {
    rows: Vec<Row>,
    /// What was judged.
    pub verdict: Verdict,
}

/// Measures the peak, offers multiples of it, and audits the store.
///
/// # Errors
///
/// The machine does not do what it must, or the store answers with an error of its own.
pub fn run(plan: &Plan) -> Result<Overloaded, Failure> {
    let threads = threads()?;
    let ground = Ground::new(plan.folder.as_deref())?;
    let callers = best_number(&threads, &ground, plan)?;
    let shape = plan.shape(callers);
    let world = threads.block_on(World::open(&ground, &shape))?;
    threads.block_on(world.warm())?;
    let mut run = Run {
        before: Usage::now(&ground.file),
        calm: threads.block_on(median(&world)),
        plan,
        threads: &threads,
        ground: &ground,
        world,
        callers,
        outcome: Overloaded {
            rows: Vec::new(),
            verdict: Verdict::default(),
        },
    };
    run.all();
    let Run {
        world, mut outcome, ..
    } = run;
    let finished = threads.block_on(world.close())?;
    outcome.verdict.judge(
        "the shutdown lets everything finish",
        finished,
        "true",
        finished,
    );
    drop(world);
    threads.block_on(audit(&ground.file, &ground.book, &mut outcome.verdict))?;
    Ok(outcome)
}

impl Plan {
    fn shape(&self, callers: usize) -> Shape {
        Shape {
            limits: Limits {
                waiting_max: callers,
                waiting_bytes_max: 8 << 20,
                ..Limits::default()
            },
            entities: self.entities,
            padding: 100,
            delay: self.delay,
        }
    }
}

/// The number of callers with which most is served.
fn best_number(threads: &Threads, ground: &Ground, plan: &Plan) -> Result<usize, Failure> {
    let [first, _, ..] = plan.callers.as_slice() else {
        return Ok(plan.callers.first().copied().unwrap_or(256));
    };
    let mut best = (*first, 0.0);
    for &callers in &plan.callers {
        let shape = plan.shape(callers);
        let world = threads.block_on(World::open(ground, &shape))?;
        threads.block_on(world.warm())?;
        let served = threads.block_on(serve(&world, callers, Duration::from_secs(3)));
        eprintln!("{callers} callers: {:.0}/s", served.per_second);
        threads.block_on(world.close())?;
        // More callers wait longer: they must be worth it.
        if served.per_second > best.1 * 1.1 {
            best = (callers, served.per_second);
        }
    }
    Ok(best.0)
}

/// The median of a few calls, one after another.
async fn median(world: &World) -> Duration {
    let tally = Tally::default();
    let mut times = Vec::new();
    for _ in 0..31 {
        times.push(call(world, &tally).await);
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

struct Run<'a> {
    plan: &'a Plan,
    threads: &'a Threads,
    ground: &'a Ground,
    world: Arc<World>,
    callers: usize,
    before: Usage,
    /// A call when nobody else calls.
    calm: Duration,
    outcome: Overloaded,
}

impl Run<'_> {
    fn all(&mut self) {
        let first = self.peak("peak before");
        let rate = first.per_second;
        let mut stages = Vec::new();
        for &factor in &self.plan.factors {
            let stage = self.stage(factor, rate);
            stages.push((factor, stage));
        }
        let last = self.peak("peak after");
        let peak = f64::midpoint(rate, last.per_second);
        let p99 = [&first, &last].map(|served| served.tally.replies.percentile(99.0));
        let p99 = p99[0].max(p99[1]);
        for (factor, offered) in &stages {
            self.judge_speed(*factor, offered, peak, p99);
        }
    }

    fn peak(&mut self, what: &str) -> Served {
        let watch = Watch::start(&self.ground.file);
        let duration = self.plan.duration.min(Duration::from_secs(15));
        let served = self
            .threads
            .block_on(serve(&self.world, self.callers, duration));
        let replies = &served.tally.replies;
        self.outcome.rows.push(Row {
            what: format!("{what}, {} callers", self.callers),
            offered: served.per_second,
            sent: served.per_second,
            goodput: served.per_second,
            refused: served.tally.refused.load(Ordering::Relaxed),
            p50: replies.percentile(50.0),
            p99: replies.percentile(99.0),
            refusal_p99: Duration::ZERO,
            refusal_max: Duration::ZERO,
            lag: Duration::ZERO,
            rss: watch.stop().rss,
            recovered: Duration::ZERO,
        });
        self.judge_answers(what, &served.tally, 0);
        served
    }

    fn stage(&mut self, factor: f64, peak: f64) -> Offered {
        let watch = Watch::start(&self.ground.file);
        let rate = factor * peak;
        let duration = self.plan.duration;
        let offered = offer(self.threads.handle(), &self.world, Offer { rate, duration });
        let recovered = self.recovered(offered.stopped);
        let most = watch.stop();
        let (replies, refusals) = (&offered.tally.replies, &offered.tally.refusals);
        let what = format!("{factor} times the peak");
        self.outcome.rows.push(Row {
            what: what.clone(),
            offered: rate,
            sent: offered.sent_per_second,
            goodput: offered.goodput,
            refused: offered.tally.refused.load(Ordering::Relaxed),
            p50: replies.percentile(50.0),
            p99: replies.percentile(99.0),
            refusal_p99: refusals.percentile(99.0),
            refusal_max: refusals.percentile(100.0),
            lag: offered.lag,
            rss: most.rss,
            recovered,
        });
        self.judge_answers(&what, &offered.tally, offered.hang);
        self.judge_memory(&what, most);
        offered
    }

    /// How long after the load a call takes no more than twice what it took before.
    fn recovered(&self, stopped: Instant) -> Duration {
        while stopped.elapsed() < 4 * RECOVERY {
            if self.threads.block_on(median(&self.world)) <= 2 * self.calm {
                break;
            }
        }
        stopped.elapsed()
    }

    fn judge_answers(&mut self, what: &str, tally: &Tally, hang: u64) {
        let verdict = &mut self.outcome.verdict;
        let unknown = tally.unknown.load(Ordering::Relaxed);
        let (odd, examples) = tally.odd();
        let odd_found = if odd == 0 {
            "0".to_owned()
        } else {
            format!("{odd}: {examples}")
        };
        verdict.judge(format!("{what}: without an answer"), hang, "0", hang == 0);
        verdict.judge(
            format!("{what}: neither served nor told `Overloaded`"),
            odd_found,
            "0",
            odd == 0,
        );
        verdict.judge(
            format!("{what}: of unknown outcome"),
            unknown,
            "0",
            unknown == 0,
        );
        let waiting = self.world.runtime.admin().waiting();
        verdict.judge(
            format!("{what}: calls counted as waiting afterwards"),
            waiting,
            "0",
            waiting == 0,
        );
    }

    fn judge_memory(&mut self, what: &str, most: Usage) {
        let (limits, book) = (&self.world.limits, self.ground.book.bytes());
        let growth = budget::growth(limits, self.plan.entities as u64, book);
        let allowed = self.before.rss + budget::with_room(growth);
        self.outcome.verdict.judge(
            format!("{what}: memory"),
            format!("{} MiB", mib(most.rss)),
            format!("at most {} MiB by the limits", mib(allowed)),
            most.rss <= allowed,
        );
    }

    fn judge_speed(&mut self, factor: f64, offered: &Offered, peak: f64, peak_p99: Duration) {
        let verdict = &mut self.outcome.verdict;
        let what = format!("{factor} times the peak");
        let ratio = offered.goodput / peak;
        verdict.judge_speed(
            format!("{what}: served, of the peak"),
            format!("{ratio:.2}"),
            format!("{} (judged: {})", GOODPUT.0, GOODPUT.1),
            ratio >= GOODPUT.1,
        );
        let sent = offered.sent_per_second / (factor * peak);
        let p99 = offered.tally.replies.percentile(99.0);
        let slower = p99.as_secs_f64() / peak_p99.as_secs_f64().max(1e-6);
        // The sender shares the cores with those who serve. One that is late is all that is measured.
        let was_offered = sent >= OFFERED;
        verdict.judge_speed(
            format!("{what}: p99 of the served, of the peak's"),
            format!("{slower:.2}"),
            format!(
                "{} (judged: {}, where {OFFERED} of the load was really offered; here {sent:.2})",
                SLOWER.0, SLOWER.1
            ),
            slower <= SLOWER.1 || !was_offered,
        );
        let told = offered.tally.refusals.percentile(99.0);
        verdict.judge_speed(
            format!("{what}: p99 of a refusal"),
            format!("{told:.1?}"),
            format!("{:?} (judged: {:?})", REFUSAL.0, REFUSAL.1),
            told <= REFUSAL.1,
        );
        let row = self.outcome.rows.iter().find(|row| row.what == what);
        let recovered = row.map_or(Duration::MAX, |row| row.recovered);
        verdict.judge_speed(
            format!("{what}: as fast as before, after"),
            format!("{recovered:.1?}"),
            format!("{RECOVERY:?}"),
            recovered <= RECOVERY,
        );
    }
}

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| load | offered/s | sent/s | served/s | refused | p50 | p99 | refusal p99 | refusal \
             max | sender behind | most memory | recovered after |"
        )?;
        writeln!(f, "|---|{}", "---:|".repeat(11))?;
        for row in &self.rows {
            writeln!(
                f,
                "| {} | {:.0} | {:.0} | {:.0} | {} | {:.1?} | {:.1?} | {:.1?} | {:.1?} | {:.1?} | \
                 {} MiB | {:.1?} |",
                row.what,
                row.offered,
                row.sent,
                row.goodput,
                row.refused,
                row.p50,
                row.p99,
                row.refusal_p99,
                row.refusal_max,
                row.lag,
                mib(row.rss),
                row.recovered,
            )?;
        }
        writeln!(f, "\n{}", self.verdict)
    }
}
