//! The journal in memory: entries in commit order, and per entity where its own lie.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry as MapEntry;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::kept::{Kept, Place};
use crate::{
    EntityType, Entry, Head, IdMap, Member, NewSnapshot, Offset, Outcome, PersistenceId, Refusal,
    Replay, SequenceNumber, SnapshotRef, StoreReport, StoredRecord,
};

/// All entries of a store.
#[derive(Default)]
pub(super) struct Journal {
    /// Entry `n` has offset `n + 1`.
    entries: Vec<Arc<Kept>>,
    entities: IdMap<Entity>,
    /// The keys of `entities` in order: a page of them must not sort all.
    ids: BTreeSet<PersistenceId>,
}

/// What is known of one entity. A load takes it by cloning pointers, whatever its length; a commit
/// copies a list only while a load still holds it.
#[derive(Clone, Default)]
struct Entity {
    head: Head,
    /// Its events, in order: the one with sequence number `n` lies at `n - 1`.
    events: Arc<Vec<Arc<Kept>>>,
    /// Its entries with an idempotency record, in order.
    records: Arc<Vec<Arc<Kept>>>,
    skips: Arc<BTreeSet<SequenceNumber>>,
    snapshot: Option<Arc<(SequenceNumber, NewSnapshot)>>,
}

impl Journal {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Appends everything a member holds, or refuses it.
    pub(super) fn append(&mut self, member: Member) -> Outcome {
        let Self {
            entries,
            entities,
            ids,
        } = self;
        let actual = entities.get(&member.id).map(|e| e.head.sequence);
        let actual = actual.unwrap_or(SequenceNumber::ZERO);
        if actual != member.expected {
            return Outcome::Refused(Refusal::Stale {
                expected: member.expected,
                actual,
            });
        }
        if member.is_empty() {
            let position = entities.get(&member.id).map(|e| e.head.position);
            let position = position.unwrap_or(Offset::ZERO);
            return Outcome::Committed { position };
        }
        let entity = match entities.entry(member.id.clone()) {
            MapEntry::Occupied(known) => known.into_mut(),
            MapEntry::Vacant(new) => {
                ids.insert(member.id.clone());
                new.insert(Entity::default())
            }
        };
        entity.append(member, entries);
        let position = entity.head.position;
        Outcome::Committed { position }
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
        let mut named = older.filter(|e| e.record_ref().is_some_and(|record| record.key == key));
        named.next()?.stored_record()
    }

    /// A page of entries.
    pub(super) fn read(&self, from: Offset, limit: usize) -> Vec<Entry> {
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        self.entries
            .iter()
            .skip(skip)
            .take(limit)
            .filter_map(|kept| kept.entry())
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
    /// Appends a member whose expected sequence number has been checked.
    fn append(&mut self, member: Member, entries: &mut Vec<Arc<Kept>>) {
        let Member {
            id,
            expected,
            time,
            metadata,
            events,
            snapshot,
            record,
            skip,
        } = member;
        let mut record = record;
        let mut left = events.len();
        let mut place = Place {
            offset: Offset::new(entries.len() as u64).next(),
            sequence: expected,
            id: &id,
            time,
            metadata: &metadata,
        };
        let mut push = |kept: Kept, place: &mut Place<'_>| {
            let kept = Arc::new(kept);
            self.push(&kept);
            entries.push(kept);
            place.offset = place.offset.next();
        };
        for event in events {
            place.sequence = place.sequence.next();
            left -= 1;
            let record = if left == 0 { record.take() } else { None };
            push(Kept::event(&place, event, record), &mut place);
        }
        if let Some(record) = record {
            push(Kept::record(&place, record), &mut place);
        }
        if let Some(skip) = skip {
            push(Kept::skip(&place, skip), &mut place);
        }
        let sequence = place.sequence;
        if let Some(snapshot) = snapshot {
            self.snapshot = Some(Arc::new((sequence, snapshot)));
        }
    }

    fn push(&mut self, kept: &Arc<Kept>) {
        self.head.sequence = kept.sequence;
        self.head.position = kept.offset;
        if kept.is_event() {
            Arc::make_mut(&mut self.events).push(Arc::clone(kept));
        }
        if kept.record_ref().is_some() {
            self.head.record = kept.offset;
            Arc::make_mut(&mut self.records).push(Arc::clone(kept));
        }
        if let Some(sequence) = kept.skipped() {
            Arc::make_mut(&mut self.skips).insert(sequence);
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
        for record in records.filter_map(|kept| kept.record_ref()) {
            let flow = replay.record(record);
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
        let events = self.0.events.iter().skip(covered);
        for event in events.filter_map(|kept| kept.event_ref()) {
            if self.0.skips.contains(&event.sequence) {
                replay.skipped(event.sequence);
                continue;
            }
            let flow = replay.event(event);
            if flow == ControlFlow::Break(()) {
                break;
            }
        }
    }
}
