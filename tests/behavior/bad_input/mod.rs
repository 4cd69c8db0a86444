//! Bad input: each is a clear typed error or works as any other, nothing is lost, nothing hangs,
//! and other entities go on. On both stores.

mod damage;
mod names;
mod unreadable;

use statefn::store::{Memory, Sqlite};
use statefn::{Limits, Runtime};
use statefn_store::testing::Faulty;
use tempfile::TempDir;

use crate::account::{Account, AccountRef};

/// Where a test runs: the in-memory store, or a file that is opened again for every runtime.
pub(crate) enum Ground {
    Memory(Memory),
    File(TempDir),
}

impl Ground {
    pub(crate) fn both() -> [Self; 2] {
        [Self::Memory(Memory::new()), Self::file()]
    }

    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) fn store(&self) -> Faulty {
        match self {
            Self::Memory(memory) => Faulty::new(memory.clone()),
            Self::File(folder) => {
                Faulty::new(Sqlite::open(folder.path().join("store.db")).unwrap())
            }
        }
    }

    pub(crate) async fn open(&self) -> Town {
        self.open_with(Limits::default()).await
    }

    pub(crate) async fn open_with(&self, limits: Limits) -> Town {
        let store = self.store();
        let builder = Runtime::builder().store(store.clone()).limits(limits);
        let runtime = builder.only::<(Account,)>().shards(2).build().await;
        Town {
            runtime: runtime.unwrap(),
            store,
        }
    }
}

/// A runtime of accounts and its store.
pub(crate) struct Town {
    pub(crate) runtime: Runtime,
    pub(crate) store: Faulty,
}

impl Town {
    pub(crate) fn account(&self, id: &str) -> AccountRef {
        self.runtime.entity::<Account>(id)
    }

    /// Ends the process, so that the next runtime reads everything from the store.
    pub(crate) async fn close(self) {
        let deadline = std::time::Duration::from_secs(10);
        assert!(self.runtime.shutdown(deadline).await.unwrap());
    }

    /// Nothing is damaged, by the operator's own check.
    pub(crate) async fn assert_clean(&self) {
        let verification = self.runtime.admin().verify().await.unwrap();
        assert_eq!(verification.faults, []);
    }
}
