//! A counter that goes up and down.

use serde::{Deserialize, Serialize};

use super::per_replica::PerReplica;
use super::{Crdt, ReplicaId, Writer};

/// A counter that goes up and down: two growing counts for each replica.
///
/// After Shapiro et al. (INRIA RR-7506, 2011), specification 7; deltas after Almeida et al. (2018).
///
/// Each of a replica's two counts saturates at `u64::MAX`, and the value at the ends of `i64`: a
/// count that is full counts no further, while the other one still does.
///
/// ```
/// use statefn::crdt::{Crdt, PnCounter, ReplicaId, Writer};
///
/// let mut here = PnCounter::default();
/// let mut there = here.clone();
/// here.increment(&mut Writer::new(ReplicaId::new(1), 0), 2);
/// there.decrement(&mut Writer::new(ReplicaId::new(2), 0), 5);
/// here.merge(&there);
/// assert_eq!(here.value(), -3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PnCounter {
    /// What each replica added and took away.
    counts: PerReplica<(u64, u64)>,
}

impl PnCounter {
    /// What was added less what was taken away.
    pub fn value(&self) -> i64 {
        let add = |sum: i128, (_, (up, down)): (ReplicaId, (u64, u64))| {
            sum.saturating_add(i128::from(up) - i128::from(down))
        };
        let sum = self.counts.parts().fold(0, add);
        let bounded = sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        i64::try_from(bounded).unwrap_or_default()
    }

    /// Adds `by`, or takes it away if it is negative. Zero is no change.
    pub fn increment(&mut self, writer: &mut Writer, by: i64) {
        let before = self.counts.get(writer.replica()).unwrap_or_default();
        let mut after = before;
        let side = if by < 0 { &mut after.1 } else { &mut after.0 };
        *side = side.saturating_add(by.unsigned_abs());
        if after != before {
            self.counts.set(writer.replica(), after);
        }
    }

    /// Takes `by` away, or adds it if it is negative. Zero is no change; `i64::MIN` adds
    /// `i64::MAX`.
    pub fn decrement(&mut self, writer: &mut Writer, by: i64) {
        self.increment(writer, by.saturating_neg());
    }
}

impl Crdt for PnCounter {
    fn merge(&mut self, other: &Self) {
        let join =
            |mine: (u64, u64), theirs: (u64, u64)| (mine.0.max(theirs.0), mine.1.max(theirs.1));
        self.counts.merge(&other.counts, join);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let counts = self.counts.take_delta()?;
        Some(Self { counts })
    }
}
