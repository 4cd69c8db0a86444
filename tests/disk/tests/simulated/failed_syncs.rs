//! A sync that fails, and a power cut later: the operating system may have forgotten what it could
//! not write.

use statefn_disk::sweep::cuts_after_failed_syncs;

#[test]
fn p1_what_a_failed_sync_forgot_is_written_again_before_anything_is_acknowledged() {
    let totals = cuts_after_failed_syncs(5, 23);
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    assert!(totals.wrong.is_empty() && totals.all() > 300, "{totals}");
}
