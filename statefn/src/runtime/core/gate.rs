//! Commits end, and the gate opens or fails.

use std::error::Error;

use statefn_store::{CommitError, Outcome, PersistenceId, StoreFailure};

use super::{Action, Core};
use crate::call_error::Failure;
use crate::runtime::activation::Phase;
use crate::runtime::outbox::Addressed;
use crate::runtime::pipeline::{Filling, Gate, Tag};
use crate::runtime::shared::Shared;

impl Core {
    /// The store has answered for a batch.
    pub(in crate::runtime) fn committed(
        &mut self,
        number: u64,
        result: Result<Vec<Outcome>, CommitError>,
        shared: &Shared,
    ) {
        let Some(batch) = self.pipeline.finish(number) else {
            return;
        };
        match result {
            Ok(outcomes) if outcomes.len() == batch.tags.len() => {
                self.open_gate(batch, &outcomes, shared);
            }
            Ok(_) => {
                let reason = "the store answered with a wrong number of outcomes";
                self.store_failed(batch, &Failure::unknown(reason), reason, shared);
            }
            Err(CommitError::Fenced { held, .. }) if shared.fenced_itself(held) => {
                let reason = "the runtime has claimed the store again";
                self.store_failed(batch, &Failure::unavailable(reason), reason, shared);
            }
            Err(CommitError::Fenced { .. }) => {
                self.fail_gates(batch.gates, &Failure::Fenced, &Failure::Fenced);
                self.outputs.actions.push(Action::Fenced);
                self.stop(&Failure::Fenced, &Failure::Fenced, shared);
            }
            Err(CommitError::Unavailable(cause)) => {
                let reason = failure_text("the commit was rolled back", &cause);
                self.store_failed(batch, &Failure::unavailable(&*reason), &reason, shared);
            }
            Err(CommitError::Unknown(cause)) => {
                let reason = failure_text("the commit did not succeed", &cause);
                self.store_failed(batch, &Failure::unknown(&*reason), &reason, shared);
            }
            Err(other) => {
                let reason = other.to_string();
                self.store_failed(batch, &Failure::unknown(&*reason), &reason, shared);
            }
        }
    }

    fn open_gate(&mut self, mut batch: Filling, outcomes: &[Outcome], shared: &Shared) {
        let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        if planted!(ConflictFailsBatch) && outcomes.iter().any(is_refused) {
            return self.store_failed(batch, &Failure::Timeout, "a write was refused", shared);
        }
        self.post(&mut batch, outcomes);
        for gate in batch.gates.drain(..) {
            let waker = match outcomes.get(gate.member) {
                Some(Outcome::Committed { .. }) => {
                    self.open(gate.waiter);
                    continue;
                }
                Some(Outcome::Refused(_)) if planted!(RefusalAcknowledged) => {
                    self.open(gate.waiter);
                    continue;
                }
                Some(Outcome::Refused(refusal)) => {
                    gate.waiter.fail(Failure::unavailable(refusal.to_string()))
                }
                None => gate
                    .waiter
                    .fail(Failure::unknown("the store named no outcome")),
            };
            self.wake(waker);
        }
        for (tag, outcome) in batch.tags.iter().zip(outcomes) {
            let current = self
                .table
                .get_mut(&tag.id)
                .filter(|a| a.incarnation == tag.incarnation);
            let Some(activation) = current else { continue };
            match outcome {
                Outcome::Committed { position } => {
                    activation.committed(tag.bytes, tag.key.as_deref(), *position);
                    if activation.is_undisturbed() {
                        continue;
                    }
                }
                Outcome::Refused(refusal) => {
                    tracing::warn!(entity = %tag.id, %refusal, "a commit was refused");
                    activation.settled(tag.bytes);
                    self.overtaken(&tag.id);
                }
            }
            self.after_commit(&tag.id, shared);
        }
        self.pipeline.recycle(batch);
    }

    /// Hands over what committed members have sent; replies that wait for its answers go along.
    fn post(&mut self, batch: &mut Filling, outcomes: &[Outcome]) {
        for (member, (tag, outcome)) in batch.tags.iter_mut().zip(outcomes).enumerate() {
            let Some(posted) = tag.posted.take() else {
                continue;
            };
            let position = match outcome {
                Outcome::Committed { position } => *position,
                Outcome::Refused(_) => continue,
            };
            let mut waiters = Vec::new();
            if !posted.awaited.is_empty() {
                let waits = |gate: &mut Gate| gate.member == member && gate.wrote;
                waiters.extend(batch.gates.extract_if(.., waits).map(|gate| gate.waiter));
                for waiter in &waiters {
                    waiter.hold();
                }
            }
            let addressed = Addressed::new(*posted, &tag.id, position, waiters);
            self.outputs.actions.push(Action::Post(addressed));
        }
    }

    /// A write of the entity was refused: everything speculated on it goes with it.
    fn overtaken(&mut self, id: &PersistenceId) {
        if planted!(SuccessorSurvives) {
            return;
        }
        let table = &mut self.table;
        let (bytes, gates) = self.pipeline.remove(id, |tag, place| {
            if let Some(activation) = table.get_mut(&tag.id) {
                activation.joined(tag.key.as_deref(), place);
            }
        });
        if let Some(activation) = self.table.get_mut(id) {
            for bytes in bytes {
                activation.settled(bytes);
            }
        }
        let failure = Failure::unavailable("an earlier write of the entity was refused");
        self.discard(id, &failure);
        self.fail_gates(gates, &failure, &failure);
    }

    fn after_commit(&mut self, id: &PersistenceId, shared: &Shared) {
        let Some(activation) = self.table.get(id) else {
            return;
        };
        match activation.phase {
            Phase::Draining => self.drained(id, shared),
            Phase::Resident(_) if activation.has_mail() => self.runnable.push_back(id.clone()),
            _ => {}
        }
    }

    fn store_failed(&mut self, batch: Filling, wrote: &Failure, reason: &str, shared: &Shared) {
        tracing::error!(reason, "the store failed: everything in memory is dropped");
        let bystander = Failure::unavailable(reason);
        self.left_pipeline(&batch.tags);
        self.fail_gates(batch.gates, wrote, &bystander);
        self.drop_memory(&bystander, shared);
        self.outputs.actions.push(Action::StoreFailed);
    }

    /// Drops every state in memory and everything that is not with the store; commands that wait
    /// run on recovered state.
    pub(super) fn drop_memory(&mut self, failure: &Failure, shared: &Shared) {
        if planted!(MemoryKept) {
            return;
        }
        for filling in self.pipeline.take_filling() {
            self.left_pipeline(&filling.tags);
            self.fail_gates(filling.gates, failure, failure);
        }
        // Whoever is in it is discarded now.
        self.idle.clear();
        for id in self.ids() {
            self.discard(&id, failure);
            self.drained(&id, shared);
        }
    }

    fn left_pipeline(&mut self, tags: &[Tag]) {
        for tag in tags {
            let current = self
                .table
                .get_mut(&tag.id)
                .filter(|a| a.incarnation == tag.incarnation);
            if let Some(activation) = current {
                activation.settled(tag.bytes);
            }
        }
    }
}

fn failure_text(what: &str, cause: &StoreFailure) -> String {
    let mut text = format!("{what}: {cause}");
    let mut source = cause.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
