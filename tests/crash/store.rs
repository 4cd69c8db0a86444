//! A store as the parent opens it, between two processes.

use std::path::Path;
use std::time::Duration;

use statefn::prelude::*;

use super::breach::{Breach, BreachKind};
use super::ledger::{Ledger, Notebook};

/// A store and a runtime on it.
pub(super) struct Opened {
    pub(super) store: Sqlite,
    pub(super) runtime: Runtime,
}

impl Opened {
    /// Opens a store, which must be possible at once: its last owner is dead.
    pub(super) async fn open(file: &Path) -> Result<Self, Breach> {
        let store = Sqlite::open(file).map_err(|error| {
            let what = format!("{} does not open: {error:?}", file.display());
            BreachKind::Locking.found(what)
        })?;
        let builder = Runtime::builder()
            .store(store.clone())
            .only::<(Ledger, Notebook)>();
        let runtime = builder.build().await.map_err(|error| {
            let what = format!("{}: {error:?}", file.display());
            BreachKind::Locking.found(what)
        })?;
        Ok(Self { store, runtime })
    }

    pub(super) async fn verify(&self) -> Result<(), Breach> {
        verify(&self.runtime).await
    }

    pub(super) async fn close(self) -> Result<(), Breach> {
        match self.runtime.shutdown(Duration::from_secs(15)).await {
            Ok(true) => Ok(()),
            other => {
                let what = format!("closing: {other:?}");
                Err(BreachKind::Odd.found(what))
            }
        }
    }
}

/// Every checksum and chain, and every snapshot against replay.
pub(super) async fn verify(runtime: &Runtime) -> Result<(), Breach> {
    let damaged = |what: String| Err(BreachKind::Damaged.found(what));
    match runtime.admin().verify().await {
        Ok(seen) if seen.is_clean() => Ok(()),
        Ok(seen) => damaged(format!("{:?}", seen.faults)),
        Err(error) => damaged(error.to_string()),
    }
}

/// Whether a store that somebody else has open is refused.
pub(super) fn check_refused(file: &Path) -> Result<(), Breach> {
    match Sqlite::open(file) {
        Err(statefn::OpenError::Locked { .. }) => Ok(()),
        other => {
            let what = format!("a second process was answered {other:?}");
            Err(BreachKind::Locking.found(what))
        }
    }
}
