//! Names of replicas.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Names a replica, for ever: no two replicas may have one id.
///
/// ```
/// use statefn::crdt::ReplicaId;
///
/// let id = ReplicaId::new(0xbeef);
/// assert_eq!(id.to_string(), "000000000000beef");
/// assert_eq!(id.get(), 0xbeef);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaId(u64);

impl ReplicaId {
    /// The replica with this number. Chosen at random, two of a thousand replicas are alike once
    /// in 10^13 times.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
