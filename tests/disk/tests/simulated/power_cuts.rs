//! Power cuts at every operation: nothing acknowledged is lost, nothing is damaged.

use statefn_disk::cuts::{Cutting, Totals, cut_everywhere};
use statefn_disk::platter::{Honesty, Model, Rules};
use statefn_disk::workload::{Shape, run};

/// Some of the moments of a run: the gate cuts at each of them, in a release build.
fn cut(seed: u64, shape: Shape, rules: Rules) -> Totals {
    let cutting = Cutting {
        rules,
        moments: (0, 3),
        ..Cutting::every(seed)
    };
    cut_everywhere(&run(seed, shape), cutting)
}

#[test]
fn p1_a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let totals = cut(0, Shape::default(), Rules::default());
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    assert!(
        Model::ALL.iter().all(|model| totals.cuts[model] > 20),
        "{totals}"
    );
    assert!(totals.unheard > 0, "{totals}");
}

#[test]
fn p1_nor_on_a_disk_that_damages_what_lies_beside_a_write() {
    let shape = Shape {
        powersafe: false,
        ..Shape::default()
    };
    let rules = Rules {
        damages_sectors: true,
        ..Rules::default()
    };
    let totals = cut(100, shape, rules);
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
}

/// Keys that are kept, states, events, records and what an operator left out: all go in parts.
#[test]
fn p10_a_power_cut_in_the_middle_of_an_erasure_leaves_each_entry_as_it_was_or_erased() {
    let mut totals = Totals::default();
    for seed in 40..42 {
        totals.add(&cut(seed, Shape::default(), Rules::default()));
    }
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    assert!(totals.erasing > 20 && totals.half_erased > 5, "{totals}");
}

#[test]
fn p4_a_power_cut_leaves_a_command_of_a_thousand_events_whole_or_not_at_all() {
    let shape = Shape {
        commits: 2,
        burst: 1_000,
        bursts: 60,
        ..Shape::default()
    };
    let started = run(2, shape);
    assert!(started.ledger.entries.len() > 1_000);
    let cutting = Cutting {
        moments: (0, 45),
        nested_every: 0,
        ..Cutting::every(2)
    };
    let totals = cut_everywhere(&started, cutting);
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
}

#[test]
fn a_power_cut_while_a_store_is_made_leaves_one_that_opens() {
    let shape = Shape {
        commits: 0,
        ..Shape::default()
    };
    for seed in 0..4 {
        let totals = cut_everywhere(&run(seed, shape), Cutting::every(seed));
        assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    }
}

/// The harness can see a loss: this is what `synchronous=NORMAL` does to commits.
#[test]
fn a_log_that_is_not_synced_loses_commits_and_the_cuts_find_it() {
    let rules = Rules {
        honesty: Honesty::LogLies,
        ..Rules::default()
    };
    let totals = cut(0, Shape::default(), rules);
    assert!(totals.lost > 10, "{totals}");
}

/// The harness can see damage: this is what `synchronous=OFF` does.
#[test]
fn a_disk_that_lies_damages_stores_and_the_cuts_find_it() {
    let rules = Rules {
        honesty: Honesty::Lies,
        ..Rules::default()
    };
    let totals = cut(0, Shape::default(), rules);
    assert!(totals.lost > 10 && totals.corrupt > 10, "{totals}");
}
