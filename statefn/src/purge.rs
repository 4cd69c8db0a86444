//! Purging: what an entity was is gone for good, also from the journal.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use statefn_store::{CommitError, PersistenceId};

use crate::call::Handle;
use crate::call_error::CallError;
use crate::command::{Command, Operation, Writes};
use crate::context::Context;
use crate::entity::Behavior;
use crate::infallible::Infallible;
use crate::reply::Handled;
use crate::system::Runtime;

/// The header under which the deletion of a purged entity says in the journal what it is.
pub const PURGE_HEADER: &str = "statefn-purge";

impl Runtime {
    /// Deletes an entity and erases what the journal says of its past, in its turn: after the
    /// commands that were accepted before, and before those that come later, which find the default
    /// state.
    ///
    /// First a deletion is stored, with the header [`PURGE_HEADER`] in its metadata: the record that
    /// a purge took place, and when (none if a CRUD entity is deleted already). Then every entry before it is overwritten by a marker. Answers how
    /// many were. A store in a file may keep the old bytes in its log for a second or so, and copies of
    /// the file keep them for ever.
    ///
    /// What remains: the entity's type and id, the number and times of its entries, and the keys that
    /// are still remembered, without what was answered under them. So a command sent again under such
    /// a key still does not run twice: it answers `AlreadyApplied`. Sequence numbers go on. Snapshots
    /// are gone.
    ///
    /// An entity that was never used has nothing to purge, and one that was deleted before is purged
    /// all the same.
    ///
    /// # Errors
    ///
    /// [`PurgeError::Deletion`]: nothing was erased, and the call's error says whether the entity is
    /// deleted. [`PurgeError::Erasure`]: it is deleted, and some of its past may still be there. Purge it
    /// again: what is done already costs little.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the purge may be done, in part or not; purge it again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// counter.add(2).await?;
    /// counter.add(3).await?;
    /// assert_eq!(runtime.purge::<Counter>("visits").await?, 2);
    /// assert_eq!(counter.total().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn purge<E: Behavior>(&self, id: &str) -> Result<u64, PurgeError> {
        let engine = self.engine();
        let operation = Purge(PhantomData);
        Handle::<E>::new(engine, id.into())
            .call::<Purge<E>>(operation)
            .with_metadata(PURGE_HEADER, "1")
            .await
            .map_err(PurgeError::Deletion)?;
        if planted!(PurgeErasesNothing) {
            return Ok(0);
        }
        let shared = engine.shared();
        let id = PersistenceId::new(E::TYPE, id);
        let hosted = shared.hosted.iter();
        let mut hosted = hosted.filter(|hosted| hosted.entity_type == *id.entity_type());
        let retention = hosted.next().map(|hosted| hosted.cutoff(shared.env.wall()));
        let records_from = retention.unwrap_or_else(|| shared.env.wall());
        let store = Arc::clone(&shared.store);
        let erased = store.erase(shared.epoch(), &id, records_from).await?;
        tracing::warn!(entity = %id, erased, "an entity was purged");
        Ok(erased)
    }
}

/// Why an entity was not purged, or not wholly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PurgeError {
    /// The deletion failed; nothing was erased.
    #[error("the entity was not deleted")]
    Deletion(#[source] CallError<Infallible>),
    /// The entity is deleted, its past is not erased, or not all of it.
    #[error("the entity is deleted, but not all of its past is erased")]
    Erasure(#[from] CommitError),
}

/// The command that deletes.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Purge<E>(#[serde(skip)] PhantomData<fn() -> E>);

impl<E: Behavior> Operation for Purge<E> {
    type Entity = E;
    type Reply = ();
    type Error = Infallible;
    type Mode = Writes;
    const NAME: &'static str = PURGE_HEADER;
    const AFTER_THE_END: bool = true;
}

impl<E: Behavior> Command for Purge<E> {
    fn handle(self, _: &mut E, ctx: &mut Context<E>) -> Handled<E, (), Infallible> {
        if ctx.sequence().get() > 0 {
            ctx.delete();
        }
        Handled::Reply(())
    }
}
