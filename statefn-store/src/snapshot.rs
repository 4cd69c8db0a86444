//! Snapshots: an entity's state at a sequence number.

use crate::SequenceNumber;

/// A snapshot on its way into the store, in the commit of the events that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Hash of the state's shape and codec; a reader with another shape drops the snapshot.
    pub shape: u128,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// The encoded state after the last event of the same member.
    pub payload: Vec<u8>,
}

/// A stored snapshot, borrowed from the store during recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRef<'a> {
    /// The last event that the state contains.
    pub sequence: SequenceNumber,
    /// Hash of the state's shape and codec.
    pub shape: u128,
    /// Which codec wrote the payload.
    pub codec: u8,
    /// The encoded state.
    pub payload: &'a [u8],
}
