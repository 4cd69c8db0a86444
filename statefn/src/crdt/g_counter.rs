//! A counter that grows.

use serde::{Deserialize, Serialize};

use super::per_replica::PerReplica;
use super::{Crdt, Writer};

/// A counter that grows: each replica counts for itself, and the value is the sum.
///
/// After Shapiro, Preguiça, Baquero and Zawirski, "A comprehensive study of convergent and
/// commutative replicated data types" (INRIA RR-7506, 2011), specification 6; deltas after Almeida
/// et al. (2018), section 4.1.
///
/// What one replica counts, and the value, saturate at `u64::MAX`.
///
/// ```
/// use statefn::crdt::{Crdt, GCounter, ReplicaId, Writer};
///
/// let mut here = GCounter::default();
/// let mut there = here.clone();
/// here.increment(&mut Writer::new(ReplicaId::new(1), 0), 2);
/// there.increment(&mut Writer::new(ReplicaId::new(2), 0), 3);
/// here.merge(&there);
/// here.merge(&there);
/// assert_eq!(here.value(), 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GCounter {
    counts: PerReplica<u64>,
}

impl GCounter {
    /// The sum of what all replicas counted.
    pub fn value(&self) -> u64 {
        let parts = self.counts.parts();
        parts.fold(0, |sum, (_, count)| u64::saturating_add(sum, count))
    }

    /// Counts `by`. Zero is no change.
    pub fn increment(&mut self, writer: &mut Writer, by: u64) {
        let before = self.counts.get(writer.replica()).unwrap_or(0);
        let after = before.saturating_add(by);
        if after != before {
            self.counts.set(writer.replica(), after);
        }
    }
}

impl Crdt for GCounter {
    fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts, u64::max);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let counts = self.counts.take_delta()?;
        Some(Self { counts })
    }
}
