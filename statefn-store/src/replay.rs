//! Recovery: a store streams what it has of one entity into a [`Replay`].

use std::any::Any;
use std::ops::ControlFlow;

use crate::{EventRef, Offset, RecordRef, SequenceNumber, SnapshotRef, StateRef, StoreFailure};

/// Receives what a store has of one entity, in the order of the contract.
///
/// 1. [`record`](Self::record), newest first, until it breaks or there is no older one;
/// 2. [`snapshot`](Self::snapshot), at most once, if the store has a readable one that is newer
///    than the entity's newest state or deletion;
/// 3. [`state`](Self::state), at most once, unless a snapshot was accepted: the entity's newest
///    state or deletion that no operator has left out, if there is one. Nothing before it is read;
/// 4. [`event`](Self::event) and [`skipped`](Self::skipped), by rising sequence number, without a
///    gap: from the one after the snapshot or state, from 1 without either, until `event` or
///    `state` breaks or there is no further one.
///
/// A store calls these methods from whatever thread reads; none of them blocks or panics (the
/// runtime's own implementation catches panics of user code).
///
/// A replay that adds numbers:
///
/// ```
/// use std::any::Any;
/// use std::ops::ControlFlow;
/// use statefn_store::{EventRef, Memory, PersistenceId, RecordRef, Replay, SequenceNumber};
/// use statefn_store::{SnapshotRef, StateRef, Store};
///
/// #[derive(Default)]
/// struct Sum(u64);
///
/// impl Replay for Sum {
///     fn snapshot(&mut self, _: SnapshotRef<'_>) -> bool {
///         false
///     }
///
///     fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()> {
///         self.0 = state.state.map_or(0, |state| state.payload.iter().map(|b| u64::from(*b)).sum());
///         ControlFlow::Continue(())
///     }
///
///     fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
///         self.0 += event.payload.first().map_or(0, |byte| u64::from(*byte));
///         ControlFlow::Continue(())
///     }
///
///     fn skipped(&mut self, _: SequenceNumber) {}
///
///     fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
///         ControlFlow::Break(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let id = PersistenceId::new("account", "alice");
/// let loaded = store.load(&id, Box::new(Sum::default())).await?;
/// assert_eq!(loaded.head.sequence, SequenceNumber::ZERO);
/// let replay: Box<dyn Any> = loaded.replay;
/// assert_eq!(replay.downcast::<Sum>().map(|sum| sum.0).ok(), Some(0));
/// # Ok(())
/// # }
/// ```
pub trait Replay: Any + Send {
    /// Offers the newest snapshot. Answers whether it is accepted; if not, all events follow.
    fn snapshot(&mut self, snapshot: SnapshotRef<'_>) -> bool;

    /// Hands over the state as a whole, or tells that it was deleted here. `Break` ends the replay.
    fn state(&mut self, state: StateRef<'_>) -> ControlFlow<()>;

    /// Hands over the next event. `Break` ends the replay of events.
    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()>;

    /// The event, state or deletion with this sequence number was left out by an operator. Its
    /// payload is not read: damage in it does not matter any more.
    fn skipped(&mut self, sequence: SequenceNumber);

    /// Hands over an idempotency record. `Break` ends the walk over records.
    fn record(&mut self, record: RecordRef<'_>) -> ControlFlow<()>;
}

/// Where an entity's journal ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The sequence number of the last event, state or deletion; zero for a new entity.
    pub sequence: SequenceNumber,
    /// The last entry of any kind; zero for a new entity.
    pub position: Offset,
    /// The newest entry with an idempotency record; zero when there is none.
    pub record: Offset,
}

/// A finished load: the head as of the load, and the replay given in.
pub struct Loaded {
    /// Where the journal ends. A new entity has the default head.
    pub head: Head,
    /// The replay, filled.
    pub replay: Box<dyn Replay>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// Why a load ended early.
///
/// ```
/// use statefn_store::{LoadError, Offset, SequenceNumber};
///
/// let error = LoadError::Corrupt {
///     offset: Offset::new(9),
///     sequence: SequenceNumber::new(4),
///     what: "wrong checksum".to_owned(),
/// };
/// assert_eq!(
///     error.to_string(),
///     "entry at offset 9 (sequence 4) is damaged: wrong checksum"
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A stored entry of this entity is damaged. Other entities are not concerned.
    #[error("entry at offset {offset} (sequence {sequence}) is damaged: {what}")]
    Corrupt {
        /// The entry.
        offset: Offset,
        /// Its sequence number as far as known: the one after the last good event otherwise.
        sequence: SequenceNumber,
        /// What is wrong with it.
        what: String,
    },
    /// The store could not read.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreFailure),
}
