//! Power cuts at every operation: nothing acknowledged is lost, nothing is damaged.

use statefn_disk::cuts::{Cutting, cut_everywhere};
use statefn_disk::workload::{Shape, run};

#[test]
fn p1_a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let started = run(1, Shape::default());
    println!(
        "{} ops, {} batches",
        started.trace.len(),
        started.ledger.batches.len()
    );
    let totals = cut_everywhere(&started, Cutting::every(1));
    println!("{totals}");
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
}
