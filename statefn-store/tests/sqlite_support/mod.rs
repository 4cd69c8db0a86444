//! What the tests of the SQLite backend share.
#![allow(dead_code, reason = "every test file uses another part")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of tests may panic as the tests do"
)]

use std::any::Any;
use std::future::Future;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use statefn_store::{
    Batch, EventRef, Head, LoadError, Member, NewEvent, NewRecord, NewSnapshot, NewState, Offset,
    Outcome, OwnerEpoch, PersistenceId, RecordRef, Replay, SequenceNumber, Skip, SnapshotRef,
    Sqlite, StateChange, StateRef, Store, Timestamp,
};

/// Runs a future to its end.
pub(crate) fn block<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// An entity.
pub(crate) fn id(name: &str) -> PersistenceId {
    PersistenceId::new("cart", name)
}

/// An event with this payload.
pub(crate) fn event(payload: impl Into<Vec<u8>>) -> NewEvent {
    NewEvent {
        name: "added".into(),
        version: 1,
        codec: 0,
        payload: payload.into(),
    }
}

/// A member with these events.
pub(crate) fn member(name: &str, expected: u64, payloads: &[&str]) -> Member {
    let expected = SequenceNumber::new(expected);
    let mut member = Member::new(id(name), expected, Timestamp::from_millis(7));
    member.events = payloads.iter().map(|payload| event(*payload)).collect();
    member
}

/// The member with a record under `key`.
pub(crate) fn keyed(mut member: Member, key: &str) -> Member {
    member.record = Some(NewRecord {
        key: key.to_owned(),
        fingerprint: 11,
        outcome: format!("reply to {key}").into_bytes(),
    });
    member
}

/// The member with a snapshot.
pub(crate) fn with_snapshot(mut member: Member, payload: &str) -> Member {
    member.snapshot = Some(NewSnapshot {
        shape: 5,
        codec: 1,
        payload: payload.as_bytes().to_vec(),
    });
    member
}

/// A member that leaves an event out.
pub(crate) fn skip(name: &str, expected: u64, sequence: u64) -> Member {
    let mut member = member(name, expected, &[]);
    member.skip = Some(Skip {
        sequence: SequenceNumber::new(sequence),
        reason: "it was wrong".to_owned(),
    });
    member
}

/// The member with a whole state behind its events.
pub(crate) fn state(mut member: Member, payload: &str) -> Member {
    member.state = Some(Box::new(StateChange::Put(NewState {
        shape: 6,
        version: 2,
        codec: 1,
        payload: payload.as_bytes().to_vec(),
    })));
    member
}

/// The member with a deletion behind its events.
pub(crate) fn deleted(mut member: Member) -> Member {
    member.state = Some(Box::new(StateChange::Delete));
    member
}

/// A store in a folder of its own, claimed.
pub(crate) struct Fixture {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Sqlite,
    pub(crate) epoch: OwnerEpoch,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, "store.db")
    }

    pub(crate) fn open(folder: tempfile::TempDir, name: &str) -> Self {
        let store = Sqlite::open(folder.path().join(name)).unwrap();
        let epoch = block(store.claim()).unwrap();
        Self {
            folder,
            store,
            epoch,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.store.path().to_owned()
    }

    /// Commits one batch.
    pub(crate) fn commit(&self, members: Vec<Member>) -> Vec<Outcome> {
        let epoch = self.epoch;
        block(self.store.commit(Batch { epoch, members })).unwrap()
    }

    /// Commits a member that must be taken, and answers with its position.
    pub(crate) fn append(&self, member: Member) -> Offset {
        match self.commit(vec![member])[..] {
            [Outcome::Committed { position }] => position,
            ref other => panic!("{other:?}"),
        }
    }

    pub(crate) fn load(&self, name: &str) -> Result<Seen, LoadError> {
        load(&self.store, &id(name))
    }

    /// Closes the store and hands the folder back.
    pub(crate) fn close(self) -> tempfile::TempDir {
        block(self.store.close()).unwrap();
        self.folder
    }

    /// What a kill at this moment would leave, in a new folder.
    pub(crate) fn killed(&self) -> tempfile::TempDir {
        kill(self.folder.path())
    }
}

/// Copies the files of a store as a kill at this moment would leave them.
pub(crate) fn kill(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["store.db", "store.db-wal"] {
        if folder.join(name).exists() {
            std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Changes a store behind its back, with SQL.
pub(crate) fn tamper(path: &Path, sql: &str) -> usize {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    let changed = conn.execute(sql, []).unwrap();
    // Closing it must not move the log.
    conn.set_db_config(
        rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
        true,
    )
    .unwrap();
    changed
}

/// Loads an entity.
pub(crate) fn load(store: &dyn Store, id: &PersistenceId) -> Result<Seen, LoadError> {
    load_with(store, id, Seen::default())
}

/// Loads an entity into a prepared replay.
pub(crate) fn load_with(
    store: &dyn Store,
    id: &PersistenceId,
    seen: Seen,
) -> Result<Seen, LoadError> {
    let loaded = block(store.load(id, Box::new(seen)))?;
    let replay: Box<dyn Any> = loaded.replay;
    let mut seen = *replay.downcast::<Seen>().unwrap();
    seen.head = loaded.head;
    Ok(seen)
}

/// Everything that a replay was told, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) head: Head,
    pub(crate) calls: Vec<Call>,
    pub(crate) refuse_snapshot: bool,
    pub(crate) break_records_after: Option<usize>,
    pub(crate) break_events_after: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Record(String, u128, Timestamp, Offset),
    Snapshot(u64, u128, u8, Vec<u8>),
    /// Sequence number; the state, if there is one.
    State(u64, Option<Vec<u8>>),
    Event(u64, Offset, Timestamp, String, u32, u8, Vec<u8>, Vec<u8>),
    Skipped(u64),
}

impl Seen {
    /// Payloads of the events, as text.
    pub(crate) fn payloads(&self) -> Vec<String> {
        let payload = |call: &Call| match call {
            Call::Event(_, _, _, _, _, _, _, payload) => {
                Some(String::from_utf8_lossy(payload).into_owned())
            }
            _ => None,
        };
        self.calls.iter().filter_map(payload).collect()
    }

    fn count(&self, of: fn(&Call) -> bool) -> usize {
        self.calls.iter().filter(|call| of(call)).count()
    }
}

impl Replay for Seen {
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool {
        self.calls.push(Call::Snapshot(
            snapshot.sequence.get(),
            snapshot.shape,
            snapshot.codec,
            snapshot.payload.to_vec(),
        ));
        !self.refuse_snapshot
    }

    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
        let payload = state.state.map(|state| state.payload.to_vec());
        self.calls.push(Call::State(state.sequence.get(), payload));
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        self.calls.push(Call::Event(
            event.sequence.get(),
            event.offset,
            event.time,
            event.name.to_owned(),
            event.version,
            event.codec,
            event.metadata.to_vec(),
            event.payload.to_vec(),
        ));
        let count = self.count(|call| matches!(call, Call::Event(..)));
        if self.break_events_after == Some(count) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, sequence: SequenceNumber) {
        self.calls.push(Call::Skipped(sequence.get()));
    }

    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()> {
        self.calls.push(Call::Record(
            record.key.to_owned(),
            record.fingerprint,
            record.time,
            record.offset,
        ));
        let count = self.count(|call| matches!(call, Call::Record(..)));
        if self.break_records_after == Some(count) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
