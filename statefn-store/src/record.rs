//! Idempotency records: what a keyed command answered, kept with its events.

use crate::{Offset, Timestamp};

/// The outcome of a keyed command on its way into the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// The caller's key, unique within the entity.
    pub key: String,
    /// Hash of command name and argument bytes: tells a retry from a different command.
    pub fingerprint: u128,
    /// The encoded reply or rejection.
    pub outcome: Vec<u8>,
}

/// A stored idempotency record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The caller's key.
    pub key: String,
    /// Hash of command name and argument bytes.
    pub fingerprint: u128,
    /// The encoded reply or rejection.
    pub outcome: Vec<u8>,
    /// When the command ran; retention counts from here.
    pub time: Timestamp,
    /// The journal entry that holds the record.
    pub offset: Offset,
}

/// A stored idempotency record, borrowed from the store during recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The caller's key.
    pub key: &'a str,
    /// Hash of command name and argument bytes.
    pub fingerprint: u128,
    /// When the command ran.
    pub time: Timestamp,
    /// The journal entry that holds the record.
    pub offset: Offset,
}
