//! An entry as it is kept in memory: as small as it can be, since every event ever stored is one.

use std::borrow::Cow;

use crate::{
    Entry, EntryBody, EventRef, NewEvent, NewRecord, NewState, Offset, PersistenceId, RecordRef,
    SequenceNumber, Skip, StateChange, StateRef, StoredRecord, Timestamp,
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
    State(NewState, Option<NewRecord>),
    Deleted(Option<NewRecord>),
    Erased(Option<NewRecord>),
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

    /// A whole state or a deletion, with the record of its command.
    pub(super) fn state(place: &Place<'_>, change: StateChange, record: Option<NewRecord>) -> Self {
        let rest = match change {
            StateChange::Put(state) => Rest::State(state, record),
            StateChange::Delete => Rest::Deleted(record),
        };
        Self::new(place, None, Some(Box::new(rest)))
    }

    /// What is left of an entry that is erased; `None` if nothing of it may go any more.
    pub(super) fn erased(&self, records_from: Timestamp) -> Option<Self> {
        let record = self.new_record().filter(|_| self.time >= records_from);
        let record = record.map(|record| NewRecord {
            key: record.key.clone(),
            fingerprint: record.fingerprint,
            outcome: Vec::new(),
        });
        if let Some(Rest::Erased(before)) = self.rest.as_deref()
            && *before == record
        {
            return None;
        }
        let place = Place {
            sequence: self.sequence,
            id: &self.id,
            time: self.time,
            metadata: &[],
        };
        let mut erased = Self::new(&place, None, Some(Box::new(Rest::Erased(record))));
        erased.offset = self.offset;
        Some(erased)
    }

    /// The record of a command without events.
    pub(super) fn record(place: &Place<'_>, record: NewRecord) -> Self {
        Self::new(place, None, Some(Box::new(Rest::Record(record))))
    }

    /// A decision to leave an event out.
    pub(super) fn skip(place: &Place<'_>, skip: Skip) -> Self {
        Self::new(place, None, Some(Box::new(Rest::Skip(skip))))
    }

    /// That a command sent something, when nothing else says that it ran.
    pub(super) fn sent(place: &Place<'_>) -> Self {
        Self::new(place, None, None)
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

    /// Whose it is.
    pub(super) fn id(&self) -> &PersistenceId {
        &self.id
    }

    /// Whether it has a sequence number of its own.
    pub(super) fn advances(&self) -> bool {
        self.event.is_some() || self.is_whole()
    }

    /// Whether it takes the place of everything before it.
    pub(super) fn is_whole(&self) -> bool {
        matches!(
            self.rest.as_deref(),
            Some(Rest::State(..) | Rest::Deleted(_))
        )
    }

    /// Whether it is a deletion.
    pub(super) fn is_deletion(&self) -> bool {
        matches!(self.rest.as_deref(), Some(Rest::Deleted(_)))
    }

    /// The whole state or the deletion, if it is one.
    pub(super) fn state_ref(&self) -> Option<StateRef<'_>> {
        let state = match self.rest.as_deref() {
            Some(Rest::State(state, _)) => Some(state.as_ref()),
            Some(Rest::Deleted(_)) => None,
            _ => return None,
        };
        Some(StateRef {
            offset: self.offset,
            sequence: self.sequence,
            time: self.time,
            metadata: &self.metadata,
            state,
        })
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
            Some(Rest::State(_, record) | Rest::Deleted(record) | Rest::Erased(record)) => {
                record.as_ref()
            }
            Some(Rest::Skip(_)) | None => None,
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
            (None, Some(Rest::State(state, _))) => EntryBody::State {
                state: state.clone(),
                record,
            },
            (None, Some(Rest::Deleted(_))) => EntryBody::Deleted { record },
            (None, Some(Rest::Erased(_))) => EntryBody::Erased { record },
            (None, Some(Rest::Record(_))) => EntryBody::Record(record?),
            (None, None) => EntryBody::Sent,
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
