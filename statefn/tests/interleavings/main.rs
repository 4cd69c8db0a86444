//! The real runtime under a scheduler that decides at each lock, atomic and wake-up who goes on:
//! callers, tasks, commits and the caretaker's clock, in many orders. What callers saw is judged
//! against the journal; a caller that nobody wakes is a deadlock, which shuttle reports.
//!
//! Built with `--cfg statefn_shuttle` only; `.ci/run interleavings` does. `STATEFN_SCHEDULES` says
//! how many schedules each model runs (2,000), `STATEFN_REPLAY` holds one that failed.

#![cfg(statefn_shuttle)]

mod calls;
mod clock;
mod entities;
mod failures;
mod lifetimes;
mod store;
mod tally;
mod world;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Runs a model under many schedules: half of them random, half with few and well-placed
/// preemptions (PCT; Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
/// Finding Bugs", 2010).
fn explore(model: impl Fn() + Send + Sync + Clone + 'static) {
    if let Ok(schedule) = std::env::var("STATEFN_REPLAY") {
        run(ReplayScheduler::new_from_encoded(&schedule), model);
        return;
    }
    let schedules = std::env::var("STATEFN_SCHEDULES").map_or(2_000, |count| {
        count.parse().expect("STATEFN_SCHEDULES is a number")
    });
    let random = run(RandomScheduler::new(schedules / 2), model.clone());
    let placed = run(PctScheduler::new(3, schedules / 2), model);
    eprintln!("{} schedules", random + placed);
}

fn run(scheduler: impl Scheduler + 'static, model: impl Fn() + Send + Sync + 'static) -> usize {
    let mut config = Config::new();
    config.stack_size = 512 * 1024;
    config.max_steps = MaxSteps::FailAfter(200_000);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(model)
}
