//! The store contract of statefn: what a backend keeps, and what it promises.
//!
//! This crate knows bytes, never user types. It holds the words that the runtime and a backend
//! share (ids, sequence numbers, entries, batches), the [`Store`] trait whose documentation states
//! clause by clause what the two owe each other, the backends, and (feature `testing`) the
//! conformance suite that every backend passes, third-party ones included.

pub mod batch;
pub mod call;
pub mod entry;
pub mod failure;
pub mod id;
pub mod id_map;
pub mod memory;
pub mod outbox;
pub mod projection;
pub mod record;
pub mod replay;
pub mod sequence;
pub mod snapshot;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod state;
pub mod store;
pub mod stored_calls;
pub mod stored_views;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod timer;
pub mod view;

/// For `impl Store for ..` in a crate that has no other use for `async-trait`.
pub use async_trait::async_trait;
pub use batch::{Batch, CommitError, Member, Outcome, Refusal, Skip};
pub use call::{OutboxNumber, StoredCall};
pub use entry::{Entry, EntryBody, EventRef, NewEvent};
pub use failure::{FailureKind, StoreFailure};
pub use id::{EntityType, PersistenceId, Slice};
pub use id_map::{IdHasher, IdMap};
pub use memory::Memory;
pub use outbox::{DeadLetter, Deferred, Effect, Settled, Tending};
pub use projection::{
    Advance, IndexValue, NewRow, PassedOver, Projected, Projecting, ProjectionId, RowChange,
    StoredProjection, StoredProjections,
};
pub use record::{NewRecord, RecordRef, StoredRecord};
pub use replay::{Head, LoadError, Loaded, Replay};
pub use sequence::{Offset, OwnerEpoch, SequenceNumber};
pub use snapshot::{NewSnapshot, SnapshotRef};
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenError, Sqlite};
pub use state::{NewState, StateBytes, StateChange, StateRef};
pub use store::{Fault, Store, StoreReport};
pub use stored_calls::StoredCalls;
pub use stored_views::StoredViews;
pub use time::Timestamp;
pub use timer::{NewTimer, Timer, TimerChange};
pub use view::{RowPlace, RowsFound, RowsWanted, ViewPage, ViewQuery, ViewRow};
