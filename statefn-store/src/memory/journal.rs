//! The journal in memory: entries in commit order, and per entity where its own lie.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
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
}

/// What is known of one entity.
#[derive(Default)]
struct Entity {
    sequence: SequenceNumber,
    /// All its entries, in order.
    entries: Vec<Arc<Entry>>,
    record: Offset,
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
            .map_or(SequenceNumber::ZERO, |e| e.sequence);
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
            position: entity.position(),
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
        let offset = self.next_offset();
        let has_record = body.record().is_some();
        let entry = Arc::new(Entry {
            offset,
            id: origin.id.clone(),
            sequence,
            time: origin.time,
            metadata: origin.metadata.clone(),
            body,
        });
        let entity = self.entities.entry(origin.id.clone()).or_default();
        entity.sequence = sequence;
        entity.entries.push(Arc::clone(&entry));
        if has_record {
            entity.record = offset;
        }
        self.entries.push(entry);
    }

    /// What there is of an entity now.
    pub(super) fn history(&self, id: &PersistenceId) -> History {
        let Some(entity) = self.entities.get(id) else {
            return History::default();
        };
        History {
            head: Head {
                sequence: entity.sequence,
                position: entity.position(),
                record: entity.record,
            },
            entries: entity.entries.clone(),
            snapshot: entity.snapshot.clone(),
        }
    }

    /// The newest record under `key`, from the one at `newest` backward.
    pub(super) fn find_record(
        &self,
        id: &PersistenceId,
        key: &str,
        newest: Offset,
    ) -> Option<StoredRecord> {
        let entries = self.entities.get(id)?.entries.iter().rev();
        let mut records = entries
            .filter(|e| e.offset <= newest)
            .filter_map(|e| e.body.record());
        records.find(|record| record.key == key).cloned()
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
        let ids: BTreeSet<&PersistenceId> = self
            .entities
            .keys()
            .filter(|id| after.is_none_or(|after| *id > after))
            .collect();
        ids.into_iter().take(limit).cloned().collect()
    }

    /// The types of all entities.
    pub(super) fn entity_types(&self) -> Vec<EntityType> {
        let types: BTreeSet<&EntityType> = self
            .entities
            .keys()
            .map(PersistenceId::entity_type)
            .collect();
        types.into_iter().cloned().collect()
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
    fn position(&self) -> Offset {
        self.entries
            .last()
            .map_or(Offset::ZERO, |entry| entry.offset)
    }
}

/// What there was of an entity at one point in time.
#[derive(Default)]
pub(super) struct History {
    head: Head,
    entries: Vec<Arc<Entry>>,
    snapshot: Option<Arc<(SequenceNumber, NewSnapshot)>>,
}

impl History {
    /// Hands everything over in the order of the contract.
    pub(super) fn replay(&self, replay: &mut dyn Replay) -> Head {
        let records = self
            .entries
            .iter()
            .rev()
            .filter_map(|entry| entry.body.record());
        for record in records {
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
        let after = self.offer_snapshot(replay);
        let skips: HashSet<SequenceNumber> = self
            .entries
            .iter()
            .filter_map(|entry| match &entry.body {
                EntryBody::Skip { sequence, .. } => Some(*sequence),
                _ => None,
            })
            .collect();
        for entry in &self.entries {
            let EntryBody::Event { event, .. } = &entry.body else {
                continue;
            };
            if entry.sequence <= after {
                continue;
            }
            if skips.contains(&entry.sequence) {
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
        self.head
    }

    fn offer_snapshot(&self, replay: &mut dyn Replay) -> SequenceNumber {
        let Some((sequence, snapshot)) = self.snapshot.as_deref() else {
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
}
