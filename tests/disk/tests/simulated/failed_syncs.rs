//! A sync that fails, and a power cut later: the operating system may have forgotten what it could
//! not write.

use statefn_disk::disk::{Failure, Plan};
use statefn_disk::errors;
use statefn_disk::mount::Mount;
use statefn_disk::sweep::{cuts_after_failed_syncs, shape};
use statefn_disk::trouble::Trouble;

#[test]
fn p1_what_a_failed_sync_forgot_is_written_again_before_anything_is_acknowledged() {
    let totals = cuts_after_failed_syncs(5, 23);
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    assert!(totals.failed == 0 && totals.all() > 150, "{totals}");
}

/// SQLite answers `wal` before it writes the switch. Without its log a store acknowledges commits
/// that a power cut takes back, because the folder is not synced after its journal is removed.
#[test]
fn p1_a_store_whose_switch_to_the_log_failed_does_not_open() {
    let plan = Plan {
        failure: Failure::Sync,
        first: 1,
        forever: false,
    };
    let (told, _) = errors::run(&Mount::new(), 5, shape(), Trouble::Planned(plan)).unwrap();
    assert_eq!((told.struck, told.unopened), (1, 1));
}
