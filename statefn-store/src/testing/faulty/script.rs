//! What a faulty store does next: the script that the test writes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Call, CommitFault};
use super::hold::Stop;
use super::rates::{FaultCounts, Seeded};
use crate::{FailureKind, PersistenceId, SequenceNumber, StoreFailure};

/// Everything that a test has asked of a faulty store, and what it has seen.
#[derive(Debug, Default)]
pub(super) struct Script {
    commits: VecDeque<CommitFault>,
    every_commit: Option<CommitFault>,
    seeded: Option<Seeded>,
    happened: FaultCounts,
    delays: BTreeMap<Call, Duration>,
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

    pub(super) fn plan_by_seed(&mut self, seeded: Seeded) {
        self.seeded = Some(seeded);
    }

    pub(super) fn plan_delay(&mut self, call: Call, by: Duration) {
        self.delays.insert(call, by);
    }

    pub(super) fn plan_failures(&mut self, call: Call, count: u64) {
        self.failing.insert(call, count);
    }

    pub(super) fn heal(&mut self) {
        self.commits.clear();
        self.every_commit = None;
        self.seeded = None;
        self.delays.clear();
        self.failing.clear();
        self.damaged.clear();
        self.hide_snapshots = false;
    }

    /// The failure planned for this call, if any.
    pub(super) fn failure(&mut self, call: Call) -> Result<(), StoreFailure> {
        match self.failing.get_mut(&call) {
            Some(left) if *left > 0 => {
                *left -= 1;
                return Err(planted(call));
            }
            _ => {}
        }
        let fails = self.seeded.as_mut().is_some_and(|dice| dice.fails(call));
        self.happened.calls_failed += u64::from(fails);
        if fails { Err(planted(call)) } else { Ok(()) }
    }

    /// For how long this call is on its way to the store.
    pub(super) fn delay_before(&mut self, call: Call) -> Option<Duration> {
        let by_seed = self.delay_answer();
        self.delays.get(&call).copied().or(by_seed)
    }

    /// For how long its answer is on its way back.
    pub(super) fn delay_answer(&mut self) -> Option<Duration> {
        let delay = self.seeded.as_mut().and_then(Seeded::delay);
        self.happened.delays += u64::from(delay.is_some());
        delay
    }

    /// What happens to this commit.
    pub(super) fn next_commit(&mut self) -> CommitFault {
        if self.failure(Call::Commit).is_err() {
            return CommitFault::Unavailable;
        }
        let scripted = self.commits.pop_front().or(self.every_commit);
        scripted.unwrap_or_else(|| self.seeded_commit())
    }

    /// What happens to this change of a projection: only dice say so, those of commits.
    pub(super) fn projection_fault(&mut self) -> CommitFault {
        let seeded = self.seeded.as_mut();
        seeded.map_or(CommitFault::Pass, Seeded::commit)
    }

    fn seeded_commit(&mut self) -> CommitFault {
        let fault = self
            .seeded
            .as_mut()
            .map_or(CommitFault::Pass, Seeded::commit);
        let count = match fault {
            CommitFault::Unavailable => &mut self.happened.commits_failed,
            CommitFault::UnknownApplied => &mut self.happened.commits_unknown_applied,
            CommitFault::UnknownNotApplied => &mut self.happened.commits_unknown_not_applied,
            CommitFault::Refuse { .. } => &mut self.happened.commits_refused,
            CommitFault::Repeat => &mut self.happened.commits_repeated,
            CommitFault::Pass | CommitFault::Fence => return fault,
        };
        *count += 1;
        fault
    }

    pub(super) fn happened(&self) -> FaultCounts {
        self.happened
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
