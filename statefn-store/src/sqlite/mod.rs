//! The SQLite backend: one file, nothing to install.

mod open_error;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::{
    Batch, CommitError, EntityType, Entry, FailureKind, LoadError, Loaded, Offset, Outcome,
    OwnerEpoch, PersistenceId, Replay, Store, StoreFailure, StoreReport, StoredRecord,
};

pub use open_error::OpenError;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// Opens the store at `path`, or makes a new one there.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]. Until the backend is finished, every call fails.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let store = Self { path: path.clone() };
        Err(OpenError::Failed {
            path,
            failure: store.unfinished(),
        })
    }

    fn unfinished(&self) -> StoreFailure {
        let message = format!(
            "{}: the SQLite backend is not finished",
            self.path.display()
        );
        StoreFailure::new(FailureKind::Unsupported, message)
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn claim(&self) -> Result<OwnerEpoch, StoreFailure> {
        Err(self.unfinished())
    }

    async fn commit(&self, _batch: Batch) -> Result<Vec<Outcome>, CommitError> {
        Err(CommitError::Unavailable(self.unfinished()))
    }

    async fn load(&self, _: &PersistenceId, _: Box<dyn Replay>) -> Result<Loaded, LoadError> {
        Err(LoadError::Unavailable(self.unfinished()))
    }

    async fn find_record(
        &self,
        _: &PersistenceId,
        _: &str,
        _: Offset,
    ) -> Result<Option<StoredRecord>, LoadError> {
        Err(LoadError::Unavailable(self.unfinished()))
    }

    async fn read(&self, _: Offset, _: usize) -> Result<Vec<Entry>, LoadError> {
        Err(LoadError::Unavailable(self.unfinished()))
    }

    async fn entities(
        &self,
        _: Option<&PersistenceId>,
        _: usize,
    ) -> Result<Vec<PersistenceId>, StoreFailure> {
        Err(self.unfinished())
    }

    async fn entity_types(&self) -> Result<Vec<EntityType>, StoreFailure> {
        Err(self.unfinished())
    }

    async fn verify(&self) -> Result<StoreReport, StoreFailure> {
        Err(self.unfinished())
    }

    async fn close(&self) -> Result<(), StoreFailure> {
        Err(self.unfinished())
    }
}
