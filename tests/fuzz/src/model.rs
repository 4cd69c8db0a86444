//! What a store must answer, worked out from one list that is always searched whole.
//!
//! Not the conformance suite's model: two that agree with the stores are worth more than one.

use std::collections::{BTreeMap, BTreeSet};

use statefn_store::{
    Entry, EntryBody, Head, Member, NewEvent, NewSnapshot, Offset, Outcome, PersistenceId, Refusal,
    SequenceNumber, StateChange, StoredCalls, StoredRecord, Timestamp,
};

use crate::tape::{Heard, Wish};

/// The journal as it must be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) entries: Vec<Entry>,
    /// By the offset of the event after which each was taken.
    snapshots: BTreeMap<Offset, (PersistenceId, SequenceNumber, NewSnapshot)>,
    /// Where records were erased: the head still points there.
    had_record: BTreeSet<Offset>,
    /// Effects, dead letters and timers.
    pub(crate) calls: StoredCalls,
}

impl Model {
    /// Judges a batch member by member.
    pub(crate) fn commit(&mut self, members: &[Member]) -> Vec<Outcome> {
        let mut refused = BTreeSet::new();
        let judge = |member: &Member| {
            let actual = self.head(&member.id).sequence;
            let expected = member.expected;
            if refused.contains(&member.id) {
                return Outcome::Refused(Refusal::Overtaken);
            }
            if expected != actual {
                refused.insert(member.id.clone());
                return Outcome::Refused(Refusal::Stale { expected, actual });
            }
            let settles = member.deferred.as_ref().and_then(|calls| calls.settles);
            if settles.is_some_and(|call| !self.calls.has(&call)) {
                refused.insert(member.id.clone());
                return Outcome::Refused(Refusal::Settled);
            }
            self.append(member);
            Outcome::Committed {
                position: self.head(&member.id).position,
            }
        };
        members.iter().map(judge).collect()
    }

    fn append(&mut self, member: &Member) {
        let begin = self.end();
        let mut sequence = member.expected;
        let mut bodies: Vec<EntryBody> = member.events.iter().map(event_body).collect();
        bodies.extend(member.state.as_deref().map(state_body));
        let last = bodies.len();
        for (index, mut body) in bodies.into_iter().enumerate() {
            sequence = sequence.next();
            if index + 1 == last {
                *record_mut(&mut body).unwrap() = self.record(member);
            }
            self.push(member, sequence, body);
        }
        if last == 0 {
            let record = self.record(member);
            if let Some(record) = record {
                self.push(member, sequence, EntryBody::Record(record));
            }
        }
        if let Some(snapshot) = &member.snapshot {
            let taken = (member.id.clone(), sequence, snapshot.clone());
            self.snapshots.insert(self.end(), taken);
        }
        if let Some(skip) = &member.skip {
            let body = EntryBody::Skip {
                sequence: skip.sequence,
                reason: skip.reason.clone(),
            };
            self.push(member, sequence, body);
        }
        let Some(deferred) = member.deferred.as_deref() else {
            return;
        };
        if deferred.sends() && self.end() == begin {
            self.push(member, sequence, EntryBody::Sent);
        }
        let position = self.end();
        self.calls
            .append(deferred.clone(), &member.id, member.time, position);
    }

    /// Whether an entity was deleted at `sequence`.
    pub(crate) fn deletes(&self, id: &PersistenceId, sequence: SequenceNumber) -> bool {
        self.of(id).any(|entry| {
            entry.sequence == sequence && matches!(entry.body, EntryBody::Deleted { .. })
        })
    }

    fn record(&self, member: &Member) -> Option<StoredRecord> {
        let record = member.record.clone()?;
        Some(StoredRecord {
            key: record.key,
            fingerprint: record.fingerprint,
            outcome: record.outcome,
            time: member.time,
            offset: self.end().next(),
        })
    }

    /// Erases what an entity's entries before its newest deletion say. How many that were.
    pub(crate) fn erase(&mut self, id: &PersistenceId, records_from: Timestamp) -> u64 {
        let is_deletion = |entry: &&Entry| matches!(entry.body, EntryBody::Deleted { .. });
        let Some(end) = self.of(id).rfind(is_deletion).map(|entry| entry.offset) else {
            return 0;
        };
        let mut count = 0;
        for entry in &mut self.entries {
            if entry.id != *id || entry.offset >= end {
                continue;
            }
            let mut record = entry.body.record().cloned();
            self.had_record
                .extend(record.as_ref().map(|_| entry.offset));
            if let Some(record) = &mut record {
                record.outcome.clear();
            }
            let record = record.filter(|record| record.time >= records_from);
            let erased = Entry {
                metadata: Vec::new(),
                body: EntryBody::Erased { record },
                ..entry.clone()
            };
            count += u64::from(erased != *entry);
            *entry = erased;
        }
        count
    }

    fn push(&mut self, member: &Member, sequence: SequenceNumber, body: EntryBody) {
        self.entries.push(Entry {
            offset: self.end().next(),
            id: member.id.clone(),
            sequence,
            time: member.time,
            metadata: member.metadata.clone(),
            body,
        });
    }

    /// The offset of the last entry.
    pub(crate) fn end(&self) -> Offset {
        Offset::new(self.entries.len() as u64)
    }

    /// The journal when it had so many entries.
    pub(crate) fn at(&self, entries: usize) -> Self {
        let mut earlier = self.clone();
        earlier.entries.truncate(entries);
        let end = earlier.end();
        earlier.snapshots.retain(|offset, _| *offset <= end);
        earlier
    }

    fn of<'a>(&'a self, id: &'a PersistenceId) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.id == *id)
    }

    /// The records of an entity, oldest first.
    pub(crate) fn records<'a>(
        &'a self,
        id: &'a PersistenceId,
    ) -> impl DoubleEndedIterator<Item = &'a StoredRecord> {
        self.of(id).filter_map(|entry| entry.body.record())
    }

    pub(crate) fn head(&self, id: &PersistenceId) -> Head {
        let last = self.of(id).next_back();
        let has_record = |entry: &&Entry| {
            entry.body.record().is_some() || self.had_record.contains(&entry.offset)
        };
        let record = self.of(id).rfind(has_record);
        Head {
            sequence: last.map_or(SequenceNumber::ZERO, |entry| entry.sequence),
            position: last.map_or(Offset::ZERO, |entry| entry.offset),
            record: record.map_or(Offset::ZERO, |record| record.offset),
        }
    }

    /// What a load must stream.
    pub(crate) fn replay(&self, id: &PersistenceId, wish: Wish) -> Vec<Heard> {
        let records = self.records(id).rev().take(wish.records_max);
        let mut heard: Vec<Heard> = records
            .map(|record| Heard::Record {
                key: record.key.clone(),
                fingerprint: record.fingerprint,
                time: record.time,
                offset: record.offset,
            })
            .collect();
        let snapshot = self.snapshot(id);
        heard.extend(snapshot.map(|(_, sequence, snapshot)| Heard::Snapshot {
            sequence: *sequence,
            snapshot: snapshot.clone(),
        }));
        let taken = snapshot.filter(|_| wish.accepts_snapshot);
        let after = taken.map_or(SequenceNumber::ZERO, |(_, sequence, _)| *sequence);
        let newer: Vec<&Entry> = self.of(id).filter(|entry| entry.sequence > after).collect();
        let begin = newer
            .iter()
            .rposition(|entry| is_whole(&entry.body) && !self.is_skipped(id, entry.sequence));
        let rest = newer.into_iter().skip(begin.unwrap_or(0));
        let mut left = wish.events_max;
        for entry in rest.filter(|entry| counts(&entry.body)) {
            if self.is_skipped(id, entry.sequence) {
                heard.push(Heard::Skipped(entry.sequence));
                continue;
            }
            heard.push(heard_entry(entry));
            left -= 1;
            if left == 0 {
                break;
            }
        }
        heard
    }

    /// The newest one, unless a state or a deletion came since.
    fn snapshot(
        &self,
        id: &PersistenceId,
    ) -> Option<&(PersistenceId, SequenceNumber, NewSnapshot)> {
        let mut snapshots = self.snapshots.iter().rev();
        let (offset, snapshot) = snapshots.find(|(_, (of, ..))| of == id)?;
        let mut whole = self.of(id).filter(|entry| is_whole(&entry.body));
        let is_overtaken = whole.any(|entry| entry.offset > *offset);
        Some(snapshot).filter(|_| !is_overtaken)
    }

    fn is_skipped(&self, id: &PersistenceId, at: SequenceNumber) -> bool {
        self.of(id)
            .any(|entry| matches!(&entry.body, EntryBody::Skip { sequence, .. } if *sequence == at))
    }

    /// Whether an operator left out the event at `offset`.
    pub(crate) fn is_left_out(&self, offset: Offset) -> bool {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.offset == offset)
            .is_some_and(|entry| self.is_skipped(&entry.id, entry.sequence))
    }

    /// What a search for a record must find.
    pub(crate) fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Option<StoredRecord> {
        let mut records = self.records(id).rev();
        records
            .find(|record| record.offset <= newest && record.key == key)
            .cloned()
    }

    pub(crate) fn entities(&self) -> BTreeSet<PersistenceId> {
        self.entries.iter().map(|entry| entry.id.clone()).collect()
    }
}

fn event_body(event: &NewEvent) -> EntryBody {
    let event = event.clone();
    let record = None;
    EntryBody::Event { event, record }
}

fn state_body(change: &StateChange) -> EntryBody {
    let record = None;
    match change.clone() {
        StateChange::Put(state) => EntryBody::State { state, record },
        StateChange::Delete => EntryBody::Deleted { record },
    }
}

fn record_mut(body: &mut EntryBody) -> Option<&mut Option<StoredRecord>> {
    match body {
        EntryBody::Event { record, .. }
        | EntryBody::State { record, .. }
        | EntryBody::Deleted { record } => Some(record),
        _ => None,
    }
}

/// Whether it takes the place of everything before it.
fn is_whole(body: &EntryBody) -> bool {
    matches!(body, EntryBody::State { .. } | EntryBody::Deleted { .. })
}

/// Whether a replay hears of it.
fn counts(body: &EntryBody) -> bool {
    is_whole(body) || matches!(body, EntryBody::Event { .. })
}

fn heard_entry(entry: &Entry) -> Heard {
    let (offset, sequence, time) = (entry.offset, entry.sequence, entry.time);
    let metadata = entry.metadata.clone();
    match &entry.body {
        EntryBody::Event { event, .. } => Heard::Event {
            offset,
            sequence,
            time,
            metadata,
            event: event.clone(),
        },
        body => Heard::State {
            offset,
            sequence,
            time,
            metadata,
            state: match body {
                EntryBody::State { state, .. } => Some(state.clone()),
                _ => None,
            },
        },
    }
}
