//! Mistakes planted in projections, one after another: rows must differ from the fold of the journal.
//!
//! Needs a build with `--cfg statefn_planted`; `bash .ci/prove planted` makes it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use statefn::testing::{Mistake, plant};

/// A mistake that is not found within so many seeds is not found.
const SEEDS: u64 = 60;

const OF_PROJECTIONS: &[Mistake] = &[
    Mistake::UnreadRowsAreAbsent,
    Mistake::FailedRowsStay,
    Mistake::FailedEntryPassed,
    Mistake::OffsetAheadOfRows,
    Mistake::OvertakenIgnored,
    Mistake::RowsOutliveFailure,
];

/// Runs one seed on this thread.
fn run(seed: u64) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(super::fold::run(seed));
}

#[test]
fn every_mistake_planted_in_projections_is_found() {
    let mut missed = Vec::new();
    for mistake in OF_PROJECTIONS {
        plant(Some(*mistake));
        let finds = |seed: &u64| catch_unwind(AssertUnwindSafe(|| run(*seed))).is_err();
        let found = (1_000..1_000 + SEEDS).find(finds);
        plant(None);
        match found {
            Some(seed) => println!("{mistake:?} found by seed {seed}"),
            None => missed.push(mistake),
        }
    }
    assert!(missed.is_empty(), "not found in {SEEDS} seeds: {missed:?}");
}
