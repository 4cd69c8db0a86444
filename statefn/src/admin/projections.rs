//! Projections, for operators: how far each is, and the way on for one that has stopped.

use statefn_store::{
    Advance, CommitError, Offset, PassedOver, Projected, Projecting, ProjectionId, StoreFailure,
};

use super::Admin;
use crate::runtime::projector::ProjectionStatus;

/// Why an entry was not passed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassOverError {
    /// The runtime runs no projection of this name.
    #[error("this runtime runs no projection `{name}`")]
    NotHosted {
        /// The name.
        name: String,
    },
    /// The projection has not stopped at this entry.
    #[error("the projection has not stopped at offset {offset}")]
    NotStopped {
        /// The entry.
        offset: Offset,
    },
    /// The decision could not be stored; the error says whether it was.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Admin {
    /// Every projection of this runtime: where it stands, how far behind, what keeps it.
    pub fn projections(&self) -> Vec<ProjectionStatus> {
        let shared = self.engine.shared();
        let all = shared.projectors.all().iter();
        all.map(|projector| projector.status(shared)).collect()
    }

    /// Lets a projection that has stopped, or that waits before another attempt, try again at once.
    /// Answers whether it had stopped.
    pub fn resume_projection(&self, name: &str) -> bool {
        let projector = self.engine.shared().projectors.find(name);
        projector.is_some_and(|projector| projector.resume())
    }

    /// Builds the rows of a projection anew, from the first entry on, beside those that are there, which
    /// answer reads until the new ones have caught up. `false` if this runtime runs none of this name.
    ///
    /// [`projections`](Self::projections) shows how far it is. Entries that were left out are met again.
    pub fn rebuild_projection(&self, name: &str) -> bool {
        let projector = self.engine.shared().projectors.find(name);
        projector.map(|projector| projector.rebuild()).is_some()
    }

    /// Leaves the entry at which a projection has stopped out of it, and lets it go on.
    ///
    /// The decision is stored with the projection, with its reason, in the commit that moves it past
    /// the entry; [`passed_over`](Self::passed_over) lists such decisions. The entry stays in the
    /// journal, and another version of the projection meets it again.
    ///
    /// # Errors
    ///
    /// See [`PassOverError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the decision may or may not be stored.
    pub async fn pass_over(
        &self,
        projection: &str,
        offset: Offset,
        reason: &str,
    ) -> Result<(), PassOverError> {
        let shared = self.engine.shared();
        let Some(projector) = shared.projectors.find(projection) else {
            let name = projection.to_owned();
            return Err(PassOverError::NotHosted { name });
        };
        let stopped = projector.standing().borrow().stopped.clone();
        if stopped.is_none_or(|at| at.offset != offset) {
            return Err(PassOverError::NotStopped { offset });
        }
        let advance = Projecting::Advance(Advance {
            id: projector.stored_id(),
            expected: Offset::new(offset.get().saturating_sub(1)),
            offset,
            rows: Vec::new(),
            passed: vec![PassedOver {
                offset,
                time: shared.env.wall(),
                reason: reason.to_owned(),
            }],
        });
        match shared.store.project(shared.epoch(), advance).await? {
            Projected::Refused { .. } => Err(PassOverError::NotStopped { offset }),
            Projected::Done | Projected::More => {
                tracing::warn!(projection, %offset, "an entry is left out of a projection");
                projector.resume();
                Ok(())
            }
        }
    }

    /// Up to `limit` entries that were left out of a version of a projection, behind `after`, with who
    /// decided that and why.
    ///
    /// # Errors
    ///
    /// The store cannot read.
    pub async fn passed_over(
        &self,
        projection: &str,
        version: u32,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<PassedOver>, StoreFailure> {
        let running = self.engine.shared().projectors.find(projection);
        let id = match running.filter(|projector| projector.id.version == version) {
            Some(projector) => projector.stored_id(),
            None => ProjectionId::new(projection, version),
        };
        self.store().passed_over(&id, after, limit).await
    }
}
