//! Idempotency records: what a keyed command answered, kept with its events.

use crate::{Offset, Timestamp};

/// The outcome of a keyed command on its way into the journal.
///
/// ```
/// use statefn_store::{Batch, Member, Memory, NewRecord, Offset, PersistenceId, SequenceNumber};
/// use statefn_store::{Store, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let epoch = store.claim().await?;
/// let id = PersistenceId::new("cart", "alice");
/// let mut member = Member::new(id.clone(), SequenceNumber::ZERO, Timestamp::from_millis(0));
/// member.record = Some(NewRecord {
///     key: "request-77".to_owned(),
///     fingerprint: 42,
///     outcome: b"rejected".to_vec(),
/// });
/// let _ = store.commit(Batch { epoch, members: vec![member] }).await?;
/// // The offset of the newest record comes with the head of a load.
/// let found = store.find_record(&id, "request-77", Offset::new(1)).await?;
/// assert_eq!(found.map(|record| record.outcome), Some(b"rejected".to_vec()));
/// # Ok(())
/// # }
/// ```
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
