//! Every operation of a run fails in turn; every capacity is tried.

use std::fmt;

use crate::cuts::{Cutting, Totals, cut_everywhere};
use crate::disk::{Failure, Plan};
use crate::errors;
use crate::mount::Mount;
use crate::platter::{FailedSync, Rules};
use crate::trace::Op;
use crate::trouble::{Told, Trouble};
use crate::workload::Shape;

/// What one way to fail showed, at all its sites.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Operations that failed, each in a run of its own.
    pub sites: u64,
    /// What callers were told, summed over the runs.
    pub told: Told,
    /// What was wrong, with the trouble that shows it again.
    pub wrong: Vec<String>,
}

impl Sweep {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.sites += other.sites;
        self.told.add(other.told);
        self.wrong.extend(other.wrong);
    }

    /// Runs once; answers whether the trouble struck.
    fn run(&mut self, mount: &Mount, seed: u64, trouble: Trouble) -> bool {
        match errors::run(mount, seed, shape(), trouble) {
            Ok((told, _)) if told.struck == 0 => return false,
            Ok((told, _)) => self.told.add(told),
            Err(wrong) => self
                .wrong
                .push(format!("seed {seed}, {trouble:?}: {wrong}")),
        }
        self.sites += 1;
        true
    }
}

impl fmt::Display for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told;
        write!(
            f,
            "{} | {} | {} | {} | {} | {} | {} |",
            self.sites,
            told.struck,
            told.acknowledged,
            told.not_applied,
            told.unknown,
            told.applied,
            self.wrong.len()
        )?;
        for wrong in self.wrong.iter().take(20) {
            write!(f, "\nWRONG: {wrong}")?;
        }
        Ok(())
    }
}

/// A small run: it is made anew for every operation of it.
pub fn shape() -> Shape {
    Shape {
        commits: 8,
        entities: 6,
        burst: 12,
        stale: false,
        ..Shape::default()
    }
}

/// Fails every operation of a run that can fail in this way.
pub fn every_site(seed: u64, failure: Failure, forever: bool) -> Sweep {
    let mount = Mount::new();
    let mut sweep = Sweep::default();
    for first in 1.. {
        let plan = Plan {
            failure,
            first,
            forever,
        };
        if !sweep.run(&mount, seed, Trouble::Planned(plan)) {
            break;
        }
    }
    sweep
}

/// Runs on disks of every size, `step` bytes apart, that become larger when they have been full
/// for a while.
pub fn every_capacity(seed: u64, step: usize) -> Sweep {
    let mount = Mount::new();
    let mut sweep = Sweep::default();
    let mut capacity = 0;
    while sweep.run(&mount, seed, Trouble::Full(capacity)) {
        capacity += step;
    }
    sweep
}

/// Fails every sync of a run in turn, under each rule for what becomes of the unwritten, and cuts
/// the power later: at every `every`-th operation from the failed sync on.
pub fn cuts_after_failed_syncs(seed: u64, every: usize) -> Totals {
    let mount = Mount::new();
    let mut totals = Totals::default();
    for first in 1.. {
        let plan = Plan {
            failure: Failure::Sync,
            first,
            forever: false,
        };
        let run = match errors::run(&mount, seed, shape(), Trouble::Planned(plan)) {
            Ok((told, _)) if told.struck == 0 => break,
            Ok((_, run)) => run,
            Err(wrong) => {
                totals.failed += 1;
                totals.wrong.push(format!("{plan:?}: {wrong}"));
                continue;
            }
        };
        let failed = |op: &Op| matches!(op, Op::FailedSync { .. });
        let from = run.trace.iter().position(failed).map_or(0, |at| at + 1);
        for failed_sync in [
            FailedSync::StaysDirty,
            FailedSync::Dropped,
            FailedSync::PartlyDropped,
        ] {
            let cutting = Cutting {
                rules: Rules {
                    failed_sync,
                    ..Rules::default()
                },
                moments: (from, every),
                nested_every: 0,
                ..Cutting::every(seed)
            };
            totals.add(&cut_everywhere(&run, cutting));
        }
    }
    totals
}
