//! What a faulty store does next: the script that the test writes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::hold::Stop;
use crate::{FailureKind, PersistenceId, SequenceNumber, StoreFailure};

/// The calls of a [`Store`](crate::Store) that a test can count, hold and fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Call {
    /// [`Store::claim`](crate::Store::claim).
    Claim,
    /// [`Store::commit`](crate::Store::commit).
    Commit,
    /// [`Store::load`](crate::Store::load).
    Load,
    /// [`Store::find_record`](crate::Store::find_record).
    FindRecord,
    /// [`Store::read`](crate::Store::read).
    Read,
    /// [`Store::entities`](crate::Store::entities).
    Entities,
    /// [`Store::entity_types`](crate::Store::entity_types).
    EntityTypes,
    /// [`Store::verify`](crate::Store::verify).
    Verify,
    /// [`Store::backup`](crate::Store::backup).
    Backup,
    /// [`Store::salvage`](crate::Store::salvage).
    Salvage,
    /// [`Store::close`](crate::Store::close).
    Close,
}

/// What happens to one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitFault {
    /// Nothing: the commit goes through. Fills a place in a script.
    Pass,
    /// Answers `Unavailable`; nothing is applied.
    Unavailable,
    /// Applies the batch and answers `Unknown`.
    UnknownApplied,
    /// Answers `Unknown`; nothing is applied.
    UnknownNotApplied,
    /// Another owner claims the store just before: answers `Fenced`, nothing is applied, and every
    /// later commit under the old epoch is fenced too.
    Fence,
}

/// Everything that a test has asked of a faulty store, and what it has seen.
#[derive(Debug, Default)]
pub(super) struct Script {
    commits: VecDeque<CommitFault>,
    every_commit: Option<CommitFault>,
    failing: BTreeMap<Call, u64>,
    before: BTreeMap<Call, Arc<Stop>>,
    answers: BTreeMap<Call, Arc<Stop>>,
    damaged: BTreeSet<(PersistenceId, SequenceNumber)>,
    pub(super) hide_snapshots: bool,
    counts: BTreeMap<Call, u64>,
    members: u64,
}

impl Script {
    pub(super) fn count(&self, call: Call) -> u64 {
        self.counts.get(&call).copied().unwrap_or(0)
    }

    pub(super) fn members(&self) -> u64 {
        self.members
    }

    pub(super) fn see(&mut self, call: Call) {
        *self.counts.entry(call).or_default() += 1;
    }

    pub(super) fn see_members(&mut self, count: usize) {
        self.members += count as u64;
    }

    pub(super) fn plan(&mut self, faults: impl IntoIterator<Item = CommitFault>) {
        self.commits.extend(faults);
    }

    pub(super) fn plan_all(&mut self, fault: CommitFault) {
        self.every_commit = Some(fault);
    }

    pub(super) fn plan_failures(&mut self, call: Call, count: u64) {
        self.failing.insert(call, count);
    }

    pub(super) fn heal(&mut self) {
        self.commits.clear();
        self.every_commit = None;
        self.failing.clear();
        self.damaged.clear();
        self.hide_snapshots = false;
    }

    /// The failure planned for this call, if any.
    pub(super) fn failure(&mut self, call: Call) -> Result<(), StoreFailure> {
        match self.failing.get_mut(&call) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(planted(call))
            }
            _ => Ok(()),
        }
    }

    /// What happens to this commit.
    pub(super) fn next_commit(&mut self) -> CommitFault {
        if self.failure(Call::Commit).is_err() {
            return CommitFault::Unavailable;
        }
        let next = self.commits.pop_front().or(self.every_commit);
        next.unwrap_or(CommitFault::Pass)
    }

    pub(super) fn hold(&mut self, call: Call, stop: Arc<Stop>) {
        self.before.insert(call, stop);
    }

    pub(super) fn hold_answer(&mut self, call: Call, stop: Arc<Stop>) {
        self.answers.insert(call, stop);
    }

    pub(super) fn stop_before(&self, call: Call) -> Option<Arc<Stop>> {
        self.before.get(&call).cloned()
    }

    pub(super) fn stop_answer(&self, call: Call) -> Option<Arc<Stop>> {
        self.answers.get(&call).cloned()
    }

    pub(super) fn damage(&mut self, id: PersistenceId, sequence: SequenceNumber) {
        self.damaged.insert((id, sequence));
    }

    /// The damaged events of one entity.
    pub(super) fn damage_of(&self, id: &PersistenceId) -> BTreeSet<SequenceNumber> {
        let first = (id.clone(), SequenceNumber::ZERO);
        let last = (id.clone(), SequenceNumber::new(u64::MAX));
        let sequences = self.damaged.range(first..=last);
        sequences.map(|(_, sequence)| *sequence).collect()
    }

    pub(super) fn is_damaged(&self, id: &PersistenceId, sequence: SequenceNumber) -> bool {
        self.damaged.contains(&(id.clone(), sequence))
    }
}

pub(super) fn planted(call: Call) -> StoreFailure {
    StoreFailure::new(FailureKind::Io, format!("planted failure of {call:?}"))
}
