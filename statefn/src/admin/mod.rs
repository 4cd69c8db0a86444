//! What operators need: quarantined entities, checks, backups, salvage.

mod letters;
mod projections;
mod skip;
mod verify;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use statefn_store::{EntityType, PersistenceId, SequenceNumber, Store, StoreFailure, StoreReport};

use crate::call_error::Quarantine;
use crate::runtime::engine::Engine;

pub use projections::PassOverError;
pub use skip::SkipError;
pub use verify::Verification;

/// An operator's view of a runtime. Made by [`Runtime::admin`](crate::Runtime::admin).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
/// let admin = runtime.admin();
/// assert!(admin.quarantined().is_empty());
/// assert!(admin.verify().await?.is_clean());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Admin {
    engine: Arc<Engine>,
    unhosted: Arc<[EntityType]>,
}

impl Admin {
    pub(crate) fn new(engine: Arc<Engine>, unhosted: Arc<[EntityType]>) -> Self {
        Self { engine, unhosted }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.engine.shared().store
    }

    /// Entities that cannot be recovered, with the event at which each stopped and why.
    ///
    /// An entity is listed once one of its commands has met the damage; [`verify`](Self::verify)
    /// finds the others.
    pub fn quarantined(&self) -> Vec<Arc<Quarantine>> {
        self.engine.shared().quarantined.list()
    }

    /// Lets a quarantined entity try again. Answers whether it was quarantined.
    ///
    /// An entity whose cause is not removed is quarantined again by its next command.
    pub fn release(&self, entity_type: &str, id: &str) -> bool {
        let id = PersistenceId::new(entity_type.to_owned(), id);
        self.engine.shared().quarantined.release(&id)
    }

    /// Leaves one stored event out of every later replay, and releases its entity.
    ///
    /// For an event that this program will never be able to read. The decision itself is stored
    /// in the journal, with its reason; the event stays where it is. A snapshot that contains the
    /// event keeps it: the entity must be quarantined *at* this event.
    ///
    /// # Errors
    ///
    /// See [`SkipError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the decision may or may not be stored.
    pub async fn skip(
        &self,
        entity_type: &str,
        id: &str,
        sequence: SequenceNumber,
        reason: &str,
    ) -> Result<(), SkipError> {
        let id = PersistenceId::new(entity_type.to_owned(), id);
        skip::skip(&self.engine, &id, sequence, reason).await
    }

    /// Checks everything: the store's checksums, chains and derived tables, and for each entity
    /// of a hosted type that its events decode and that its snapshot is the state they lead to.
    ///
    /// Reads the whole store once for the store's own check and once or twice for the replay;
    /// commands go on meanwhile. Memory: two states at a time.
    ///
    /// # Errors
    ///
    /// The store cannot read at all. Damage found is part of the [`Verification`].
    pub async fn verify(&self) -> Result<Verification, StoreFailure> {
        verify::verify(&self.engine).await
    }

    /// Types that the store held when the runtime started and that it does not host.
    pub fn unhosted_types(&self) -> &[EntityType] {
        &self.unhosted
    }

    /// Entities in memory.
    pub fn residents(&self) -> usize {
        self.engine.shared().budget.residents()
    }

    /// Calls accepted and not yet answered.
    pub fn waiting(&self) -> usize {
        self.engine.shared().budget.waiting()
    }

    /// Writes a consistent copy of the store to a new file while commands go on.
    ///
    /// # Errors
    ///
    /// The store keeps no file, or the target exists or cannot be written.
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<(), StoreFailure> {
        self.engine.shared().store.backup(to.as_ref()).await
    }

    /// Copies every readable entry into a new store file and reports what was left behind.
    ///
    /// # Errors
    ///
    /// The store keeps no file, or the target exists or cannot be written.
    pub async fn salvage(&self, to: impl AsRef<Path>) -> Result<StoreReport, StoreFailure> {
        self.engine.shared().store.salvage(to.as_ref()).await
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").finish_non_exhaustive()
    }
}
