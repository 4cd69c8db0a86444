//! What the oracle can find.

use std::fmt;

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(super) struct Breach {
    pub(super) kind: BreachKind,
    pub(super) what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BreachKind {
    /// Acknowledged and not there (P1).
    Lost,
    /// One command, two effects (P6).
    Doubled,
    /// A part of a command (P4).
    Torn,
    /// An answer from a state that never came to be (P2).
    Leaked,
    /// An answer from a state older than one that had been told before (P3).
    Disorder,
    /// A repetition under the same key that was answered otherwise than the first (P6).
    Forgotten,
    /// Said to be not applied, and applied (P5).
    Untrue,
    /// Live state, replayed state and the plain model differ (P7).
    Diverged,
    /// The store's own check, a gap, or an event that nobody sent.
    Damaged,
    /// Nobody answers (P8).
    Silent,
    /// A store that does not open at once, or opens for two.
    Locking,
    /// An answer or an end that no load should ever see.
    Odd,
}

impl BreachKind {
    pub(super) fn found(self, what: impl Into<String>) -> Breach {
        Breach {
            kind: self,
            what: what.into(),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}
