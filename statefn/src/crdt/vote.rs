//! A vote of replicas.

use serde::{Deserialize, Serialize};

use super::per_replica::PerReplica;
use super::{Crdt, ReplicaId, Writer};

/// A yes or no of each replica, which it may change. Whose votes count is asked when they are
/// counted: those of replicas that have left stay in the state and out of the count.
///
/// A map from replica to a counted register, after the composition of lattices in Almeida et al.
/// (2018), section 3.2: a replica's newer vote replaces its older one.
///
/// ```
/// use statefn::crdt::{Crdt, ReplicaId, Vote, Writer};
///
/// let live = [ReplicaId::new(1), ReplicaId::new(2), ReplicaId::new(3)];
/// let mut here = Vote::default();
/// let mut there = Vote::default();
/// here.vote(&mut Writer::new(live[0], 0), true);
/// there.vote(&mut Writer::new(live[1], 0), true);
/// assert!(here.tally(&live).is_at_least_one());
/// here.merge(&there);
/// assert!(here.tally(&live).is_majority());
/// assert!(!here.tally(&live).is_unanimous());
/// assert!(here.tally(&live[..2]).is_unanimous());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Vote {
    /// How often each replica changed its vote, and what it is.
    votes: PerReplica<(u64, bool)>,
}

impl Vote {
    /// Sets the writer's own vote. The same vote again is no change, and so is a first `false`: it
    /// holds anyway. Answers whether the vote changed.
    pub fn vote(&mut self, writer: &mut Writer, vote: bool) -> bool {
        let (changes, before) = self.votes.get(writer.replica()).unwrap_or_default();
        // At the end of the count the vote stays as it is.
        let Some(changes) = changes.checked_add(1).filter(|_| vote != before) else {
            return false;
        };
        self.votes.set(writer.replica(), (changes, vote));
        true
    }

    /// The vote of a replica; `false` until it votes.
    pub fn of(&self, replica: ReplicaId) -> bool {
        self.votes.get(replica).is_some_and(|(_, vote)| vote)
    }

    /// Counts the votes of `voters`. One that is named twice counts twice.
    pub fn tally(&self, voters: &[ReplicaId]) -> Tally {
        Tally {
            votes_for: voters.iter().filter(|voter| self.of(**voter)).count(),
            voters: voters.len(),
        }
    }
}

/// What a vote came to.
///
/// ```
/// use statefn::crdt::{ReplicaId, Vote};
///
/// let nobody = Vote::default().tally(&[]);
/// assert!(!nobody.is_at_least_one() && !nobody.is_majority() && !nobody.is_unanimous());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many said yes.
    pub votes_for: usize,
    /// How many were asked.
    pub voters: usize,
}

impl Tally {
    /// Whether anybody said yes.
    pub fn is_at_least_one(&self) -> bool {
        self.votes_for > 0
    }

    /// Whether more than half said yes.
    pub fn is_majority(&self) -> bool {
        self.votes_for > self.voters / 2
    }

    /// Whether all said yes, and there is somebody.
    pub fn is_unanimous(&self) -> bool {
        self.votes_for > 0 && self.votes_for == self.voters
    }
}

impl Crdt for Vote {
    fn merge(&mut self, other: &Self) {
        self.votes.merge(&other.votes, Ord::max);
    }

    fn take_delta(&mut self) -> Option<Self> {
        let votes = self.votes.take_delta()?;
        Some(Self { votes })
    }
}
