//! What a store must answer, worked out the plainest way: one list, always searched whole.

use super::calls::Calls;
use super::tape::{Heard, HeardEvent, HeardState, Wish};
use crate::{
    EntityType, Entry, EntryBody, Head, Member, NewSnapshot, Offset, Outcome, PersistenceId,
    Refusal, SequenceNumber, StateChange, StoredRecord, Timestamp,
};

/// The journal as it must be.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) entries: Vec<Entry>,
    snapshots: Vec<(PersistenceId, SequenceNumber, NewSnapshot)>,
    /// Where records were erased: the head still points there.
    had_record: Vec<Offset>,
    pub(super) calls: Calls,
}

impl Model {
    /// Applies a batch.
    pub(super) fn append_all(&mut self, members: &[Member]) -> Vec<Outcome> {
        let mut refused: Vec<&PersistenceId> = Vec::new();
        let mut outcomes = Vec::new();
        for member in members {
            if refused.contains(&&member.id) {
                outcomes.push(Outcome::Refused(Refusal::Overtaken));
                continue;
            }
            let outcome = self.append(member);
            if matches!(outcome, Outcome::Refused(_)) {
                refused.push(&member.id);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Applies a batch of one member.
    pub(super) fn append(&mut self, member: &Member) -> Outcome {
        let actual = self.head(&member.id).sequence;
        if member.expected != actual {
            return Outcome::Refused(Refusal::Stale {
                expected: member.expected,
                actual,
            });
        }
        let settles = member.deferred.as_ref().and_then(|d| d.settles.as_ref());
        if settles.is_some_and(|call| !self.calls.has(call)) {
            return Outcome::Refused(Refusal::Settled);
        }
        let before = self.entries.len();
        let mut record = member.record.clone().map(|record| StoredRecord {
            key: record.key,
            fingerprint: record.fingerprint,
            outcome: record.outcome,
            time: member.time,
            offset: Offset::ZERO,
        });
        let last = member.last_sequence();
        let mut sequence = actual;
        for event in &member.events {
            sequence = sequence.next();
            let event = event.clone();
            let record = record.take_if(|_| sequence == last);
            self.push(member, sequence, EntryBody::Event { event, record });
        }
        if let Some(change) = member.state.as_deref() {
            sequence = sequence.next();
            let record = record.take();
            let body = match change.clone() {
                StateChange::Put(state) => EntryBody::State { state, record },
                StateChange::Delete => EntryBody::Deleted { record },
            };
            self.push(member, sequence, body);
            self.snapshots.retain(|(of, ..)| *of != member.id);
        }
        if let Some(record) = record {
            self.push(member, sequence, EntryBody::Record(record));
        }
        if let Some(skip) = member.skip.clone() {
            let (skipped, reason) = (skip.sequence, skip.reason);
            let body = EntryBody::Skip {
                sequence: skipped,
                reason,
            };
            self.push(member, sequence, body);
        }
        if let Some(snapshot) = member.snapshot.clone() {
            self.snapshots.push((member.id.clone(), sequence, snapshot));
        }
        if let Some(deferred) = &member.deferred {
            if self.entries.len() == before && deferred.sends() {
                self.push(member, sequence, EntryBody::Sent);
            }
            let position = self.head(&member.id).position;
            self.calls.append(member, deferred, position);
        }
        Outcome::Committed {
            position: self.head(&member.id).position,
        }
    }

    fn push(&mut self, member: &Member, sequence: SequenceNumber, mut body: EntryBody) {
        let offset = self.end();
        if let Some(record) = record_mut(&mut body) {
            record.offset = offset;
        }
        self.entries.push(Entry {
            offset,
            id: member.id.clone(),
            sequence,
            time: member.time,
            metadata: member.metadata.clone(),
            body,
        });
    }

    /// The offset that the next entry takes.
    pub(super) fn end(&self) -> Offset {
        Offset::new(self.entries.len() as u64).next()
    }

    fn of<'a>(&'a self, id: &'a PersistenceId) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.id == *id)
    }

    /// The head of an entity.
    pub(super) fn head(&self, id: &PersistenceId) -> Head {
        let mut head = Head::default();
        for entry in self.of(id) {
            head.sequence = entry.sequence;
            head.position = entry.offset;
            if entry.body.record().is_some() || self.had_record.contains(&entry.offset) {
                head.record = entry.offset;
            }
        }
        head
    }

    /// What a load must stream.
    pub(super) fn replay(&self, id: &PersistenceId, wish: Wish) -> Vec<Heard> {
        let records = self.of(id).rev().filter_map(|entry| entry.body.record());
        let mut heard: Vec<Heard> = records.take(wish.records_max).map(heard_record).collect();
        let newest = self.snapshots.iter().rev().find(|(of, ..)| of == id);
        let mut after = SequenceNumber::ZERO;
        if let Some((_, sequence, snapshot)) = newest {
            heard.push(Heard::Snapshot {
                sequence: *sequence,
                snapshot: snapshot.clone(),
            });
            if wish.accept_snapshot {
                after = *sequence;
            }
        }
        let skips = self.skips(id);
        let mut events = 0;
        let whole = self.of(id).rfind(|entry| {
            let is_whole = is_whole(&entry.body);
            entry.sequence > after && is_whole && !skips.contains(&entry.sequence)
        });
        if let Some(entry) = whole {
            heard.push(heard_state(entry));
            after = entry.sequence;
            events += 1;
            if events == wish.events_max {
                return heard;
            }
        }
        for entry in self.of(id).filter(|entry| entry.sequence > after) {
            let (event, is_whole) = match &entry.body {
                EntryBody::Event { event, .. } => (Some(event), false),
                body => (None, is_whole(body)),
            };
            if (event.is_some() || is_whole) && skips.contains(&entry.sequence) {
                heard.push(Heard::Skipped(entry.sequence));
                continue;
            }
            let Some(event) = event else {
                continue;
            };
            heard.push(Heard::Event(HeardEvent {
                offset: entry.offset,
                sequence: entry.sequence,
                time: entry.time,
                name: event.name.clone().into_owned(),
                version: event.version,
                codec: event.codec,
                metadata: entry.metadata.clone(),
                payload: event.payload.clone(),
            }));
            events += 1;
            if events == wish.events_max {
                break;
            }
        }
        heard
    }

    /// Erases what an entity's entries before its newest deletion say. How many that were.
    pub(super) fn erase(&mut self, id: &PersistenceId, records_from: Timestamp) -> u64 {
        let is_deletion = |entry: &&Entry| matches!(entry.body, EntryBody::Deleted { .. });
        let Some(end) = self.of(id).rfind(is_deletion).map(|entry| entry.offset) else {
            return 0;
        };
        let mut count = 0;
        for entry in &mut self.entries {
            if entry.id != *id || entry.offset >= end {
                continue;
            }
            let before = entry.clone();
            let record = entry.body.record().cloned().map(|record| StoredRecord {
                outcome: Vec::new(),
                ..record
            });
            if record.is_some() {
                self.had_record.push(entry.offset);
            }
            let record = record.filter(|record| record.time >= records_from);
            entry.body = EntryBody::Erased { record };
            entry.metadata.clear();
            count += u64::from(*entry != before);
        }
        count
    }

    fn skips(&self, id: &PersistenceId) -> Vec<SequenceNumber> {
        let skips = self.of(id).filter_map(|entry| match &entry.body {
            EntryBody::Skip { sequence, .. } => Some(*sequence),
            _ => None,
        });
        skips.collect()
    }

    /// What a search for a record must find.
    pub(super) fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Option<StoredRecord> {
        let entries = self.of(id).filter(|entry| entry.offset <= newest);
        let mut records = entries.filter_map(|entry| entry.body.record());
        records.rfind(|record| record.key == key).cloned()
    }

    /// The keys of an entity's records, each once.
    pub(super) fn keys(&self, id: &PersistenceId) -> Vec<String> {
        let records = self.of(id).filter_map(|entry| entry.body.record());
        let mut keys: Vec<String> = records.map(|record| record.key.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// All entities, in order.
    pub(super) fn entities(&self) -> Vec<PersistenceId> {
        let mut ids: Vec<_> = self.entries.iter().map(|entry| entry.id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// All entity types, in order.
    pub(super) fn entity_types(&self) -> Vec<EntityType> {
        let ids = self.entities();
        let mut types: Vec<_> = ids.iter().map(|id| id.entity_type().clone()).collect();
        types.dedup();
        types
    }
}

fn record_mut(body: &mut EntryBody) -> Option<&mut StoredRecord> {
    match body {
        EntryBody::Event { record, .. }
        | EntryBody::State { record, .. }
        | EntryBody::Deleted { record }
        | EntryBody::Erased { record } => record.as_mut(),
        EntryBody::Record(record) => Some(record),
        EntryBody::Skip { .. } | EntryBody::Sent => None,
    }
}

fn is_whole(body: &EntryBody) -> bool {
    matches!(body, EntryBody::State { .. } | EntryBody::Deleted { .. })
}

fn heard_state(entry: &Entry) -> Heard {
    let state = match &entry.body {
        EntryBody::State { state, .. } => Some(state.clone()),
        _ => None,
    };
    Heard::State(HeardState {
        offset: entry.offset,
        sequence: entry.sequence,
        time: entry.time,
        metadata: entry.metadata.clone(),
        state,
    })
}

fn heard_record(record: &StoredRecord) -> Heard {
    Heard::Record {
        key: record.key.clone(),
        fingerprint: record.fingerprint,
        time: record.time,
        offset: record.offset,
    }
}
