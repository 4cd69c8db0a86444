//! Power cuts at every operation: nothing acknowledged is lost, nothing is damaged.

use statefn_disk::cuts::{Cutting, Totals, cut_everywhere};
use statefn_disk::platter::{Honesty, Model, Rules};
use statefn_disk::workload::{Shape, run};

fn cut(seeds: std::ops::Range<u64>, shape: Shape, rules: Rules) -> Totals {
    let mut totals = Totals::default();
    for seed in seeds {
        let cutting = Cutting {
            rules,
            ..Cutting::every(seed)
        };
        totals.add(&cut_everywhere(&run(seed, shape), cutting));
    }
    println!("{totals}");
    totals
}

#[test]
fn p1_a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let totals = cut(0..1, Shape::default(), Rules::default());
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
    assert!(
        Model::ALL.iter().all(|model| totals.cuts[model] > 50),
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
    let totals = cut(100..101, shape, rules);
    assert_eq!((totals.lost, totals.corrupt), (0, 0), "{totals}");
}

/// The harness can see a loss: this is what `synchronous=NORMAL` does to commits.
#[test]
fn a_log_that_is_not_synced_loses_commits_and_the_cuts_find_it() {
    let rules = Rules {
        honesty: Honesty::LogLies,
        ..Rules::default()
    };
    let totals = cut(0..1, Shape::default(), rules);
    assert!(totals.lost > 20, "{totals}");
}

/// The harness can see damage: this is what `synchronous=OFF` does.
#[test]
fn a_disk_that_lies_damages_stores_and_the_cuts_find_it() {
    let rules = Rules {
        honesty: Honesty::Lies,
        ..Rules::default()
    };
    let totals = cut(0..1, Shape::default(), rules);
    assert!(totals.lost > 20 && totals.corrupt > 20, "{totals}");
}
