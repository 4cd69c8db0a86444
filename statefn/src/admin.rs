//! What operators need: quarantined entities, checks, backups, salvage.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use statefn_store::{
    Batch, EntityType, Fault, LoadError, Member, Offset, Outcome, PersistenceId, SequenceNumber,
    Skip, Store, StoreFailure, StoreReport,
};

use crate::call_error::Quarantine;
use crate::runtime::engine::Engine;

/// An operator's view of a runtime. Made by [`Runtime::admin`](crate::Runtime::admin).
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
    pub fn quarantined(&self) -> Vec<Arc<Quarantine>> {
        self.engine.shared().quarantined.list()
    }

    /// Lets a quarantined entity try again. Answers whether it was quarantined.
    pub fn release(&self, entity_type: &str, id: &str) -> bool {
        let id = PersistenceId::new(entity_type.to_owned(), id);
        self.engine.shared().quarantined.release(&id)
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
