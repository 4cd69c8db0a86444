//! Mistakes planted in the runtime, one after another: the simulation must find each of them.
//!
//! Needs a build with `--cfg statefn_planted`; `bash .ci/prove planted` makes it.

use statefn::testing::{Mistake, Simulation, plant};

use crate::ledger::simulation;
use crate::{forwards, keep_planned_panics_quiet, number, traffic, transfers, waiting};

/// A mistake that is not found within so many seeds is not found.
const SEEDS: u64 = 300;

/// What concerns effects and timers.
const OF_CALLS: &[Mistake] = &[
    Mistake::EffectStays,
    Mistake::EffectGone,
    Mistake::FiringStays,
    Mistake::RefusedEffectSent,
];

/// What the first simulation cannot find.
fn simulation_for(mistake: Mistake) -> Simulation {
    match mistake {
        Mistake::AsyncStartsEarly => waiting::simulation(),
        Mistake::PurgeErasesNothing => traffic::simulation(),
        _ => simulation(),
    }
}

/// `STATEFN_FIRST_SEED=1000` begins elsewhere: whether a mistake is found must not hang on a seed.
fn seeds() -> impl Iterator<Item = (u64, u64)> {
    let first = number("STATEFN_FIRST_SEED").unwrap_or(0);
    (1..=SEEDS).zip(first..)
}

/// What concerns projections, which neither has: the tests of projections find these.
const OF_PROJECTIONS: &[Mistake] = &[
    Mistake::UnreadRowsAreAbsent,
    Mistake::FailedRowsStay,
    Mistake::FailedEntryPassed,
    Mistake::OffsetAheadOfRows,
    Mistake::OvertakenIgnored,
    Mistake::RowsOutliveFailure,
];

/// What concerns forwards.
const OF_FORWARDS: &[Mistake] = &[Mistake::ForwardBeforeCommit, Mistake::ForwardUnnamed];

/// The first seed of transfers or forwards that finds what is planted, and what it says.
fn first_error<T>(
    mistake: Mistake,
    run: impl Fn(u64) -> Result<T, String>,
) -> Option<(u64, String)> {
    plant(Some(mistake));
    let found = seeds().find_map(|(count, seed)| Some((count, run(seed).err()?)));
    plant(None);
    found
}

/// The first seed that finds what is planted, and what it says.
fn first_find(simulation: &Simulation, mistake: Mistake) -> Option<(u64, String)> {
    plant(Some(mistake));
    let found = seeds().find_map(|(count, seed)| {
        let failure = simulation.try_seed(seed).err()?;
        let reason = failure.reasons.first().map(ToString::to_string);
        Some((count, reason.unwrap_or_default()))
    });
    plant(None);
    found
}

#[test]
fn every_planted_mistake_is_found() {
    keep_planned_panics_quiet();
    let mut missed = Vec::new();
    println!("mistake                  seeds  found by");
    // `STATEFN_MISTAKE=Forward` tries those with this in their name only.
    let wanted = std::env::var("STATEFN_MISTAKE").unwrap_or_default();
    let all = Mistake::ALL.iter();
    let all = all.filter(|mistake| !OF_PROJECTIONS.contains(mistake));
    let all = all.filter(|mistake| format!("{mistake:?}").contains(&wanted));
    for mistake in all.clone() {
        let name = format!("{mistake:?}");
        let found = if OF_CALLS.contains(mistake) {
            first_error(*mistake, transfers::run)
        } else if OF_FORWARDS.contains(mistake) {
            first_error(*mistake, forwards::run)
        } else {
            first_find(&simulation_for(*mistake), *mistake)
        };
        match found {
            Some((seeds, reason)) => println!("{name:<24} {seeds:>5}  {reason}"),
            None => missed.push(name),
        }
    }
    let all = all.count();
    println!("{} of {all} found", all - missed.len());
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
