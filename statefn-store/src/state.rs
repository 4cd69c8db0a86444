//! States that are stored whole, and their deletion.

use crate::{Offset, SequenceNumber, Timestamp};

/// A state on its way into the journal, whole: it takes the place of everything before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewState {
    /// Hash of the state's shape and codec; a reader with another shape must not decode it.
    pub shape: u128,
    /// Declared schema version of the payload, from 1.
    pub version: u32,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// The encoded state.
    pub payload: Vec<u8>,
}

/// What a member does to its entity's state as a whole.
///
/// ```
/// use statefn_store::{Member, PersistenceId, SequenceNumber, StateChange, Timestamp};
///
/// let id = PersistenceId::new("cart", "alice");
/// let mut member = Member::new(id, SequenceNumber::new(4), Timestamp::from_millis(0));
/// member.state = Some(Box::new(StateChange::Delete));
/// assert_eq!(member.last_sequence().get(), 5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateChange {
    /// This is the state from now on.
    Put(NewState),
    /// There is none any more.
    Delete,
}

/// The newest whole state of an entity or its deletion, borrowed from the store during recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRef<'a> {
    /// Position in the whole store.
    pub offset: Offset,
    /// Position in the entity's journal.
    pub sequence: SequenceNumber,
    /// When the command ran.
    pub time: Timestamp,
    /// Encoded metadata of the command; empty when there was none.
    pub metadata: &'a [u8],
    /// The state; `None` when it was deleted here.
    pub state: Option<StateBytes<'a>>,
}

/// A stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBytes<'a> {
    /// Hash of the state's shape and codec.
    pub shape: u128,
    /// Declared schema version of the payload.
    pub version: u32,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// The encoded state.
    pub payload: &'a [u8],
}

impl StateBytes<'_> {
    /// The same, owned: for a backend that hands out entries.
    ///
    /// ```
    /// use statefn_store::StateBytes;
    ///
    /// let bytes = StateBytes { shape: 7, version: 1, codec: 0, payload: b"red" };
    /// assert_eq!(bytes.to_owned().payload, b"red");
    /// ```
    pub fn to_owned(self) -> NewState {
        NewState {
            shape: self.shape,
            version: self.version,
            codec: self.codec,
            payload: self.payload.to_vec(),
        }
    }
}

impl NewState {
    /// The same, borrowed.
    pub(crate) fn as_ref(&self) -> StateBytes<'_> {
        StateBytes {
            shape: self.shape,
            version: self.version,
            codec: self.codec,
            payload: &self.payload,
        }
    }
}
