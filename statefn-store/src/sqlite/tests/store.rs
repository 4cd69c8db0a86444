//! A store of which a test can reach the writing connection.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use super::PlantedFault;
use crate::sqlite::journal::Journal;
use crate::sqlite::queue::Request;
use crate::sqlite::tuning::Tuning;
use crate::sqlite::{Handle, Sqlite};
use crate::{
    Batch, CommitError, Member, NewEvent, Offset, Outcome, OwnerEpoch, PersistenceId,
    SequenceNumber, Store, Timestamp,
};

/// An open, claimed store in a folder of its own.
pub(super) struct Opened {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: Sqlite,
    pub(super) epoch: OwnerEpoch,
    runtime: tokio::runtime::Runtime,
}

impl Opened {
    pub(super) fn new() -> Self {
        Self::tuned(Tuning::default())
    }

    /// With these sizes, as far as the tests leave them alone.
    pub(super) fn tuned(tuning: Tuning) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let tuning = Tuning {
            reopen_wait: (Duration::from_millis(1), Duration::from_millis(1)),
            // One connection, so that a read after another one meets an open file.
            readers: 1,
            // Files are moved about: nobody looks at them unasked.
            idle: Duration::from_secs(3_600),
            ..tuning
        };
        let handle = Handle::open(&folder.path().join("store.db"), tuning).unwrap();
        let store = Sqlite {
            handle: handle.into(),
        };
        let epoch = runtime.block_on(store.claim()).unwrap();
        Self {
            folder,
            store,
            epoch,
            runtime,
        }
    }

    pub(super) fn block<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn commit(&self, members: Vec<Member>) -> Result<Vec<Outcome>, CommitError> {
        self.block(self.store.commit(batch(self.epoch, members)))
    }

    /// Appends an event that must be taken, and answers with its offset.
    pub(super) fn append(&self, id: &str, expected: u64) -> Offset {
        match self.commit(vec![member(id, expected)]).unwrap()[..] {
            [Outcome::Committed { position }] => position,
            ref other => panic!("{other:?}"),
        }
    }

    /// The offsets of all entries.
    pub(super) fn offsets(&self) -> Vec<u64> {
        let mut offsets: Vec<u64> = Vec::new();
        loop {
            let next = offsets.last().map_or(0, |last| last + 1);
            let page = self.block(self.store.read(Offset::new(next), 10_000));
            let page = page.unwrap();
            if page.is_empty() {
                return offsets;
            }
            offsets.extend(page.iter().map(|entry| entry.offset.get()));
        }
    }

    pub(super) fn send(&self, request: Request) {
        self.store.handle.send(request).unwrap();
    }

    /// Runs `work` on the writer, as soon as the store serves.
    pub(super) fn when_serving<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Journal) -> T + Clone + Send + 'static,
    ) -> T {
        loop {
            let (done, answer) = mpsc::channel();
            let work = work.clone();
            self.send(Request::Test(Box::new(move |journal| {
                done.send(work(journal)).unwrap();
            })));
            // A store that is being reopened drops the request.
            if let Ok(answer) = answer.recv() {
                return answer;
            }
        }
    }

    /// Lets the next COMMIT fail.
    pub(super) fn plant(&self, fault: PlantedFault) {
        self.when_serving(move |journal| journal.fault = Some(fault));
    }

    /// Puts another file in the place of the database, without a log.
    pub(super) fn replace(&self, other: &std::path::Path) {
        let path = self.store.path();
        let old = self.folder.path().join("old.db");
        for suffix in ["", "-wal", "-shm"] {
            let name = |path: &std::path::Path| {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                PathBuf::from(name)
            };
            if name(path).exists() {
                std::fs::rename(name(path), name(&old)).unwrap();
            }
        }
        std::fs::rename(other, path).unwrap();
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("store.db-wal")
    }

    pub(super) fn log_bytes(&self) -> u64 {
        self.log().metadata().unwrap().len()
    }
}

pub(super) fn batch(epoch: OwnerEpoch, members: Vec<Member>) -> Batch {
    Batch { epoch, members }
}

/// A member with one event.
pub(super) fn member(id: &str, expected: u64) -> Member {
    let id = PersistenceId::new("cart", id);
    let expected = SequenceNumber::new(expected);
    let mut member = Member::new(id, expected, Timestamp::from_millis(0));
    member.events.push(NewEvent {
        name: "added".into(),
        version: 1,
        codec: 0,
        payload: vec![1],
    });
    member
}
