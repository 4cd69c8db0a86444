//! What a simulation has done, in numbers.

use std::fmt;
use std::time::Duration;

use statefn_store::testing::FaultCounts;

/// What happened in one or more runs. A call that was sent again counts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Seeds.
    pub seeds: u64,
    /// Calls sent.
    pub calls: u64,
    /// Calls that were answered with a reply.
    pub answered: u64,
    /// Calls that the domain rejected.
    pub rejected: u64,
    /// Calls whose error said "not applied", a panic included.
    pub not_applied: u64,
    /// Calls whose error said "nobody knows".
    pub unknown: u64,
    /// Calls whose caller went away, or lost its process.
    pub abandoned: u64,
    /// Events in the journals at the end.
    pub events: u64,
    /// Crashes of the runtime, by [`Runtime::crash`](crate::Runtime::crash).
    pub crashes: u64,
    /// Processes killed between two steps, and started again.
    pub kills: u64,
    /// Processes that took the store from one that lived.
    pub takeovers: u64,
    /// Jumps of the wall clock.
    pub clock_jumps: u64,
    /// Faults of the store.
    pub faults: FaultCounts,
    /// Virtual time.
    pub time: Duration,
}

impl Totals {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            seeds: self.seeds + other.seeds,
            calls: self.calls + other.calls,
            answered: self.answered + other.answered,
            rejected: self.rejected + other.rejected,
            not_applied: self.not_applied + other.not_applied,
            unknown: self.unknown + other.unknown,
            abandoned: self.abandoned + other.abandoned,
            events: self.events + other.events,
            crashes: self.crashes + other.crashes,
            kills: self.kills + other.kills,
            takeovers: self.takeovers + other.takeovers,
            clock_jumps: self.clock_jumps + other.clock_jumps,
            faults: self.faults.plus(other.faults),
            time: self.time + other.time,
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = &self.faults;
        let lines = [
            ("seeds", self.seeds),
            ("calls", self.calls),
            ("  answered", self.answered),
            ("  rejected", self.rejected),
            ("  not applied", self.not_applied),
            ("  unknown", self.unknown),
            ("  abandoned", self.abandoned),
            ("events stored", self.events),
            ("crashes", self.crashes),
            ("kills", self.kills),
            ("takeovers", self.takeovers),
            ("clock jumps", self.clock_jumps),
            ("commits failed", faults.commits_failed),
            ("commits unknown, applied", faults.commits_unknown_applied),
            (
                "commits unknown, not applied",
                faults.commits_unknown_not_applied,
            ),
            ("commits refused in part", faults.commits_refused),
            ("commits repeated", faults.commits_repeated),
            ("reads and claims failed", faults.calls_failed),
            ("delays of the store", faults.delays),
            ("virtual hours", self.time.as_secs() / 3600),
        ];
        for (name, number) in lines {
            writeln!(f, "{name:<30}{number:>14}")?;
        }
        Ok(())
    }
}
