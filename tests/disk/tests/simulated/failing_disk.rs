//! Operations of the disk that fail, each in turn: callers are told what is known, nothing
//! acknowledged is lost, and the store serves again when the disk does.

use statefn_disk::disk::Failure;
use statefn_disk::sweep::{Sweep, every_site};

fn sweep(failures: &[Failure], forever: bool) -> Sweep {
    let mut total = Sweep::default();
    for failure in failures {
        let sweep = every_site(7, *failure, forever);
        assert!(sweep.sites > 0, "{failure:?} never happens");
        total.add(sweep);
    }
    assert!(total.wrong.is_empty(), "{total}");
    total
}

/// Failures that a run meets often.
const OFTEN: [Failure; 3] = [Failure::Write, Failure::ShortWrite, Failure::ShmLock];

fn others() -> Vec<Failure> {
    let others = Failure::ALL.into_iter();
    others.filter(|failure| !OFTEN.contains(failure)).collect()
}

#[test]
fn p5_an_operation_that_fails_once_is_told_and_the_store_serves_again() {
    let told = sweep(&OFTEN, false).told;
    // A write or a sync that fails at COMMIT is unknown; everything before it is not applied.
    assert!(told.unknown > 0 && told.not_applied > 0, "{told:?}");
}

#[test]
fn p5_any_other_operation_that_fails_once_is_told_too() {
    let told = sweep(&others(), false).told;
    assert!(
        told.applied > 0,
        "a sync failed after its commit was written: {told:?}"
    );
}

#[test]
fn p5_an_operation_that_fails_until_the_disk_is_repaired_is_told_and_nobody_hangs() {
    sweep(&OFTEN, true);
}

#[test]
fn p5_any_other_operation_that_fails_until_then_is_told_too() {
    sweep(&others(), true);
}
