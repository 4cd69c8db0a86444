//! A seed that failed, and why.

use std::fmt;

use crate::testing::oracle::Violation;

/// Lines of the log that a failure shows.
const LINES: usize = 60;

/// A seed that failed. Shown, it says why and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulationFailure {
    /// The seed.
    pub seed: u64,
    /// Everything that was wrong.
    pub reasons: Vec<Reason>,
    /// What happened, line by line.
    pub log: Vec<String>,
}

/// What was wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A promise was not kept.
    #[error("{0}")]
    Violation(#[from] Violation),
    /// A call was answered, but later than its deadline or the call timeout allow.
    #[error("{0}")]
    Late(String),
    /// The run did not end: somebody waits for ever.
    #[error("the run did not end within four hours of virtual time")]
    Stuck,
    /// Everything worked again, and an entity did not.
    #[error("with all faults gone, {call} came to: {answer}")]
    NotLive {
        /// The call.
        call: String,
        /// What it came to.
        answer: String,
    },
    /// The runtime did not come to rest, although everything worked.
    #[error("the runtime does not come to rest: {0}")]
    Restless(String),
    /// The store is damaged, or a snapshot differs from the state that the events lead to.
    #[error("the store is not clean: {0}")]
    Unclean(String),
    /// The same seed led to two different runs: something depends on the real time, on threads or
    /// on the order of a hash map.
    #[error("two runs of the seed differ")]
    Unrepeatable,
    /// A client or the final check panicked.
    #[error("a panic: {0}")]
    Panicked(String),
}

impl std::error::Error for SimulationFailure {}

impl fmt::Display for SimulationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.seed;
        writeln!(f, "seed {seed} failed:")?;
        for reason in &self.reasons {
            writeln!(f, "  {reason}")?;
        }
        let from = self.log.len().saturating_sub(LINES);
        if from > 0 {
            writeln!(f, "the last {LINES} of {} lines:", self.log.len())?;
        }
        for line in self.log.iter().skip(from) {
            writeln!(f, "  {line}")?;
        }
        write!(f, "to repeat it exactly: `.run([{seed}])`")
    }
}
