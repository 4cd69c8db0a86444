//! The long run: power cuts by the hundred thousand, every failing operation, every full disk.
//!
//! `cargo run --release -p statefn-disk -- --cuts 500000 --seed 1` prints a table of totals, and
//! every breach with the seed that shows it again. Exit code 1 if there was one.

use std::process::ExitCode;

use statefn_disk::cuts::{Cutting, Totals, cut_everywhere};
use statefn_disk::disk::Failure;
use statefn_disk::platter::Rules;
use statefn_disk::sweep::{Sweep, cuts_after_failed_syncs, every_capacity, every_site};
use statefn_disk::workload::{Shape, run};

/// Power cuts for which the failing operations of one more run are swept.
const CUTS_A_SWEEP: u64 = 100_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut cuts, mut seed) = (20_000, 1);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else {
            return usage();
        };
        match (name.as_str(), value.parse()) {
            ("--cuts", Ok(value)) => cuts = value,
            ("--seed", Ok(value)) => seed = value,
            _ => return usage(),
        }
    }
    let sweeps = 1 + cuts / CUTS_A_SWEEP;
    let mut wrong = failing(seed, sweeps);
    wrong += full(seed, sweeps);
    wrong += failed_syncs(seed, sweeps);
    wrong += power_cuts(seed, cuts);
    println!("\n{wrong} breaches");
    ExitCode::from(u8::from(wrong > 0))
}

fn usage() -> ExitCode {
    eprintln!("usage: statefn-disk [--cuts NUMBER] [--seed NUMBER]");
    ExitCode::from(2)
}

const TOLD: &str =
    "sites | strikes | acknowledged | not applied | unknown | of these applied | wrong |";

fn failing(seed: u64, runs: u64) -> u64 {
    println!("| failing operation | lasts | {TOLD}\n|---|---|---|---|---|---|---|---|---|");
    let mut wrong = 0;
    for failure in Failure::ALL {
        for forever in [false, true] {
            let mut total = Sweep::default();
            for run in 0..runs {
                total.add(every_site(seed + run, failure, forever));
            }
            let lasts = if forever { "until repaired" } else { "once" };
            println!("| {failure:?} | {lasts} | {total}");
            wrong += total.wrong.len() as u64;
        }
    }
    wrong
}

fn full(seed: u64, runs: u64) -> u64 {
    println!("\n| full disk | {TOLD}\n|---|---|---|---|---|---|---|---|");
    let mut total = Sweep::default();
    for run in 0..runs {
        // A step that divides no page, so that pages are cut.
        total.add(every_capacity(seed + run, 1_500));
    }
    println!("| every capacity | {total}");
    total.wrong.len() as u64
}

fn failed_syncs(seed: u64, runs: u64) -> u64 {
    let mut totals = Totals::default();
    for run in 0..runs {
        totals.add(&cuts_after_failed_syncs(seed + run, 5));
    }
    table("after a failed sync", &totals)
}

fn power_cuts(mut seed: u64, cuts: u64) -> u64 {
    let mut totals = Totals::default();
    while totals.all() < cuts {
        let (shape, rules, every) = kind(seed);
        let cutting = Cutting {
            rules,
            moments: (0, every),
            ..Cutting::every(seed)
        };
        totals.add(&cut_everywhere(&run(seed, shape), cutting));
        eprintln!("seed {seed}: {} power cuts so far", totals.all());
        seed += 1;
    }
    table("of a healthy disk", &totals)
}

/// Every fourth disk damages what lies beside a write; some runs are long, some commands large. A
/// recovery of thousands of events takes its time, so the large are cut at every 20th moment only.
fn kind(seed: u64) -> (Shape, Rules, usize) {
    let (mut shape, mut every) = (Shape::default(), 1);
    let mut rules = Rules::default();
    if seed % 4 == 3 {
        shape.powersafe = false;
        rules.damages_sectors = true;
    }
    match seed % 10 {
        5 => shape.commits = 60,
        8 => {
            every = 20;
            shape.commits = 2;
            shape.burst = 1_000;
            shape.bursts = 60;
        }
        _ => {}
    }
    (shape, rules, every)
}

fn table(what: &str, totals: &Totals) -> u64 {
    println!("\n| power cuts {what} | |\n|---|---|\n{totals}");
    totals.lost + totals.corrupt + totals.failed
}
