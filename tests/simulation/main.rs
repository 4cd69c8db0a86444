//! Entities under every fault that a seed can think of.
//!
//! An ordinary test run takes a few hundred short seeds. `STATEFN_SEEDS=2000` runs as many long ones
//! instead, from `STATEFN_FIRST_SEED` on, and prints what happened. Seeds that have failed once
//! stand in `seeds.txt` and are run always.

mod forwards;
mod ledger;
#[cfg(statefn_planted)]
mod planted;
mod shelf;
mod traffic;
mod transfers;
mod waiting;

use std::num::NonZero;
use std::panic;
use std::sync::Once;

use statefn::testing::{Simulation, Totals};

use ledger::{PLANNED, simulation};

/// Seeds of an ordinary test run, and how many calls each of them makes.
const SEEDS: u64 = 300;
const CALLS: usize = 100;

/// Panics that a test plans are not worth a line each.
fn keep_planned_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<String>();
            let planned = text.is_some_and(|text| text == PLANNED);
            if !planned {
                usual(panic);
            }
        }));
    });
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs seeds on all cores.
fn run(simulation: &Simulation, first: u64, count: u64) -> Totals {
    keep_planned_panics_quiet();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| (first..first + count).skip(thread).step_by(threads))
            .map(|seeds| scope.spawn(|| simulation.run(seeds)))
            .collect();
        let totals = runs.into_iter().map(|run| match run.join() {
            Ok(totals) => totals,
            Err(panic) => panic::resume_unwind(panic),
        });
        totals.fold(Totals::default(), Totals::plus)
    })
}

#[test]
fn every_promise_holds_in_every_seed() {
    let totals = match number("STATEFN_SEEDS") {
        None => run(&simulation().calls(CALLS), 0, SEEDS),
        Some(count) => run(
            &simulation(),
            number("STATEFN_FIRST_SEED").unwrap_or(0),
            count,
        ),
    };
    println!("{totals}");
    // A simulation in which nothing goes wrong, or nothing right, shows nothing.
    let faults = totals.faults;
    for (what, count) in [
        ("replies", totals.answered),
        ("rejections", totals.rejected),
        ("errors", totals.not_applied),
        ("unknown outcomes", totals.unknown),
        ("lost callers", totals.abandoned),
        ("crashes", totals.crashes),
        ("kills", totals.kills),
        ("takeovers", totals.takeovers),
        ("clock jumps", totals.clock_jumps),
        ("failed commits", faults.commits_failed),
        ("hidden commits", faults.commits_unknown_applied),
        ("lost commits", faults.commits_unknown_not_applied),
        ("refusals", faults.commits_refused),
        ("repetitions", faults.commits_repeated),
        ("failed reads", faults.calls_failed),
        ("delays", faults.delays),
    ] {
        assert!(count > 0, "no {what}");
    }
}

#[test]
fn what_an_async_command_tells_others_is_never_taken_back() {
    let totals = match number("STATEFN_SEEDS") {
        None => run(&waiting::simulation().calls(CALLS), 0, SEEDS / 5),
        Some(count) => {
            let first = number("STATEFN_FIRST_SEED").unwrap_or(0);
            run(&waiting::simulation(), first, count)
        }
    };
    println!("{totals}");
    assert!(totals.answered > 0 && totals.rejected > 0 && totals.crashes > 0);
}

#[test]
fn money_moves_exactly_once_beside_deletions_and_purges() {
    let totals = match number("STATEFN_SEEDS") {
        None => run(&traffic::simulation().calls(CALLS), 0, SEEDS / 5),
        Some(count) => {
            let first = number("STATEFN_FIRST_SEED").unwrap_or(0);
            run(&traffic::simulation().calls(2 * CALLS), first, count)
        }
    };
    println!("{totals}");
    assert!(totals.answered > 0 && totals.rejected > 0 && totals.crashes > 0);
}

#[test]
fn seeds_that_failed_once_do_not_fail_again() {
    keep_planned_panics_quiet();
    let seeds = include_str!("seeds.txt").lines().filter_map(|line| {
        let seed = line.split('#').next().unwrap_or_default().trim();
        (!seed.is_empty()).then(|| seed.parse().expect("a seed a line, then `#` and why"))
    });
    simulation().run(seeds);
}
