//! Families of contenders, measured in interleaved rounds.

pub(crate) mod measure;
pub(crate) mod results;
pub(crate) mod summary;

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use statefn_bench_kit::{Load, Sample};

/// What a run is about.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Rounds of every contender.
    pub(crate) rounds: usize,
    /// Seconds that a contender with a full share is measured in a round.
    pub(crate) seconds: f64,
    /// Smaller stores: for development, not for a report.
    pub(crate) quick: bool,
    /// Only contenders that a row calls ours: for a profiler.
    pub(crate) ours: bool,
    /// Where files live; removed at the end.
    pub(crate) folder: PathBuf,
    /// The program that is cqrs-es.
    pub(crate) cqrs: PathBuf,
}

impl Plan {
    /// The load of a round with a share of the time.
    pub(crate) fn load(&self, share: f64) -> Load {
        Load::of(self.seconds * share)
    }

    /// `full`, or a tenth of it in a quick run.
    pub(crate) fn scaled(&self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }
}

/// Somebody who is measured.
pub(crate) trait Contender {
    /// One round: prepares what is not measured, warms up, measures.
    fn round(&mut self, plan: &Plan) -> Result<Sample>;

    /// What a reader must know to judge the numbers.
    fn facts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A contender before it is set up.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The unit of its samples.
    pub(crate) unit: Unit,
    /// Sets it up, once for all rounds.
    pub(crate) make: fn(&Plan) -> Result<Box<dyn Contender>>,
}

/// Contenders that take turns, and the rows that compare them.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    /// What is done.
    pub(crate) what: &'static str,
    /// Part of [`Plan::seconds`] that a round takes; none if a round takes what it takes.
    pub(crate) share: f64,
    /// Seconds that a full run needs beside the measured ones, about: filling stores.
    pub(crate) preparation: f64,
    pub(crate) entries: &'static [Entry],
    pub(crate) rows: &'static [Row],
}

/// A row of the table: one contender against another, or against a bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    /// Index of ours among the entries.
    pub(crate) ours: usize,
    /// Index of the other one; without one the value itself is held against the targets.
    pub(crate) peer: Option<usize>,
    pub(crate) target: Target,
}

/// What a ratio (or a value) should be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Target {
    /// Smaller is better.
    AtMost { first: f64, goal: f64 },
    /// Larger is better.
    AtLeast { first: f64, goal: f64 },
    /// For information.
    None,
}

/// How a number reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    Nanoseconds,
    PerSecond,
    Bytes,
    Seconds,
}
