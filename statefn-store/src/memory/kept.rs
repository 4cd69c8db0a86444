//! An entry as it is kept in memory: as small as it can be, since every event ever stored is one.

use std::borrow::Cow;

use crate::{
    Entry, EntryBody, EventRef, NewEvent, NewRecord, Offset, PersistenceId, RecordRef,
    SequenceNumber, Skip, StoredRecord, Timestamp,
};

/// One entry.
pub(super) struct Kept {
    /// Given when it is appended.
    pub(super) offset: Offset,
    pub(super) sequence: SequenceNumber,
    id: PersistenceId,
    time: Timestamp,
    metadata: Box<[u8]>,
    event: Option<KeptEvent>,
    /// What most entries do not have.
    rest: Option<Box<Rest>>,
}

struct KeptEvent {
    name: Cow<'static, str>,
    version: u32,
    codec: u8,
    payload: Box<[u8]>,
}

enum Rest {
    Record(NewRecord),
    Skip(Skip),
}

/// Whose an entry is, and where in its journal it lies.
pub(super) struct Place<'a> {
    pub(super) sequence: SequenceNumber,
    pub(super) id: &'a PersistenceId,
    pub(super) time: Timestamp,
    pub(super) metadata: &'a [u8],
}

impl Kept {
    /// An event, with the record of its command if it is the command's last one.
    pub(super) fn event(place: &Place<'_>, event: NewEvent, record: Option<NewRecord>) -> Self {
        let event = KeptEvent {
            name: event.name,
            version: event.version,
            codec: event.codec,
            payload: event.payload.into_boxed_slice(),
        };
        let record = record.map(|record| Box::new(Rest::Record(record)));
        Self::new(place, Some(event), record)
    }

    /// The record of a command without events.
    pub(super) fn record(place: &Place<'_>, record: NewRecord) -> Self {
        Self::new(place, None, Some(Box::new(Rest::Record(record))))
    }

    /// A decision to leave an event out.
    pub(super) fn skip(place: &Place<'_>, skip: Skip) -> Self {
        Self::new(place, None, Some(Box::new(Rest::Skip(skip))))
    }

    fn new(place: &Place<'_>, event: Option<KeptEvent>, rest: Option<Box<Rest>>) -> Self {
        Self {
            offset: Offset::ZERO,
            sequence: place.sequence,
            id: place.id.clone(),
            time: place.time,
            metadata: place.metadata.into(),
            event,
            rest,
        }
    }

    /// Whether it is an event.
    pub(super) fn is_event(&self) -> bool {
        self.event.is_some()
    }

    /// The event, if it is one.
    pub(super) fn event_ref(&self) -> Option<EventRef<'_>> {
        let event = self.event.as_ref()?;
        Some(EventRef {
            offset: self.offset,
            sequence: self.sequence,
            time: self.time,
            name: &event.name,
            version: event.version,
            codec: event.codec,
            metadata: &self.metadata,
            payload: &event.payload,
        })
    }

    fn new_record(&self) -> Option<&NewRecord> {
        match self.rest.as_deref() {
            Some(Rest::Record(record)) => Some(record),
            _ => None,
        }
    }

    /// The idempotency record, if it has one.
    pub(super) fn record_ref(&self) -> Option<RecordRef<'_>> {
        self.new_record().map(|record| RecordRef {
            key: &record.key,
            fingerprint: record.fingerprint,
            time: self.time,
            offset: self.offset,
        })
    }

    /// The idempotency record in full, if it has one.
    pub(super) fn stored_record(&self) -> Option<StoredRecord> {
        self.new_record().cloned().map(|record| StoredRecord {
            key: record.key,
            fingerprint: record.fingerprint,
            outcome: record.outcome,
            time: self.time,
            offset: self.offset,
        })
    }

    /// The sequence number of the event that it leaves out, if it is such a decision.
    pub(super) fn skipped(&self) -> Option<SequenceNumber> {
        match self.rest.as_deref() {
            Some(Rest::Skip(skip)) => Some(skip.sequence),
            _ => None,
        }
    }

    /// The entry in the words of the contract; `None` for one that says nothing.
    pub(super) fn entry(&self) -> Option<Entry> {
        let record = self.stored_record();
        let body = match (&self.event, self.rest.as_deref()) {
            (Some(event), _) => EntryBody::Event {
                event: NewEvent {
                    name: event.name.clone(),
                    version: event.version,
                    codec: event.codec,
                    payload: event.payload.to_vec(),
                },
                record,
            },
            (None, Some(Rest::Skip(skip))) => EntryBody::Skip {
                sequence: skip.sequence,
                reason: skip.reason.clone(),
            },
            (None, _) => EntryBody::Record(record?),
        };
        Some(Entry {
            offset: self.offset,
            id: self.id.clone(),
            sequence: self.sequence,
            time: self.time,
            metadata: self.metadata.to_vec(),
            body,
        })
    }
}
