//! One part for each replica: what counters and votes are made of.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::replica::ReplicaId;
use super::wire;

/// Parts by replica. There are few replicas, so they are a sorted list.
#[derive(Clone, Debug)]
pub(super) struct PerReplica<X> {
    parts: Vec<(ReplicaId, X)>,
    /// Those that were changed here since the last delta.
    changed: Vec<ReplicaId>,
}

impl<X> Default for PerReplica<X> {
    fn default() -> Self {
        Self {
            parts: Vec::new(),
            changed: Vec::new(),
        }
    }
}

impl<X: PartialEq> PartialEq for PerReplica<X> {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl<X: Eq> Eq for PerReplica<X> {}

impl<X: Copy + PartialEq> PerReplica<X> {
    pub(super) fn get(&self, replica: ReplicaId) -> Option<X> {
        let place = self.place(replica).ok()?;
        self.parts.get(place).map(|(_, part)| *part)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (ReplicaId, X)> + '_ {
        self.parts.iter().copied()
    }

    /// Sets the part of a replica that changes it here.
    pub(super) fn set(&mut self, replica: ReplicaId, part: X) {
        self.put(replica, part);
        if !self.changed.contains(&replica) {
            self.changed.push(replica);
        }
    }

    pub(super) fn merge(&mut self, other: &Self, join: impl Fn(X, X) -> X) {
        for (replica, theirs) in &other.parts {
            match self.get(*replica) {
                None => self.put(*replica, *theirs),
                Some(mine) => self.put(*replica, join(mine, *theirs)),
            }
        }
    }

    pub(super) fn take_delta(&mut self) -> Option<Self> {
        if self.changed.is_empty() {
            return None;
        }
        let changed = std::mem::take(&mut self.changed);
        let mut parts = self.parts.clone();
        parts.retain(|(replica, _)| changed.contains(replica));
        let changed = Vec::new();
        Some(Self { parts, changed })
    }

    fn put(&mut self, replica: ReplicaId, part: X) {
        match self.place(replica) {
            Ok(place) => {
                if let Some(entry) = self.parts.get_mut(place) {
                    entry.1 = part;
                }
            }
            Err(place) => self.parts.insert(place, (replica, part)),
        }
    }

    fn place(&self, replica: ReplicaId) -> Result<usize, usize> {
        self.parts.binary_search_by_key(&replica, |(id, _)| *id)
    }
}

impl<X: Serialize> Serialize for PerReplica<X> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts.serialize(serializer)
    }
}

impl<'de, X: Deserialize<'de>> Deserialize<'de> for PerReplica<X> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut parts = Vec::new();
        wire::ascending(deserializer, |replica, part| {
            parts.push((replica, part));
            Ok(())
        })?;
        let changed = Vec::new();
        Ok(Self { parts, changed })
    }
}
