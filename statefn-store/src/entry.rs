//! Journal entries: what a command appends, and what a reader gets back.

use std::borrow::Cow;

use crate::{NewState, Offset, PersistenceId, SequenceNumber, StoredRecord, Timestamp};

/// An event on its way into the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Declared event name, never a Rust path.
    pub name: Cow<'static, str>,
    /// Declared schema version of the payload, from 1.
    pub version: u32,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// The encoded fields of the event.
    pub payload: Vec<u8>,
}

/// A stored event, borrowed from the store while it is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// Position in the whole store.
    pub offset: Offset,
    /// Position in the entity's journal.
    pub sequence: SequenceNumber,
    /// When the command ran.
    pub time: Timestamp,
    /// Declared event name.
    pub name: &'a str,
    /// Declared schema version of the payload.
    pub version: u32,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// Encoded metadata of the command; empty when there was none.
    pub metadata: &'a [u8],
    /// The encoded fields of the event.
    pub payload: &'a [u8],
}

/// A committed journal entry, as [`Store::read`](crate::Store::read) returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the whole store.
    pub offset: Offset,
    /// The entity that wrote it.
    pub id: PersistenceId,
    /// The entity's sequence number after this entry. Events, states and deletions advance it.
    pub sequence: SequenceNumber,
    /// When the command ran.
    pub time: Timestamp,
    /// Encoded metadata of the command; empty when there was none.
    pub metadata: Vec<u8>,
    /// What it says.
    pub body: EntryBody,
}

/// The kinds of journal entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryBody {
    /// An event.
    Event {
        /// The event.
        event: NewEvent,
        /// The idempotency record of the command, on the last event of a keyed command.
        record: Option<StoredRecord>,
    },
    /// The entity's state as a whole: everything before it counts no more.
    State {
        /// The state.
        state: NewState,
        /// The idempotency record of the command.
        record: Option<StoredRecord>,
    },
    /// The entity has no state any more: it begins anew.
    Deleted {
        /// The idempotency record of the command.
        record: Option<StoredRecord>,
    },
    /// What stood here was erased behind a later deletion.
    Erased {
        /// An idempotency record that was still to be remembered; its outcome is empty.
        record: Option<StoredRecord>,
    },
    /// The idempotency record of a keyed command without events.
    Record(StoredRecord),
    /// An operator's decision to leave one event out of every later replay.
    Skip {
        /// The event left out.
        sequence: SequenceNumber,
        /// The operator's reason.
        reason: String,
    },
    /// A command that emitted nothing but sent effects, or set or cancelled timers. What it sent is
    /// in the outbox and among the timers, not in here.
    Sent,
}

impl EntryBody {
    /// The idempotency record in this entry, if it has one.
    ///
    /// ```
    /// use statefn_store::{EntryBody, SequenceNumber};
    ///
    /// let sequence = SequenceNumber::new(3);
    /// let reason = "written by a faulty release".to_owned();
    /// let body = EntryBody::Skip { sequence, reason };
    /// assert_eq!(body.record(), None);
    /// ```
    pub fn record(&self) -> Option<&StoredRecord> {
        match self {
            Self::Event { record, .. }
            | Self::State { record, .. }
            | Self::Deleted { record }
            | Self::Erased { record } => record.as_ref(),
            Self::Record(record) => Some(record),
            Self::Skip { .. } | Self::Sent => None,
        }
    }
}
