//! Where the journal lies: in memory, or in a file that can be opened again.

use statefn::store::{Memory, Sqlite};
use statefn_store::testing::Faulty;
use tempfile::TempDir;

pub(crate) enum Disk {
    Memory(Faulty),
    File(TempDir),
}

impl Disk {
    pub(crate) fn memory() -> Self {
        Self::Memory(Faulty::new(Memory::new()))
    }

    pub(crate) fn sqlite() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) fn open(&self) -> Faulty {
        match self {
            Self::Memory(store) => store.clone(),
            Self::File(folder) => {
                Faulty::new(Sqlite::open(folder.path().join("ledger.db")).unwrap())
            }
        }
    }
}
