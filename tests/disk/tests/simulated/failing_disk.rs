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

#[test]
fn p5_whatever_fails_once_is_told_and_the_store_serves_again() {
    let told = sweep(&Failure::ALL, false).told;
    // An error at COMMIT is unknown; all before it is not applied.
    assert!(told.unknown > 0 && told.not_applied > 0, "{told:?}");
}

/// The gate does the same with all that can fail.
#[test]
fn p5_what_fails_until_the_disk_is_repaired_is_told_and_nobody_waits_for_ever() {
    sweep(&[Failure::Sync, Failure::Truncate, Failure::Read], true);
}
