//! Async commands: an entity is held until its command has ended.

use std::sync::Arc;

use statefn_store::PersistenceId;

use super::{Action, Core};
use crate::call_error::Failure;
use crate::runtime::activation::{Activation, Phase};
use crate::runtime::isolate::discard;
use crate::runtime::shared::Shared;
use crate::runtime::slot::{Course, Job};
use crate::runtime::stop::Stop;

impl Core {
    /// Asks the shell to run an async command, whose state has left the entity.
    pub(super) fn hold(&mut self, id: &PersistenceId, course: Box<dyn Course>, job: Arc<dyn Job>) {
        let Some(activation) = self.table.get_mut(id) else {
            return;
        };
        let stop = Arc::new(Stop::default());
        activation.phase = Phase::Held(Arc::clone(&stop), job);
        self.outputs.actions.push(Action::Handle {
            id: activation.id.clone(),
            incarnation: activation.incarnation,
            course,
            stop,
        });
    }

    /// An async command has ended. `None` if it went under with its task.
    pub(in crate::runtime) fn handled(
        &mut self,
        id: &PersistenceId,
        incarnation: u64,
        course: Option<Box<dyn Course>>,
        shared: &Shared,
    ) {
        let current = self.table.get_mut(id);
        let Some(activation) = current.filter(|activation| {
            activation.incarnation == incarnation && matches!(activation.phase, Phase::Held(..))
        }) else {
            return discard(course);
        };
        activation.used = shared.tick();
        if let Some(course) = course {
            let _caller = course.span().entered();
            let turn = shared.turn(activation.type_index);
            // Until the state is back.
            activation.phase = Phase::Draining;
            let done = course.conclude(activation, &turn);
            self.settle(id, done, shared);
        } else {
            let failure = Failure::unavailable("the task of the async command was dropped");
            self.lost(id, &failure, shared);
        }
        if self.table.get(id).is_some_and(Activation::has_mail) {
            self.runnable.push_back(id.clone());
        }
    }
}
