//! Where an entry comes from, for the handler of a projection.

use std::fmt;
use std::marker::PhantomData;

use statefn_store::{Entry, Offset, PersistenceId, SequenceNumber, Timestamp};

use crate::codec::Codec;
use crate::metadata::Metadata;

/// Which entity of type `E` said something, when, and where that stands in the journal.
///
/// The type of a handler's second parameter: it says of which entity type the handler hears.
pub struct Envelope<E> {
    id: PersistenceId,
    sequence: SequenceNumber,
    offset: Offset,
    time: Timestamp,
    metadata: Metadata,
    of: PhantomData<fn() -> E>,
}

impl<E> Envelope<E> {
    pub(crate) fn of(entry: &Entry) -> Self {
        let metadata = match entry.metadata.as_slice() {
            [] => Metadata::new(),
            bytes => Codec::Bincode.decode(bytes).unwrap_or_default(),
        };
        Self {
            id: entry.id.clone(),
            sequence: entry.sequence,
            offset: entry.offset,
            time: entry.time,
            metadata,
            of: PhantomData,
        }
    }

    /// The entity's id.
    pub fn id(&self) -> &str {
        self.id.id()
    }

    /// The entity, with its type.
    pub fn persistence_id(&self) -> &PersistenceId {
        &self.id
    }

    /// The entity's sequence number after this entry.
    pub fn sequence(&self) -> SequenceNumber {
        self.sequence
    }

    /// The position in the whole journal.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// When the command ran.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What the command was sent with, and what it added.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

impl<E> fmt::Debug for Envelope<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("id", &self.id)
            .field("sequence", &self.sequence)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// Why an entity has no state any more: what a `#[removal_handler]` hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// The entity was deleted; it may be used again, from its default state.
    Deleted,
    /// What stood at this place of the journal was erased by a purge, and is told to nobody any more.
    /// Heard once for each erased entry, before the deletion that stands behind them.
    Purged,
}
