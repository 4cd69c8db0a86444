//! Entities come into memory and leave it.

use std::sync::Arc;

use statefn_store::{PersistenceId, StoredRecord};

use super::{Action, Core};
use crate::call_error::{Failure, Overload};
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::budget::Room;
use crate::runtime::isolate::discard;
use crate::runtime::recovery::Recovered;
use crate::runtime::shared::Shared;
use crate::runtime::slot::Job;
use crate::runtime::step::LookUp;

impl Core {
    /// Starts the recovery of an entity that is not in memory.
    pub(super) fn activate(
        &mut self,
        id: &PersistenceId,
        type_index: u16,
        shared: &Shared,
    ) -> Result<(), Failure> {
        if let Some(quarantine) = shared.quarantined.get(id) {
            return Err(Failure::Quarantined(quarantine));
        }
        if self.panics.refuses(id, shared.env.now()) {
            return Err(Failure::Overloaded(Overload::Panics));
        }
        // Whoever leaves makes room for exactly this one.
        let room = shared.budget.room(&shared.limits);
        let room = room.or_else(|| self.evict_oldest(shared));
        self.incarnations += 1;
        let incarnation = self.incarnations;
        let activation = Activation::new(id.clone(), type_index, incarnation);
        self.table.insert(id.clone(), activation);
        if let Some(room) = room {
            room.move_in();
            self.recover(id);
        } else {
            let id = id.clone();
            self.outputs
                .actions
                .push(Action::MakeRoom { id, incarnation });
        }
        Ok(())
    }

    /// The other shards have been asked to let an idle entity go: one left this room, or none did.
    pub(in crate::runtime) fn room_made(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        room: Option<Room>,
        shared: &Shared,
    ) {
        let current = self.table.get(id);
        let waits = current
            .is_some_and(|a| a.incarnation == incarnation && matches!(a.phase, Phase::Homeless));
        if !waits {
            return;
        }
        let room = room.or_else(|| shared.budget.room(&shared.limits));
        if let Some(room) = room.or_else(|| self.evict_oldest(shared)) {
            room.move_in();
            self.recover(id);
        } else {
            drop(self.remove(id, &Failure::Overloaded(Overload::Residents), shared));
        }
    }

    /// Asks the shell to load an entity that is in the table.
    fn recover(&mut self, id: &PersistenceId) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        self.incarnations += 1;
        activation.incarnation = self.incarnations;
        activation.phase = Phase::Recovering;
        self.outputs.actions.push(Action::Recover {
            id: activation.id.clone(),
            type_index: activation.type_index,
            incarnation: activation.incarnation,
        });
    }

    /// A recovery has ended.
    pub(in crate::runtime) fn recovered(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        result: Result<Recovered, Failure>,
        shared: &Shared,
    ) {
        let current = self.table.get_mut(id);
        let Some(activation) = current.filter(|activation| {
            activation.incarnation == incarnation && matches!(activation.phase, Phase::Recovering)
        }) else {
            return discard(result.map(|recovered| recovered.state));
        };
        match result {
            Ok(recovered) => {
                activation.phase = Phase::Resident(recovered.state);
                activation.sequence = recovered.sequence;
                activation.keys = recovered.keys;
                activation.used = shared.tick();
                self.idle.push(activation);
                if activation.has_mail() && !planted!(RecoveredNotRun) {
                    self.runnable.push_back(id.clone());
                }
                self.idle.shed(&self.table);
            }
            Err(failure) => drop(self.remove(id, &failure, shared)),
        }
    }

    /// Takes an entity out of the table and refuses everybody who waits for it. Its room, unless it
    /// had none; who drops it gives it back.
    pub(super) fn remove(
        &mut self,
        id: &PersistenceId,
        failure: &Failure,
        shared: &Shared,
    ) -> Option<Room> {
        let mut activation = self.table.remove(id)?;
        let is_resident = !matches!(activation.phase, Phase::Homeless);
        let room = is_resident.then(|| shared.budget.left());
        let cancelled = activation.discard();
        self.cancel(cancelled, failure);
        for job in activation.take_mailbox() {
            if planted!(WaitingForgotten) {
                continue;
            }
            self.wake(job.refuse(failure.clone()));
        }
        room
    }

    /// Asks the shell for a key; the entity's other commands wait.
    pub(super) fn look_up(&mut self, id: &PersistenceId, look_up: LookUp, job: Arc<dyn Job>) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        activation.phase = match std::mem::replace(&mut activation.phase, Phase::Draining) {
            Phase::Resident(state) => Phase::LookingUp(state, Arc::clone(&job)),
            other => other,
        };
        let (id, incarnation) = (activation.id.clone(), activation.incarnation);
        self.outputs.actions.push(Action::FindRecord {
            id,
            incarnation,
            look_up,
            job,
        });
    }

    /// The store has answered for a key.
    pub(in crate::runtime) fn found(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        job: Arc<dyn Job>,
        result: Result<Option<StoredRecord>, Failure>,
        shared: &Shared,
    ) {
        let current = self
            .table
            .get_mut(id)
            .filter(|a| a.incarnation == incarnation);
        let Some(activation) = current else {
            self.wake(job.refuse(Failure::unavailable("the entity was discarded meanwhile")));
            return;
        };
        activation.phase = match std::mem::replace(&mut activation.phase, Phase::Draining) {
            Phase::LookingUp(state, _) => Phase::Resident(state),
            other => other,
        };
        match result {
            Ok(found) if matches!(activation.phase, Phase::Resident(_)) => {
                let turn = shared.turn(activation.type_index);
                let done = job.resume(found, activation, &turn);
                self.settle(id, done, shared);
            }
            Ok(_) => {
                self.wake(job.refuse(Failure::unavailable("the entity was discarded meanwhile")));
            }
            Err(failure) => {
                self.wake(job.refuse(failure.clone()));
                // What lies in its journal is damaged: it must not go on as if it were not.
                if matches!(failure, Failure::Quarantined(_)) {
                    self.lost(id, &failure, shared);
                }
            }
        }
        if self.table.get(id).is_some_and(Activation::has_mail) {
            self.runnable.push_back(id.clone());
        }
    }

    /// The state of an entity is not to be trusted: what it has in the pipeline still decides
    /// about its callers, then it recovers.
    pub(super) fn lost(&mut self, id: &PersistenceId, failure: &Failure, shared: &Shared) {
        if matches!(failure, Failure::Panicked { .. }) {
            self.panics.note(id, shared.env.now());
        }
        self.discard(id, failure);
        self.drained(id, shared);
    }

    /// If a discarded entity has nothing left in the pipeline: recover it for those who wait, or
    /// let it go.
    pub(super) fn drained(&mut self, id: &PersistenceId, shared: &Shared) {
        let Some(activation) = self.table.get(id) else {
            return;
        };
        let is_empty = activation.uncommitted == 0 || planted!(RecoveredTooEarly);
        if !matches!(activation.phase, Phase::Draining) || !is_empty {
            return;
        }
        if let Some(quarantine) = shared.quarantined.get(id) {
            drop(self.remove(id, &Failure::Quarantined(quarantine), shared));
        } else if self.panics.refuses(id, shared.env.now()) {
            drop(self.remove(id, &Failure::Overloaded(Overload::Panics), shared));
        } else if activation.has_mail() {
            self.recover(id);
        } else {
            let discarded = Failure::unavailable("the entity was discarded");
            drop(self.remove(id, &discarded, shared));
        }
    }
}
