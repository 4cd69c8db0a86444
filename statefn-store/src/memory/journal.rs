//! The journal in memory: entries in commit order, and per entity where its own lie.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use crate::{
    EntityType, Entry, EntryBody, EventRef, Head, Member, NewRecord, NewSnapshot, Offset, Outcome,
    PersistenceId, RecordRef, Refusal, Replay, SequenceNumber, SnapshotRef, StoreReport,
    StoredRecord, Timestamp,
};

/// All entries of a store.
#[derive(Default)]
pub(super) struct Journal {
    /// Entry `n` has offset `n + 1`.
    entries: Vec<Arc<Entry>>,
    entities: HashMap<PersistenceId, Entity>,
    /// The keys of `entities` in order: a page of them must not sort all.
    ids: BTreeSet<PersistenceId>,
}

/// What is known of one entity. A load takes it by cloning pointers, whatever its length; a commit
/// copies a list only while a load still holds it.
#[derive(Clone, Default)]
struct Entity {
    head: Head,
    /// Its events, in order: the one with sequence number `n` lies at `n - 1`.
    events: Arc<Vec<Arc<Entry>>>,
    /// Its entries with an idempotency record, in order.
    records: Arc<Vec<Arc<Entry>>>,
    skips: Arc<BTreeSet<SequenceNumber>>,
    snapshot: Option<Arc<(SequenceNumber, NewSnapshot)>>,
}

/// What all entries of one member have in common.
struct Origin {
    id: PersistenceId,
    time: Timestamp,
    metadata: Vec<u8>,
}

impl Journal {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends everything a member holds, or refuses it.
    pub(super) fn append(&mut self, member: Member) -> Outcome {
        let actual = self
            .entities
            .get(&member.id)
            .map_or(SequenceNumber::ZERO, |e| e.head.sequence);
        if actual != member.expected {
            return Outcome::Refused(Refusal::Stale {
                expected: member.expected,
                actual,
            });
        }
        let Member {
            id,
            expected,
            time,
            metadata,
            events,
            snapshot,
            mut record,
            skip,
        } = member;
        let origin = Origin { id, time, metadata };
        let count = events.len();
        let mut sequence = expected;
        for (index, event) in events.into_iter().enumerate() {
            sequence = sequence.next();
            let record = if index + 1 == count {
                record.take()
            } else {
                None
            };
            let record = record.map(|record| self.stored(record, time));
            self.push(&origin, sequence, EntryBody::Event { event, record });
        }
        if let Some(record) = record {
            let record = self.stored(record, time);
            self.push(&origin, sequence, EntryBody::Record(record));
        }
        if let Some(skip) = skip {
            let body = EntryBody::Skip {
                sequence: skip.sequence,
                reason: skip.reason,
            };
            self.push(&origin, sequence, body);
        }
        let Some(entity) = self.entities.get_mut(&origin.id) else {
            return Outcome::Committed {
                position: Offset::ZERO,
            };
        };
        if let Some(snapshot) = snapshot {
            entity.snapshot = Some(Arc::new((sequence, snapshot)));
        }
        Outcome::Committed {
            position: entity.head.position,
        }
    }

    fn stored(&self, record: NewRecord, time: Timestamp) -> StoredRecord {
        let NewRecord {
            key,
            fingerprint,
            outcome,
        } = record;
        StoredRecord {
            key,
            fingerprint,
            outcome,
            time,
            offset: self.next_offset(),
        }
    }

    fn next_offset(&self) -> Offset {
        Offset::new(self.entries.len() as u64).next()
    }

    fn push(&mut self, origin: &Origin, sequence: SequenceNumber, body: EntryBody) {
        let entry = Arc::new(Entry {
            offset: self.next_offset(),
            id: origin.id.clone(),
            sequence,
            time: origin.time,
            metadata: origin.metadata.clone(),
            body,
        });
        if !self.entities.contains_key(&origin.id) {
            self.ids.insert(origin.id.clone());
        }
        let entity = self.entities.entry(origin.id.clone()).or_default();
        entity.push(&entry);
        self.entries.push(entry);
    }

    /// What there is of an entity now.
    pub(super) fn history(&self, id: &PersistenceId) -> History {
        History(self.entities.get(id).cloned().unwrap_or_default())
    }

    /// The newest record under `key`, from the one at `newest` backward.
    pub(super) fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Option<StoredRecord> {
        let records = &self.entities.get(id)?.records;
        let older = records.iter().rev().filter(|e| e.offset <= newest);
        let mut older = older.filter_map(|e| e.body.record());
        older.find(|record| record.key == key).cloned()
    }

    /// A page of entries.
    pub(super) fn read(&self, from: Offset, limit: usize) -> Vec<Entry> {
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        self.entries
            .iter()
            .skip(skip)
            .take(limit)
            .map(|entry| Entry::clone(entry))
            .collect()
    }

    /// A page of entities.
    pub(super) fn entities(
        &self,
        after: Option<&PersistenceId>,
        limit: usize,
    ) -> Vec<PersistenceId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.ids.range((from, Bound::Unbounded));
        ids.take(limit).cloned().collect()
    }

    /// The types of all entities.
    pub(super) fn entity_types(&self) -> Vec<EntityType> {
        let mut types: Vec<EntityType> = Vec::new();
        for entity_type in self.ids.iter().map(PersistenceId::entity_type) {
            if types.last() != Some(entity_type) {
                types.push(entity_type.clone());
            }
        }
        types
    }

    /// Counts; memory has no damage to report.
    pub(super) fn report(&self) -> StoreReport {
        StoreReport {
            entities: self.entities.len() as u64,
            entries: self.entries.len() as u64,
            snapshots: self
                .entities
                .values()
                .filter(|e| e.snapshot.is_some())
                .count() as u64,
            faults: Vec::new(),
        }
    }
}

impl Entity {
    fn push(&mut self, entry: &Arc<Entry>) {
        self.head.sequence = entry.sequence;
        self.head.position = entry.offset;
        if entry.body.record().is_some() {
            self.head.record = entry.offset;
            Arc::make_mut(&mut self.records).push(Arc::clone(entry));
        }
        match &entry.body {
            EntryBody::Event { .. } => Arc::make_mut(&mut self.events).push(Arc::clone(entry)),
            EntryBody::Skip { sequence, .. } => {
                Arc::make_mut(&mut self.skips).insert(*sequence);
            }
            EntryBody::Record(_) => {}
        }
    }
}

/// What there was of an entity at one point in time.
pub(super) struct History(Entity);

impl History {
    /// Hands everything over in the order of the contract.
    pub(super) fn replay(&self, replay: &mut dyn Replay) -> Head {
        self.replay_records(replay);
        let after = self.offer_snapshot(replay);
        self.replay_events(after, replay);
        self.0.head
    }

    fn replay_records(&self, replay: &mut dyn Replay) {
        let records = self.0.records.iter().rev();
        for record in records.filter_map(|entry| entry.body.record()) {
            let flow = replay.record(RecordRef {
                key: &record.key,
                fingerprint: record.fingerprint,
                time: record.time,
                offset: record.offset,
            });
            if flow.is_break() {
                break;
            }
        }
    }

    fn offer_snapshot(&self, replay: &mut dyn Replay) -> SequenceNumber {
        let Some((sequence, snapshot)) = self.0.snapshot.as_deref() else {
            return SequenceNumber::ZERO;
        };
        let accepted = replay.snapshot(SnapshotRef {
            sequence: *sequence,
            shape: snapshot.shape,
            codec: snapshot.codec,
            payload: &snapshot.payload,
        });
        if accepted {
            *sequence
        } else {
            SequenceNumber::ZERO
        }
    }

    fn replay_events(&self, after: SequenceNumber, replay: &mut dyn Replay) {
        let covered = usize::try_from(after.get()).unwrap_or(usize::MAX);
        for entry in self.0.events.iter().skip(covered) {
            let EntryBody::Event { event, .. } = &entry.body else {
                continue;
            };
            if self.0.skips.contains(&entry.sequence) {
                replay.skipped(entry.sequence);
                continue;
            }
            let flow = replay.event(EventRef {
                offset: entry.offset,
                sequence: entry.sequence,
                time: entry.time,
                name: &event.name,
                version: event.version,
                codec: event.codec,
                metadata: &entry.metadata,
                payload: &event.payload,
            });
            if flow == ControlFlow::Break(()) {
                break;
            }
        }
    }
}
